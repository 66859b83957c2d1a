"""Several lines in one figure: told apart without colour, labelled where they end."""

import itertools
import math
import re

from dashboard.ui.lines import STYLES, Line, figure


def line(place: int, *values: float) -> Line:
    style = STYLES[place]
    return Line(f"run-{place}", style.letter, style, [(x + 1, value) for x, value in enumerate(values)])


def test_every_style_differs_in_letter_mark_and_symbol() -> None:
    for field in ("letter", "mark", "symbol", "colour", "on_dark"):
        assert len({getattr(style, field) for style in STYLES}) == len(STYLES), field
    neighbours = itertools.pairwise(STYLES)
    assert all(one.dash != other.dash for one, other in neighbours)


def test_each_line_is_labelled_and_no_two_labels_touch() -> None:
    made = figure(
        [line(place, 0.5, 0.9 + place / 1000) for place in range(6)], "epoch", "photos right (%)", percent=True
    )
    labels = [re.sub("<[^>]+>", "", note.text) for note in made.layout.annotations]
    assert labels == ["● A", "◆ B", "■ C", "▲ D", "▼ E", "⬟ F"]
    heights = sorted(note.y for note in made.layout.annotations)
    top = made.layout.yaxis.range[1]
    assert all(b - a >= 0.9 * top * 17 / 180 for a, b in itertools.pairwise(heights))
    assert made.layout.yaxis.range[0] == 0
    assert made.layout.xaxis.title.text == "epoch"


def test_what_cannot_be_drawn_is_left_out() -> None:
    made = figure([line(0, 1.0, math.nan, math.inf), line(1)], "epoch", "loss")
    assert [list(trace.y) for trace in made.data] == [[1.0]]
    assert len(figure([], "epoch", "loss").data) == 0


def test_lines_that_are_all_zero_keep_an_axis() -> None:
    assert figure([line(0, 0.0, 0.0)], "min", "GPU (%)").layout.yaxis.range[1] > 0
