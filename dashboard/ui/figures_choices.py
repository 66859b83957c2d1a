"""Choices → plotly: cost × duration × accuracy in one figure, what another choice beats in grey. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.core.format import percent
from dashboard.ui.figures import BLUE, SKY, template

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT = 340
WIDE, HIGH = 400, 240
"""Pixels between the axes that labels are placed for; a wider figure only gives them more room."""
BESIDE = 64
"""Pixels at the right, for the label of the dot that stands furthest there: on a phone too it is not cut."""
DIM, DIM_DARK = "#A3AFBB", "#5F6E7C"
"""What another choice beats: a little stronger than the grey of bars, for a hollow mark is only a thin line."""
LABELLED = 26
"""Choices with a label of their own; more cannot be read, and say what they are when they are pointed at."""
LEAST_DOT, MOST_DOT, UNKNOWN_DOT = 9.0, 24.0, 11.0
MINUTES, HOURS = 180.0, 3 * 3600.0
"""Seconds from which on an axis counts minutes, and hours."""


@dataclass(frozen=True)
class Dot:
    """One choice: seconds and USD with their ends, accuracy 0..1 or None; `told` is what the hover says."""

    letter: str
    title: str
    seconds: tuple[float, float, float]  # least, median, most
    cost: tuple[float, float, float]
    accuracy: float | None
    is_grey: bool = False
    is_answer: bool = False
    told: str = ""

    @property
    def label(self) -> str:
        """ "A 92 %", or "A ?" where nobody knows."""
        return f"{self.letter} {'?' if self.accuracy is None else percent(self.accuracy)}"


def scale(most: float) -> tuple[str, float]:
    """The unit of an axis of time that ends at `most` seconds, and the seconds in one."""
    if most >= HOURS:
        return "h", 3600.0
    return ("min", 60.0) if most >= MINUTES else ("s", 1.0)


def frontier(
    dots: Sequence[Dot],
    money: str,
    *,
    deadline: float | None = None,
    wanted: float | None = None,
    is_dark: bool = False,
) -> "Figure":
    """Cost over duration, larger dots more accurate, hollow ones of unknown accuracy, what another beats in grey.

    `money` names the kind of money on the axis; `deadline` in seconds is drawn as a line; choices below the `wanted`
    accuracy are hollow as well, with a cross.
    """
    from plotly import graph_objects as go

    ends = [dot.seconds[2] for dot in dots] + ([deadline] if deadline else [])
    unit, length = scale(max(ends, default=1.0))
    right = max(ends, default=1.0) / length * 1.06 or 1.0
    top = max((dot.cost[2] for dot in dots), default=1.0) * 1.14 or 1.0
    accent, grey = (SKY, DIM_DARK) if is_dark else (BLUE, DIM)
    ink = "#e4eaf0" if is_dark else "#16202b"
    made = go.Figure(layout=template(f"{unit} from launch to end (median)", f"cost of a run (USD, {money})", HEIGHT))
    places = _places([(dot.seconds[1] / length / right, dot.cost[1] / top, dot.label) for dot in dots])
    # One trace for all of them: a figure with a trace for each takes ten times as long to make.
    made.add_scatter(
        x=[dot.seconds[1] / length for dot in dots],
        y=[dot.cost[1] for dot in dots],
        mode="markers+text",
        text=[_text(dot) if place < LABELLED else "" for place, dot in enumerate(dots)],
        textposition=places,
        textfont={"size": 12},
        cliponaxis=False,
        marker={
            "symbol": [_symbol(dot, wanted) for dot in dots],
            "size": _sizes(dots),
            "opacity": 1,
            "color": [grey if dot.is_grey else accent for dot in dots],
            "line": {
                "width": [3.0 if dot.is_answer else 1.5 for dot in dots],
                "color": [ink if dot.is_answer else grey if dot.is_grey else accent for dot in dots],
            },
        },
        error_x=_error([[value / length for value in dot.seconds] for dot in dots], grey),
        error_y=_error([dot.cost for dot in dots], grey),
        customdata=[[dot.told or dot.title] for dot in dots],
        hovertemplate="%{customdata[0]}<extra></extra>",
    )
    if deadline is not None:
        made.add_vline(x=deadline / length, line={"dash": "dash", "width": 1.5, "color": ink})
        made.add_annotation(
            x=deadline / length,
            y=1,
            yref="paper",
            text="deadline",
            xanchor="left",
            xshift=4,
            showarrow=False,
            font={"size": 11},
        )
    made.update_layout(margin={"l": 8, "r": BESIDE, "t": 12, "b": 8}, hovermode="closest")
    made.update_xaxes(range=[0, right], showgrid=True, nticks=7, tickangle=0)
    made.update_yaxes(range=[0, top], tickprefix="$", tickformat=tick_format(top), nticks=6)
    return made


def tick_format(top: float) -> str:
    """Places after the point for an axis of money that ends at `top`: enough to tell its ticks apart."""
    return next((f",.{places}f" for least, places in ((20, 0), (2, 1), (0.2, 2), (0.02, 3)) if top >= least), ".4f")


def letters(number: int) -> list[str]:
    """A letter for each of so many choices: A to Z, then numbers."""
    return [chr(ord("A") + place) if place < 26 else str(place + 1) for place in range(number)]


def _sizes(dots: Sequence[Dot]) -> list[float]:
    """The diameter of each dot: the more accurate the larger, between the least and the most accurate shown."""
    known = [dot.accuracy for dot in dots if dot.accuracy is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    reach = max(high - low, 0.05)  # what is nearly alike must not look far apart
    return [
        UNKNOWN_DOT
        if dot.accuracy is None
        else LEAST_DOT + (MOST_DOT - LEAST_DOT) * max(0.0, 1 - (high - dot.accuracy) / reach)
        for dot in dots
    ]


def _places(points: Sequence[tuple[float, float, str]]) -> list[str]:
    """Beside which side of its dot each label stands, so that labels do not lie on each other where that can be.

    `points` are (x, y, label), x and y as shares of the figure.
    """
    boxes: list[tuple[float, float, float, float]] = [
        (x * WIDE - 8, y * HIGH - 8, x * WIDE + 8, y * HIGH + 8) for x, y, _ in points
    ]
    found = []
    for own, (x, y, label) in enumerate(points):
        wide, left, base = 7.0 * len(label), x * WIDE, y * HIGH
        offers = {
            "middle right": (left + 12, base - 8, left + 12 + wide, base + 8),
            "middle left": (left - 12 - wide, base - 8, left - 12, base + 8),
            "top center": (left - wide / 2, base + 12, left + wide / 2, base + 28),
            "bottom center": (left - wide / 2, base - 28, left + wide / 2, base - 12),
            "top right": (left + 6, base + 8, left + 6 + wide, base + 24),
            "bottom right": (left + 6, base - 24, left + 6 + wide, base - 8),
            "top left": (left - 6 - wide, base + 8, left - 6, base + 24),
            "bottom left": (left - 6 - wide, base - 24, left - 6, base - 8),
        }
        others = [box for place, box in enumerate(boxes) if place != own]
        side = min(offers, key=lambda name: _outside(offers[name]) + sum(_shared(offers[name], box) for box in others))
        boxes.append(offers[side])
        found.append(side)
    return found


def _shared(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Square pixels that lie in both."""
    wide, high = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _outside(box: tuple[float, float, float, float]) -> float:
    """Square pixels of a label that would be cut."""
    return (box[2] - box[0]) * (box[3] - box[1]) - _shared(box, (0.0, 0.0, WIDE + BESIDE, HIGH))


def _text(dot: Dot) -> str:
    return f"<b>{dot.label}</b>" if dot.is_answer else dot.label


def _symbol(dot: Dot, wanted: float | None) -> str:
    if wanted is not None and (dot.accuracy is None or dot.accuracy < wanted):
        return "circle-x-open"
    return "circle-open" if dot.accuracy is None else "circle"


def _error(ends: Sequence[Sequence[float]], colour: str) -> dict[str, object]:
    """The spread of each as a thin line; `ends` are (least, median, most)."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [most - middle for _, middle, most in ends],
        "arrayminus": [middle - least for least, middle, _ in ends],
        "thickness": 1,
        "width": 0,
        "color": colour,
        "visible": any(most > least for least, _, most in ends),
    }
