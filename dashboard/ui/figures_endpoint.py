"""How an endpoint does → lines over time, with the sentence above each. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dashboard.core.format import count, percent
from dashboard.core.metrics import Points
from dashboard.core.runs.instances import hardware
from dashboard.core.serving.live import Traffic
from dashboard.core.serving.model import Endpoint
from dashboard.core.serving.span import Span, begin, filled
from dashboard.ui.endpoint_words import NOBODY, milliseconds, per_minute, within
from dashboard.ui.lines import STYLES, Line, figure
from dashboard.ui.markup import sentence

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT = 210
GAP = 3
"""Periods without a point over which no line is drawn."""
HOURS = 6 * 3600
PARTS = {Span.QUARTER: 3, Span.HOUR: 4, Span.HOURS: 3, Span.DAY: 4, Span.WEEK: 7}
"""Into how many parts the x axis is divided, so that whole numbers stand at it."""


@dataclass(frozen=True)
class Panel:
    """One chart: its key, the finding above it, its lines and the title of its y axis."""

    key: str
    finding: str
    lines: Sequence[Line]
    y: str
    is_share: bool = False
    wait: str = ""
    has_gaps: bool = False

    def draw(self, span: Span, *, is_dark: bool) -> "Figure | None":
        """The figure; None where there is nothing to draw."""
        if not any(line.drawn for line in self.lines):
            return None
        made = figure(
            self.lines,
            f"{unit(span)[0]} before now",
            self.y,
            is_dark=is_dark,
            percent=self.is_share,
            highest=1.03 if self.is_share else None,
            height=HEIGHT,
            form=".1f",
        )
        longest = max(len(line.label) for line in self.lines)
        length = span.length.total_seconds() / unit(span)[1]
        each = length / PARTS[span]
        made.update_xaxes(range=[-length, 0], tickvals=[-each * part for part in range(PARTS[span] + 1)])
        made.update_xaxes(ticktext=[f"{each * part:g}" for part in range(PARTS[span] + 1)])
        made.update_layout(margin={"l": 8, "r": min(170, 26 + 7 * longest), "t": 10, "b": 8})
        if self.has_gaps:
            made.update_traces(mode="markers")  # a line would claim what nobody measured
        for annotation in made.layout.annotations:
            annotation.x = 0
        return made


def unit(span: Span) -> tuple[str, float]:
    """The unit of the x axis and how many seconds it has."""
    length = span.length.total_seconds()
    return ("days", 86400.0) if length > 86400 else ("hours", 3600.0) if length >= HOURS else ("minutes", 60.0)


def panels(one: Endpoint, traffic: Mapping[str, Traffic], span: Span, now: datetime) -> list[Panel]:
    """The four charts of an endpoint's page."""
    return [
        requests(one, traffic, span, now),
        latency(traffic, span, now),
        errors(traffic, span, now),
        use(one, traffic, span, now),
    ]


def requests(one: Endpoint, traffic: Mapping[str, Traffic], span: Span, now: datetime) -> Panel:
    """Requests over time, a line a variant."""
    found = {
        "requests" if len(traffic) == 1 else name: _counted(each, "requests", span, now)
        for name, each in traffic.items()
    }
    drawn, step = lines(found, span, now), _step(traffic)
    asked = sum(each.requests for each in traffic.values())
    peak = max((value for line in drawn for _, value in line.points), default=0.0)
    busiest = f"{per_minute(peak)} at its busiest" if step == 60 else f"at most {peak:,.0f} in {step} s"
    said = f"{count(round(asked), 'request')} {within(one, span, now)}, {busiest}"
    wait = f"Nobody asked in the last {span.word}. Ask it under Test, or on Classify."
    return Panel("endpoint-requests", said if asked else "No request", drawn, f"requests {count_unit(step)}", wait=wait)


def latency(traffic: Mapping[str, Traffic], span: Span, now: datetime) -> Panel:
    """Percentiles of one variant, or the p90 of each of several."""
    wait = "It begins with the first request."
    if len(traffic) == 1:
        (one,) = traffic.values()
        found = {p: one.points(p) for p in ("p50", "p90", "p99")}
        names = {p: one.latency(p) for p in found}
    else:
        found = {f"{name} p90": each.points("p90") for name, each in traffic.items()}
        names = {f"{name} p90": each.latency("p90") for name, each in traffic.items()}
    drawn = lines({name: _scaled(points, 1000.0) for name, points in found.items()}, span, now)
    known = {name: value for name, value in names.items() if value is not None}
    said = "Half of the requests within {}, 99 % within {}" if len(traffic) == 1 else ""
    if not known:
        finding = "No latency"
    elif said:
        finding = said.format(milliseconds(names["p50"]), milliseconds(names["p99"]))
    else:
        slowest = max(known, key=lambda name: known[name])
        finding = f"{slowest.removesuffix(' p90')} is the slowest: p90 {milliseconds(known[slowest])}"
    has_gaps = any(is_sparse(each.points("p50"), each.period) for each in traffic.values())
    return Panel("endpoint-latency", finding, drawn, "model + overhead (ms)", wait=wait, has_gaps=has_gaps)


def errors(traffic: Mapping[str, Traffic], span: Span, now: datetime) -> Panel:
    """Errors over time: those that the one who asks makes, and those of the endpoint."""
    found: dict[str, Points] = {}
    for name, each in traffic.items():
        of = f"{name} " if len(traffic) > 1 else ""
        found |= {f"{of}{kind}": _counted(each, kind, span, now) for kind in ("4xx", "5xx")}
    asked = sum(each.requests for each in traffic.values())
    theirs, own = (sum(each.whole.get(kind, 0.0) for each in traffic.values()) for kind in ("4xx", "5xx"))
    y = f"errors {count_unit(_step(traffic))}"
    if not asked:
        return Panel("endpoint-errors", "No error", [], y, wait=f"{NOBODY.capitalize()}.")
    parts = [f"{count(round(number))} {word}" for number, word in ((own, "5xx"), (theirs, "4xx")) if number]
    share = percent(min(1.0, (theirs + own) / asked), 1)
    finding = f"{' and '.join(parts)}: {share} of the requests" if parts else "Every request was answered"
    return Panel("endpoint-errors", finding, lines(found, span, now), y)


def use(one: Endpoint, traffic: Mapping[str, Traffic], span: Span, now: datetime) -> Panel:
    """How busy the instances are; of a serverless endpoint how many processes it used of those it may."""
    found: dict[str, Points] = {}
    for variant in one.variants:
        each = traffic.get(variant.name)
        if each is None:
            continue
        of, cores = f"{variant.name} " if len(traffic) > 1 else "", hardware(variant.instance_type)
        found[f"{of}processor"] = _scaled(each.series.get("cpu", ()), 0.01 / (cores.vcpu if cores else 1))
        found[f"{of}memory"] = _scaled(each.series.get("memory", ()), 0.01)
    found = {name: points for name, points in found.items() if points}
    wait = "CloudWatch has no use of the instances yet."
    if not found:
        return Panel("endpoint-use", "Not measured", [], "share of the instance (%)", True, wait)
    busiest = max(found, key=lambda name: max(value for _, value in found[name]))
    last, most = found[busiest][-1][1], max(value for _, value in found[busiest])
    what = sentence(busiest) if len(traffic) == 1 else busiest  # a variant's name keeps its letters
    finding = f"{what} {percent(min(1.0, last))} used now, {percent(min(1.0, most))} at most"
    drawn = lines(found, span, now, lambda value: percent(min(1.0, value)))
    return Panel("endpoint-use", finding, drawn, "share of the instance (%)", is_share=True)


def rows(traffic: Mapping[str, Traffic]) -> list[dict[str, Any]]:
    """The numbers behind the charts, one row a moment and variant, as CloudWatch has them (latencies in seconds)."""
    made: dict[tuple[datetime, str], dict[str, Any]] = {}
    for name, each in traffic.items():
        for key, points in each.series.items():
            for at, value in points:
                row = made.setdefault((at, name), {"time": at.isoformat(), "variant": name, "seconds": each.period})
                row[key] = value
    return [made[key] for key in sorted(made)]


def _counted(one: Traffic, key: str, span: Span, now: datetime) -> Points:
    """A count over time, 0 where nobody asked."""
    return filled(one.counts(key), begin(span.length, now), now, one.period)


def _step(traffic: Mapping[str, Traffic]) -> int:
    return next((each.step for each in traffic.values()), 60)


def count_unit(step: int) -> str:
    """Of counts of so many seconds each: "per minute", "in 5 s"."""
    return "per minute" if step == 60 else f"in {step} s"


def is_sparse(points: Points, period: int) -> bool:
    """Whether nobody asked for so long between two points that a line would tell of a time without any."""
    return any((later - at).total_seconds() > GAP * period for (at, _), (later, _) in pairwise(points))


def lines(
    found: Mapping[str, Points], span: Span, now: datetime, word: Callable[[float], str] | None = None
) -> list[Line]:
    """Lines with their name at the end; with `word` also their last value, where the finding speaks of now as well."""
    seconds = unit(span)[1]
    return [
        Line(
            name,
            f"{name} {word(points[-1][1])}" if word else name,
            style,
            [((at - now).total_seconds() / seconds, value) for at, value in points],
        )
        for (name, points), style in zip(found.items(), STYLES, strict=False)
        if points
    ]


def _scaled(points: Points, factor: float) -> Points:
    return tuple((at, value * factor) for at, value in points)
