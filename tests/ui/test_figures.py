"""Figures: the finding, the lines, and what tells them apart."""

import math
import re

import pytest

from dashboard.ui.figures import (
    ACCURACY,
    LOSS,
    SERIES,
    epochs_shown,
    learning_curve,
    learning_finding,
    learning_rows,
    spread,
    ticks,
)

CURVES = {
    "train:loss": ((1, 1.4), (2, 0.9), (3, 0.5)),
    "valid:loss": ((1, 1.5), (2, 1.0), (3, 1.2)),
    "train:accuracy": ((1, 0.4), (2, 0.6), (3, 0.8)),
    "valid:accuracy": ((1, 0.35), (2, 0.55), (3, 0.7)),
}


def test_the_finding_says_where_the_best_was_and_whether_it_got_worse() -> None:
    assert learning_finding(CURVES, LOSS) == "Validation loss was best at epoch 2 (1.000), 1.200 after epoch 3"
    assert learning_finding(CURVES, ACCURACY) == "Validation accuracy 70.0 % after epoch 3, the best of 3"


def test_a_best_that_holds_is_not_called_worse() -> None:
    flat = {"valid:accuracy": ((1, 0.9), (2, 1.0), (3, 1.0))}
    assert learning_finding(flat, ACCURACY) == "Validation accuracy 100.0 %, reached at epoch 2"


def test_without_validation_the_training_curve_is_described() -> None:
    assert learning_finding({"train:loss": ((1, 0.25),)}, LOSS) == "Training loss 0.250 after epoch 1"
    assert learning_finding({}, LOSS) == "No loss yet"


def test_each_line_ends_with_its_name_and_differs_by_more_than_colour() -> None:
    figure = learning_curve(CURVES, LOSS)
    assert [trace.name for trace in figure.data] == ["training", "validation"]
    assert len({trace.line.dash for trace in figure.data}) == 2
    assert len({trace.marker.symbol for trace in figure.data}) == 2
    assert [re.sub("<[^>]+>", "", note.text) for note in figure.layout.annotations] == [
        "● training 0.500",
        "◆ validation 1.200",
    ]
    assert figure.layout.showlegend is False
    assert figure.layout.xaxis.title.text == "epoch"
    assert "cross-entropy" in figure.layout.yaxis.title.text


def test_an_accuracy_axis_runs_from_0_to_100_percent() -> None:
    axis = learning_curve(CURVES, ACCURACY).layout.yaxis
    assert axis.range[0] == 0
    assert axis.tickformat == ".0%"


def test_a_run_with_one_epoch_and_one_without_validation_can_be_drawn() -> None:
    assert len(learning_curve({"train:loss": ((1, 0.3),)}, LOSS).data) == 1
    assert len(learning_curve({}, LOSS).data) == 0


def test_values_that_are_no_number_are_left_out() -> None:
    broken = {"valid:loss": ((1, 1.0), (2, math.nan), (3, math.inf))}
    assert learning_finding(broken, LOSS) == "Validation loss 1.000 after epoch 1"
    assert list(learning_curve(broken, LOSS).data[0].x) == [1]
    assert learning_rows(broken, LOSS) == [{"epoch": 1, "training loss": None, "validation loss": 1.0}]


def test_the_table_behind_has_a_row_for_each_epoch() -> None:
    assert learning_rows(CURVES, LOSS)[1] == {"epoch": 2, "training loss": 0.9, "validation loss": 1.0}


@pytest.mark.parametrize("values", [[0.5, 0.5], [0.51, 0.5], [0.1, 0.9], [1.0, 1.0], [0.0, 0.0]])
def test_labels_never_overlap_and_keep_their_order(values: list[float]) -> None:
    placed = spread(values, gap=0.1, highest=1.0)
    assert abs(placed[0] - placed[1]) >= 0.1 - 1e-9
    assert (placed[0] <= placed[1]) == (values[0] <= values[1])
    assert all(0 <= height <= 1 for height in placed)


def test_the_epochs_shown_are_those_there_are() -> None:
    assert epochs_shown(CURVES, LOSS) == (1, 3)
    assert epochs_shown({}, LOSS) == (0, 1)


def test_the_colours_are_okabe_and_itos() -> None:
    colours = {colour for series in SERIES for colour in (series.colour, series.on_dark)}
    assert colours <= {"#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"}


@pytest.mark.parametrize(
    ("low", "high", "whole", "written"),
    [
        (1, 1, True, [1]),
        (1, 3, True, [1, 2, 3]),
        (1, 8, True, [2, 4, 6, 8]),
        (1, 60, True, [20, 40, 60]),
        (1, 600, True, [200, 400, 600]),
        (0.0, 0.5, False, [0.0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5]),
        (2.1, 2.1, False, [2.1]),
        (0, 0, False, [0]),
    ],
)
def test_an_axis_has_round_values_and_at_least_one(low: float, high: float, whole: bool, written: list[float]) -> None:
    assert ticks(low, high, whole=whole) == written


@pytest.mark.parametrize("high", [0.003, 0.7, 1.5, 7.0, 11.0, 59.0, 101.0, 999.0, 12345.0])
def test_no_axis_has_more_values_than_fit(high: float) -> None:
    assert 1 <= len(ticks(0, high, whole=False)) <= 6
    assert 1 <= len(ticks(1, high + 1)) <= 6


def test_labels_of_an_axis_are_never_all_hidden() -> None:
    """Drawn before its place has a width, a figure whose labels may be hidden puts its axis title at -Infinity."""
    figure = learning_curve({"valid:loss": [(1, 0.5), (2, 0.4)]}, LOSS)
    assert figure.layout.xaxis.ticklabeloverflow == "allow"
    assert figure.layout.yaxis.ticklabeloverflow == "allow"


@pytest.mark.parametrize("values", [(48.02, 46.98), (10.0, 9.8), (47.15, 46.05)])
def test_a_label_at_the_top_is_not_a_rounding_error_above_it_where_it_would_be_hidden(
    values: tuple[float, float],
) -> None:
    top = max(values) * 1.03
    assert max(spread(values, gap=top * 17 / 200, highest=top)) <= top
