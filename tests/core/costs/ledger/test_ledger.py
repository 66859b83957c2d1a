"""The sums of a ledger: exact, of one nature, however they are put together."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.receipt import Nature, Receipt
from dashboard.core.costs.selection import By, Period, Selection
from tests.core.costs.receipts import HOUR, NOW, ledger, line, many, run

DAY = timedelta(days=1)
YEAR = Period((NOW - 400 * DAY).date(), NOW.date())
RECEIPTS = st.lists(
    st.builds(
        lambda number, days, hours, nature, project, each: run(
            f"r{number}", NOW - days * DAY, hours, each, nature=nature, project=project
        ),
        st.integers(0, 10**6),
        st.floats(0, 300),
        st.floats(0, 100),
        st.sampled_from(Nature),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["0.115", "0.2301", None]),
    ),
    max_size=15,
    unique_by=lambda receipt: receipt.key,
)


@settings(deadline=None)
@given(RECEIPTS, st.sampled_from(Nature), st.sampled_from(By))
def test_groups_days_and_receipts_add_up_to_the_total_exactly(receipts: list[Receipt], nature: Nature, by: By) -> None:
    held = ledger(*receipts)
    whole = Selection(nature, YEAR, by)
    total = held.total(whole)
    assert sum((one.amount for one in held.shares(whole)), Decimal(0)) == total.amount
    assert sum((sum(days.values()) for days in held.daily(whole).values()), Decimal(0)) == total.amount
    assert sum((amount or Decimal(0) for _, amount in held.of(whole)), Decimal(0)) == total.amount
    for one in held.shares(whole):
        assert held.total(whole.within(by, one.group)).amount == one.amount


@settings(deadline=None)
@given(RECEIPTS, st.integers(1, 399))
def test_a_time_cut_in_two_costs_what_it_does_whole(receipts: list[Receipt], days: int) -> None:
    held = ledger(*receipts)
    cut = YEAR.first + days * DAY
    parts = [Period(YEAR.first, cut - DAY), Period(cut, YEAR.last)]
    for nature in Nature:
        sums = [held.total(Selection(nature, part)).amount for part in parts]
        assert sum(sums) == held.total(Selection(nature, YEAR)).amount


@settings(deadline=None)
@given(RECEIPTS)
def test_natures_are_never_added(receipts: list[Receipt]) -> None:
    held = ledger(*receipts)
    for nature in Nature:
        found = [one for one, _ in held.of(Selection(nature, YEAR))]
        assert all(one.nature is nature for one in found)
        alone = Ledger(tuple(one for one in receipts if one.nature is nature), NOW)
        assert alone.total(Selection(nature, YEAR)) == held.total(Selection(nature, YEAR))


def test_unknown_ones_are_counted_and_missing_from_the_sum() -> None:
    held = ledger(run("a", NOW - DAY), run("b", NOW - DAY, each=None), run("c", NOW - 90 * DAY, each=None))
    month = held.total(Selection(Nature.SIMULATED, Period.month(NOW.date())))
    assert (month.amount, month.receipts, month.unknown) == (Decimal("0.36"), 2, 1)
    assert month.is_least


def test_a_receipt_known_in_part_is_in_the_sum_which_says_so_on_the_days_of_what_is_missing() -> None:
    october, november = (Selection(Nature.SIMULATED, Period.month(date(2026, month, 1))) for month in (10, 11))
    unknown = line(NOW - 30 * DAY, NOW - 29 * DAY, None)  # in October
    held = ledger(run("a", NOW - DAY, extra=(unknown,)))
    assert [amount for _, amount in held.of(october)] == [None]
    assert held.total(october).known is None
    assert [amount for _, amount in held.of(november)] == [Decimal("0.36")]
    assert not held.total(november).is_least
    late = ledger(run("a", NOW - DAY, extra=(line(NOW - DAY, NOW, None),)))
    total = late.total(november)
    assert (total.known, total.receipts, total.unknown, total.lacking) == (Decimal("0.36"), 1, 0, 1)
    assert total.is_least
    assert [one.is_least for one in late.shares(november)] == [True]
    assert not late.of(october)


def test_a_receipt_is_counted_anew_when_it_is_another_and_kept_when_it_is_not() -> None:
    counted: dict[str, object] = {}
    first = run("a", NOW - DAY)
    before = ledger(first, counted=counted)
    days = before.days(first)
    assert ledger(first, counted=counted).days(first) is days
    longer = run("a", NOW - DAY, hours=2)
    after = ledger(longer, counted=counted)
    assert sum(after.days(longer).values()) == Decimal("0.72")


def test_ten_thousand_receipts_over_a_year_agree_with_a_plain_sum() -> None:
    held = many(10_000)
    by_hand: dict[tuple[Nature, str], Decimal] = {}
    for receipt in held.receipts:
        key = (receipt.nature, receipt.project)
        by_hand[key] = by_hand.get(key, Decimal(0)) + (receipt.amount or 0)
    everything = Period((NOW - 800 * DAY).date(), (NOW + 60 * DAY).date())
    for nature in held.natures:
        for share in held.shares(Selection(nature, everything, By.PROJECT)):
            assert share.amount == by_hand[nature, share.group]


def test_what_is_unknown_is_counted_on_utcs_days_wherever_its_times_come_from() -> None:
    tokyo = timezone(9 * HOUR)
    last_of_october = datetime(2026, 11, 1, 8, tzinfo=tokyo)  # 31 October, 23:00 UTC
    held = ledger(run("a", last_of_october, 0.5, None))
    october, november = (Selection(Nature.SIMULATED, Period.month(date(2026, month, 1))) for month in (10, 11))
    assert (held.total(october).unknown, held.total(november).unknown) == (1, 0)
