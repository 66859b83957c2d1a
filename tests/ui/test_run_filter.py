"""Which runs a table shows, and in which order."""

from decimal import Decimal

import pytest

from dashboard.core.runs.model import Platform, Run, RunKind, RunStatus
from dashboard.ui.run_filter import Asked, Kind, Order, matching
from tests.core.runs.made import NOW, run

FOREST = run("forest-1", RunStatus.FAILED, dataset_uri="s3://b/datasets/forest/", tags={"owner": "Maya"})
DOGS = run("dogs-1", RunStatus.TRAINING)
ON_EC2 = run("dogs-2", platform=Platform.EC2, instance_type="m5.large", metrics={"test:accuracy": 0.9})
SEARCH = run("search", kind=RunKind.TUNING)
TRIAL = run("search-001", parent="search", metrics={"test:accuracy": 0.95})
ALL = [FOREST, DOGS, ON_EC2, SEARCH, TRIAL]


def names(asked: Asked, **more: object) -> list[str]:
    return [one.name for one in matching(ALL, asked, NOW, **more)]  # type: ignore[arg-type]


def test_trials_stand_on_their_tuning_jobs_page_unless_they_are_looked_for() -> None:
    assert names(Asked()) == ["forest-1", "dogs-1", "dogs-2", "search"]
    assert names(Asked(kinds=(Kind.TRIAL,))) == ["search-001"]
    assert names(Asked("search")) == ["search", "search-001"]


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        (Asked("DOGS m5.large"), ["dogs-2"]),
        (Asked("maya forest"), ["forest-1"]),
        (Asked("cats"), []),
        (Asked(tones=("running", "failed")), ["forest-1", "dogs-1"]),
        (Asked(kinds=(Kind.EC2,)), ["dogs-2"]),
        (Asked(kinds=(Kind.EC2, Kind.TRIAL)), ["dogs-2", "search-001"]),
        (Asked(kinds=(Kind.TUNING,)), ["search"]),
        (Asked("dogs-2", tones=("done",), kinds=(Kind.SAGEMAKER,)), []),
    ],
)
def test_every_word_and_every_choice_must_fit(asked: Asked, left: list[str]) -> None:
    assert names(asked) == left


def test_what_is_unknown_comes_last() -> None:
    costs = {"dogs-1": Decimal(3), "forest-1": Decimal(1)}

    def cost(one: Run) -> Decimal | None:
        return costs.get(one.name)

    assert names(Asked(order=Order.COSTLIEST), cost=cost)[:2] == ["dogs-1", "forest-1"]
    assert names(Asked(order=Order.BEST))[0] == "dogs-2"
    assert names(Asked(order=Order.NAME)) == ["dogs-1", "dogs-2", "forest-1", "search"]
    assert names(Asked(order=Order.LONGEST))[0] == "dogs-1"  # it still runs
