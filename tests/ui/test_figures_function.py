"""A function's charts and words: what they say of invocations, refusals, warmth and cost."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard.core.serving.functions.functions import Details, Provisioned
from dashboard.core.serving.functions.model import Function, function_of
from dashboard.core.serving.functions.usage import Usage
from dashboard.core.serving.functions.what_if import Outcome, Setting, Way
from dashboard.core.serving.span import Span
from dashboard.ui import figures_function, function_what_if, function_words
from tests.views.scripted import EMBEDDED

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def made(**more: object) -> Function:
    told = {
        "FunctionName": "dogs",
        "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:dogs",
        "State": "Active",
        "LastModified": "2026-11-20T10:00:00.000+0000",
        "Environment": {"Variables": {"ENDPOINT_NAME": "starter"}},
    }
    return function_of(told | more, {"kennel:made-by": "kennel"}, {"ReservedConcurrentExecutions": 5})


def did(**whole: float) -> Usage:
    series = {key: ((NOW - timedelta(minutes=1), value),) for key, value in whole.items()}
    return Usage(Span.QUARTER, 60, series, whole)


def test_a_quiet_function_says_so_and_draws_nothing() -> None:
    panels = figures_function.panels(Details(made()), Usage(Span.QUARTER, 60), NOW)
    assert [panel.finding for panel in panels] == ["No invocation", "No duration", "None ran"]
    assert all(panel.draw(Span.QUARTER, is_dark=False) is None and panel.wait for panel in panels)


def test_refused_calls_are_said_beside_those_that_ran() -> None:
    usage = did(invocations=30, throttles=10, p50=0.04, p99=0.2, **{"at-once": 5})
    panels = figures_function.panels(Details(made()), usage, NOW)
    assert panels[0].finding == "30 invocations in the last 15 minutes, 10 more refused"
    assert panels[1].finding == "Half of them within 40 ms, 99 % within 200 ms"
    assert panels[2].finding == "At most 5 ran at once, of 5 reserved"
    assert all(panel.draw(Span.QUARTER, is_dark=True) is not None for panel in panels)
    strip = {figure.key: figure for figure in function_words.page_strip(Details(made()), usage, Decimal(0), EMBEDDED)}
    assert strip["failed"].value == "25 %" and strip["failed"].tone == "failed"
    assert strip["once"].note == "of 5 reserved for it"


def test_lines_are_of_what_was_counted_and_cross_no_time_without_a_call() -> None:
    calls = tuple((NOW - timedelta(minutes=back), 1.0) for back in (12, 3))
    series = dict.fromkeys(("invocations", "p50", "p90", "p99", "at-once"), calls)
    usage = Usage(Span.QUARTER, 5, series, {"invocations": 2, "p50": 0.03, "p99": 1.9, "at-once": 1})
    ran, took, once = figures_function.panels(Details(made()), usage, NOW)
    assert ran.y == "invocations in 5 s" and ran.lines[0].label == "ran"  # a call in 5 s is none of 12 a minute
    for panel in (ran, once):
        assert [x for x, value in panel.lines[0].points if value] == [-12, -3]
        assert sum(value == 0 for _, value in panel.lines[0].points) > 100
    assert took.has_gaps and [line.label for line in took.lines] == ["p50", "p90", "p99"]  # the finding has the values
    reserved = once.lines[1]
    assert reserved.points[0][0] < -13 and reserved.points[-1][0] == 0


def test_calls_that_cloudwatch_has_not_counted_yet_are_not_said_to_be_none() -> None:
    def notes(usage: Usage | None, tried: int) -> tuple[str, str]:
        strip = {one.key: one for one in function_words.page_strip(Details(made()), usage, None, EMBEDDED, tried=tried)}
        return strip["did"].note, strip["took"].note

    quiet, counted = Usage(Span.QUARTER, 60), did(invocations=1, p50=0.6, p90=0.6, p99=0.6)
    assert notes(quiet, 0) == ("in the last 15 minutes", "nobody asked")
    assert notes(quiet, 1) == ("CloudWatch has not counted all yet", "not counted yet")
    assert notes(counted, 1) == ("in the last 15 minutes", "p90 600 ms, p99 600 ms")
    assert notes(counted, 2)[0] == "CloudWatch has not counted all yet"
    assert notes(None, 1)[0] == "not checked"


def test_what_is_kept_ready_and_what_found_none_of_it() -> None:
    kept = Details(made(), provisioned=(Provisioned("live", 2, 1, "IN_PROGRESS"),))
    usage = did(invocations=10, utilization=0.5, spilled=3)
    panel = figures_function.panels(kept, usage, NOW)[-1]
    assert panel.finding == "50 % of what is kept ready was used at most, 3 invocations found none free"
    strip = {each.key: each for each in function_words.page_strip(kept, usage, Decimal("0.0075"), EMBEDDED)}
    assert strip["ready"].value == "1 of 2"
    assert strip["ready"].note == "$0.0075/h, 50 % used at most"
    assert "simulated" in strip["ready"].mark


def test_the_chart_of_costs_says_where_keeping_begins_to_pay() -> None:
    assert "from 600/min on; this load is 60/min" in figures_function.costs_finding(2, 600.0, 60.0)
    assert "this load is above that" in figures_function.costs_finding(2, 600.0, 900.0)
    assert "never costs less" in figures_function.costs_finding(2, None, 60.0)
    amounts = [Decimal(place) for place in range(1, 4)]
    drawn = figures_function.costs([1.0, 2.0, 3.0], amounts, amounts, 2, 2.5, 1.5)
    assert [trace.name for trace in drawn.data] == ["none kept", "2 kept ready"]
    unknown = figures_function.costs([1.0, 2.0, 3.0], amounts, [None] * 3, 2, None, 1.5)
    assert [trace.name for trace in unknown.data] == ["none kept"]


@pytest.mark.parametrize(
    ("rate", "said"), [(0, "0/min"), (0.001, "under 0.1/min"), (0.4, "0.4/min"), (12, "12/min"), (1500, "1,500/min")]
)
def test_rates_in_words(rate: float, said: str) -> None:
    assert function_words.a_minute(rate) == said


def test_the_rows_behind_the_charts_are_by_moment() -> None:
    rows = figures_function.rows(did(invocations=3, p90=0.1))
    assert rows == [{"time": "2026-11-21T11:59:00+00:00", "invocations": 3, "p90": 0.1}]


def month(way: Way, cost: str | None, cold: float, throttled: float = 0.0) -> Outcome:
    money = None if cost is None else Decimal(cost)
    return Outcome(Setting(way, 1000), 2_628_000, 0.0, cold, throttled, 0.0, money, Decimal(0))


def test_what_if_names_the_cheapest_of_those_that_refuse_nobody_and_what_fewer_cold_starts_cost() -> None:
    ceiling = month(Way.RESERVED, "4.91", 1551, throttled=5.7)  # few of millions, and yet somebody
    none, scaled = month(Way.NONE, "4.92", 1557), month(Way.SCALED, "19.49", 1543)
    said = function_what_if.finding([none, ceiling, scaled])
    assert said.startswith("Keeping none ready is the cheapest that refuses nobody: $4.92.")
    assert "starts 14 fewer cold for $14.57 more" in said
    same = function_what_if.finding([none, ceiling, month(Way.PROVISIONED, "14.07", 1556.9)])
    assert same.endswith("$4.92, and none of these starts fewer cold.")
    assert "both answers every call" in function_what_if.finding([ceiling, month(Way.NONE, None, 3)])
