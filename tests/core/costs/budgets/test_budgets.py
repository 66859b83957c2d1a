"""Budgets as AWS tells them, and which of them is that of what a page shows."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dashboard.core.costs.budgets.budgets import Alert, Budget, Scope, budget_of, parse_alert, parse_budget
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import By, Period, Selection

MONTH = Period.parse("2026-11", datetime(2026, 11, 20, tzinfo=UTC))


def told(**more: Any) -> dict[str, Any]:
    return {
        "BudgetName": "kennel-month",
        "BudgetLimit": {"Amount": "500.0", "Unit": "USD"},
        "TimeUnit": "MONTHLY",
        "BudgetType": "COST",
        "CalculatedSpend": {"ActualSpend": {"Amount": "12.345", "Unit": "USD"}},
    } | more


def tagged(key: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"FilterExpression": {"Tags": {"Key": key, "Values": list(values), **more}}}


def test_a_budget_of_everything() -> None:
    found = parse_budget(told())
    assert (found.limit, found.actual, found.forecast) == (Decimal(500), Decimal("12.345"), None)
    assert (found.scope, found.why_apart, found.is_kennels) == (Scope.ALL, "", True)


@pytest.mark.parametrize(
    ("filter", "scope", "group"),
    [
        (tagged("project", "dogs", MatchOptions=["EQUALS"]), Scope.PROJECT, "dogs"),
        (tagged("user:owner", "ada"), Scope.OWNER, "ada"),
        ({"CostFilters": {"TagKeyValue": ["user:project$a$b"]}}, Scope.PROJECT, "a$b"),
        (tagged("project", "dogs") | {"CostFilters": {"TagKeyValue": ["user:project$dogs"]}}, Scope.PROJECT, "dogs"),
    ],
)
def test_a_budget_of_a_project_or_an_owner_in_either_way_of_writing_it(
    filter: dict[str, Any], scope: Scope, group: str
) -> None:
    found = parse_budget(told(**filter))
    assert (found.scope, found.group, found.why_apart) == (scope, group, "")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"TimeUnit": "ANNUALLY"}, "its period is annually, not a month"),
        ({"BudgetLimit": {"Amount": "5", "Unit": "EUR"}}, "its currency is EUR, and receipts are in USD"),
        ({"CostFilters": {"Service": ["Amazon SageMaker"]}}, "it counts only a part of the account (Service)"),
        (tagged("team", "ml"), "it counts only a part of the account (Tags)"),
        (tagged("project", "dogs", "cats"), "it counts only a part of the account (Tags)"),
        (tagged("project", "do", MatchOptions=["STARTS_WITH"]), "it counts only a part of the account (Tags)"),
    ],
)
def test_what_cannot_be_held_against_a_month_of_receipts_says_why(more: dict[str, Any], why: str) -> None:
    found = parse_budget(told(**more))
    assert found.why_apart == why
    assert budget_of([found], Selection(Nature.SIMULATED, MONTH)) is None


def test_a_budget_with_planned_limits_says_so() -> None:
    found = told()
    del found["BudgetLimit"]
    assert parse_budget(found).why_apart == "its limit changes from month to month"


def test_an_alert_in_words() -> None:
    asked = {"NotificationType": "FORECASTED", "ComparisonOperator": "GREATER_THAN", "Threshold": 100.0}
    who = [
        {"SubscriptionType": "EMAIL", "Address": "b@example.com"},
        {"SubscriptionType": "SNS", "Address": "arn:aws:sns:us-east-1:123456789012:x"},
        {"SubscriptionType": "EMAIL", "Address": "a@example.com"},
    ]
    found = parse_alert(asked | {"NotificationState": "ALARM"}, who)
    assert (found.words, found.is_raised) == ("100 % expected", True)
    assert found.emails == ("a@example.com", "b@example.com")
    assert found.topic.endswith(":x")
    dollars = parse_alert({**asked, "Threshold": 80, "ThresholdType": "ABSOLUTE_VALUE"}, who)
    assert dollars.words == "$80.00 expected"
    assert dollars.mark != found.mark


def of(*only: tuple[By, str], nature: Nature = Nature.LISTED) -> Selection:
    return Selection(nature, MONTH, only=only)


ACCOUNT = Budget("kennel-month", Decimal(500))
TIGHT = Budget("team", Decimal(100))
DOGS = Budget("kennel-month-project-dogs", Decimal(50), Scope.PROJECT, "dogs")


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (of(), ACCOUNT),
        (of(nature=Nature.SIMULATED), ACCOUNT),
        (of((By.PROJECT, "dogs")), DOGS),
        (of((By.PROJECT, "cats")), None),
        (of((By.OWNER, "dogs")), None),
        (of((By.PROJECT, "dogs"), (By.SERVICE, "EC2")), None),
        (of(nature=Nature.SAMPLE), None),
    ],
)
def test_the_budget_of_what_a_page_shows(selection: Selection, found: Budget | None) -> None:
    assert budget_of((TIGHT, DOGS, ACCOUNT), selection) is found


def test_of_several_that_somebody_else_made_the_tightest_counts() -> None:
    assert budget_of((Budget("wide", Decimal(900)), TIGHT), of()) is TIGHT


def test_alerts_are_told_apart_by_kind_and_percent() -> None:
    assert Alert(Decimal(80)).words == "80 % spent"
    assert len({Alert(Decimal(80)).mark, Alert(Decimal(80), True).mark, Alert(Decimal(100)).mark}) == 3
