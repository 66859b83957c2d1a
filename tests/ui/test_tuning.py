"""Trials in words."""

from dashboard.core.runs.model import RunStatus, TuningFacts
from dashboard.ui.tuning import facts, settings, trials
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
