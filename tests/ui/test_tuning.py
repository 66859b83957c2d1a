"""Trials in words."""

from dataclasses import replace

from dashboard.core.runs.model import RunKind, RunStatus, TuningFacts
from dashboard.ui.tuning import EARLY, counted, ended_early, facts, settings, trials
from tests.core.runs.made import run

SEARCH = TuningFacts(
    "Bayesian",
    "valid:loss",
    "Minimize",
    4,
    2,
    best_key="search-002",
    best_value=0.2,
    ranges=(("learning_rate", "0.001 to 0.1, logarithmic"),),
    early_stopping=True,
)


def test_a_trial_has_its_number_its_objective_and_what_was_searched() -> None:
    children = [
        run("search-001", metrics={"valid:loss": 0.9}, hyperparameters={"learning_rate": "0.1", "epochs": "20"}),
        run("search-002", metrics={"valid:loss": 0.2}, hyperparameters={"learning_rate": "0.01"}),
        run("search-003", RunStatus.FAILED),
    ]
    found = trials(SEARCH, children)
    assert [(trial.number, trial.value, trial.is_best) for trial in found] == [
        (1, 0.9, False),
        (2, 0.2, True),
        (3, None, False),
    ]
    assert found[0].settings == {"learning_rate": "0.1"}
    assert found[2].word == "failed"


def test_settings_are_words_with_four_digits() -> None:
    values = {"learning_rate": "0.02790378189556347", "batch_size": "18", "unfreeze": "all"}
    assert settings(values) == "learning rate 0.0279, batch size 18, unfreeze all"


def test_what_is_searched_how_is_said() -> None:
    told = facts(run("search", max_seconds=600), SEARCH)
    assert told["Objective"] == "minimize valid:loss"
    assert told["Strategy"] == "Bayesian, stops trials that fall behind"
    assert told["Trials"] == "4 in all, 2 at once"
    assert told["learning rate"] == "0.001 to 0.1, logarithmic"
    assert told["Time limit"] == "10 min for each trial"


def test_a_tuning_job_that_goes_on_is_counted_by_its_trials() -> None:
    children = [run("s-1"), run("s-2", RunStatus.STOPPED), run("s-3", RunStatus.FAILED), run("s-4", RunStatus.TRAINING)]
    search = run("search", RunStatus.TRAINING, kind=RunKind.TUNING, tuning=replace(SEARCH, counts={"InProgress": 2}))
    told = counted(search, children).tuning
    assert told is not None
    assert (told.ended, told.counts["InProgress"]) == (3, 1)
    ended = replace(search, status=RunStatus.STOPPED)
    assert counted(ended, children) == ended
    assert counted(children[0], ()) == children[0]


def test_the_best_of_the_trials_stands_for_a_job_that_names_none() -> None:
    bare = replace(SEARCH, best_key="", best_value=None)
    search = run("search", RunStatus.STOPPED, kind=RunKind.TUNING, tuning=bare)
    children = [
        run("s-1", metrics={"valid:loss": 0.5}),
        run("s-2", RunStatus.STOPPED, metrics={"valid:loss": 0.3}),
        run("s-3", RunStatus.TRAINING, metrics={"valid:loss": 0.1}),
    ]
    told = counted(search, children).tuning
    assert told is not None
    assert (told.best_key, told.best_value) == ("s-2", 0.3)


def test_a_trial_that_its_job_ended_early_says_why() -> None:
    search = run("search", kind=RunKind.TUNING, tuning=SEARCH)
    early = run("s-1", RunStatus.STOPPED, parent="search")
    assert ended_early(early, search)
    assert not ended_early(run("s-1", parent="search"), search)
    assert not ended_early(early, replace(search, status=RunStatus.STOPPED))  # by hand, with all of them
    assert not ended_early(early, replace(search, tuning=replace(SEARCH, early_stopping=False)))
    (trial,) = trials(SEARCH, [early], search)
    assert trial.word == EARLY
