"""A function's invocations over time, and what a month costs by invocations, as lines. Pure."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from dashboard.core.format import count, money, percent
from dashboard.core.metrics import Points
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.usage import Usage
from dashboard.core.serving.span import begin, filled
from dashboard.ui.figures_endpoint import Panel, count_unit, is_sparse, lines
from dashboard.ui.function_words import NOBODY, a_minute, milliseconds
from dashboard.ui.lines import STYLES, Line, figure

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

COSTS_HEIGHT = 260


def panels(details: Details, usage: Usage, now: datetime) -> list[Panel]:
    """The three charts of a function's page, and a fourth where something is kept ready."""
    made = [_invocations(usage, now), _durations(usage, now), _at_once(details, usage, now)]
    return [*made, _kept(usage, now)] if details.kept_ready or usage.series.get("utilization") else made


def _invocations(usage: Usage, now: datetime) -> Panel:
    names = {"ran": "invocations", "failed": "errors", "throttled": "throttles"}
    found = {
        word: _filled(usage, usage.counts(key), now)
        for word, key in names.items()
        if usage.whole.get(key) or key == "invocations"
    }
    refused = round(usage.whole.get("throttles", 0.0))
    said = f"{count(round(usage.invocations), 'invocation')} in the last {usage.span.word}"
    said += f", {refused:,} more refused" if refused else ", none refused"
    wait = f"Nobody called it in the last {usage.span.word}. Call it under Test."
    is_any = usage.invocations or refused
    drawn = lines(found, usage.span, now)
    y = f"invocations {count_unit(usage.step)}"
    return Panel("function-invocations", said if is_any else "No invocation", drawn, y, wait=wait)


def _durations(usage: Usage, now: datetime) -> Panel:
    found = {key: _scaled(usage.series.get(key, ()), 1000.0) for key in ("p50", "p90", "p99")}
    half, most = usage.whole.get("p50"), usage.whole.get("p99")
    said = f"Half of them within {milliseconds(half)}, 99 % within {milliseconds(most)}" if half else "No duration"
    has_gaps = is_sparse(found["p50"], usage.period)
    wait = "It begins with the first invocation."
    drawn = lines(found, usage.span, now)
    return Panel("function-durations", said, drawn, "duration (ms)", wait=wait, has_gaps=has_gaps)


def _at_once(details: Details, usage: Usage, now: datetime) -> Panel:
    points = _filled(usage, usage.series.get("at-once", ()), now)
    found: dict[str, Points] = {"at once": points}
    reserved = details.function.reserved
    if reserved is not None and points:
        found["reserved"] = tuple((at, float(reserved)) for at in (points[0][0], points[-1][0]))
    most = usage.whole.get("at-once")
    said = f"At most {most:.0f} ran at once" if most is not None else "None ran"
    said += f", of {reserved:,} reserved" if reserved is not None and most is not None else ""
    drawn = lines(found, usage.span, now)
    return Panel("function-at-once", said, drawn, "invocations at once", wait=f"{NOBODY.capitalize()}.")


def _kept(usage: Usage, now: datetime) -> Panel:
    spilled = round(usage.whole.get("spilled", 0.0))
    used = usage.whole.get("utilization")
    said = "What is kept ready was not used" if not used else f"{percent(used)} of what is kept ready was used at most"
    said += f", {count(spilled, 'invocation')} found none free" if spilled else ""
    points = usage.series.get("utilization", ())
    drawn, has_gaps = lines({"used": points}, usage.span, now), is_sparse(points, usage.period)
    return Panel("function-kept", said, drawn, "of what is kept ready", True, "No figure yet.", has_gaps)


def _filled(usage: Usage, points: Points, now: datetime) -> Points:
    """With a 0 where CloudWatch has no point, because nobody asked then."""
    return filled(points, begin(usage.span.length, now), now, usage.period)


def rows(usage: Usage) -> list[dict[str, object]]:
    """The numbers behind the charts, a row a moment."""
    by_time: dict[datetime, dict[str, object]] = {}
    for key, points in usage.series.items():
        for at, value in points:
            by_time.setdefault(at, {"time": at.isoformat()})[key] = value
    return [by_time[at] for at in sorted(by_time)]


def costs_finding(ready: int, even: float | None, asked: float) -> str:
    """The sentence above the chart of costs."""
    if even is None:
        return f"Keeping {ready} ready never costs less, or a price is unknown"
    where = "this load is above that" if asked >= even else f"this load is {a_minute(asked)}"
    return f"Keeping {ready} ready costs less from {a_minute(even)} on; {where}"


def costs(
    rates: Sequence[float],
    without: Sequence[Decimal | None],
    kept: Sequence[Decimal | None],
    ready: int,
    even: float | None,
    asked: float,
    *,
    is_dark: bool = False,
) -> "Figure":
    """A month at steady invocations, nothing kept against `ready` kept: where they cross, and where we are."""
    made = []
    for name, amounts, style in (("none kept", without, STYLES[0]), (f"{ready} kept ready", kept, STYLES[1])):
        points = [(rate, float(amount)) for rate, amount in zip(rates, amounts, strict=True) if amount is not None]
        if points:
            made.append(Line(name, f"{name} {money(Decimal(str(points[-1][1])))}", style, points))
    drawn = figure(made, "invocations per minute", "USD a month", is_dark=is_dark, height=COSTS_HEIGHT, form="$.2f")
    for value, text in ((even, "break-even"), (asked, "this load")):
        if value is not None and rates and 0 < value <= rates[-1]:
            drawn.add_vline(x=value, line={"dash": "dot", "width": 1, "color": "#808B96"})
            drawn.add_annotation(x=value, yref="paper", y=1.0, text=text, showarrow=False, xanchor="left", xshift=4)
    return drawn


def _scaled(points: Points, factor: float) -> Points:
    return tuple((at, value * factor) for at, value in points)
