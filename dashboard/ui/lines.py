"""Several lines in one figure, each with its letter, its mark and its dash: curves of compared runs, use over time.

Pure: plain numbers → plotly. The lines are told apart without colour, and labelled where they end.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.ui.figures import BLUE, GREEN, HEIGHT, ORANGE, PURPLE, SKY, VERMILLION, spread, template, ticks

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LABEL = 17
"""Height of a label in pixels."""


@dataclass(frozen=True)
class Style:
    """How one of several is told from the others: by letter, mark, dash and colour (on a light and a dark ground)."""

    letter: str
    colour: str
    on_dark: str
    dash: str
    symbol: str
    mark: str

    def on(self, *, is_dark: bool) -> str:
        """Its colour on this ground."""
        return self.on_dark if is_dark else self.colour


STYLES = (
    Style("A", BLUE, SKY, "solid", "circle", "●"),
    Style("B", VERMILLION, ORANGE, "dash", "diamond", "◆"),
    Style("C", GREEN, "#4CC9A0", "dot", "square", "■"),
    Style("D", PURPLE, PURPLE, "dashdot", "triangle-up", "▲"),
    Style("E", "#7A5C00", "#F0E442", "longdash", "triangle-down", "▼"),
    Style("F", "#56657A", "#B3BFCA", "longdashdot", "pentagon", "⬟"),
    Style("G", "#A0522D", "#F08A5D", "solid", "star", "★"),
    Style("H", "#005A43", "#9BE8C9", "dash", "hexagon", "⬢"),
)


@dataclass(frozen=True)
class Line:
    """One line: its name in the hover, the label at its end, and its points (x, y)."""

    name: str
    label: str
    style: Style
    points: Sequence[tuple[float, float]]

    @property
    def drawn(self) -> list[tuple[float, float]]:
        """The points that can be drawn: a loss that became NaN or infinite is left out."""
        return [(x, y) for x, y in self.points if math.isfinite(y)]


def figure(
    lines: Sequence[Line],
    x: str,
    y: str,
    *,
    is_dark: bool = False,
    percent: bool = False,
    highest: float | None = None,
    height: int = HEIGHT,
    form: str = ".4f",
) -> "Figure":
    """Lines over a common x axis. `x` and `y` are axis titles with their unit; `percent`: y is a share of 1.

    The y axis starts at 0 and ends at `highest`, or at the highest value. Raises nothing for empty lines: they are
    left out.
    """
    from plotly import graph_objects as go

    drawn = [(line, points) for line in lines if (points := line.drawn)]
    top = highest or max((value for _, points in drawn for _, value in points), default=1.0) * 1.03 or 1.0
    made = go.Figure(layout=template(x, y, height))
    gap = top * LABEL / (height - 60)
    heights = spread([points[-1][1] for _, points in drawn], gap, top)
    right = max((points[-1][0] for _, points in drawn), default=1.0)
    longest = max((len(line.label) for line, _ in drawn), default=0)
    for (line, points), place in zip(drawn, heights, strict=True):
        colour = line.style.on(is_dark=is_dark)
        made.add_scatter(
            x=[point[0] for point in points],
            y=[point[1] for point in points],
            name=line.name,
            mode="lines+markers" if len(points) < 40 else "lines",
            line={"color": colour, "dash": line.style.dash, "width": 2},
            marker={"symbol": line.style.symbol, "size": 6, "color": colour},
            hovertemplate=f"{line.name} %{{y:{'.1%' if percent else form}}}<extra></extra>",
        )
        made.add_annotation(
            x=right,
            y=place,
            text=f'<span style="color:{colour}">{line.style.mark}</span> {line.label}',
            xanchor="left",
            xshift=9,
            showarrow=False,
            font={"size": 12},
        )
    left = min((points[0][0] for _, points in drawn), default=0.0)
    edge = max(0.3, (right - left) * 0.02)
    made.update_xaxes(range=[left - edge, right + edge], tickvals=ticks(left, right, whole=False), tickangle=0)
    made.update_layout(margin={"l": 8, "r": min(170, 26 + 7 * longest), "t": 10, "b": 8})
    made.update_yaxes(rangemode="tozero", range=[0, top], tickformat=".0%" if percent else None)
    return made
