"""Choices as figures: sizes, greys, hollow marks, spreads; every axis of money begins at nothing."""

import pytest

from dashboard.core.costs.choices.what_if_time import Basis
from dashboard.ui.figures_choice_bars import Bar, Span, bars, spans
from dashboard.ui.figures_choices import DIM, LEAST_DOT, MOST_DOT, Dot, frontier, letters, scale, tick_format


def dot(letter, seconds, cost, accuracy, **more):
    return Dot(letter, letter, (seconds,) * 3, (cost,) * 3, accuracy, **more)


def test_the_more_accurate_the_larger_and_the_unknown_is_hollow():
    (drawn,) = frontier([dot("A", 60, 0.1, 0.9), dot("B", 90, 0.2, 0.5), dot("C", 90, 0.3, None)], "simulated").data
    assert list(drawn.marker.size)[:2] == [MOST_DOT, LEAST_DOT]
    assert drawn.marker.symbol[2] == "circle-open"
    assert list(drawn.text) == ["A 90 %", "B 50 %", "C ?"]


def test_what_is_nearly_as_accurate_is_drawn_nearly_as_large():
    sizes = frontier([dot("A", 1, 1, 0.912), dot("B", 2, 2, 0.91)], "simulated").data[0].marker.size
    assert sizes[0] - sizes[1] < 1


def test_what_is_beaten_is_grey_and_the_answer_is_marked():
    (drawn,) = frontier([dot("A", 60, 0.1, 0.9, is_answer=True), dot("B", 90, 0.2, 0.5, is_grey=True)], "sample").data
    assert drawn.text[0] == "<b>A 90 %</b>"
    assert drawn.marker.color[1] == DIM
    assert drawn.marker.line.width[0] > drawn.marker.line.width[1]


def test_what_falls_short_of_the_accuracy_asked_for_has_a_cross():
    (drawn,) = frontier([dot("A", 60, 0.1, 0.9), dot("B", 60, 0.1, 0.5)], "simulated", wanted=0.8).data
    assert list(drawn.marker.symbol) == ["circle", "circle-x-open"]


def test_axes_begin_at_nothing_and_hold_every_spread_and_the_deadline():
    wide = Dot("A", "A", (60, 90, 600), (0.1, 0.2, 0.5), 0.9)
    made = frontier([wide], "simulated", deadline=1200)
    assert made.layout.xaxis.range[0] == 0
    assert made.layout.xaxis.range[1] > 20  # minutes
    assert made.layout.yaxis.range[0] == 0
    assert made.layout.yaxis.range[1] > 0.5
    assert made.data[0].error_x.array[0] == pytest.approx((600 - 90) / 60)
    assert "simulated" in made.layout.yaxis.title.text
    assert len(made.layout.shapes) == 1


def test_many_choices_in_one_place_are_all_drawn():
    assert len(frontier([dot(letter, 60, 0.1, 0.9) for letter in letters(40)], "simulated").data[0].x) == 40
    assert letters(28)[25:] == ["Z", "27", "28"]


def test_no_figure_fails_without_anything_to_draw():
    for made in (frontier([], "simulated"), bars([], "s"), spans([], "simulated")):
        assert made.layout.height > 0


def test_a_bar_has_its_spread_only_where_its_runs_differ():
    rows = [Bar("A", "one", 0.2, 0.1, 0.5, "$0.20 (3)"), Bar("B", "other", 0.3, 0.3, 0.3), Bar("C", "none", None)]
    made = bars(rows, "USD", is_money=True)
    assert tuple(made.data[1].x) == (0.1, 0.5, None)
    assert len(bars(rows[1:], "USD").data) == 1
    assert made.layout.xaxis.range[0] == 0
    assert made.layout.xaxis.range[1] > 0.5


def test_an_estimate_is_a_hollow_mark_on_its_range():
    rows = [Span("a", 1, 2, 4, Basis.ESTIMATED, "≈ $2"), Span("b", 1, 1, 1, Basis.MEASURED, "$1", is_late=True)]
    made = spans(rows, "simulated")
    marks = made.data[-1].marker
    assert list(marks.symbol) == ["circle", "circle-open"]
    assert marks.color[0] == DIM
    assert tuple(made.data[0].x) == (1, 1, None, 1, 4, None)


def test_what_is_written_at_the_right_has_its_own_pixels_and_titles_two_lines_for_a_phone():
    made = spans([Span("SageMaker ml.m5.large", 1, 2, 4, Basis.ESTIMATED, "≈ $2, 11 min 3 s")], "simulated")
    assert made.layout.margin.r >= 130
    assert tuple(made.layout.yaxis.ticktext) == ("SageMaker<br>ml.m5.large",)
    assert frontier([dot("A", 60, 0.1, 0.9)], "simulated").layout.margin.r >= 60


@pytest.mark.parametrize(("seconds", "unit"), [(30, "s"), (600, "min"), (40_000, "h")])
def test_time_is_told_in_units_that_fit(seconds, unit):
    assert scale(seconds)[0] == unit


def test_ticks_of_money_can_be_told_apart():
    assert [tick_format(top) for top in (100, 3, 0.5, 0.05, 0.002)] == [",.0f", ",.1f", ",.2f", ",.3f", ".4f"]


def test_labels_of_dots_that_nearly_touch_do_not_lie_on_each_other():
    """The sample account's: two ways within a cent, of the same duration, between others."""
    dots = [
        dot("B", 2652, 0.0663, None), dot("C", 1326, 0.0726, None), dot("D", 663, 0.0751, None),
        dot("E", 1326, 0.0847, None), dot("F", 1353, 0.1308, None), dot("I", 5304, 0.3389, None),
    ]  # fmt: skip
    places = dict(zip("BCDEFI", frontier(dots, "sample").data[0].textposition, strict=True))
    assert places["C"].split()[0] != places["E"].split()[0]
