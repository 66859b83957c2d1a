from decimal import Decimal

import pytest

from dashboard.core.format import money
from dashboard.core.runs.cost import run_cost
from dashboard.core.runs.model import Capacity, Platform, RunKind, RunStatus, TuningFacts
from dashboard.ui.receipt import amount
from tests.core.runs.made import NOW, run


def test_a_completed_run_costs_its_billable_seconds(prices):
    cost = run_cost(run(), prices, "us-east-1", NOW)
    assert money(cost.amount) == "$0.0751"
    assert cost.basis == "whole seconds, as AWS bills"


def test_every_instance_is_billed(prices):
    assert (
        run_cost(run(instance_count=2), prices, "us-east-1", NOW).amount
        == 2 * run_cost(run(), prices, "us-east-1", NOW).amount
    )


def test_a_running_one_costs_what_it_has_used(prices):
    cost = run_cost(run(status=RunStatus.TRAINING), prices, "us-east-1", NOW)
    assert cost.seconds == 3580
    assert cost.basis == "so far"


def test_one_that_has_not_started_has_cost_nothing(prices):
    assert run_cost(run(status=RunStatus.STARTING, started=None), prices, "us-east-1", NOW).amount == 0


def test_one_without_billable_seconds_is_unknown(prices):
    cost = run_cost(run(status=RunStatus.FAILED, billable_seconds=None, started=None), prices, "us-east-1", NOW)
    assert cost.amount is None
    assert "no billable seconds" in cost.why_unknown


def test_managed_spot_costs_its_fewer_billable_seconds(prices):
    spot = run(capacity=Capacity.SPOT, training_seconds=663, billable_seconds=221)
    assert (
        run_cost(spot, prices, "us-east-1", NOW).amount == run_cost(run(), prices, "us-east-1", NOW).amount * 221 / 663
    )
    active = run_cost(run(capacity=Capacity.SPOT, status=RunStatus.TRAINING), prices, "us-east-1", NOW)
    assert active.basis == "so far, before what spot saves"


def ec2(**more):
    return run(platform=Platform.EC2, instance_type="m5.large", billable_seconds=3600, **more)


def test_an_ec2_training_costs_instance_volume_and_address(prices):
    cost = run_cost(ec2(volume_gb=30), prices, "us-east-1", NOW)
    hourly = Decimal("0.096") + Decimal("0.08") * 30 / 730 + Decimal("0.005")
    assert float(cost.amount) == pytest.approx(float(hourly))


def test_an_ec2_spot_training_costs_the_price_of_its_launch(prices):
    cheap = run_cost(ec2(capacity=Capacity.SPOT, spot_price=Decimal("0.04")), prices, "us-east-1", NOW)
    assert cheap.unit_price == Decimal("0.04")
    assert "spot price when it was launched" in cheap.source
    unknown = run_cost(ec2(capacity=Capacity.SPOT), prices, "us-east-1", NOW)
    assert unknown.amount is None
    assert "not recorded" in unknown.why_unknown


def tuning(status=RunStatus.COMPLETED, **counts):
    facts = TuningFacts("Random", "valid:loss", "Minimize", 4, 2, counts)
    return run("search", status, kind=RunKind.TUNING, tuning=facts, billable_seconds=None)


def test_a_tuning_job_costs_what_its_trials_cost(prices):
    trials = [run("one"), run("two", billable_seconds=100)]
    cost = run_cost(tuning(Completed=2), prices, "us-east-1", NOW, trials)
    assert cost.amount == sum(run_cost(one, prices, "us-east-1", NOW).amount for one in trials)
    assert cost.seconds == 763
    assert cost.basis == "sum of 2 trials"


def test_a_tuning_job_with_one_trial_of_unknown_cost_is_unknown(prices):
    trials = [run("one"), run("two", instance_type="ml.u9.none")]
    cost = run_cost(tuning(Completed=2), prices, "us-east-1", NOW, trials)
    assert cost.amount is None
    assert "1 of 2 trials" in cost.why_unknown


def test_trials_that_have_not_been_read_are_unknown_and_none_begun_costs_nothing(prices):
    assert "2 trials" in run_cost(tuning(Completed=2), prices, "us-east-1", NOW).why_unknown
    # While a list arrives some trials are there already: their sum alone would be too little.
    half = run_cost(tuning(Completed=1, Stopped=1), prices, "us-east-1", NOW, [run("one")])
    assert half.amount is None
    assert "1 trial" in half.why_unknown
    assert run_cost(tuning(RunStatus.TRAINING), prices, "us-east-1", NOW).amount == 0


def test_a_receipt_of_a_short_ec2_run_names_the_least_that_is_billed(prices):
    short = run(platform=Platform.EC2, instance_type="m5.large", training_seconds=26, billable_seconds=60)
    quote = run_cost(short, prices, "us-east-1", NOW)
    assert quote.seconds == 60
    assert quote.basis.startswith("EC2 bills 60 s at least, it ran 26 s")
    long = run(platform=Platform.EC2, instance_type="m5.large", training_seconds=90, billable_seconds=90)
    assert "at least" not in run_cost(long, prices, "us-east-1", NOW).basis


def test_what_is_known_of_a_cost_is_said_and_what_is_missing_is_named(prices):
    stored = run_cost(run(volume_gb=30), prices, "us-east-1", NOW)
    assert stored.least is None  # a disk is named, and small beside the instance
    assert "without storage of SageMaker instances (no price in us-east-1)" in stored.basis
    assert amount(stored) == "$0.0751"
    spot = run(platform=Platform.EC2, instance_type="m5.large", capacity=Capacity.SPOT)
    part = run_cost(spot, prices, "us-east-1", NOW)
    assert part.amount is None  # so that no choice is made by it
    assert amount(part) == "at least $0.0009"
    assert "not recorded" in part.why_unknown
    search = tuning(Completed=2)
    both = run_cost(search, prices, "us-east-1", NOW, [run(volume_gb=30), run()])
    assert (amount(both), both.least) == ("$0.1503", None)
