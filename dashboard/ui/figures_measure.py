"""A measurement → a figure: latency by clients at once, and below it the answers a second, the knee marked. Pure."""

import math
from typing import TYPE_CHECKING, Any

from dashboard.core.format import percent
from dashboard.core.serving.measure import knee
from dashboard.core.serving.measure.result import Level, Measurement
from dashboard.ui.figures import template, ticks
from dashboard.ui.lines import STYLES
from dashboard.ui.sketch import Sketch

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT = 360
LOWER = 0.36
BAR, BAR_DARK = "#9AA7B4", "#5F6D7C"
SECONDS = 2.0
"""From this latency on the axis counts seconds."""


def milliseconds(seconds: float | None) -> str:
    """ "34 ms", "1.2 s", "none"."""
    if seconds is None:
        return "none"
    return f"{seconds:.1f} s" if seconds >= SECONDS else f"{seconds * 1000:.0f} ms"


def finding(measured: Measurement) -> str:
    """The sentence above the figure."""
    found, most = knee.knee(measured.levels), knee.peak(measured.levels)
    if found is None or most is None:
        return "No level was borne: too many requests failed at each"
    said = (
        f"The knee is at {found.clients} at once: {found.throughput:.1f} answers a second, "
        f"half of them within {milliseconds(found.p50)}"
    )
    if most.clients > found.clients and most.throughput > knee.MORE * found.throughput:
        said += f"; at most {most.throughput:.1f} a second, with {most.clients}"
    return said


def figure(measured: Measurement, *, is_dark: bool = False) -> "Figure":
    """Percentiles as lines over the number of clients, throughput as bars below; the knee is the coloured bar."""
    levels = [level for level in measured.levels if level.answered]
    found = knee.knee(levels)
    made = Sketch(template("", "latency", HEIGHT))
    names = [str(level.clients) for level in levels]
    highest = max((level.p99 or 0.0 for level in levels), default=1.0)
    factor, unit = (1.0, "s") if highest >= SECONDS else (1000.0, "ms")
    marks = []
    for place, name in enumerate(("p50", "p90", "p99")):
        told = STYLES[place]
        colour = told.on(is_dark=is_dark)
        values = [(getattr(level, name) or 0.0) * factor for level in levels]
        made.add(
            "scatter",
            x=names,
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": told.dash, "width": 2},
            marker={"symbol": told.symbol, "size": 7, "color": colour},
            hovertemplate=f"{name} %{{y:.3g}} {unit}<extra></extra>",
        )
        marks.append(f'<span style="color:{colour}">{told.mark}</span> {name}')
    made.write(
        text="   ".join(marks),  # one text: on a phone three would stand in each other's way
        xref="paper",
        yref="paper",
        x=0,
        y=1.02,
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
        font={"size": 12},
    )
    knee_colour, bar = STYLES[1].on(is_dark=is_dark), BAR_DARK if is_dark else BAR
    made.add(
        "bar",
        x=names,
        y=[level.throughput for level in levels],
        yaxis="y2",
        name="answers a second",
        marker={"color": [knee_colour if level == found else bar for level in levels]},
        text=[f"{level.throughput:.1f}" + (" knee" if level == found else "") for level in levels],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y:.1f} answers a second<extra></extra>",
    )
    _axes(made.layout, names, highest * factor, unit, max((level.throughput for level in levels), default=1.0))
    return made.drawn()


def _axes(layout: dict[str, Any], names: list[str], highest: float, unit: str, most: float) -> None:
    layout["margin"] = {"l": 8, "r": 12, "t": 30, "b": 8}
    layout["xaxis"] |= {
        "title": {"text": "clients at once", "font": {"size": 12}},
        "type": "category",
        "categoryarray": names,
        "anchor": "y2",
    }
    top = (highest or 1.0) * 1.1
    layout["yaxis"] |= {
        "title": {"text": f"latency ({unit})", "font": {"size": 12}},
        "range": [0, top],
        "tickvals": ticks(0, top, whole=False),
        "domain": [LOWER + 0.1, 1.0],
    }
    up = (most or 1.0) * 1.3
    layout["yaxis2"] = layout["yaxis"] | {
        "title": {"text": "answers a second", "font": {"size": 12}},
        "domain": [0, LOWER],
        "range": [0, up],
        "tickvals": ticks(0, up, whole=False, most=4),
    }


def rows(measured: Measurement) -> list[dict[str, Any]]:
    """The numbers behind the figure, one row a level."""
    return [_row(level) for level in measured.levels]


def _row(level: Level) -> dict[str, Any]:
    def ms(seconds: float | None) -> float | None:
        return None if seconds is None or not math.isfinite(seconds) else round(seconds * 1000, 1)

    return {
        "clients": level.clients,
        "answers a second": round(level.throughput, 2),
        "p50 ms": ms(level.p50),
        "p90 ms": ms(level.p90),
        "p99 ms": ms(level.p99),
        "requests": level.requests,
        "failed": percent(level.error_share, 1) if level.failed else "none",
        "why": "; ".join(f"{name} ({times})" for name, times in level.errors.items()),
    }
