"""AWS's own roundings and least amounts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.costs import quantities


def test_lambda_rounds_each_invocation_up_to_a_millisecond():
    assert quantities.billed_milliseconds([1.2, 3, 0.001, Decimal("99.999")]) == 2 + 3 + 1 + 100
    assert quantities.billed_milliseconds([]) == 0


@given(st.lists(st.floats(0, 1e6, allow_nan=False), max_size=20))
def test_rounding_up_adds_less_than_a_millisecond_each(durations):
    billed, told = quantities.billed_milliseconds(durations), sum((Decimal(str(one)) for one in durations), Decimal(0))
    assert told <= billed <= told + len(durations)


def test_thirds_of_an_hour_cost_what_they_cost():
    assert quantities.instance_hours(1200).cost(Decimal("0.3")) == Decimal("0.1")
    assert quantities.instance_hours(663).cost(Decimal("0.408")) == Decimal("0.07514")


def test_a_gigabyte_of_lambda_has_1024_megabytes():
    assert quantities.gb_seconds(128, 3600 * 744, 3).value == Decimal(1004400)


@pytest.mark.parametrize("absurd", [-1, float("inf"), float("-inf"), float("nan"), Decimal("sNaN")])
def test_what_is_no_quantity_is_refused(absurd):
    with pytest.raises(ValueError, match=r"negative|no quantity"):
        quantities.exact(absurd, "the time")
