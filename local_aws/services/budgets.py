"""AWS Budgets: cost budgets over the embedded account's own bill, and the alerts of each.

As on AWS there is one set for the whole account, whatever the region. What a budget counts is worked out when it is
asked for, so that it is never hours old. Budget actions and reports are not here.
"""

import base64
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.concurrency import run_in_threadpool

from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.services import budgets_record as records
from local_aws.services import sagemaker_constraints as constraints
from local_aws.services.budgets_alerts import Alerts, Charges, added
from local_aws.services.budgets_record import invalid
from local_aws.store import Documents, Store

log = logging.getLogger(__name__)

PAGE = 100
MOST_PERIODS = 400

Params = dict[str, Any]


class Budgets(Service):
    """charges: what the bill says. now: epoch seconds."""

    name = "budgets"
    invalid_code = "InvalidParameterException"

    def __init__(self, store: Store, charges: Charges, alerts: Alerts, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._records = Documents(store, "budget")
        self._charges = charges
        self._alerts = alerts
        self._now = now

    async def start(self) -> None:
        self._alerts.start(self.look)

    async def stop(self) -> None:
        await run_in_threadpool(self._alerts.stop)

    def look(self) -> None:
        """Tell of every threshold that was passed since the last look, and forget budgets whose time is over."""
        for record in self._records.all():
            name = record["Budget"]["BudgetName"]
            try:
                self._judge(name)
            except Exception:  # one budget that cannot be judged must not silence the others
                log.exception("budget %s could not be looked at", name)

    def _judge(self, name: str, *, anew: bool = False) -> None:
        """Look at one budget. The bill is added up before the record is held; one changed meanwhile is left."""
        record, now = self._records.get(name), self._moment()
        if record is None:
            return
        is_over = now.timestamp() >= record["Budget"]["TimePeriod"]["End"]
        if not is_over and not record["Notifications"]:
            return
        found = self._alerts.spend(record["Budget"], now)
        with self._store.transaction():
            current = self._records.get(name)
            if current is None or current["Budget"] != record["Budget"]:
                return  # whoever changed it looks at it too
            if is_over:
                self._records.delete(name)  # as AWS does
            elif self._alerts.judge(current, found, ACCOUNT, now, anew=anew):
                self._records.put(name, current)

    # budgets

    def create_budget(self, params: Params, caller: Caller) -> Params:
        self._check(params, "CreateBudget", caller)
        budget = records.made(params["Budget"], self._moment())
        record: Params = {"Budget": budget, "Notifications": [], "Tags": _tags(params.get("ResourceTags") or [])}
        for one in params.get("NotificationsWithSubscribers") or ():
            records.add(record, one["Notification"], one["Subscribers"], caller.account)
        self._check_can_be_counted(budget)
        with self._store.transaction():
            if self._records.get(budget["BudgetName"]) is not None:
                raise ServiceError(
                    "DuplicateRecordException", f"Error creating budget: {budget['BudgetName']} - budget already exists"
                )
            self._records.put(budget["BudgetName"], record)
        self._judge(budget["BudgetName"])
        return {}

    def update_budget(self, params: Params, caller: Caller) -> Params:
        self._check(params, "UpdateBudget", caller)
        asked = params["NewBudget"]
        budget = records.made(asked, self._moment())
        self._check_can_be_counted(budget)
        with self._store.transaction():
            record = self._record(asked["BudgetName"])
            if "TimePeriod" not in asked:
                budget["TimePeriod"] = record["Budget"]["TimePeriod"]
            self._records.put(asked["BudgetName"], record | {"Budget": budget})
        self._judge(asked["BudgetName"], anew=True)
        return {}

    def delete_budget(self, params: Params, caller: Caller) -> Params:
        self._check(params, "DeleteBudget", caller)
        with self._store.transaction():
            self._record(params["BudgetName"])
            self._records.delete(params["BudgetName"])
        return {}

    def describe_budget(self, params: Params, caller: Caller) -> Params:
        self._check(params, "DescribeBudget", caller)
        return {"Budget": self._told(self._record(params["BudgetName"]), params)}

    def describe_budgets(self, params: Params, caller: Caller) -> Params:
        self._check(params, "DescribeBudgets", caller)
        page, token = _page(self._records.all(), params)
        return {"Budgets": [self._told(one, params) for one in page], **token}

    def describe_budget_performance_history(self, params: Params, caller: Caller) -> Params:
        self._check(params, "DescribeBudgetPerformanceHistory", caller)
        budget = self._record(params["BudgetName"])["Budget"]
        if budget["TimeUnit"] == "ANNUALLY":
            raise invalid("Budget history is available for DAILY, MONTHLY and QUARTERLY budgets.")
        now, given = self._moment(), params.get("TimePeriod") or {}
        asked = {name: records.utc(moment) for name, moment in given.items()}
        begun = max(asked.get("Start") or _moment(budget["TimePeriod"]["Start"]), now - timedelta(days=MOST_PERIODS))
        start, end = records.period(budget["TimeUnit"], begun)
        periods: list[Params] = []
        while start <= min(asked.get("End") or now, now) and len(periods) < MOST_PERIODS:
            spent = added(self._charges(start, min(end, now), records.expression(budget), ()))
            periods.append(
                {
                    "BudgetedAmount": budget["BudgetLimit"],
                    "ActualAmount": _usd(spent),
                    "TimePeriod": {"Start": start, "End": end},
                }
            )
            start, end = records.period(budget["TimeUnit"], end)
        page, token = _page(periods, params)
        told = {name: budget[name] for name in ("BudgetName", "BudgetType", "TimeUnit", "CostFilters")}
        told |= {name: budget[name] for name in ("CostTypes", "Metrics", "FilterExpression") if name in budget}
        return {"BudgetPerformanceHistory": told | {"BudgetedAndActualAmountsList": page}, **token}

    # notifications

    def create_notification(self, params: Params, caller: Caller) -> Params:
        self._check(params, "CreateNotification", caller)
        with self._store.transaction():
            record = self._record(params["BudgetName"])
            records.add(record, params["Notification"], params["Subscribers"], caller.account)
            self._records.put(params["BudgetName"], record)
        self._judge(params["BudgetName"])
        return {}

    def update_notification(self, params: Params, caller: Caller) -> Params:
        self._check(params, "UpdateNotification", caller)
        wanted = records.notification(params["NewNotification"])
        with self._store.transaction():
            record = self._record(params["BudgetName"])
            one = records.find(record, params["OldNotification"])
            if any(other is not one and other["Notification"] == wanted for other in record["Notifications"]):
                raise ServiceError("DuplicateRecordException", "The notification already exists.")
            one |= {"Notification": wanted, "raised": "", "told": ""}
            self._records.put(params["BudgetName"], record)
        self._judge(params["BudgetName"])
        return {}

    def delete_notification(self, params: Params, caller: Caller) -> Params:
        self._check(params, "DeleteNotification", caller)
        with self._store.transaction():
            record = self._record(params["BudgetName"])
            record["Notifications"].remove(records.find(record, params["Notification"]))
            self._records.put(params["BudgetName"], record)
        return {}

    def describe_notifications_for_budget(self, params: Params, caller: Caller) -> Params:
        self._check(params, "DescribeNotificationsForBudget", caller)
        page, token = _page(self._notifications(self._record(params["BudgetName"])), params)
        return {"Notifications": page, **token}

    def describe_budget_notifications_for_account(self, params: Params, caller: Caller) -> Params:
        self._check(params, "DescribeBudgetNotificationsForAccount", caller)
        found = [
            {"BudgetName": one["Budget"]["BudgetName"], "Notifications": self._notifications(one)}
            for one in self._records.all()
        ]
        page, token = _page(found, params)
        return {"BudgetNotificationsForAccount": page, **token}

    def _notifications(self, record: Params) -> list[Params]:
        """AWS tells ALARM for a threshold that is passed in the present period."""
        this = records.period(record["Budget"]["TimeUnit"], self._moment())[0].isoformat()
        return [
            one["Notification"] | {"NotificationState": "ALARM" if one["raised"] == this else "OK"}
            for one in record["Notifications"]
        ]

    # subscribers

    def create_subscriber(self, params: Params, caller: Caller) -> Params:
        self._check(params, "CreateSubscriber", caller)
        return self._subscribers(params, caller, lambda there: [*there, params["Subscriber"]])

    def update_subscriber(self, params: Params, caller: Caller) -> Params:
        self._check(params, "UpdateSubscriber", caller)
        old, new = params["OldSubscriber"], params["NewSubscriber"]
        return self._subscribers(params, caller, lambda there: [*_without(there, old), new])

    def delete_subscriber(self, params: Params, caller: Caller) -> Params:
        self._check(params, "DeleteSubscriber", caller)
        return self._subscribers(params, caller, lambda there: _without(there, params["Subscriber"]))

    def _subscribers(
        self, params: Params, caller: Caller, change: Callable[[list[Params]], Sequence[Params]]
    ) -> Params:
        with self._store.transaction():
            record = self._record(params["BudgetName"])
            one = records.find(record, params["Notification"])
            one["Subscribers"] = records.checked(change(one["Subscribers"]), caller.account)
            self._records.put(params["BudgetName"], record)
        return {}

    def describe_subscribers_for_notification(self, params: Params, caller: Caller) -> Params:
        self._check(params, "DescribeSubscribersForNotification", caller)
        one = records.find(self._record(params["BudgetName"]), params["Notification"])
        page, token = _page(one["Subscribers"], params)
        return {"Subscribers": page, **token}

    # tags

    def tag_resource(self, params: Params, caller: Caller) -> Params:
        given = _tags(params["ResourceTags"])
        with self._store.transaction():
            record = self._named(params["ResourceARN"], caller)
            record["Tags"] = _tags([{"Key": k, "Value": v} for k, v in (record["Tags"] | given).items()])
            self._records.put(record["Budget"]["BudgetName"], record)
        return {}

    def untag_resource(self, params: Params, caller: Caller) -> Params:
        with self._store.transaction():
            record = self._named(params["ResourceARN"], caller)
            for key in params["ResourceTagKeys"]:
                record["Tags"].pop(key, None)
            self._records.put(record["Budget"]["BudgetName"], record)
        return {}

    def list_tags_for_resource(self, params: Params, caller: Caller) -> Params:
        found = self._named(params["ResourceARN"], caller)["Tags"]
        return {"ResourceTags": [{"Key": key, "Value": value} for key, value in found.items()]}

    # within

    def _check(self, params: Params, operation: str, caller: Caller) -> None:
        """Raises ServiceError for values outside of the model's bounds, and for another account's budgets."""
        shape = self.model.operation_model(operation).input_shape
        try:
            constraints.check(shape, params)
        except ServiceError as broken:
            raise invalid(broken.message) from broken
        if params["AccountId"] != caller.account:
            raise ServiceError(
                "AccessDeniedException", f"Account {caller.account} is not authorized to access {params['AccountId']}."
            )

    def _check_can_be_counted(self, budget: Params) -> None:
        """Raises ServiceError InvalidParameterException for an expression that the bill cannot be asked by."""
        now = self._moment()
        try:
            self._charges(now, now, records.expression(budget), ())
        except ServiceError as refused:
            raise invalid(refused.message) from refused

    def _record(self, name: str) -> Params:
        found = self._records.get(name)
        if found is None:
            raise ServiceError(
                "NotFoundException", f"Unable to get budget: {name} - the budget doesn't exist. Try creating it first."
            )
        return found

    def _named(self, arn: str, caller: Caller) -> Params:
        prefix = f"arn:aws:budgets::{caller.account}:budget/"
        if not arn.startswith(prefix):
            raise invalid(f"{arn} is not the ARN of a budget of this account.")
        return self._record(arn.removeprefix(prefix))

    def _told(self, record: Params, params: Params) -> Params:
        budget = dict(record["Budget"])
        found = self._alerts.spend(budget, self._moment())
        forecast = {} if found.forecast is None else {"ForecastedSpend": _usd(found.forecast)}
        budget["CalculatedSpend"] = {"ActualSpend": _usd(found.actual), **forecast}
        budget["TimePeriod"] = {name: _moment(at) for name, at in budget["TimePeriod"].items()}
        budget["LastUpdatedTime"] = _moment(budget["LastUpdatedTime"])
        if not params.get("ShowFilterExpression"):
            budget.pop("FilterExpression", None)
        return budget

    def _moment(self) -> datetime:
        return _moment(self._now())


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _usd(amount: Decimal) -> dict[str, str]:
    text = f"{amount:f}"
    return {"Amount": text.rstrip("0").rstrip(".") if "." in text else text, "Unit": "USD"}


def _without(there: list[Params], one: Params) -> list[Params]:
    if one not in there:
        raise ServiceError("NotFoundException", "Unable to get subscriber: the subscriber doesn't exist.")
    return [other for other in there if other != one]


def _tags(given: Sequence[Params]) -> dict[str, str]:
    found = {one["Key"]: one["Value"] for one in given}
    if len(found) < len(given) or any(key.lower().startswith("aws:") for key in found):
        raise invalid("The key of a tag must be unique and must not begin with aws:.")
    if len(found) > 50:
        raise ServiceError("ServiceQuotaExceededException", "A budget can have at most 50 tags.")
    return found


def _page(found: Sequence[Any], params: Params) -> tuple[Sequence[Any], Params]:
    first, most = 0, params.get("MaxResults") or PAGE
    if params.get("NextToken"):
        try:
            first = int(base64.b64decode(params["NextToken"], validate=True))
        except ValueError:
            raise ServiceError("InvalidNextTokenException", "The pagination token is invalid.") from None
    rest = first + most
    more = {"NextToken": base64.b64encode(str(rest).encode()).decode()} if rest < len(found) else {}
    return found[first:rest], more
