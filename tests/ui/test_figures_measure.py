"""The figure of a measurement and the sentence above it."""

from dataclasses import replace
from datetime import UTC, datetime

from dashboard.core.serving.measure.result import Level, Measurement
from dashboard.ui import figures_measure

LEVELS = (
    Level(1, 100, 10.0, 0.1, 0.11, 0.12),
    Level(2, 200, 10.0, 0.1, 0.12, 0.2),
    Level(4, 230, 10.0, 0.17, 0.2, 0.5),
    Level(8, 240, 10.0, 0.33, 0.4, 2.5, {"throttled": 80}),
)
MEASURED = Measurement("dogs", "main", datetime(2026, 11, 21, tzinfo=UTC), "dogs-1", "ml.m5.large", 1, 1, LEVELS)


def test_the_sentence_says_the_knee_and_what_more_clients_bring() -> None:
    said = figures_measure.finding(MEASURED)
    assert said == (
        "The knee is at 2 at once: 20.0 answers a second, half of them within 100 ms; at most 23.0 a second, with 4"
    )
    assert "No level was borne" in figures_measure.finding(replace(MEASURED, levels=LEVELS[3:]))


def test_the_knee_is_marked_by_a_word_and_a_colour() -> None:
    made = figures_measure.figure(MEASURED).to_dict()
    bars = made["data"][-1]
    assert list(bars["text"]) == ["10.0", "20.0 knee", "23.0", "16.0"]
    colours = bars["marker"]["color"]
    assert colours[1] != colours[0] == colours[2] == colours[3]


def test_slow_answers_are_in_seconds_and_quick_ones_in_milliseconds() -> None:
    slow = figures_measure.figure(MEASURED).to_dict()
    quick = figures_measure.figure(replace(MEASURED, levels=LEVELS[:2])).to_dict()
    assert slow["layout"]["yaxis"]["title"]["text"] == "latency (s)"
    assert quick["layout"]["yaxis"]["title"]["text"] == "latency (ms)"
    assert [list(trace["y"]) for trace in quick["data"][:1]] == [[100.0, 100.0]]


def test_the_table_has_a_row_for_each_level_with_what_failed() -> None:
    rows = figures_measure.rows(MEASURED)
    assert rows[0] == {
        "clients": 1,
        "answers a second": 10.0,
        "p50 ms": 100.0,
        "p90 ms": 110.0,
        "p99 ms": 120.0,
        "requests": 100,
        "failed": "none",
        "why": "",
    }
    assert (rows[3]["failed"], rows[3]["why"]) == ("33.3 %", "throttled (80)")
    silent = Level(1, 3, 1.0, None, None, None, {"throttled": 3})
    assert figures_measure.rows(replace(MEASURED, levels=(silent,)))[0]["p50 ms"] is None
