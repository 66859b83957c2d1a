"""AWS Budgets and SNS in memory, for the scripted account: what was set is what is told."""

import json
from datetime import UTC, datetime
from typing import Any

from dashboard.core.errors import AlreadyExists, NotFound

Params = dict[str, Any]


class BudgetAnswers:
    """Answers as AWS gives them; `spent` is what AWS says that each budget has counted."""

    def __init__(self) -> None:
        super().__init__()
        self.budgets: dict[str, Params] = {}
        self.alerts: dict[str, list[tuple[Params, list[Params]]]] = {}
        self.topics: dict[str, str] = {}
        self.spent = "0.0"
        self.mails: list[dict[str, str]] = []

    def add_budget(self, name: str = "kennel-month", limit: str = "500", **more: Any) -> None:
        """A monthly budget of the whole account, unless `more` says otherwise."""
        usual = {"BudgetLimit": {"Amount": limit, "Unit": "USD"}, "TimeUnit": "MONTHLY", "BudgetType": "COST"}
        self.budgets[name] = {"BudgetName": name} | usual | more
        self.alerts[name] = []

    def kept_mails(self) -> Params:
        """The log of what an embedded AWS would have mailed; a real account has no such log."""
        if not self.mails:
            raise NotFound("The specified log group does not exist.")
        moment = int(datetime.now(UTC).timestamp() * 1000)
        return {"events": [{"timestamp": moment, "message": json.dumps(one)} for one in self.mails]}

    def _told(self, name: str) -> Params:
        if name not in self.budgets:
            raise NotFound(f"the budget {name} doesn't exist")
        counted = {"ActualSpend": {"Amount": self.spent, "Unit": "USD"}}
        return self.budgets[name] | {"CalculatedSpend": counted}

    def _DescribeBudgets(self, asked: Params) -> Params:
        return {"Budgets": [self._told(name) for name in self.budgets]}

    def _DescribeBudget(self, asked: Params) -> Params:
        return {"Budget": self._told(asked["BudgetName"])}

    def _CreateBudget(self, asked: Params) -> Params:
        name = asked["Budget"]["BudgetName"]
        if name in self.budgets:
            raise AlreadyExists(f"the budget {name} exists already")
        self.budgets[name] = asked["Budget"]
        self.alerts[name] = [
            (one["Notification"], one["Subscribers"]) for one in asked.get("NotificationsWithSubscribers", [])
        ]
        return {}

    def _UpdateBudget(self, asked: Params) -> Params:
        self._told(asked["NewBudget"]["BudgetName"])
        self.budgets[asked["NewBudget"]["BudgetName"]] = asked["NewBudget"]
        return {}

    def _DeleteBudget(self, asked: Params) -> Params:
        self._told(asked["BudgetName"])
        del self.budgets[asked["BudgetName"]]
        return {}

    def _DescribeNotificationsForBudget(self, asked: Params) -> Params:
        return {"Notifications": [one | {"NotificationState": "OK"} for one, _ in self.alerts[asked["BudgetName"]]]}

    def _DescribeSubscribersForNotification(self, asked: Params) -> Params:
        found = [who for one, who in self.alerts[asked["BudgetName"]] if one == asked["Notification"]]
        return {"Subscribers": found[0]}

    def _GetTopicAttributes(self, asked: Params) -> Params:
        if asked["TopicArn"] not in self.topics:
            raise NotFound("Topic does not exist")
        return {"Attributes": {"Policy": self.topics[asked["TopicArn"]]}}

    def _CreateTopic(self, asked: Params) -> Params:
        arn = f"arn:aws:sns:us-east-1:123456789012:{asked['Name']}"
        self.topics.setdefault(arn, "{}")
        return {"TopicArn": arn}

    def _SetTopicAttributes(self, asked: Params) -> Params:
        self.topics[asked["TopicArn"]] = asked["AttributeValue"]
        return {}
