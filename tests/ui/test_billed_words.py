"""The bill in words: both sums are compared and never added; what a column lacks is said."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard.core.costs.bill.billed import Billed, Question
from dashboard.core.costs.bill.reconcile import Reason, Reconciliation, Row
from dashboard.core.costs.budgets.budgets import Budget
from dashboard.core.costs.budgets.standing import standing
from dashboard.core.costs.selection import By, Period
from dashboard.ui import billed_words
from dashboard.ui.chart import to_csv

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MONTH = Question(Period(date(2026, 11, 1), date(2026, 11, 30)), By.SERVICE)


def made(listed: str, billed: str, currency: str = "USD", *rows: Row) -> Reconciliation:
    return Reconciliation(rows, Decimal(listed), Decimal(billed), currency, currency == "USD", ())


@pytest.mark.parametrize(
    ("listed", "billed", "said"),
    [
        ("10", "12.5", "Billed $12.50, $2.50 more than the list price of $10.00"),
        ("10", "8", "Billed $8.00, $2.00 less than the list price of $10.00"),
        ("10", "10.00000000001", "Billed $10.00, exactly the list price"),
        ("0", "-3", "Billed −$3.00, $3.00 less than the list price of $0.00"),
    ],
)
def test_the_finding_compares(listed: str, billed: str, said: str) -> None:
    assert billed_words.finding(made(listed, billed)) == said


def test_the_finding_says_up_to_when() -> None:
    hour = timedelta(hours=1)
    until = billed_words.moment(MONTH, NOW - hour, NOW)
    said = "Billed $8.00 by 11:00 UTC, $2.00 less than the list price of $10.00 until then"
    assert billed_words.finding(made("10", "8"), until) == said
    assert billed_words.moment(MONTH, NOW - 24 * hour, NOW) == "20 November, 12:00 UTC"
    assert billed_words.moment(MONTH, NOW + 24 * 30 * hour, NOW + 24 * 30 * hour) == ""  # the month was over


@pytest.mark.parametrize(
    ("spent", "said"),
    [
        ("2", "$3.00 of $5.00 is left, $2.99 after this"),
        ("4.99", "$0.01 of $5.00 is left, $0.00 after this"),
        ("4.995", "$0.005 of $5.00 is left, so that this goes $0.005 over it"),
        ("5.5", "$0.50 over its limit of $5.00 already"),
    ],
)
def test_the_price_of_asking_is_held_against_the_budget(spent: str, said: str) -> None:
    stands = standing(Budget("kennel-month", Decimal(5)), Decimal(spent), NOW)
    assert said in billed_words.budget_after(stands)


def test_another_currency_is_only_told() -> None:
    said = billed_words.finding(made("10", "9", "EUR"))
    assert said == "€9.00 billed, in EUR: not comparable with list prices, which are in USD"


def test_what_a_row_lacks() -> None:
    seen = Row("EC2", Decimal(1), Decimal(1), 2, 1, "x99", ("EC2 - Other",))
    assert billed_words.note(seen, By.SERVICE) == (
        "2 receipts · 1 of unknown price, not in the list price · on the bill: EC2 - Other · "
        "the bill has no price for x99"
    )
    assert billed_words.note(Row("Tax", None, Decimal(1), parts=("Tax",)), By.SERVICE) == "no receipt here"
    assert billed_words.note(Row("dogs", Decimal(1), None, 1), By.PROJECT) == "1 receipt · not on the bill"
    assert billed_words.name(Row("", Decimal(1), None, 1), By.PROJECT) == "without project"


def test_reasons_have_their_amounts_with_a_sign() -> None:
    assert billed_words.reason(Reason("tax", Decimal("1.2")), "USD") == "tax: +$1.20"
    assert billed_words.reason(Reason("credits", Decimal(-3)), "EUR") == "credits: −€3.00"
    assert billed_words.reason(Reason("a day's lag"), "USD") == "a day's lag"


def test_whose_figures_they_are_and_how_old() -> None:
    billed = Billed(MONTH, {}, {}, "USD", is_estimated=True, pages=3)
    said = billed_words.answered(billed, NOW - timedelta(hours=3), NOW)
    assert said == "Asked 3 h ago for $0.03, which is in neither sum · AWS's figures are not final yet · days are UTC"


def test_the_question_says_of_whom() -> None:
    asked = Question(MONTH.period, By.SERVICE, ((By.PROJECT, "dogs"), (By.OWNER, "")))
    said = billed_words.question_said(asked)
    assert said == "What was billed in November 2026, by service, of project dogs and no owner, in every region"


def test_a_spreadsheet_gets_all_digits_and_no_formula() -> None:
    rows = (Row("=cmd", Decimal("0.12345678901"), None, 1), Row("Tax", None, Decimal("2"), parts=("Tax",)))
    told = to_csv(billed_words.plain(made("0.12345678901", "2", "EUR", *rows), MONTH))
    first, second = csv.DictReader(io.StringIO(told))
    assert (first["service"], first["list_price"], first["billed"]) == ("'=cmd", "0.12345678901", "")
    assert (second["list_price"], second["billed"], second["billed_currency"]) == ("", "2", "EUR")
