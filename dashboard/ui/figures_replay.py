"""Two replays of one traffic → a figure: instances over time against what is needed, and what goes wrong. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dashboard.core.serving.scaling.judge import Side
from dashboard.ui.figures import template, ticks
from dashboard.ui.lines import STYLES, Style
from dashboard.ui.sketch import Sketch

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT = 350
LOWER = 0.26
"""Of the figure: the part below, with what went wrong."""
LINE = 17
"""Height of a line of text in pixels."""
NEED, NEED_DARK = "rgba(120,132,146,0.28)", "rgba(160,172,186,0.30)"
UNITS = ((2 * 86_400, "days", 86_400.0), (3 * 3600, "hours", 3600.0), (0, "minutes", 60.0))


def unit(seconds: float) -> tuple[str, float]:
    """How its time is counted: the word, and how many seconds it has."""
    return next((word, size) for least, word, size in UNITS if seconds >= least)


def style(place: int, sides: int) -> Style:
    """What tells a side: one alone is drawn as what comes after."""
    return STYLES[place if sides > 1 else 1]


def figure(sides: Sequence[Side], *, is_dark: bool = False) -> "Figure":
    """Instances that serve, stepped, over the grey of how many the requests would keep busy; below late and failed."""
    first = sides[0].replay
    word, size = unit(first.traffic.seconds)
    end = first.traffic.seconds / size
    made = Sketch(template("", "instances", HEIGHT))
    _need(made, first.moments, size, is_dark=is_dark)
    top = 1.0
    for place, side in enumerate(sides):
        told = style(place, len(sides))
        colour = told.on(is_dark=is_dark)
        at = [moment.at / size for moment in side.replay.moments]
        serving: list[float] = [moment.serving for moment in side.replay.moments]
        top = max(top, *serving, *(moment.needed for moment in side.replay.moments))
        line = {"color": colour, "dash": told.dash, "width": 2, "shape": "hv"}
        hover = f"{side.name}: %{{y}} serve<extra></extra>"
        made.add(
            "scatter",
            x=[*at, end],
            y=[*serving, serving[-1]],
            mode="lines",
            line=line,
            hovertemplate=hover,
            name=side.name,
        )
        bad = [
            (moment.late + moment.failed) / moment.requests if moment.requests else 0.0
            for moment in side.replay.moments
        ]
        hover = f"{side.name}: %{{y:.1%}} late or failed<extra></extra>"
        line = {"color": colour, "dash": told.dash, "width": 1.5}
        made.add("scatter", x=at, y=bad, yaxis="y2", mode="lines", line=line, hovertemplate=hover, name=side.name)
        _label(made, told, colour, f"{side.name}, at most {side.replay.most}", place)
    _axes(made, word, end, top)
    return made.drawn()


def _need(made: Sketch, moments: Sequence[Any], size: float, *, is_dark: bool) -> None:
    made.add(
        "scatter",
        x=[moment.at / size for moment in moments],
        y=[moment.needed for moment in moments],
        mode="lines",
        line={"width": 0, "shape": "hv"},
        fill="tozeroy",
        fillcolor=NEED_DARK if is_dark else NEED,
        hovertemplate="the requests keep %{y:.2f} busy<extra></extra>",
        name="needed",
    )


def _label(made: Sketch, told: Style, colour: str, text: str, place: int) -> None:
    """The side's name in a line of its own above the figure: on a phone two would not fit beside each other."""
    mark = f'<span style="color:{colour}">{"━━" if told.dash == "solid" else "╍╍"}</span>'
    made.write(
        text=f"{mark} {text}",
        xref="paper",
        yref="paper",
        x=0,
        y=1.02,
        yshift=LINE * (1 - place),
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
        font={"size": 12},
    )


def _axes(made: Sketch, word: str, end: float, top: float) -> None:
    layout = made.layout
    layout["margin"] = {"l": 8, "r": 12, "t": 14 + 2 * LINE, "b": 8}
    layout["xaxis"] |= {
        "title": {"text": word, "font": {"size": 12}},
        "range": [0, end],
        "tickvals": ticks(0, end, whole=False),
        "tickangle": 0,
        "anchor": "y2",
    }
    most = top * 1.08
    layout["yaxis"] |= {"range": [0, most], "tickvals": ticks(0, most), "domain": [LOWER + 0.1, 1.0]}
    layout["yaxis2"] = layout["yaxis"] | {
        "title": {"text": "late or failed", "font": {"size": 12}},
        "domain": [0, LOWER],
        "range": [0, 1.02],
        "tickvals": [0, 0.5, 1],
        "tickformat": ".0%",
    }
    made.write(
        text="grey: kept busy",
        xref="paper",
        yref="paper",
        x=1,
        y=1.02,
        xanchor="right",
        yanchor="bottom",
        showarrow=False,
        font={"size": 11},
    )
