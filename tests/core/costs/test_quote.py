from datetime import date
from decimal import Decimal

import pytest

from dashboard.core.costs import LIST_PRICE, SIMULATED, money_note
from dashboard.core.costs.quote import hourly, quote, total, training_cost, unknown
from dashboard.core.format import money


def test_eleven_minutes_three_seconds_at_0408_cost_00751():
    """The reference project's figure: ml.c5.2xlarge on demand, $0.408/h, 11 min 3 s."""
    cost = training_cost(11 * 60 + 3, 1, Decimal("0.408"))
    assert cost.quantize(Decimal("0.0001")) == Decimal("0.0751")
    assert money(cost) == "$0.0751"


def test_two_spot_instances_for_22_min_33_s():
    """2 × $0.174 × 22 min 33 s: $0.1308 if that was wall time, $0.0654 if it was the two added up."""
    wall = 22 * 60 + 33
    assert training_cost(wall, 2, Decimal("0.174")).quantize(Decimal("0.0001")) == Decimal("0.1308")
    assert training_cost(wall, 1, Decimal("0.174")).quantize(Decimal("0.0001")) == Decimal("0.0654")


def test_the_same_from_the_price_book(prices):
    made = quote(prices, "sagemaker-training", "ml.c5.2xlarge", "us-east-1", seconds=663, basis="billable seconds")
    assert money(made.amount, made.currency) == "$0.0751"
    assert made.unit_price == Decimal("0.408")
    assert (made.seconds, made.count, made.basis) == (663, 1, "billable seconds")
    assert made.source
    assert isinstance(made.date, date)
    assert made.is_known
    assert made.why_unknown == ""


def test_an_endpoint_by_the_hour(prices):
    assert hourly(prices, "endpoint", "ml.m5.large", "us-east-1").amount == Decimal("0.115")
    assert hourly(prices, "endpoint", "ml.m5.large", "us-east-1", 3).amount == Decimal("0.345")
    assert hourly(prices, "ec2", "t2.micro", "us-east-1").amount == Decimal("0.0116")


def test_an_unknown_price_is_never_nothing(prices):
    made = hourly(prices, "endpoint", "ml.inf1.xlarge", "us-east-1")
    assert made.amount is None
    assert "the sources disagree" in made.why_unknown


def test_an_unknown_time_keeps_the_price(prices):
    made = quote(prices, "sagemaker-training", "ml.m5.large", "us-east-1", seconds=None, why_unknown="nobody has tried")
    assert made.amount is None
    assert made.unit_price == Decimal("0.115")
    assert made.why_unknown == "nobody has tried"


def test_cost_is_additive_and_monotone():
    price = Decimal("1.408")
    parts = [training_cost(seconds, 2, price) for seconds in (1, 59, 3600, 0.5)]
    assert sum(parts) == pytest.approx(training_cost(3660.5, 2, price), abs=Decimal("1e-20"))
    assert training_cost(59, 2, price) == pytest.approx(2 * training_cost(59, 1, price), abs=Decimal("1e-20"))
    assert training_cost(0, 5, price) == 0
    assert training_cost(100, 1, price) < training_cost(101, 1, price) < training_cost(101, 2, price)


@pytest.mark.parametrize(("seconds", "count"), [(-1, 1), (1, -1)])
def test_negative_time_and_count_are_refused(seconds, count):
    with pytest.raises(ValueError, match="not negative"):
        training_cost(seconds, count, Decimal(1))


def test_a_sum_says_how_much_of_it_is_missing(prices):
    known = hourly(prices, "endpoint", "ml.m5.large", "us-east-1")
    assert total([known, known, unknown("no price")]) == (Decimal("0.230"), 1)
    assert total([]) == (Decimal(0), 0)


def test_simulated_money_is_labelled_and_real_money_is_not():
    assert money_note(is_embedded=True) == SIMULATED
    assert SIMULATED == "simulated: this machine's seconds × list price, nothing was charged"
    assert money_note(is_embedded=False) == LIST_PRICE
    assert "simulated" not in LIST_PRICE
