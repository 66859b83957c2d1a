"""The instance types to choose from, on both platforms."""

from datetime import date
from decimal import Decimal

import pytest

from dashboard.core.runs.candidates import candidates
from dashboard.core.runs.instances import EC2_TRAINING, TRAINING, Family, counterpart, family, hardware, offered
from dashboard.core.runs.spec import Capacity, Platform, TrainingSpec, Tuning
from dashboard.core.runs.surroundings import SpotPrice
from dashboard.core.runs.tuning_spec import DEFAULT_RANGES
from tests.core.runs.made import DOGS, run

SPOT = {"m5.large": SpotPrice(Decimal("0.035"), "us-east-1a", date(2026, 11, 21))}


def rows(prices, past_runs=(), **about):
    spec = TrainingSpec(**({"dataset_uri": DOGS} | about))
    found = candidates(spec, prices, "us-east-1", past_runs=past_runs, spot_prices=SPOT)
    return {row.instance_type: row for row in found}


def test_sagemaker_and_ec2_offer_their_own_types_at_their_own_prices(prices):
    assert set(rows(prices)) == set(TRAINING)
    there = rows(prices, platform=Platform.EC2, instance_type="m5.large")
    assert set(there) == set(EC2_TRAINING)
    assert there["m5.large"].hourly.amount == Decimal("0.096")
    assert there["m5.large"].spot.amount == Decimal("0.035")
    assert there["c5.large"].spot is None  # nobody said
    assert there["m5.large"].is_chosen
    assert sum(row.is_chosen for row in there.values()) == 1


def test_a_chosen_type_of_its_own_is_among_them(prices):
    strange = rows(prices, instance_type="ml.x9.huge")["ml.x9.huge"]
    assert strange.is_chosen
    assert strange.hardware is None
    assert strange.hourly.why_unknown


def test_counts_and_trials_are_in_the_sums(prices):
    four = rows(prices, instance_count=4)["ml.m5.large"]
    assert four.hourly.amount == Decimal("0.115") * 4
    tuned = rows(prices, tuning=Tuning(DEFAULT_RANGES, max_jobs=6))["ml.m5.large"]
    assert tuned.worst.amount == Decimal("0.115") * 6


def test_the_time_of_a_tuning_job_is_that_of_the_whole_like_its_cost(prices):
    past = [run(instance_type="ml.m5.large")]
    tuned = rows(prices, past, tuning=Tuning(DEFAULT_RANGES, max_jobs=6, parallel=2))["ml.m5.large"]
    assert (tuned.expected.seconds, tuned.seconds) == (663, 3 * 663)
    assert rows(prices, past)["ml.m5.large"].seconds == 663


def test_expected_times_are_those_of_the_same_platform(prices):
    past = [run(instance_type="m5.large", platform=Platform.EC2, capacity=Capacity.SPOT)]
    there = rows(prices, past, platform=Platform.EC2, instance_type="m5.large", capacity=Capacity.SPOT)
    assert there["m5.large"].expected.seconds == 663
    assert there["m5.large"].expected.unit_price == Decimal("0.035")
    assert rows(prices, past)["ml.m5.large"].expected.seconds is None


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("m5.large", Family.STANDARD),
        ("ml.c5.2xlarge", Family.STANDARD),
        ("t2.micro", Family.STANDARD),
        ("i3.large", Family.STANDARD),
        ("g4dn.xlarge", Family.G_AND_VT),
        ("vt1.3xlarge", Family.G_AND_VT),
        ("p3.2xlarge", Family.P),
        ("inf1.xlarge", Family.OTHER),
        ("trn1.2xlarge", Family.OTHER),
        ("dl1.24xlarge", Family.OTHER),
        ("mac2.metal", Family.OTHER),
    ],
)
def test_the_quota_that_a_type_counts_against(name, of):
    assert family(name) is of


@pytest.mark.parametrize("platform", Platform)
def test_everything_that_is_offered_is_described_and_has_a_counterpart(platform):
    for name in offered(platform):
        assert hardware(name)
        assert counterpart(counterpart(name, Platform.EC2), platform) == name
