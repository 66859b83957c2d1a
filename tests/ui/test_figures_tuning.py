"""Trials: the finding, the best so far, and settings side by side."""

from dashboard.ui.figures_tuning import Trial, axes, best_so_far, finding, objective, side_by_side

TRIALS = (
    Trial(1, "t-001", 0.9, "completed", {"learning_rate": "0.1", "batch_size": "16", "epochs": "20"}),
    Trial(2, "t-002", None, "failed", {"learning_rate": "0.5", "batch_size": "64", "epochs": "20"}),
    Trial(3, "t-003", 0.2, "completed", {"learning_rate": "0.001", "batch_size": "32", "epochs": "20"}, is_best=True),
    Trial(4, "t-004", 0.4, "stopped", {"learning_rate": "0.01", "batch_size": "64", "epochs": "20"}),
)


def test_the_best_so_far_only_gets_better() -> None:
    assert best_so_far(TRIALS, is_least=True) == [(1, 0.9), (3, 0.2), (4, 0.2)]
    assert best_so_far(TRIALS, is_least=False) == [(1, 0.9), (3, 0.9), (4, 0.9)]


def test_the_finding_compares_the_best_to_the_first() -> None:
    assert finding(TRIALS, "valid:loss", is_least=True) == "valid:loss 0.2 in trial 3, 0.9 in the first"
    assert (
        finding(TRIALS, "valid:loss", is_least=False)
        == "valid:loss 0.9 in the first trial; none of the other 2 that ended was better"
    )
    assert finding(TRIALS[:1], "valid:loss", is_least=True) == "valid:loss 0.9 in the only trial so far"
    assert finding(TRIALS[1:2], "valid:loss", is_least=True) == "No trial has reported valid:loss yet"


def test_a_trial_without_an_objective_is_not_drawn_and_the_best_is_a_star() -> None:
    line, points = objective(TRIALS, "valid:loss", is_least=True).data
    assert line.line.shape == "hv"
    assert list(points.x) == [1, 3, 4]
    assert list(points.marker.symbol) == ["circle", "star", "circle"]


def test_only_what_differs_has_an_axis_and_the_objective_is_the_last() -> None:
    shown = axes(TRIALS, "valid:loss")
    assert [axis.name for axis in shown] == ["batch size", "learning rate", "valid:loss"]
    rates = shown[1]
    assert (rates.low, rates.high) == ("0.001", "0.1")
    assert [round(height, 2) for height in rates.heights] == [1.0, 0.0, 0.5]  # in logarithms
    assert [round(height, 2) for height in shown[0].heights] == [0.0, 0.33, 1.0]
    assert axes(TRIALS[1:2], "valid:loss") == []


def test_words_stand_apart_on_their_axis() -> None:
    trials = [Trial(n, f"t-{n}", n, "completed", {"unfreeze": w}) for n, w in enumerate(("all", "0", "all", "last"))]
    axis = axes(trials, "loss")[0]
    assert [round(height, 2) for height in axis.heights] == [0.5, 0.17, 0.5, 0.83]


def test_the_best_is_drawn_last_and_thicker() -> None:
    lines = side_by_side(TRIALS, "valid:loss").data
    assert lines[-1].name == "t-003"
    assert lines[-1].line.width > lines[0].line.width
    assert len(lines) == 3


def test_what_still_runs_is_drawn_open_and_beats_nobody() -> None:
    going = Trial(5, "t-005", 0.1, "training", has_ended=False)
    assert finding([*TRIALS, going], "valid:loss", is_least=True) == "valid:loss 0.2 in trial 3, 0.9 in the first"
    assert finding([going], "valid:loss", is_least=True) == "No trial has ended yet"
    _, points = objective([*TRIALS, going], "valid:loss", is_least=True).data
    assert list(points.marker.symbol) == ["circle", "star", "circle", "circle-open"]
