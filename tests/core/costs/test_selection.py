"""A selection is its address: what is written can be read again, and what does not fit is left out."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import EARLIEST, LATEST, NAMES, By, Period, Selection
from dashboard.core.costs.spend.statement import statement
from tests.core.costs.receipts import NOW, many, run

groups = st.dictionaries(st.sampled_from(list(By)), st.text(max_size=12), max_size=4)
days = st.dates(date(2006, 3, 14), date(2100, 1, 1))


@given(st.sampled_from(list(Nature)), days, days, st.sampled_from(list(By)), groups)
def test_an_address_says_exactly_the_selection(nature, one, other, by, only):
    period = Period(min(one, other), max(one, other))
    told = Selection(nature, period, by, tuple((kind, only[kind]) for kind in By if kind in only))
    assert Selection.parse(told.query(), NOW, Nature.LISTED) == told
    assert set(told.query()) <= NAMES


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2026-02", Period(date(2026, 2, 1), date(2026, 2, 28))),
        ("2026-11-20..2026-11-03", Period(date(2026, 11, 3), date(2026, 11, 20))),
        ("30d", Period(date(2026, 10, 23), date(2026, 11, 21))),
        ("1d", Period(date(2026, 11, 21), date(2026, 11, 21))),
        ("12m", Period(date(2025, 12, 1), date(2026, 11, 21))),
    ],
)
def test_periods_are_written_in_several_ways(text, period):
    assert Period.parse(text, NOW) == period


NONSENSE = ["", "2026-13", "x", "..", "2026-11-31..2026-12-01", "d", "m", "-", "9" * 40]
FAR = ["9999-12", "0001-01", "0001-01-01..0001-01-02", "9999-01-01..9999-12-31"]


@pytest.mark.parametrize("text", NONSENSE + FAR)
def test_a_period_that_cannot_be_is_this_month(text):
    assert Period.parse(text, NOW) == Period(date(2026, 11, 1), date(2026, 11, 30))


@pytest.mark.parametrize("text", ["-5d", "0d", "99999999d", "99999999m", "0m"])
def test_absurd_lengths_are_bounded(text):
    period = Period.parse(text, NOW)
    assert period.last == date(2026, 11, 21)
    assert 1 <= period.days <= 3700


@pytest.mark.parametrize("text", ["0001-01-01..2026-11-30", "1999-12-31..9999-12-31", "2026-11-01..9999-12-31"])
def test_an_address_of_all_time_is_cut_to_days_that_can_be_counted(text):
    period = Period.parse(text, NOW)
    assert EARLIEST <= period.first <= period.last <= LATEST
    assert period.before().last == period.first - timedelta(days=1)
    assert statement(many(10), Selection(Nature.SIMULATED, period)).total.receipts


def test_this_month_is_that_of_utc_wherever_the_clock_stands():
    berlin = datetime(2026, 12, 1, 0, 30, tzinfo=UTC).astimezone(UTC) - timedelta(hours=1)
    assert Period.parse("", berlin) == Period.month(date(2026, 11, 1))


@given(days, st.integers(0, 500))
def test_the_period_before_ends_the_day_before_and_is_as_long(first, length):
    period = Period(first, first + timedelta(days=length))
    before = period.before()
    assert before.last == first - timedelta(days=1)
    assert before.is_month if period.is_month else before.days == period.days


def test_a_selection_holds_one_nature_and_the_groups_it_keeps():
    mine = run("r", NOW, project="dogs", owner="ada")
    chosen = Selection(Nature.SIMULATED, Period.month(date(2026, 11, 1)))
    assert chosen.holds(mine)
    assert not chosen.of(Nature.SAMPLE).holds(mine)
    assert chosen.within(By.PROJECT, "dogs").holds(mine)
    assert not chosen.within(By.PROJECT, "cats").holds(mine)
    assert not chosen.within(By.PROJECT, "dogs").within(By.OWNER, "").holds(mine)


def test_choosing_another_group_of_a_kind_takes_the_place_of_the_first():
    chosen = (
        Selection(Nature.SIMULATED, Period.month(date(2026, 11, 1))).within(By.PROJECT, "a").within(By.PROJECT, "b")
    )
    assert chosen.only == ((By.PROJECT, "b"),)
    assert chosen.without(By.PROJECT).only == ()
