"""What was expected of a launch is kept with the run, and told beside what it cost."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from dashboard.core.costs.quote import unknown
from dashboard.core.costs.receipt import Expectation
from dashboard.core.runs.expectation import cost_against, expectation_of, marks_of, off_by, seconds_taken, time_against
from dashboard.core.runs.model import Capacity, Platform
from dashboard.core.runs.plan import TrainingSpec, plan
from dashboard.core.runs.tuning_spec import Range, RangeKind, Tuning
from tests.core.runs.made import DOGS, NOW, run
from tests.core.runs.test_plan import EMBEDDED

SPEC = TrainingSpec(dataset_uri=DOGS, instance_type="ml.c5.2xlarge", epochs=20)
SEARCH = Tuning(ranges=(Range("learning_rate", RangeKind.CONTINUOUS, low=0.001, high=0.1),), max_jobs=4, parallel=2)


def planned(prices, past=(), **changes):
    made = replace(SPEC, **changes)
    return plan(made, account=EMBEDDED, prices=prices, past_runs=past, now=NOW, token="t")


def tags_of(call):
    return {tag["Key"]: tag["Value"] for tag in call.parameters["Tags"]}


@pytest.mark.parametrize("changes", [{}, {"tuning": SEARCH}])
def test_a_launch_on_sagemaker_keeps_what_was_expected_of_it(prices, changes):
    past = [run(dataset_uri=SPEC.dataset_uri, billable_seconds=663)]
    made = planned(prices, past, **changes)
    kept = expectation_of(run(tags=tags_of(made.calls[-1])))
    assert made.expected.amount is not None
    assert kept == Expectation(made.expected.amount, made.worst.amount, made.expected_seconds)


def test_a_launch_on_ec2_keeps_it_in_its_document_and_not_on_its_instance(prices):
    made = planned(prices, platform=Platform.EC2, instance_type="m5.large")
    document, instance = made.calls[0].parameters["Body"], made.calls[-1].parameters
    kept = expectation_of(run(tags=document["tags"]))
    assert kept is not None
    assert kept.amount is None  # nothing of this data has run there
    assert kept.most == made.worst.amount
    put = {tag["Key"] for one in instance["TagSpecifications"] for tag in one["Tags"]}
    assert put and not any(key.startswith("kennel:expected") for key in put)


def test_another_look_at_past_runs_asks_ec2_for_the_same_instance(prices):
    ec2 = {"platform": Platform.EC2, "instance_type": "m5.large", "capacity": Capacity.ON_DEMAND}
    past = [run(platform=Platform.EC2, instance_type="m5.large", dataset_uri=SPEC.dataset_uri, billable_seconds=90)]
    before, after = planned(prices, **ec2), planned(prices, past, **ec2)
    assert before.calls[0].parameters["Body"]["tags"] != after.calls[0].parameters["Body"]["tags"]
    assert before.request == after.request


def test_a_trial_does_not_show_what_the_whole_search_was_expected_to_cost():
    marks = {"kennel:expected-cost": "1.5"}
    assert expectation_of(run(tags=marks)) == Expectation(Decimal("1.5"))
    assert expectation_of(run(tags=marks, parent="search")) is None


@pytest.mark.parametrize("text", ["", "-1", "NaN", "Infinity", "two", "1" * 41])
def test_what_is_no_sum_is_no_expectation(text):
    assert expectation_of(run(tags={"kennel:expected-cost": text, "kennel:expected-seconds": text})) is None


def test_what_is_unknown_has_no_mark():
    assert marks_of(unknown("no price"), unknown("no price"), None) == {}


@pytest.mark.parametrize(
    ("expected", "actual", "said"),
    [
        ("0.012", "0.014", "expected $0.012, cost $0.014 (+17 %)"),
        ("0.02", "0.01", "expected $0.02, cost $0.01 (−50 %)"),
        ("0.0751", "0.0752", "expected $0.0751, cost $0.0752 (as expected)"),
        ("0.0751", None, "expected $0.0751, its cost is unknown"),
        ("0", "0.01", "expected $0.00, cost $0.01"),
    ],
)
def test_expected_and_actual_cost_in_one_sentence(expected, actual, said):
    given = Expectation(Decimal(expected))
    assert cost_against(given, None if actual is None else Decimal(actual)) == said


def test_a_run_that_goes_on_is_not_compared_yet():
    given = Expectation(Decimal("0.012"), seconds=300)
    assert cost_against(given, Decimal("0.001"), has_ended=False) == "expected $0.012, $0.001 so far"
    assert time_against(given, 100, has_ended=False) == "expected 5 min, 1 min 40 s so far"


def test_without_an_expected_cost_its_bound_is_told():
    given = Expectation(None, Decimal("0.5"))
    assert cost_against(given, Decimal("0.1")) == "expected: unknown, at most $0.50; cost $0.10"
    assert cost_against(Expectation(None, None, 60), Decimal("0.1")) == ""


def test_expected_and_actual_time():
    assert time_against(Expectation(None, None, 300), 360) == "expected 5 min, took 6 min (+20 %)"
    assert time_against(Expectation(Decimal(1)), 360) == ""


def test_a_training_took_no_longer_than_from_end_to_end():
    ended = NOW - timedelta(hours=1) + timedelta(seconds=25.3)
    assert seconds_taken(run(ended=ended, training_seconds=26)) == 25.3
    assert seconds_taken(run(training_seconds=26)) == 26
    assert seconds_taken(run(ended=None, training_seconds=26)) == 26


def test_how_far_off():
    assert off_by(Decimal(2), Decimal(3)) == Decimal("0.5")
    assert off_by(Decimal(0), Decimal(3)) is None
    assert off_by(None, Decimal(3)) is None
