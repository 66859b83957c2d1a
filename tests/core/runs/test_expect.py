from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from dashboard.core.costs.prices import Price
from dashboard.core.format import money
from dashboard.core.runs.expect import expected, wall_seconds, worst
from dashboard.core.runs.model import RunStatus
from dashboard.core.runs.spec import Capacity, Platform, TrainingSpec, Tuning
from dashboard.core.runs.tuning_spec import DEFAULT_RANGES, Range, RangeKind
from tests.core.runs.made import DOGS, NOW, run


def ask(prices, past_runs, **more):
    usual = {"dataset_uri": DOGS, "instance_type": "ml.c5.2xlarge", "epochs": 20}
    return expected(TrainingSpec(**(usual | more)), prices, "us-east-1", past_runs)


def test_one_past_run_of_the_same_data_and_instance_is_the_expectation(prices):
    quote = ask(prices, [run()])
    assert quote.seconds == 663
    assert money(quote.amount) == "$0.0751"
    assert quote.basis == "the one completed run of this data on ml.c5.2xlarge"


def test_of_several_the_median_of_the_newest_five(prices):
    times = [(1, 5000.0), (2, 100.0), (3, 110.0), (4, 120.0), (5, 130.0), (6, 9000.0)]
    past = [run(f"r{n}", billable_seconds=s, created=NOW - timedelta(days=10 - n)) for n, s in times]
    assert ask(prices, past).seconds == 120


def test_a_run_without_billable_seconds_takes_no_place_among_the_newest(prices):
    past = [run(f"r{n}", billable_seconds=None, created=NOW - timedelta(days=n)) for n in range(6)]
    assert ask(prices, [*past, run("old", created=NOW - timedelta(days=90))]).seconds == 663


def test_other_data_other_instances_and_unfinished_runs_say_nothing(prices):
    past = [
        run(dataset_uri=DOGS.replace("dogs", "cats")),
        run(instance_type="ml.m5.large"),
        run(instance_count=2),
        run(status=RunStatus.FAILED),
        run(status=RunStatus.TRAINING),
        run(billable_seconds=None),
    ]
    quote = ask(prices, past)
    assert quote.amount is None
    assert quote.seconds is None
    assert quote.unit_price == Decimal("0.408")
    assert quote.why_unknown == "no completed run of this data on ml.c5.2xlarge yet"


def test_a_trailing_slash_makes_no_other_data(prices):
    assert ask(prices, [run(dataset_uri=DOGS.rstrip("/"))]).is_known


def test_another_number_of_epochs_is_said_and_not_scaled(prices):
    past = [run(hyperparameters={"epochs": "5"}), run("dogs-2", hyperparameters={"epochs": "40"})]
    quote = ask(prices, past)
    assert quote.seconds == 663
    assert "they had 5 to 40 epochs, not scaled" in quote.basis
    assert "it had 5 epochs, not scaled" in ask(prices, past[:1]).basis
    assert "some had 5 epochs, not scaled" in ask(prices, [past[0], run("dogs-3")]).basis
    assert "epochs" not in ask(prices, [run()]).basis


@pytest.mark.parametrize(
    ("past", "asked", "why"),
    [
        ({}, {"backbone": "resnet50"}, "had another backbone"),
        ({"views": "4"}, {}, "had another views"),
        ({"unfreeze": "2"}, {}, "had another fine-tuning"),
        ({"unfreeze": "2"}, {"unfreeze": "2", "fine_tune_epochs": "50"}, "had another fine tune epochs"),
        ({"epochs": "2"}, {}, "had 2 epochs, too far from 20 to tell"),
        ({"epochs": "1000"}, {}, "had 1000 epochs, too far from 20 to tell"),
    ],
)
def test_a_run_that_did_other_work_is_no_estimate_and_the_reason_is_said(prices, past, asked, why):
    quote = ask(prices, [run(hyperparameters={"epochs": "20"} | past)], advanced=tuple(asked.items()))
    assert (quote.seconds, quote.amount) == (None, None)
    assert why in quote.why_unknown


def test_a_run_of_the_same_work_tells_the_time_however_it_was_written(prices):
    asked = (("views", "4"), ("backbone", "efficientnet_lite0"))
    past = [
        run(hyperparameters={"epochs": "20", "views": '"4"'}),
        run("other", hyperparameters={"epochs": "20"}, billable_seconds=9),
    ]
    quote = ask(prices, past, advanced=asked)
    assert quote.seconds == 663
    assert quote.basis.startswith("the one completed run")


def test_a_search_over_what_takes_the_time_has_no_estimate(prices):
    tuning = Tuning((Range("views", RangeKind.INTEGER, 1, 4),))
    quote = ask(prices, [run()], tuning=tuning)
    assert quote.amount is None
    assert "the search changes views" in quote.why_unknown


def test_without_a_price_the_time_is_still_told(prices):
    past = [replace(run(), instance_type="ml.inf1.xlarge")]
    quote = ask(prices, past, instance_type="ml.inf1.xlarge")
    assert quote.amount is None
    assert quote.seconds == 663
    assert "disagree" in quote.why_unknown


def test_worst_is_the_time_limit(prices):
    quote = worst(TrainingSpec(DOGS, instance_type="ml.c5.2xlarge", max_seconds=3600), prices, "us-east-1")
    assert quote.amount == Decimal("0.408")
    assert quote.basis == "the time limit, without storage"


def test_spot_is_expected_to_take_its_time_and_to_cost_what_spot_did(prices):
    past = [run(capacity=Capacity.SPOT, training_seconds=1000.0, billable_seconds=400)]
    quote = ask(prices, past, capacity=Capacity.SPOT)
    assert quote.seconds == 1000
    assert round(quote.amount, 9) == round(Decimal("0.408") * 400 / 3600, 9)
    assert "spot saved 60 % then" in quote.basis
    assert quote.is_estimate


def test_without_a_spot_run_the_on_demand_runs_tell_the_time(prices):
    quote = ask(prices, [run()], capacity=Capacity.SPOT)
    assert quote.seconds == 663
    assert "on demand" in quote.basis
    assert "what spot saves is not known yet" in quote.basis
    assert ask(prices, [run(capacity=Capacity.SPOT, training_seconds=900.0)]).seconds == 900  # the other way round


def test_each_trial_is_expected_to_take_what_one_training_took(prices):
    tuning = Tuning(DEFAULT_RANGES, max_jobs=4, parallel=2)
    quote = ask(prices, [run(), run("tuned", tuning=None, parent="tune-1")], tuning=tuning)
    assert quote.seconds == 663
    assert quote.amount == Decimal("0.408") * 663 * 4 / 3600
    assert quote.basis.startswith("4 trainings, each as the median of 2 completed runs")
    assert wall_seconds(TrainingSpec(DOGS, tuning=tuning), 663) == 1326
    assert wall_seconds(TrainingSpec(DOGS), 663) == 663


def test_ec2_learns_from_ec2_runs_only_and_counts_with_the_spot_price(prices):
    there = {"platform": Platform.EC2, "instance_type": "c5.2xlarge"}
    assert ask(prices, [run()], **there).seconds is None
    quote = ask(prices, [run(**there)], volume_gb=73, **there)
    assert quote.amount == (Decimal("0.34") + Decimal("0.008") + Decimal("0.005")) * 663 / 3600
    spot = Price(Decimal("0.14"), "USD", "spot", date(2026, 11, 21))
    spec = TrainingSpec(DOGS, capacity=Capacity.SPOT, **there)
    assert expected(spec, prices, "us-east-1", [run(**there)], spot).unit_price == Decimal("0.14")


CACHED = {"metrics": {"features:from-cache": 1.0}}


def test_a_run_that_found_its_features_in_a_cache_is_no_expectation(prices):
    quote = ask(prices, [run(), run("again", billable_seconds=30, **CACHED)])
    assert quote.seconds == 663
    assert quote.basis.endswith("; 1 run with features from a cache left out")
    alone = ask(prices, [run("again", billable_seconds=30, **CACHED)])
    assert alone.seconds is None
    assert "took the features from the cache of an earlier run" in alone.why_unknown


def test_ones_own_runs_are_the_expectation_and_the_samples_only_where_there_are_no_others(prices):
    sample = run("sample", billable_seconds=29, tags={"kennel:sample": "true"})
    both = ask(prices, [sample, run()])
    assert both.seconds == 663
    assert both.basis == "the one completed run of this data on ml.c5.2xlarge"
    assert ask(prices, [sample]).basis == "the one completed run of the sample account of this data on ml.c5.2xlarge"


def test_the_proof_of_a_role_says_nothing_of_how_long_a_training_takes(prices):
    proof = run("kennel-trial-1", billable_seconds=5, tags={"kennel:proof": "kennel-trial-1"})
    assert ask(prices, [proof, run()]).seconds == 663
