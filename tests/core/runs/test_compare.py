"""Runs side by side."""

from datetime import UTC, datetime

import pytest

from dashboard.core.costs.prices import PriceBook
from dashboard.core.runs.compare import compare
from dashboard.core.runs.cost import run_cost
from dashboard.core.runs.model import Capacity, Platform
from tests.core.runs.made import run

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CURVES = {"valid:loss": ((1, 0.9), (2, 0.5)), "train:loss": ((1, 1.0), (2, 0.4))}


@pytest.fixture
def pair():
    one = run("one", training_seconds=663, hyperparameters={"epochs": "20", "learning_rate": "0.01"},
              metrics={"test:accuracy": 0.9, "valid:accuracy": 0.95})  # fmt: skip
    other = run("two", platform=Platform.EC2, instance_type="c5.2xlarge", capacity=Capacity.SPOT, training_seconds=900,
                billable_seconds=900, hyperparameters={"epochs": "40", "optimizer": "sgd"},
                metrics={"valid:accuracy": 0.85})  # fmt: skip
    return one, other


def made(runs):
    book = PriceBook.load()
    quotes = {one.key: run_cost(one, book, "us-east-1", NOW) for one in runs}
    return compare(runs, quotes, {"one": CURVES})


def test_only_what_differs_is_set_apart(pair):
    found = {row.name: row.values for row in made(pair).different}
    assert found["epochs"] == ("20", "40")
    assert found["learning rate"] == ("0.01", "")
    assert found["optimizer"] == ("", "sgd")
    assert found["platform"] == ("SageMaker", "EC2")
    assert found["capacity"] == ("on-demand", "spot")
    assert ("data", pair[0].dataset_uri) in made(pair).same


def test_measures_are_in_the_order_of_choice_and_the_most_honest_accuracy_counts(pair):
    one, other = made(pair).measures
    assert (one.seconds, one.accuracy, one.accuracy_on) == (663, 0.9, "test:accuracy")
    assert (other.accuracy, other.accuracy_on) == (0.85, "valid:accuracy")
    assert one.amount is not None
    assert other.amount is None  # no spot price was recorded
    assert "spot price" in other.cost.why_unknown


def test_curves_of_a_run_that_printed_none_are_empty(pair):
    assert made(pair).curves["valid:loss"] == (((1, 0.9), (2, 0.5)), ())


def test_the_best_is_only_said_where_two_can_be_compared(pair):
    found = made(pair)
    assert found.best(lambda one: one.seconds, least=True).run.name == "one"
    assert found.best(lambda one: one.accuracy, least=False).run.name == "one"
    assert found.best(lambda one: one.amount, least=True) is None
