"""The same work elsewhere: measured where it was measured, else an estimate that says how it was made."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.costs.choices.outcomes import Way, by_work
from dashboard.core.costs.choices.what_if import Question, regions_of, what_if
from dashboard.core.costs.choices.what_if_time import Basis, gain_of, machines_of
from dashboard.core.costs.prices import PriceBook
from dashboard.core.runs.model import Capacity, Platform
from dashboard.core.runs.surroundings import SpotPrice
from tests.core.costs.chosen import EC2, SPOT, outcome

BOOK = PriceBook.load()
SM = Platform.SAGEMAKER
SPOT_NOW = {"c5.2xlarge": SpotPrice(Decimal("0.14"), "us-east-1a", date(2026, 11, 21))}


def options(*members, count=1, regions=(), spot_prices=None):
    ((work, found),) = by_work(members).items()
    asked = Question("us-east-1", tuple(regions), count, spot_prices or {})
    made = what_if(work, found, BOOK, asked)
    return {(one.way, one.region): one for one in made}, made


def way(instance, platform=SM, count=1, capacity=Capacity.ON_DEMAND):
    return Way(platform, instance, count, capacity)


def test_what_was_run_is_measured_and_not_calculated():
    found, _ = options(outcome("a", "0.07", 600, waited=20), outcome("b", "0.09", 660, waited=20))
    one = found[way("ml.c5.2xlarge"), "us-east-1"]
    assert one.basis is Basis.MEASURED
    assert (one.cost.low, one.cost.likely, one.cost.high) == (Decimal("0.07"), Decimal("0.08"), Decimal("0.09"))
    assert (one.seconds.low, one.seconds.likely, one.seconds.high) == (620, 650, 680)
    assert one.n == 2


def test_another_region_is_the_measured_time_at_its_price():
    found, _ = options(outcome("a", "9", 3600, instance="ml.m5.xlarge"), regions=("us-east-1", "eu-west-1"))
    there = found[way("ml.m5.xlarge"), "eu-west-1"]
    assert there.basis is Basis.PRICED
    assert there.cost.likely == Decimal("0.257")  # an hour at facts' price, whatever the run at home cost
    assert "at the price of eu-west-1" in there.how


def test_other_machines_lie_between_no_gain_and_all_of_it():
    found, _ = options(outcome("a", "0.1", 600, instance="ml.m5.large"))  # 2 cores
    one = found[way("ml.m5.2xlarge"), "us-east-1"]  # 8 cores
    assert one.basis is Basis.ESTIMATED
    assert (one.seconds.low, one.seconds.likely, one.seconds.high) == pytest.approx((150, 300, 600))
    assert "2 cores" in one.how
    assert "not measured" in one.how
    assert one.cost.likely == pytest.approx(Decimal("0.461") * 300 / 3600)


def test_several_instances_may_gain_nothing_unless_that_was_measured():
    found, _ = options(outcome("a", seconds=600, instance="ml.c5.2xlarge"), count=2)
    one = found[way("ml.c5.xlarge", count=2), "us-east-1"]  # as many cores, in two instances
    assert (one.seconds.low, one.seconds.high) == pytest.approx((600, 1200))
    assert "would tell more" in one.how
    both = (outcome("a", seconds=600), outcome("b", seconds=1300, count=2))
    found, _ = options(*both, count=2)
    assert found[way("ml.c5.xlarge", count=2), "us-east-1"].seconds.low == pytest.approx(1300)  # from the two


def test_a_gain_that_was_measured_says_where_between():
    known = (outcome("a", seconds=600, instance="ml.m5.large"), outcome("b", seconds=300, instance="ml.m5.xlarge"))
    exponent, sizes = gain_of(machines_of(known))
    assert (exponent, sizes) == (pytest.approx(1.0), 2)
    found, _ = options(*known)
    assert found[way("ml.m5.2xlarge"), "us-east-1"].seconds.likely == pytest.approx(150)  # from the nearest size
    assert "2 sizes" in found[way("ml.m5.2xlarge"), "us-east-1"].how


def test_a_duration_that_was_itself_scaled_by_cores_measures_no_gain():
    tags = {"kennel:sample": "true", "kennel:replay": "1", "kennel:replay-basis": "duration estimated: scaled"}
    known = (outcome("a", seconds=600, instance="ml.m5.large", tags=tags), outcome("b", instance="ml.m5.xlarge"))
    assert gain_of(machines_of(known)) is None
    found, _ = options(*known)
    assert found[way("ml.m5.large"), "us-east-1"].basis is Basis.REPLAYED


def test_what_cannot_be_told_is_unknown_with_why():
    found, made = options(outcome("a"))
    assert "full speed for minutes" in found[way("t3.medium", Platform.EC2), "us-east-1"].why_unknown
    spot = found[way("ml.c5.2xlarge", capacity=Capacity.SPOT), "us-east-1"]
    assert spot.cost is None
    assert "no run of this work was on its spot" in spot.why_unknown
    assert all(one.cost is not None or one.why_unknown for one in made)
    fine, _ = options(outcome("a", hyperparameters={"unfreeze": "3"}))
    assert "GPU" in fine[way("ml.g4dn.xlarge"), "us-east-1"].why_unknown


def test_spot_is_what_it_saved_before_or_what_ec2_tells_now():
    members = (
        outcome("a", "0.1", 600),
        outcome("s", "0.04", 600, billable_seconds=240, instance="ml.c5.xlarge", **SPOT),
    )
    found, _ = options(*members, regions=("us-east-1", "eu-west-1"), spot_prices=SPOT_NOW)
    sagemaker = found[way("ml.c5.2xlarge", capacity=Capacity.SPOT), "us-east-1"]
    assert sagemaker.cost.likely == pytest.approx(Decimal("0.408") * 600 * Decimal("0.4") / 3600)
    ec2 = found[way("c5.2xlarge", Platform.EC2, capacity=Capacity.SPOT), "us-east-1"]
    assert ec2.cost is not None
    assert "2026-11-21" in ec2.how
    there = found[way("c5.2xlarge", Platform.EC2, capacity=Capacity.SPOT), "eu-west-1"]
    assert there.cost is None
    assert "eu-west-1" in there.why_unknown


def test_a_launch_takes_what_launches_took_and_an_instance_has_its_volume_and_its_address():
    found, _ = options(
        outcome("a", "9", 3600, instance="ml.m5.xlarge", waited=20, volume_gb=100), regions=("eu-west-1",)
    )
    assert found[way("ml.m5.xlarge"), "eu-west-1"].seconds.likely == 3620  # waiting is time, and not billed
    assert found[way("ml.m5.xlarge"), "eu-west-1"].cost.likely == Decimal("0.257")
    here, _ = options(outcome("a", "9", 3600, instance="ml.m5.xlarge", waited=20, volume_gb=100))
    hour = Decimal("0.192") + Decimal("0.005") + Decimal("0.08") * 100 / 730
    assert here[way("m5.xlarge", Platform.EC2), "us-east-1"].cost.likely == pytest.approx(hour)


def test_several_instances_are_sagemakers_only():
    _, made = options(outcome("a"), count=2)
    assert {one.way.platform for one in made} == {SM}
    assert {one.way.count for one in made} == {2}


def test_nothing_to_go_by_gives_nothing():
    assert what_if(next(iter(by_work([outcome("a")]))), [], BOOK, Question("us-east-1")) == ()


def test_regions_are_those_that_have_a_price():
    assert {"us-east-1", "eu-west-1", "ap-south-1"} <= set(regions_of(BOOK))


@given(st.floats(1, 1e5), st.floats(1, 1e5), st.integers(1, 8))
def test_every_range_is_in_order_and_nothing_is_negative(first, second, count):
    members = (outcome("a", seconds=first, instance="ml.m5.large"), outcome("b", seconds=second),
               outcome("c", seconds=second, instance="c5.large", **EC2))  # fmt: skip
    _, made = options(*members, count=count, regions=("us-east-1", "ap-south-1"), spot_prices=SPOT_NOW)
    for one in made:
        if one.seconds:
            assert 0 < one.seconds.low <= one.seconds.likely * (1 + 1e-9) <= one.seconds.high * (1 + 1e-8)
        if one.cost:
            assert 0 <= one.cost.low <= one.cost.high
    costs = [one.cost.likely for one in made if one.cost]
    assert costs == sorted(costs)


def test_the_time_beside_the_training_and_an_unknown_cost_of_ones_own_are_explained():
    members = (outcome("a", "0.1", 600, waited=90), outcome("s", None, 600, instance="c5.2xlarge", **EC2, **SPOT))
    found, _ = options(*members, spot_prices=SPOT_NOW)
    assert "with 1 min 30 s until it begins and after its end" in found[way("ml.c5.xlarge"), "us-east-1"].how
    spot = found[way("c5.2xlarge", Platform.EC2, capacity=Capacity.SPOT), "us-east-1"]
    assert spot.cost is not None
    assert spot.how.endswith("what its own run cost is not known: no price")
