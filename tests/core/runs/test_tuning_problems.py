"""What cannot be searched is said before AWS, or the first trial, would say it."""

from dataclasses import replace

import pytest

from dashboard.core.runs.spec import Platform, Range, RangeKind, TrainingSpec, Tuning
from dashboard.core.runs.spec_problems import problems
from dashboard.core.runs.tuning_problems import OBJECTIVES, tuning_problems
from dashboard.core.runs.tuning_spec import DEFAULT_RANGES, number
from tests.core.runs.made import DOGS

GOOD = Tuning(DEFAULT_RANGES)
RATE = Range("learning_rate", RangeKind.CONTINUOUS, 0.001, 0.1)
BATCH = Range("batch_size", RangeKind.CATEGORICAL, values=("32", "64"))


def test_what_is_offered_first_can_be_asked_for():
    assert tuning_problems(GOOD) == ()
    assert problems(TrainingSpec(DOGS, tuning=GOOD)) == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ranges": ()}, "needs something to search"),
        ({"ranges": (RATE, RATE)}, "searched twice"),
        ({"strategy": "Hyperband"}, "strategy must be one of"),
        ({"objective": "progress"}, "objective must be one of"),
        ({"goal": "Maximise"}, "minimized or maximized"),
        ({"max_jobs": 0}, "1 to 750 trainings"),
        ({"max_jobs": 751}, "1 to 750 trainings"),
        ({"parallel": 0}, "can run at once"),
        ({"max_jobs": 3, "parallel": 4}, "1 to 3 trainings can run at once"),
        ({"strategy": "Grid"}, "combinations of given values only"),
        ({"seed": -1}, "seed must be between"),
    ],
)
def test_each_mistake_is_one_problem_of_the_search(change, says):
    (problem,) = tuning_problems(replace(GOOD, **change))
    assert says in problem.what
    assert problem.field == "tuning"
    assert problem.next_step


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (Range("momentum", RangeKind.CONTINUOUS, 0.1, 0.9), "cannot be searched"),
        (Range("weights", RangeKind.CATEGORICAL, values=("a.pth",)), "cannot be searched"),
        (replace(RATE, low=0.1, high=0.001), "From exceeds To in the range of learning rate"),
        (replace(RATE, low=0.1, high=0.1), "From equals To in the range of learning rate"),
        (replace(RATE, high=2.0), "range of learning rate must lie between 0.000001 and 1"),
        (replace(RATE, low=float("nan")), "must lie between"),
        (replace(RATE, scaling="Log"), "the scale must be one of"),
        (Range("weight_decay", RangeKind.CONTINUOUS, 0.0, 0.1, "Logarithmic"), "no logarithm"),
        (replace(RATE, high=1.0, scaling="ReverseLogarithmic"), "reverse logarithmic"),
        (Range("epochs", RangeKind.CONTINUOUS, 5, 40), "whole number"),
        (Range("epochs", RangeKind.INTEGER, 5.5, 40), "whole numbers"),
        (Range("class_weights", RangeKind.CONTINUOUS, 0, 1), "has words for values"),
        (replace(BATCH, values=()), "needs 1 to 30 values"),
        (replace(BATCH, values=("32", "32")), "listed twice"),
        (replace(BATCH, values=("32", "many")), "cannot be many"),
        (Range("class_weights", RangeKind.CATEGORICAL, values=("none", "fair")), "cannot be fair"),
    ],
)
def test_each_bad_range_is_one_problem_at_its_hyperparameter(one, says):
    (problem,) = tuning_problems(replace(GOOD, ranges=(one,)))
    assert says in problem.what
    assert problem.field == f"tuning.{one.name}"


def test_grid_may_not_explode():
    many = tuple(
        Range(name, RangeKind.CATEGORICAL, values=tuple(str(n) for n in range(1, 31)))
        for name in ("epochs", "batch_size")
    )
    (problem,) = tuning_problems(Tuning(many, strategy="Grid"))
    assert "900 trainings" in problem.what


def test_a_tuning_job_runs_on_sagemaker_under_a_short_name():
    there = TrainingSpec(DOGS, platform=Platform.EC2, instance_type="m5.large", tuning=GOOD)
    assert [problem.field for problem in problems(there)] == ["tuning"]
    (problem,) = problems(TrainingSpec(DOGS, tuning=GOOD, name="d" * 33))
    assert "at most 32" in problem.what


def test_what_is_searched_is_not_given_as_well():
    spec = TrainingSpec(DOGS, tuning=GOOD, advanced=(("views", "2"),))
    assert spec.hyperparameters == {"epochs": "20", "views": "2"}


def test_ranges_read_as_words():
    assert DEFAULT_RANGES[0].text == "0.001 to 0.1, logarithmic"
    assert DEFAULT_RANGES[1].text == "32, 64, 128, 256 or 512"
    assert replace(BATCH, values=("32",)).text == "32"


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (0.1, "0.1"), (1e-05, "1e-05"), (40.0, "40")])
def test_bounds_keep_all_of_their_digits(value, text):
    assert number(value) == text
    assert float(number(value)) == value


def test_objectives_are_metrics_that_the_training_prints():
    assert "valid:loss" in OBJECTIVES
    assert "progress" not in OBJECTIVES
    assert "features:from-cache" not in OBJECTIVES
