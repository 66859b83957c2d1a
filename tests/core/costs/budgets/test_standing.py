"""How a month stands against its budget, worked out by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.costs.budgets.budgets import Budget
from dashboard.core.costs.budgets.standing import Level, against, standing
from dashboard.core.costs.selection import Period
from dashboard.core.costs.spend.forecast import forecast
from tests.core.costs.receipts import HOUR, endpoint

NOW = datetime(2026, 11, 22, 7, 12, tzinfo=UTC)  # 21.3 of 30 days
FIVE_HUNDRED = Budget("kennel-month", Decimal(500))


def test_a_month_in_words() -> None:
    seen = standing(FIVE_HUNDRED, Decimal(310), NOW)
    assert seen.sentence == "62 % of $500.00, 71 % of the month has passed"
    assert (seen.level, seen.warning, seen.left) == (Level.WITHIN, "", Decimal(190))


def test_a_month_that_has_not_begun_has_no_share_that_has_passed() -> None:
    seen = standing(FIVE_HUNDRED, Decimal(0), NOW, month=Period.month(date(2027, 5, 1)))
    assert seen.sentence == "0 % of $500.00, the month has not begun"


@pytest.mark.parametrize(
    ("spent", "expected", "level", "warning"),
    [
        ("500", None, Level.NEARLY, "100 % of $500.00 is spent, and 29 % of the month is still to come"),
        ("500.01", None, Level.OVER, "$0.01 over the limit of $500.00"),
        ("620", "700", Level.OVER, "$120.00 over the limit of $500.00"),
        ("310", "512.30", Level.AHEAD, "the month is heading for $512.30, $12.30 over the limit of $500.00"),
        ("310", "500", Level.WITHIN, ""),
        ("450", "490", Level.NEARLY, "90 % of $500.00 is spent, and 29 % of the month is still to come"),
        ("399.99", None, Level.WITHIN, ""),
        ("0", "0", Level.WITHIN, ""),
    ],
)
def test_a_warning_says_what_is_wrong(spent: str, expected: str | None, level: Level, warning: str) -> None:
    seen = standing(FIVE_HUNDRED, Decimal(spent), NOW, Decimal(expected) if expected else None)
    assert (seen.level, seen.warning, seen.level.is_warning) == (level, warning, bool(warning))


def test_without_a_forecast_what_stands_alone_may_take_the_month_over_its_limit() -> None:
    stands = endpoint("e", NOW - 24 * HOUR, each="1")
    coming = forecast([(stands, stands.by_day())], Period.month(NOW.date()), NOW)
    assert not coming.is_known
    seen = against(Budget("kennel-month", Decimal(100)), Decimal(3), NOW, coming)
    assert (seen.level, seen.expected) == (Level.AHEAD, coming.least)
    assert seen.warning.startswith("the month is heading for at least $2")
    assert against(Budget("kennel-month", Decimal(1000)), Decimal(3), NOW, coming).level is Level.WITHIN
    assert against(FIVE_HUNDRED, Decimal(3), NOW, None).expected is None


def test_nearly_spent_is_no_warning_where_the_month_is_as_nearly_over() -> None:
    last_day = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert standing(FIVE_HUNDRED, Decimal(450), last_day).level is Level.WITHIN


def test_the_month_is_of_utc_days_wherever_the_clock_stands() -> None:
    assert standing(FIVE_HUNDRED, Decimal(0), datetime(2026, 11, 1, tzinfo=UTC)).elapsed == 0
    assert standing(FIVE_HUNDRED, Decimal(0), datetime(2028, 2, 15, 12, tzinfo=UTC)).elapsed == 14.5 / 29


def test_a_limit_of_nothing_is_over_with_the_first_cent() -> None:
    nothing = Budget("kennel-month", Decimal(0))
    assert standing(nothing, Decimal(0), NOW).level is Level.WITHIN
    seen = standing(nothing, Decimal("0.01"), NOW)
    assert (seen.level, seen.sentence) == (Level.OVER, "$0.01 of $0.00, 71 % of the month has passed")


@given(
    limit=st.decimals("0.01", "100000", places=2),
    spent=st.decimals(0, "200000", places=4),
    more=st.decimals(0, "1000", places=4),
)
def test_spending_more_never_looks_better(limit: Decimal, spent: Decimal, more: Decimal) -> None:
    budget = Budget("kennel-month", limit)
    before, after = standing(budget, spent, NOW), standing(budget, spent + more, NOW)
    assert after.share >= before.share
    assert after.left <= before.left
    if before.level is Level.OVER:
        assert after.level is Level.OVER
