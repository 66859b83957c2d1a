"""What is left of a run: by what it prints, else by its trials, what was expected, or its limit."""

from dataclasses import replace
from datetime import timedelta

from dashboard.core.runs.model import RunKind, RunStatus, TuningFacts
from dashboard.core.runs.progress import Progress
from dashboard.core.runs.remaining import Basis, left
from tests.core.runs.made import NOW, run

TWO_MINUTES = NOW - timedelta(minutes=2)


def going(**more):
    return run("dogs", RunStatus.TRAINING, created=TWO_MINUTES, started=TWO_MINUTES, **more)


def test_one_that_has_ended_has_nothing_left():
    assert left(run("dogs"), NOW, Progress(eta_seconds=5)) is None


def test_its_own_figure_counts_down_from_when_it_was_printed():
    told = left(going(), NOW, Progress(eta_seconds=100), NOW - timedelta(seconds=40))
    assert told is not None
    assert (told.seconds, told.basis, told.words) == (60, Basis.PRINTED, "about 1 min left")
    over = left(going(), NOW, Progress(eta_seconds=10), NOW - timedelta(seconds=40))
    assert over is not None
    assert over.words == "nearly there"


def test_what_its_launch_expected_tells_until_it_is_over():
    expecting = {"kennel:expected-seconds": "300"}
    told = left(going(tags=expecting), NOW, Progress())
    assert told is not None
    assert (told.seconds, told.basis) == (180, Basis.EXPECTED)
    late = left(going(tags={"kennel:expected-seconds": "60"}, max_seconds=3600), NOW)
    assert late is not None
    assert (late.seconds, late.basis, late.words) == (3480, Basis.LIMIT, "at most 58 min left")


def test_without_any_of_these_nobody_knows():
    assert left(going(), NOW) is None


def test_one_that_waits_for_its_start_has_all_of_it_left():
    waiting = run("dogs", RunStatus.STARTING, started=None, tags={"kennel:expected-seconds": "300"})
    told = left(waiting, NOW)
    assert told is not None
    assert told.seconds == 300


def test_a_search_is_told_by_its_trials_and_not_by_the_limit_of_one():
    facts = TuningFacts("Bayesian", "valid:loss", "Minimize", 4, 2, {"Completed": 1, "InProgress": 2})
    search = replace(going(kind=RunKind.TUNING, max_seconds=3600), tuning=facts)
    told = left(search, NOW)
    assert told is not None
    assert (told.seconds, told.basis) == (360, Basis.TRIALS)
    fresh = replace(search, tuning=replace(facts, counts={"InProgress": 2}))
    assert left(fresh, NOW) is None
