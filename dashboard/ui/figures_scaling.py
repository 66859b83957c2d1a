"""A variant's scaling over time: the tracked metric against its target above, its instances below. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dashboard.core.format import plain
from dashboard.core.serving.scaling.history import History, Tracking
from dashboard.core.serving.scaling.policy import TargetTracking, Tracked
from dashboard.core.serving.scaling.scaling import Scaling
from dashboard.core.serving.scaling.variant import Kind
from dashboard.ui.figures import BLUE, DATES, GREEN, SKY, VERMILLION, template
from dashboard.ui.sketch import Sketch

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT = 330
INK = "#7A8794"
LEAST = 1 / 12
"""Of the time that a figure may show, what it shows of something that has just begun."""
LOW = 0.9
"""The share of its target under which a metric lets target tracking scale in."""

Local = Callable[[datetime], datetime]


@dataclass(frozen=True)
class Shown:
    """What is drawn: the policy whose metric it is, that metric over time, and where its alarms stand.

    `high` is None where no policy is set, and a metric is drawn all the same.
    """

    policy: TargetTracking
    tracking: Tracking
    high: float | None
    low: float | None


def watched(scaling: Scaling) -> tuple[TargetTracking, ...]:
    """The policies whose metrics are drawn; without any, requests are: as of a policy without a name."""
    if scaling.settings and scaling.settings.tracking:
        return scaling.settings.tracking
    is_serverless = scaling.variant.kind is Kind.SERVERLESS
    return (TargetTracking("", Tracked.PROVISIONED if is_serverless else Tracked.INVOCATIONS, 0.0),)


def shown(scaling: Scaling, history: History, policies: Sequence[TargetTracking]) -> Shown | None:
    """The first tracked metric with points, or the first at all; None without any policy."""
    both = list(zip(policies, history.tracking, strict=True))
    chosen = next((one for one in both if one[1].points), both[0] if both else None)
    if chosen is None:
        return None
    policy, tracking = chosen
    if not policy.name:
        return Shown(policy, tracking, None, None)
    own = [alarm for alarm in scaling.alarms if alarm.policy == policy.name]
    high = next((alarm.threshold for alarm in own if alarm.is_high), policy.target)
    low = next((alarm.threshold for alarm in own if not alarm.is_high), policy.target * LOW)
    return Shown(policy, tracking, high, low if policy.can_scale_in else None)


def unit(policy: TargetTracking) -> str:
    """The unit of a metric's axis."""
    if policy.custom is not None:
        return f"{policy.custom.name} ({policy.custom.statistic})"
    return {
        Tracked.INVOCATIONS: "requests per instance and minute",
        Tracked.CONCURRENT: "requests at once per instance",
        Tracked.PROVISIONED: "share of provisioned in use",
    }.get(policy.tracked, "the metric")


_AXES = {Tracked.INVOCATIONS: "per instance and minute", Tracked.CONCURRENT: "at once per instance"}
"""Units that are as long as the axis is high, shorter."""


def finding(scaling: Scaling, history: History, drawn: Shown | None) -> str:
    """The sentence above the figure."""
    variant = scaling.variant
    has = variant.kind.many(variant.current)
    if drawn is None or (drawn.high is None and not drawn.tracking.points):
        return f"{has[:1].upper()}{has[1:]}, and no policy that moves them"
    value, target = history.newest(drawn.tracking), plain(drawn.policy.target)
    if history.is_quiet or value is None:
        when = "in the last while" if history.is_quiet else "just now"
        return f"No request {when}: {has}, and no metric to scale by"
    if drawn.high is None:
        return f"{_number(value)} {unit(drawn.policy)}, and no policy that keeps it steady"
    now = f"{_number(value)} {unit(drawn.policy)}, target {target}"
    if value > drawn.high:
        return f"Above its target: {now}"
    if drawn.low is not None and value < drawn.low:
        return f"Well below its target: {now}"
    return f"Near its target: {now}"


def figure(scaling: Scaling, history: History, drawn: Shown | None, local: Local, *, is_dark: bool = False) -> "Figure":
    """The metric with its target and where it scales in, above the instances that answered and were asked for."""
    kind = scaling.variant.kind
    layout = template("", _AXES.get(drawn.policy.tracked, unit(drawn.policy)) if drawn else "", HEIGHT)
    layout["margin"] = {"l": 8, "r": 104, "t": 10, "b": 8}
    layout["yaxis"] |= {"domain": [0.46, 1.0], "rangemode": "tozero"}
    below = template("", _axis(kind))["yaxis"]
    layout["yaxis2"] = below | {"domain": [0.0, 0.32], "rangemode": "tozero", "anchor": "x"}
    span = [local(_first(history)), local(history.end)]
    layout["xaxis"] |= {"anchor": "y2", "range": span, "type": "date", "tickformatstops": DATES}
    sketch = Sketch(layout)
    if drawn is not None:
        _metric(sketch, drawn, local, is_dark=is_dark)
    _instances(sketch, scaling, history, local, is_dark=is_dark)
    return sketch.drawn()


def _first(history: History) -> datetime:
    """Where the axis begins: nothing is drawn of the hours before the first figure, but LEAST of all there could be."""
    seen = [at for points in (*(one.points for one in history.tracking), history.instances) for at, _ in points]
    seen += [at for at, _ in history.desired]
    whole = history.end - history.begin
    return max(history.begin, min([history.end - whole * LEAST, *seen]))


def _metric(sketch: Sketch, drawn: Shown, local: Local, *, is_dark: bool) -> None:
    colour = SKY if is_dark else BLUE
    points = [(at, value) for at, value in drawn.tracking.points if math.isfinite(value)]
    top = max([(drawn.high or 0.0) * 1.35, *(value for _, value in points)]) * 1.05 or 1.0
    sketch.layout["yaxis"]["range"] = [0, top]
    parted = _parted(points, drawn.tracking.period)
    sketch.add(
        "scatter",
        x=[local(at) for at, _ in parted],
        y=[value for _, value in parted],
        name=unit(drawn.policy),
        mode="lines+markers" if len(points) < 60 else "lines",
        line={"color": colour, "width": 2},
        marker={"size": 4, "color": colour},
        hovertemplate="%{y:.3~g}<extra></extra>",
    )
    if drawn.high is None:
        return
    _line(sketch, drawn.high, f"target {plain(drawn.policy.target)}", "dash", VERMILLION if not is_dark else "#F08A5D")
    if drawn.low is not None:
        _line(sketch, drawn.low, "", "dot", INK)
        if drawn.high - drawn.low > top * 0.09:
            _label(sketch, drawn.low, "scales in below", "y")


def _parted(
    points: Sequence[tuple[datetime, float]], period: float
) -> list[tuple[datetime, float] | tuple[datetime, None]]:
    """Points with an empty one in each gap: no line leads over a time of which nothing is known."""
    found: list[tuple[datetime, float] | tuple[datetime, None]] = []
    for before, (at, value) in zip([None, *points], points, strict=False):
        if before is not None and at - before[0] > timedelta(seconds=1.5 * period):
            found.append((before[0] + timedelta(seconds=period), None))
        found.append((at, value))
    return found


def _instances(sketch: Sketch, scaling: Scaling, history: History, local: Local, *, is_dark: bool) -> None:
    colour = "#4CC9A0" if is_dark else GREEN
    settings = scaling.settings
    most = max(
        [settings.maximum if settings else 1, scaling.variant.current]
        + [value for _, value in history.desired]
        + [math.ceil(value) for _, value in history.instances]
    )
    sketch.layout["yaxis2"] |= {"range": [0, most * 1.25], "dtick": max(1, math.ceil(most / 3)), "tickformat": "d"}
    if history.instances:
        sketch.add(
            "scatter",
            x=[local(at) for at, _ in history.instances],
            y=[value for _, value in history.instances],
            name="answering",
            yaxis="y2",
            mode="markers",
            marker={"size": 5, "color": colour, "symbol": "diamond"},
            hovertemplate="answering %{y:.1f}<extra></extra>",
        )
    sketch.add(
        "scatter",
        x=[local(at) for at, _ in history.desired],
        y=[value for _, value in history.desired],
        name="asked for",
        yaxis="y2",
        mode="lines",
        line={"color": colour, "width": 2, "shape": "hv"},
        hovertemplate="asked for %{y}<extra></extra>",
    )
    if settings is not None:
        for value, name in (
            (settings.maximum, f"max {settings.maximum}"),
            (settings.minimum, f"min {settings.minimum}"),
        ):
            _line(sketch, value, name, "dot", INK, axis="y2")


def _axis(kind: Kind) -> str:
    return "provisioned" if kind is Kind.SERVERLESS else "instances"


def _line(sketch: Sketch, y: float, name: str, dash: str, colour: str, axis: str = "y") -> None:
    """A line through one of the two parts, named at its end."""
    place: dict[str, Any] = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": axis, "y0": y, "y1": y}
    sketch.layout.setdefault("shapes", []).append({**place, "line": {"color": colour, "dash": dash, "width": 1.5}})
    if name:
        _label(sketch, y, name, axis)


def _label(sketch: Sketch, y: float, name: str, axis: str) -> None:
    sketch.write(
        x=1, xref="paper", xanchor="left", xshift=6, y=y, yref=axis, text=name, showarrow=False, font={"size": 12}
    )


def rows(history: History, drawn: Shown | None, local: Local) -> list[dict[str, Any]]:
    """The figures behind the chart, one row a moment."""
    found: dict[datetime, dict[str, Any]] = {}
    parts: list[tuple[str, Sequence[tuple[datetime, float]]]] = []
    if drawn is not None:
        parts.append((unit(drawn.policy), drawn.tracking.points))
    parts += [("instances answering", history.instances), ("asked for", history.desired)]
    for name, points in parts:
        for at, value in points:
            found.setdefault(at, {})[name] = round(value, 3)
    names = [name for name, points in parts if points]
    return [{"time": local(at), **{name: found[at].get(name) for name in names}} for at in sorted(found)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else plain(float(f"{value:.3g}"))
