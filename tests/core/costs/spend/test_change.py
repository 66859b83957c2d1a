"""A change is the sum of its groups' changes, over periods that can be compared."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.costs.ledger.ledger import Share
from dashboard.core.costs.selection import Period
from dashboard.core.costs.spend.change import change, compared, moves
from tests.core.costs.receipts import HOUR, NOW, endpoint, run

D = Decimal
NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))


def share(group: str, amount: str, unknown: int = 0) -> Share:
    return Share(group, D(amount), 1 + unknown, unknown)


def test_a_month_that_goes_on_is_compared_to_as_many_days_of_the_month_before():
    now, before = compared(NOVEMBER, date(2026, 11, 21))
    assert (now, before) == (
        Period(date(2026, 11, 1), date(2026, 11, 21)),
        Period(date(2026, 10, 1), date(2026, 10, 21)),
    )


@pytest.mark.parametrize(
    ("period", "today", "before"),
    [
        (NOVEMBER, date(2027, 1, 4), Period(date(2026, 10, 1), date(2026, 10, 31))),  # it is over: whole months
        (NOVEMBER, date(2026, 11, 30), Period(date(2026, 10, 1), date(2026, 10, 31))),  # its last day
        (
            Period(date(2026, 10, 23), date(2026, 11, 21)),
            date(2026, 11, 21),
            Period(date(2026, 9, 23), date(2026, 10, 22)),
        ),
    ],
)
def test_other_periods_are_compared_to_the_one_before(period, today, before):
    assert compared(period, today) == (period, before)


def test_a_longer_month_is_not_compared_to_more_days_than_the_shorter_one_has():
    march = Period.month(date(2026, 3, 1))
    _, before = compared(march, date(2026, 3, 30))
    assert before == Period(date(2026, 2, 1), date(2026, 2, 28))


def test_the_largest_difference_comes_first_whichever_its_sign():
    made = change(
        NOVEMBER,
        NOVEMBER.before(),
        [share("a", "5"), share("new", "2")],
        [share("a", "4"), share("gone", "3", unknown=2)],
    )
    assert [(item.group, item.difference) for item in made.items] == [("gone", D(-3)), ("new", D(2)), ("a", D(1))]
    assert made.difference == 0
    assert made.unknown == 2
    assert made.share == 0


def test_nothing_before_has_no_share():
    made = change(NOVEMBER, NOVEMBER.before(), [share("a", "5")], [])
    assert made.share is None
    assert made.difference == 5


amounts = st.dictionaries(st.sampled_from("abcdef"), st.decimals("0", "1000", places=4))


@given(amounts, amounts)
def test_items_add_up_to_the_difference(now, before):
    made = change(
        NOVEMBER,
        NOVEMBER.before(),
        [Share(group, amount, 1) for group, amount in now.items()],
        [Share(group, amount, 1) for group, amount in before.items()],
    )
    assert sum(item.difference for item in made.items) == made.difference
    assert made.difference == sum(now.values()) - sum(before.values())


def test_the_parts_of_receipts_add_up_to_the_difference_of_two_sums():
    ends = run("ends", NOW - 40 * HOUR, 1, "1")
    both = endpoint("both", NOW - 40 * HOUR, each="0.1")
    odd = run("odd", NOW - HOUR, 1, None)
    now = [(both, D(3)), (odd, None), (run("new", NOW - HOUR, 1, "2"), D(2))]
    before = [(both, D("0.5")), (ends, D(1))]
    found = moves(now, before)
    assert [(one.receipt.name, one.difference) for one in found] == [
        ("both", D("2.5")),
        ("new", D(2)),
        ("ends", D(-1)),
        ("odd", D(0)),
    ]
    assert sum(one.difference for one in found) == D("3.5")
    assert found[-1].now is None


def test_what_is_known_in_part_is_said_of_a_change():
    lacking = Share("a", D(1), 1, 0, 1)
    assert change(NOVEMBER, NOVEMBER.before(), [lacking], []).is_part
    assert not change(NOVEMBER, NOVEMBER.before(), [share("a", "1")], []).is_part
