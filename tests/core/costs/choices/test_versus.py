"""Spot against on demand, SageMaker against EC2: pairs for the same work only."""

import pytest

from dashboard.core.costs.choices.outcomes import by_work
from dashboard.core.costs.choices.versus import platforms, sentence, spot_savings
from tests.core.costs.chosen import CACHED, EC2, GUESSED, SPOT, TWO_WAYS, outcome

OTHER = {"hyperparameters": {"backbone": "resnet50"}}


def test_spot_is_held_against_the_same_on_demand():
    members = (
        outcome("a", "0.10", 600),
        outcome("b", "0.12", 600),
        outcome("s", "0.033", 660, billable_seconds=200, **SPOT),
    )
    (one,) = spot_savings(by_work(members))
    assert one.pair.saved == pytest.approx(1 - 0.033 / 0.11)
    assert one.pair.slower == 60
    assert one.pair.n == 1
    assert one.billed == pytest.approx(1 - 200 / 660)


def test_spot_without_a_pair_says_so_and_keeps_awss_own_figure():
    members = (outcome("a", **OTHER), outcome("s", seconds=1353, billable_seconds=577, count=2, **SPOT))
    (one,) = spot_savings(by_work(members))
    assert one.pair is None
    assert one.billed == pytest.approx(0.5735, abs=1e-3)  # 57.4 % of the reference project


def test_sagemaker_and_ec2_are_paired_on_the_same_machines_first():
    members = (
        outcome("sm", "0.12", 600, instance="ml.m5.xlarge"),
        outcome("other", "0.01", 600, instance="ml.c5.large"),
        outcome("ec2", "0.10", 620, instance="m5.xlarge", **EC2),
        outcome("small", "0.05", 900, instance="t2.micro", **EC2),
    )
    alike, unlike = platforms(by_work(members))
    assert (alike.one.title, alike.other.title, alike.is_alike) == ("SageMaker ml.m5.xlarge", "EC2 m5.xlarge", True)
    assert alike.saved == pytest.approx(-0.2)
    assert (unlike.one.title, unlike.is_alike) == ("SageMaker ml.c5.large", False)
    assert sentence(alike) == (
        "SageMaker ml.m5.xlarge $0.12 in 10 min, EC2 m5.xlarge $0.10 in 10 min 20 s: EC2 m5.xlarge cost 17 % less"
    )


def test_a_spot_instance_is_paired_with_the_same_machine_before_a_cheaper_one():
    members = (
        outcome("sm", "0.12", instance="ml.m5.xlarge"),
        outcome("cheap", "0.01", instance="ml.c5.large"),
        outcome("ec2", "0.10", instance="m5.xlarge", **EC2, **SPOT),
    )
    (one,) = platforms(by_work(members))
    assert (one.one.title, one.is_alike) == ("SageMaker ml.m5.xlarge", False)


def test_of_one_machine_that_which_is_paid_alike_is_the_partner_and_not_the_cheaper():
    members = (
        outcome("spot", "0.04", instance="ml.m5.xlarge", **SPOT),
        outcome("plain", "0.12", instance="ml.m5.xlarge"),
        outcome("ec2", "0.10", instance="m5.xlarge", **EC2),
    )
    (one,) = platforms(by_work(members))
    assert (one.one.title, one.is_alike) == ("SageMaker ml.m5.xlarge", True)


def test_other_work_is_no_pair():
    assert platforms(by_work((outcome("sm"), outcome("ec2", instance="c5.2xlarge", **EC2, **OTHER)))) == ()


def test_an_unknown_cost_decides_nothing():
    (one,) = platforms(by_work((outcome("sm", None), outcome("ec2", instance="c5.2xlarge", **EC2))))
    assert one.saved is None
    assert "which is cheaper is not known" in sentence(one)


def test_a_duration_that_nobody_measured_is_said_to_be_estimated():
    (one,) = platforms(by_work((outcome("sm"), outcome("ec2", instance="c5.2xlarge", **EC2, **GUESSED))))
    assert "SageMaker ml.c5.2xlarge $0.10 in 10 min, EC2 c5.2xlarge $0.10 in an estimated 10 min" in sentence(one)


def test_a_run_that_found_its_features_in_a_cache_is_no_pair_with_one_that_computed_them():
    members = (outcome("sm", "0.01", 2, **CACHED), outcome("ec2", "0.10", 9, instance="c5.2xlarge", **EC2))
    assert platforms(by_work(members)) == ()


def test_a_pair_with_a_time_that_can_be_read_in_two_ways_says_so_and_whether_it_turns_round():
    ec2 = outcome("ec2", "0.0751", 663, instance="c5.2xlarge", **EC2)
    for cost, is_sure in (("0.1308", False), ("0.40", True)):
        (one,) = platforms(by_work((ec2, outcome("two", cost, 1353, count=2, **TWO_WAYS))))
        assert one.is_sure is is_sure
        assert "less; 22 min 33 s is read as wall time; if it is the two added up" in sentence(one)
    (sure,) = platforms(by_work((ec2, outcome("sm", "0.0752", 663))))
    assert sure.is_sure


def test_sagemaker_and_ec2_are_held_against_each_other_by_what_both_sums_hold():
    """SageMaker's volume has no price, EC2's volume and address have one: by the sums SageMaker would be cheaper."""
    members = (
        outcome("sm", "0.110", 600, instance="ml.m5.large", instances="0.110"),
        outcome("ec2", "0.120", 600, instance="m5.large", instances="0.100", **EC2),
    )
    (one,) = platforms(by_work(members))
    assert one.saved == pytest.approx(-0.1)
    assert sentence(one) == (
        "SageMaker ml.m5.large $0.11 in 10 min, EC2 m5.large $0.10 in 10 min: EC2 m5.large cost 9 % less "
        "(the instances alone: volumes and addresses are not priced alike on both)"
    )
