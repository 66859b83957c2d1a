"""A receipt's sum, its days, and whose money it is."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.costs.receipt import Line, Nature, Receipt, Service, accrued
from tests.core.costs.receipts import line, run

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
AMOUNTS = st.decimals(min_value=0, max_value=100_000, places=14, allow_nan=False)


def charge(amount: Decimal, started: datetime, ended: datetime) -> Line:
    return Line("instances", None, "instance-hours", None, amount, started, ended)


def test_tags_and_the_account_say_what_money_it_is() -> None:
    sample = {"kennel:sample": "true"}
    assert Nature.of({}, is_embedded=False) is Nature.LISTED
    assert Nature.of({}, is_embedded=True) is Nature.SIMULATED
    assert Nature.of(sample, is_embedded=True) is Nature.of(sample, is_embedded=False) is Nature.SAMPLE
    assert Nature.of({"kennel:sample": "no"}, is_embedded=True) is Nature.SIMULATED


def test_the_sum_is_the_least_that_it_cost_where_something_is_unknown() -> None:
    lacking = line(NOON, NOON + HOUR, None, what="storage", essential=False)
    cost = run("dogs", NOON, extra=(lacking,))
    assert cost.amount == Decimal("0.36")
    assert cost.missing == (lacking,)
    assert (cost.is_least, cost.is_comparable) == (False, True)  # named, and small beside the rest
    dear = line(NOON, NOON + HOUR, None, what="spot instances")
    part = run("dogs", NOON, extra=(dear,))
    assert part.amount == sum(part.by_day().values()) == Decimal("0.36")
    assert (part.is_least, part.is_comparable) == (True, False)
    whole = run("dogs", NOON)
    assert (whole.is_least, whole.is_comparable) == (False, True)
    unknown = run("dogs", NOON, each=None)
    assert unknown.amount is None
    assert not unknown.is_least
    assert unknown.by_day() == {}


def test_a_night_is_shared_by_its_two_days_in_utc_wherever_it_was_written_down() -> None:
    berlin = timezone(timedelta(hours=1))
    begun = datetime(2026, 11, 20, 23, tzinfo=berlin)  # 22:00 UTC
    cost = run("dogs", begun, hours=8, each="1")
    assert cost.by_day() == {date(2026, 11, 20): Decimal(2), date(2026, 11, 21): Decimal(6)}


def test_one_that_ends_at_midnight_costs_nothing_the_day_after() -> None:
    cost = run("dogs", NOON, hours=12, each="1")
    assert cost.by_day() == {date(2026, 11, 20): Decimal(12)}


def test_what_took_no_time_belongs_to_its_day() -> None:
    assert accrued(charge(Decimal("0.2"), NOON, NOON)) == [(NOON.date(), Decimal("0.2"))]
    assert accrued(charge(Decimal("0.2"), NOON, NOON - HOUR)) == [(NOON.date(), Decimal("0.2"))]


@settings(deadline=None)
@given(AMOUNTS, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=500)))
def test_days_add_up_to_the_sum_exactly_and_none_is_negative(amount: Decimal, begun: datetime, took: timedelta) -> None:
    parts = accrued(charge(amount, begun, begun + took))
    days = [day for day, _ in parts]
    assert days == sorted(set(days))
    assert days[0] == begun.date()
    assert all(part >= 0 for _, part in parts)
    assert sum(part for _, part in parts) == amount.quantize(Decimal("1E-12"))


@settings(deadline=None)
@given(st.lists(st.tuples(AMOUNTS, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=60))), max_size=6))
def test_a_receipts_days_are_those_of_its_lines(told: list[tuple[Decimal, datetime, timedelta]]) -> None:
    lines = tuple(charge(amount, begun, begun + took) for amount, begun, took in told)
    cost = Receipt("run:x", "x", Service.TRAINING, Nature.LISTED, NOON, None, lines)
    assert sum(cost.by_day().values()) == cost.amount


def test_what_is_known_is_the_sum_and_what_is_not_is_never_nothing() -> None:
    known, unknown = charge(Decimal("0.2"), NOON, NOON), line(NOON, NOON + HOUR, None, essential=False)

    def amount(*lines: Line) -> Decimal | None:
        return Receipt("run:x", "x", Service.TRAINING, Nature.LISTED, NOON, None, lines).amount

    assert amount(known, unknown) == Decimal("0.2")
    assert amount(unknown) is None
    assert amount(unknown, unknown) is None
    assert amount(known, replace(unknown, essential=True)) == Decimal("0.2")
    assert amount(replace(known, amount=Decimal(0)), replace(unknown, essential=True)) is None
    assert amount(replace(known, amount=Decimal(0)), unknown) == 0
