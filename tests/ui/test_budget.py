"""The bar of a month against its budget, and the lines that tell of budgets."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dashboard.budget_readings import Budgets
from dashboard.core.aws import Account
from dashboard.core.costs.budgets.budgets import Alert, Budget, Scope
from dashboard.core.costs.budgets.sent import Sent
from dashboard.core.costs.budgets.standing import standing
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.costs.spend.statement import statement
from dashboard.core.errors import AccessDenied
from dashboard.ui import budget_alerts
from dashboard.ui.budget import Seen, bar, figures, limit, line, told, why_none
from dashboard.ui.figures_spend import Limit

NOW = datetime(2026, 11, 16, tzinfo=UTC)  # half of the month
MONTH = Period.parse("2026-11", NOW)
HERE = Selection(Nature.LISTED, MONTH)
REAL = Account("work", "eu-west-1", "210987654321", False, False)
BUDGET = Budget("kennel-month", Decimal(100))


def seen(spent: str, selection: Selection = HERE) -> Seen:
    return Seen(Budgets((BUDGET,)), selection, MONTH, standing(BUDGET, Decimal(spent), NOW))


@pytest.mark.parametrize(
    ("spent", "filled", "passed", "edge"),
    [("40", 40.0, 50.0, None), ("100", 100.0, 50.0, None), ("110", 100.0, 45.5, 90.9), ("900", 100.0, 40.0, 80.0)],
)
def test_the_bar_shows_spent_time_and_limit_on_one_scale(
    spent: str, filled: float, passed: float, edge: float | None
) -> None:
    drawn = bar(seen(spent))
    assert float(re.findall(r"width:([\d.]+)%", drawn)[0]) == filled
    places = [float(place) for place in re.findall(r"left:([\d.]+)%", drawn)]
    assert places == ([passed] if edge is None else [passed, edge])


def test_over_the_limit_is_said_with_a_word_a_shape_and_a_colour() -> None:
    drawn = bar(seen("110"))
    assert "✕" in drawn
    assert "over the limit" in drawn
    assert "$10.00 over the limit of $100.00." in drawn
    assert "list price" in drawn
    assert "badge" not in bar(seen("40"))


def test_the_card_says_what_is_left_or_how_much_is_over() -> None:
    (within,), (over,) = figures(seen("40")), figures(seen("110"))
    assert (within.name, within.value, within.tone) == ("Budget left", "$60.00", "")
    assert (over.name, over.value, over.tone) == ("Over budget", "$10.00", "failed")
    assert within.query == HERE.query()
    assert figures(Seen(Budgets(), HERE, MONTH)) == []


def test_the_line_is_in_charts_of_months_only() -> None:
    def drawn(selection: Selection) -> Limit | None:
        return limit(seen("40", selection), statement(Ledger((), NOW), selection))

    assert drawn(HERE) == Limit("budget", Decimal(100))
    assert drawn(HERE.over(Period.parse("30d", NOW))) is None
    assert drawn(HERE.over(Period.parse("12m", NOW))) == Limit("budget", Decimal(100))  # a bar for each month


def test_why_there_is_no_bar() -> None:
    dogs = Selection(Nature.LISTED, MONTH, only=((By.PROJECT, "<dogs>"),))
    assert why_none(Seen(Budgets(), HERE, MONTH)) == "No monthly budget for the whole account."
    assert why_none(Seen(Budgets(), dogs, MONTH)) == "No monthly budget for project &lt;dogs&gt;."
    assert "sample's" in why_none(Seen(Budgets((BUDGET,)), Selection(Nature.SAMPLE, MONTH), MONTH))
    denied = AccessDenied("not allowed to budgets:ViewBudget")
    assert why_none(Seen(Budgets(problem=denied), HERE, MONTH)).startswith("Budgets: not checked.")


def test_a_budget_in_a_line() -> None:
    alerts = (
        Alert(Decimal(80), emails=("ada@example.com",), is_raised=True),
        Alert(Decimal(100), True, topic="arn:aws:sns:us-east-1:123456789012:alerts"),
    )
    one = Budget("kennel-month-project-dogs", Decimal(50), Scope.PROJECT, "<dogs>", alerts, Decimal("12.3"))
    said = line(one, REAL, NOW)
    assert "$50.00 for project &lt;dogs&gt;" in said
    assert "80 % spent, above $40.00: ada@example.com · <span" in said
    assert "100 % expected, above $50.00: topic alerts · not reached" in said
    assert "AWS has billed $12.30 (read 00:00 UTC)" in said
    assert "simulated" not in said
    assert budget_alerts.heading([one, BUDGET]) == "2 budgets of the account · 1 alert told"
    assert budget_alerts.heading([BUDGET]) == "1 budget of the account"
    assert "AWS has not counted it yet" in line(BUDGET, REAL, NOW)
    whole = line(replace(BUDGET, actual=Decimal(3)), REAL, NOW)
    assert "AWS has billed $3.00 (read 00:00 UTC, questions to Cost Explorer among it)" in whole


def test_an_alert_says_when_it_was_told_where_that_is_kept() -> None:
    first, second = Alert(Decimal(80), emails=("ada@example.com",), is_raised=True), Alert(Decimal(100), is_raised=True)
    one = replace(BUDGET, limit=Decimal("0.01"), alerts=(first, second))
    text = "AWS Budgets: …\n\nBudget Name: kennel-month\nAlert Type: ACTUAL\nAlert Threshold: > $0.0080"
    said = line(one, REAL, NOW, [Sent("ada@example.com", NOW, "Over", text)])
    assert "80 % spent, above $0.008: ada@example.com" in said
    assert said.count("told 16 Nov 00:00 UTC") == 1
    assert "100 % spent, above $0.01: nobody" in said


def test_whom_a_budget_tells() -> None:
    assert told(BUDGET) == "tells nobody"
    assert told(Budget("theirs", Decimal(1))) == "made outside of Kennel: change it in the AWS console"
