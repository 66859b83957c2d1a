"""AWS Budgets: what it takes and refuses, what it counts, and that it tells of a threshold once in a period."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.budgets import Budgets
from local_aws.services.budgets_alerts import Alerts, Spend, is_passed, spend
from local_aws.services.budgets_record import period
from local_aws.services.sns import Sns
from local_aws.services.sns_delivery import OUTBOX, Delivery
from local_aws.store import Store

ACCOUNT = "123456789012"
CALLER = Caller(ACCOUNT, "eu-west-1", "AKIA", f"arn:aws:iam::{ACCOUNT}:root")
START = datetime(2026, 11, 10, 12, tzinfo=UTC)
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"


class World:
    """The two services over a bill that a test writes: (moment, USD, tags)."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.bill: list[tuple[datetime, Decimal, Mapping[str, str]]] = []
        self.kept: list[dict[str, str]] = []
        self.folder = folder
        self.open()

    def open(self) -> None:
        """Start over what is on disk, as after a restart."""
        store = Store(self.folder)
        delivery = Delivery(self._append, now=self._seconds)
        self.sns = Sns(store, delivery, now=self._seconds)
        alerts = Alerts(self.charges, self.sns, delivery)
        self.budgets = Budgets(store, self.charges, alerts, now=self._seconds)

    def _append(self, group: str, stream: str, events: Any) -> None:
        assert group == OUTBOX
        self.kept += [json.loads(text) for _, text in events]

    def _seconds(self) -> float:
        return self.now.timestamp()

    def charges(
        self, since: datetime, until: datetime, wanted: Mapping[str, Any] | None, cuts: tuple[datetime, ...]
    ) -> list[tuple[datetime, Decimal]]:
        if wanted and "Tags" not in wanted:
            raise ServiceError("ValidationException", f"no {min(wanted)} here")
        asked = wanted["Tags"] if wanted else None
        return [
            (at, amount)
            for at, amount, tags in self.bill
            if since <= at < until and (asked is None or tags.get(asked["Key"]) in asked["Values"])
        ]

    def costs(self, amount: str, at: datetime | None = None, **tags: str) -> None:
        self.bill.append((at or self.now - timedelta(seconds=1), Decimal(amount), tags))

    def ask(self, operation: str, **params: Any) -> dict[str, Any]:
        found: Callable[..., dict[str, Any]] = getattr(self.budgets, operation)
        return found({"AccountId": ACCOUNT, **params}, CALLER)

    def make(self, name: str = "month", limit: str = "100", **more: Any) -> None:
        budget = {"BudgetName": name, "BudgetLimit": usd(limit), "TimeUnit": "MONTHLY", "BudgetType": "COST"}
        notifications = more.pop("notifications", [])
        self.ask("create_budget", Budget=budget | more, NotificationsWithSubscribers=notifications)

    def told(self, name: str = "month", **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("describe_budget", BudgetName=name, **more)["Budget"]
        return found

    def states(self, name: str = "month") -> list[str]:
        found = self.ask("describe_notifications_for_budget", BudgetName=name)["Notifications"]
        return [one["NotificationState"] for one in found]


def usd(amount: str) -> dict[str, str]:
    return {"Amount": amount, "Unit": "USD"}


def alert(threshold: float = 80, kind: str = "ACTUAL", **more: Any) -> dict[str, Any]:
    return {"NotificationType": kind, "ComparisonOperator": "GREATER_THAN", "Threshold": threshold, **more}


def mail(address: str = "ada@example.com") -> dict[str, str]:
    return {"SubscriptionType": "EMAIL", "Address": address}


def telling(*subscribers: dict[str, str], **of: Any) -> dict[str, Any]:
    return {"Notification": alert(**of), "Subscribers": list(subscribers) or [mail()]}


def code_of(call: Callable[..., Any], *args: Any, **params: Any) -> str:
    with pytest.raises(ServiceError) as caught:
        call(*args, **params)
    return caught.value.code


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_budget_is_told_as_it_was_made_with_what_aws_fills_in(world: World) -> None:
    world.make(limit="12.50")
    told = world.told()
    assert told["BudgetLimit"] == usd("12.50")
    assert told["TimePeriod"] == {"Start": datetime(2026, 11, 1, tzinfo=UTC), "End": datetime(2087, 6, 15, tzinfo=UTC)}
    assert told["CostTypes"]["IncludeTax"] is True
    assert told["CostTypes"]["UseBlended"] is False
    assert told["LastUpdatedTime"] == START
    assert told["CalculatedSpend"]["ActualSpend"] == usd("0")


def test_it_counts_its_own_period_and_nothing_before(world: World) -> None:
    world.make()
    world.costs("5", datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    world.costs("7.25", datetime(2026, 11, 1, tzinfo=UTC))
    world.costs("0.0042")
    assert world.told()["CalculatedSpend"]["ActualSpend"] == usd("7.2542")


@pytest.mark.parametrize(
    "filter",
    [
        {"CostFilters": {"TagKeyValue": ["user:project$dogs"]}},
        {"FilterExpression": {"Tags": {"Key": "project", "Values": ["dogs"]}}, "Metrics": ["UnblendedCost"]},
    ],
)
def test_a_budget_of_a_project_counts_that_project_in_either_way_of_writing_it(
    world: World, filter: dict[str, Any]
) -> None:
    world.make(**filter)
    world.costs("3", project="dogs")
    world.costs("4", project="cats")
    assert world.told()["CalculatedSpend"]["ActualSpend"] == usd("3")


def test_a_filter_expression_is_shown_only_where_it_is_asked_for(world: World) -> None:
    expression = {"Tags": {"Key": "project", "Values": ["dogs"]}}
    world.make(FilterExpression=expression, Metrics=["UnblendedCost"])
    assert "FilterExpression" not in world.told()
    assert world.told(ShowFilterExpression=True)["FilterExpression"] == expression


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        ("DAILY", (2026, 11, 10), (2026, 11, 11)),
        ("MONTHLY", (2026, 11, 1), (2026, 12, 1)),
        ("QUARTERLY", (2026, 10, 1), (2027, 1, 1)),
        ("ANNUALLY", (2026, 1, 1), (2027, 1, 1)),
    ],
)
def test_periods_are_whole_utc_days(unit: str, start: tuple[int, int, int], end: tuple[int, int, int]) -> None:
    assert period(unit, START) == (datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC))


def test_the_forecast_adds_the_mean_of_the_days_with_a_bill(world: World) -> None:
    world.costs("2", START - timedelta(days=2))
    world.costs("3", START - timedelta(days=1))
    found = spend({"TimeUnit": "MONTHLY", "CostFilters": {}}, world.charges, START)
    # 5 USD in 2.5 days, from the midnight before the first bill; 20.5 days are left
    assert found == Spend(Decimal(5), Decimal(46))


def test_without_a_day_of_history_there_is_no_forecast(world: World) -> None:
    world.costs("5", START - timedelta(hours=3))
    world.make()
    assert set(world.told()["CalculatedSpend"]) == {"ActualSpend"}


@pytest.mark.parametrize(
    ("operator", "amount", "passed"),
    [
        ("GREATER_THAN", "80", False),
        ("GREATER_THAN", "80.01", True),
        ("LESS_THAN", "79", True),
        ("LESS_THAN", "80", False),
        ("EQUAL_TO", "80", True),
    ],
)
def test_a_threshold_is_passed_as_its_operator_says(operator: str, amount: str, passed: bool) -> None:
    asked = {**alert(), "ComparisonOperator": operator, "ThresholdType": "PERCENTAGE"}
    assert is_passed(asked, Decimal(100), Spend(Decimal(amount), None)) is passed


def test_an_absolute_threshold_is_in_dollars(world: World) -> None:
    world.make(limit="1000", notifications=[telling(threshold=5, ThresholdType="ABSOLUTE_VALUE")])
    world.costs("6")
    world.budgets.look()
    assert world.states() == ["ALARM"]


def test_a_passed_threshold_is_told_once_in_a_period_and_again_in_the_next(world: World) -> None:
    world.make(notifications=[telling()])
    world.costs("80")
    world.budgets.look()
    assert (world.states(), world.kept) == (["OK"], [])

    world.costs("0.01")
    world.budgets.look()
    world.budgets.look()
    assert world.states() == ["ALARM"]
    (told,) = world.kept
    assert told["to"] == "ada@example.com"
    assert "Budgeted Amount: $100.00" in told["message"]
    assert "Alert Threshold: > $80.00" in told["message"]
    assert "ACTUAL Amount: $80.01" in told["message"]

    world.now += timedelta(days=25)
    assert world.states() == ["OK"]
    world.costs("81")
    world.budgets.look()
    assert len(world.kept) == 2


def test_what_was_told_is_not_told_again_after_a_restart(world: World) -> None:
    world.costs("99")
    world.make(notifications=[telling()])
    assert len(world.kept) == 1
    world.open()
    world.budgets.look()
    assert (len(world.kept), world.states()) == (1, ["ALARM"])


def test_a_forecast_that_passes_is_told_before_the_money_is_spent(world: World) -> None:
    world.costs("40", START - timedelta(days=5))
    world.make(notifications=[telling(threshold=100, kind="FORECASTED"), telling(threshold=100)])
    assert world.states() == ["ALARM", "OK"]
    assert "Alert Type: FORECASTED" in world.kept[0]["message"]


def test_a_raised_limit_is_told_of_when_it_is_passed_too(world: World) -> None:
    world.make(notifications=[telling()])
    world.costs("90")
    world.budgets.look()
    new = {"BudgetName": "month", "BudgetLimit": usd("200"), "TimeUnit": "MONTHLY", "BudgetType": "COST"}
    world.ask("update_budget", NewBudget=new)
    assert (world.states(), len(world.kept)) == (["OK"], 1)
    world.costs("90")
    world.budgets.look()
    assert (world.states(), len(world.kept)) == (["ALARM"], 2)


def test_a_topic_hears_of_it_only_if_its_policy_lets_budgets_publish(world: World) -> None:
    sns = Caller(ACCOUNT, "us-east-1", "AKIA", CALLER.arn)
    world.sns.create_topic({"Name": "alerts"}, sns)
    world.sns.subscribe({"TopicArn": TOPIC, "Protocol": "email", "Endpoint": "team@example.com"}, sns)
    token = world.kept.pop()["message"].split("Token: ")[1]
    world.sns.confirm_subscription({"TopicArn": TOPIC, "Token": token}, sns)
    world.costs("90")
    world.make("shut", notifications=[telling({"SubscriptionType": "SNS", "Address": TOPIC})])
    assert [(one["to"], one["problem"]) for one in world.kept] == [
        (TOPIC, f"The policy of {TOPIC} does not let budgets.amazonaws.com publish to it.")
    ]

    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "budgets.amazonaws.com"},
        "Action": "SNS:Publish",
        "Resource": TOPIC,
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:budgets::{ACCOUNT}:*"},
        },
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.sns.set_topic_attributes({"TopicArn": TOPIC, "AttributeName": "Policy", "AttributeValue": policy}, sns)
    world.kept.clear()
    world.make("open", notifications=[telling({"SubscriptionType": "SNS", "Address": TOPIC})])
    assert [(one["to"], one["problem"]) for one in world.kept] == [("team@example.com", "")]


def test_notifications_and_subscribers_are_added_changed_and_taken_away(world: World) -> None:
    world.make(notifications=[telling()])
    of = {"BudgetName": "month", "Notification": alert()}
    world.ask("create_subscriber", **of, Subscriber=mail("bob@example.com"))
    world.ask("update_subscriber", **of, OldSubscriber=mail(), NewSubscriber=mail("eve@example.com"))
    world.ask("delete_subscriber", **of, Subscriber=mail("bob@example.com"))
    told = world.ask("describe_subscribers_for_notification", **of)["Subscribers"]
    assert told == [mail("eve@example.com")]
    world.ask("create_notification", BudgetName="month", Notification=alert(100), Subscribers=[mail()])
    world.ask("update_notification", BudgetName="month", OldNotification=alert(100), NewNotification=alert(90))
    world.ask("delete_notification", BudgetName="month", Notification=alert())
    told = world.ask("describe_notifications_for_budget", BudgetName="month")["Notifications"]
    assert [one["Threshold"] for one in told] == [90]
    assert world.ask("describe_budget_notifications_for_account")["BudgetNotificationsForAccount"] == [
        {"BudgetName": "month", "Notifications": told}
    ]


def test_the_limits_and_doubles_of_aws(world: World) -> None:
    world.make(notifications=[telling()])
    assert code_of(world.make) == "DuplicateRecordException"
    add = {"BudgetName": "month", "Subscribers": [mail()]}
    assert code_of(world.ask, "create_notification", **add, Notification=alert()) == "DuplicateRecordException"
    for threshold in range(1, 10):
        world.ask("create_notification", **add, Notification=alert(threshold))
    too_many = code_of(world.ask, "create_notification", **add, Notification=alert(99))
    assert too_many == "CreationLimitExceededException"
    of = {"BudgetName": "month", "Notification": alert()}
    assert code_of(world.ask, "create_subscriber", **of, Subscriber=mail()) == "DuplicateRecordException"
    for number in range(9):
        world.ask("create_subscriber", **of, Subscriber=mail(f"{number}@example.com"))
    full = code_of(world.ask, "create_subscriber", **of, Subscriber=mail("one@example.com"))
    assert full == "CreationLimitExceededException"
    last = {"BudgetName": "month", "Notification": alert(1)}
    assert code_of(world.ask, "delete_subscriber", **last, Subscriber=mail()) == "InvalidParameterException"


@pytest.mark.parametrize(
    "wrong",
    [
        {"BudgetType": "USAGE"},
        {"TimeUnit": "CUSTOM"},
        {"BudgetLimit": usd("0")},
        {"BudgetLimit": {"Amount": "5", "Unit": "EUR"}},
        {"BudgetLimit": usd("five")},
        {"BudgetLimit": usd("9" * 1_000_000)},  # which no arithmetic holds
        {"BudgetLimit": None},
        {"BudgetName": "a:b"},
        {"AutoAdjustData": {"AutoAdjustType": "FORECAST"}},
        {"PlannedBudgetLimits": {"1793491200": usd("5")}},
        {"CostFilters": {"AZ": ["us-east-1a"]}},
        {"CostFilters": {"TagKeyValue": ["project"]}},
        {"CostFilters": {"Service": ["Amazon SageMaker"]}},  # which the bill of these tests cannot be asked by
        {"Metrics": ["UsageQuantity"]},
        {"Metrics": ["UnblendedCost"], "CostTypes": {"IncludeTax": False}},
        {"TimePeriod": {"Start": START, "End": START}},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_what_cannot_be_counted_is_refused_and_nothing_is_made(world: World, wrong: dict[str, Any]) -> None:
    budget = {"BudgetName": "month", "BudgetLimit": usd("5"), "TimeUnit": "MONTHLY", "BudgetType": "COST", **wrong}
    asked = {name: value for name, value in budget.items() if value is not None}
    assert code_of(world.ask, "create_budget", Budget=asked) == "InvalidParameterException"
    assert world.ask("describe_budgets")["Budgets"] == []


def test_a_threshold_that_is_no_number_is_refused_and_nothing_is_made(world: World) -> None:
    assert code_of(world.make, notifications=[telling(threshold=float("nan"))]) == "InvalidParameterException"
    assert world.ask("describe_budgets")["Budgets"] == []


def test_a_budget_that_cannot_be_judged_does_not_silence_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a broken one", "month"):
        world.make(name, notifications=[telling()])
    world.costs("90")
    judge = Alerts.judge

    def failing(self: Alerts, record: dict[str, Any], *more: Any, **named: Any) -> bool:
        if record["Budget"]["BudgetName"] == "a broken one":
            raise ArithmeticError
        return judge(self, record, *more, **named)

    monkeypatch.setattr(Alerts, "judge", failing)
    world.budgets.look()
    assert world.states("month") == ["ALARM"]


@pytest.mark.parametrize(
    "who",
    [
        {"SubscriptionType": "EMAIL", "Address": "ada"},
        {"SubscriptionType": "SNS", "Address": "alerts"},
        {"SubscriptionType": "SNS", "Address": "arn:aws:sns:us-east-1:210987654321:alerts"},
    ],
)
def test_an_address_that_is_none_is_refused(world: World, who: dict[str, str]) -> None:
    assert code_of(world.make, notifications=[telling(who)]) == "InvalidParameterException"


def test_budgets_of_another_account_and_budgets_that_are_not_there(world: World) -> None:
    other = {"AccountId": "210987654321", "BudgetName": "month"}
    assert code_of(world.budgets.describe_budget, other, CALLER) == "AccessDeniedException"
    for operation in ("describe_budget", "delete_budget", "describe_notifications_for_budget"):
        assert code_of(world.ask, operation, BudgetName="month") == "NotFoundException"


def test_budgets_come_in_pages(world: World) -> None:
    for name in ("c", "a", "b"):
        world.make(name)
    first = world.ask("describe_budgets", MaxResults=2)
    second = world.ask("describe_budgets", MaxResults=2, NextToken=first["NextToken"])
    assert [one["BudgetName"] for one in (*first["Budgets"], *second["Budgets"])] == ["a", "b", "c"]
    assert "NextToken" not in second
    assert code_of(world.ask, "describe_budgets", NextToken="x") == "InvalidNextTokenException"


def test_a_budget_is_gone_after_its_end(world: World) -> None:
    world.make(TimePeriod={"Start": START, "End": START + timedelta(days=1)})
    world.now += timedelta(days=2)
    world.budgets.look()
    assert world.ask("describe_budgets")["Budgets"] == []


def test_the_history_of_a_budget_month_by_month(world: World) -> None:
    world.make(TimePeriod={"Start": datetime(2026, 9, 1, tzinfo=UTC), "End": datetime(2027, 9, 1, tzinfo=UTC)})
    for month, amount in ((8, "1"), (9, "2"), (10, "3"), (11, "4")):
        world.costs(amount, datetime(2026, month, 2, tzinfo=UTC))
    told = world.ask("describe_budget_performance_history", BudgetName="month")["BudgetPerformanceHistory"]
    periods = told["BudgetedAndActualAmountsList"]
    assert [(one["TimePeriod"]["Start"].month, one["ActualAmount"]["Amount"]) for one in periods] == [
        (9, "2"),
        (10, "3"),
        (11, "4"),
    ]


def test_tags_of_a_budget(world: World) -> None:
    world.make()
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/month"
    world.budgets.tag_resource({"ResourceARN": arn, "ResourceTags": [{"Key": "team", "Value": "ml"}]}, CALLER)
    told = world.budgets.list_tags_for_resource({"ResourceARN": arn}, CALLER)
    assert told == {"ResourceTags": [{"Key": "team", "Value": "ml"}]}
    world.budgets.untag_resource({"ResourceARN": arn, "ResourceTagKeys": ["team"]}, CALLER)
    assert world.budgets.list_tags_for_resource({"ResourceARN": arn}, CALLER) == {"ResourceTags": []}
