from datetime import timedelta

import pytest

from dashboard.core.serving.live import Traffic
from dashboard.core.serving.span import Span, begin
from dashboard.ui import figures_endpoint
from tests.core.serving.made import CREATED, asked, endpoint

NOW = CREATED + timedelta(hours=3)


def traffic(*minutes, **whole):
    """Requests, latency and processor at so many minutes before now; sums as told."""
    moments = [begin(Span.QUARTER.length, NOW) + timedelta(minutes=14 - one) for one in minutes]
    series = {
        "requests": tuple((at, 30.0) for at in moments),
        "5xx": tuple((at, 3.0) for at in moments),
        "model-p50": tuple((at, 0.01) for at in moments),
        "model-p90": tuple((at, 0.02) for at in moments),
        "model-p99": tuple((at, 0.03) for at in moments),
        "overhead-p50": tuple((at, 0.002) for at in moments),
        "cpu": tuple((at, 100.0) for at in moments),
    }
    known = {"requests": 30.0 * len(minutes), "model-p50": 0.01, "model-p99": 0.03, "model-p90": 0.02, **whole}
    return Traffic(60, series, known)


def panels(**variants):
    one = endpoint(*(asked(name) for name in variants))
    return {one.key: one for one in figures_endpoint.panels(one, variants, Span.QUARTER, NOW)}


def test_each_chart_says_what_it_shows():
    shown = panels(main=traffic(2, 1, 0, **{"5xx": 9.0}))
    assert shown["endpoint-requests"].finding == "90 requests in the last 15 minutes, 30/min at its busiest"
    assert shown["endpoint-latency"].finding == "Half of the requests within 10 ms, 99 % within 30 ms"
    assert shown["endpoint-errors"].finding == "9 5xx: 10.0 % of the requests"
    assert shown["endpoint-use"].finding == "Processor 50 % used now, 50 % at most"
    assert not shown["endpoint-latency"].has_gaps
    for panel in shown.values():
        drawn = panel.draw(Span.QUARTER, is_dark=True)
        assert list(drawn.layout.xaxis.range) == [-15, 0]
        assert list(drawn.layout.xaxis.ticktext) == ["0", "5", "10", "15"]


def test_counts_of_seconds_are_not_told_as_if_they_went_on_for_a_minute():
    second = Traffic(5, {"requests": ((NOW - timedelta(minutes=2), 2.0),)}, {"requests": 2.0})
    young = endpoint(created=NOW - timedelta(minutes=4))
    shown = figures_endpoint.panels(young, {"main": second}, Span.QUARTER, NOW)[0]
    assert shown.finding == "2 requests since it was made, at most 2 in 5 s"
    assert shown.y == "requests in 5 s"
    assert max(value for _, value in shown.lines[0].points) == 2.0


def test_no_line_is_labelled_with_its_last_moment_where_the_finding_is_of_all():
    shown = panels(main=traffic(2, 1, 0))
    assert [line.label for line in shown["endpoint-latency"].lines] == ["p50", "p90", "p99"]
    assert [line.label for line in shown["endpoint-requests"].lines] == ["requests"]
    assert [line.label for line in shown["endpoint-use"].lines] == ["processor 50 %"]


def test_where_nobody_asked_a_count_is_zero_and_a_latency_no_line():
    shown = panels(main=traffic(12, 0))
    requests = [value for _, value in shown["endpoint-requests"].lines[0].points]
    assert (len(requests), requests.count(0.0)) == (15, 13)
    latency = shown["endpoint-latency"]
    assert latency.has_gaps
    assert {trace.mode for trace in latency.draw(Span.QUARTER, is_dark=False).data} == {"markers"}
    assert latency.lines[0].points[0][1] == pytest.approx(12.0)  # model and overhead, in milliseconds


def test_of_several_variants_each_has_its_line_and_the_slowest_its_name():
    shown = panels(main=traffic(1, 0), other=traffic(1, 0, **{"model-p90": 0.5}))
    assert [line.name for line in shown["endpoint-requests"].lines] == ["main", "other"]
    assert shown["endpoint-latency"].finding == "other is the slowest: p90 500 ms"
    assert [line.name for line in shown["endpoint-errors"].lines] == ["main 5xx", "other 5xx"]


def test_a_variants_name_keeps_its_letters_at_the_beginning_of_a_sentence():
    shown = panels(AllTraffic=traffic(1, 0), other=Traffic(60))
    assert shown["endpoint-use"].finding == "AllTraffic processor 50 % used now, 50 % at most"


def test_an_endpoint_that_nobody_asked_has_words_in_place_of_charts():
    for panel in panels(main=Traffic(60)).values():
        assert panel.draw(Span.QUARTER, is_dark=False) is None
        assert panel.wait


def test_the_table_behind_has_a_row_for_each_moment_and_variant():
    rows = figures_endpoint.rows({"main": traffic(1, 0), "other": traffic(0)})
    assert len(rows) == 3
    assert rows[0]["requests"] == 30.0
    assert rows[0]["seconds"] == 60
    assert {row["variant"] for row in rows} == {"main", "other"}


@pytest.mark.parametrize("span", list(Span))
def test_whole_numbers_stand_at_the_axis(span):
    name, seconds = figures_endpoint.unit(span)
    step = span.length.total_seconds() / seconds / figures_endpoint.PARTS[span]
    assert step == int(step), (name, step)
