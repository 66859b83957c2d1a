"""Choices → plotly: medians with their spread as bars, and what an estimate may come to as spans. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboard.core.costs.choices.what_if_time import Basis
from dashboard.ui.figures import BLUE, SKY, template
from dashboard.ui.figures_choices import DIM, DIM_DARK, tick_format
from dashboard.ui.figures_compare import GREY, GREY_DARK

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

ROW, SPAN_ROW = 30, 32
BESIDE = 140
"""Pixels at the right of spans, for what is written behind the longest: a phone has no share of its width for it."""
SPREAD = "#8A97A5"
SYMBOLS = {
    Basis.MEASURED: "circle",
    Basis.REPLAYED: "diamond",
    Basis.PRICED: "circle-open",
    Basis.ESTIMATED: "circle-open",
}


@dataclass(frozen=True)
class Bar:
    """One group's figure: its median with its ends, None when it is not known, and how it is written."""

    letter: str
    title: str
    value: float | None
    low: float = 0.0
    high: float = 0.0
    text: str = ""
    is_grey: bool = False
    is_open: bool = False  # nobody can say whether another one beats it


@dataclass(frozen=True)
class Span:
    """What one option may cost: USD, and what it rests on."""

    title: str
    low: float
    likely: float
    high: float
    basis: Basis
    text: str
    told: str = ""
    is_late: bool = False


def bars(rows: Sequence[Bar], unit: str, *, is_money: bool = False, is_dark: bool = False) -> "Figure":
    """A bar a group in the order given: its median, a line from its least to its most, and the figure at its end."""
    from plotly import graph_objects as go

    accent, grey = (SKY, GREY_DARK) if is_dark else (BLUE, GREY)
    shown = list(reversed(rows))  # plotly draws from the bottom up
    made = go.Figure(layout=template(unit, "", ROW * len(shown) + 62))
    top = max((max(row.high, row.value or 0.0) for row in shown), default=1.0) or 1.0
    made.add_bar(
        orientation="h",
        x=[row.value or 0.0 for row in shown],
        y=[row.letter for row in shown],
        marker={
            "color": ["rgba(0,0,0,0)" if row.is_open else grey if row.is_grey else accent for row in shown],
            "line": {"color": accent, "width": [1.5 if row.is_open else 0 for row in shown]},
        },
        customdata=[[row.title, row.text] for row in shown],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
        width=0.62,
    )
    wide = [row for row in shown if row.value is not None and row.high > row.low]
    if wide:  # a line of no length would be drawn as a stroke
        made.add_scatter(
            x=[end for row in wide for end in (row.low, row.high, None)],
            y=[row.letter for row in wide for _ in range(3)],
            mode="lines+markers",
            hoverinfo="skip",
            line={"width": 1.5, "color": SPREAD},
            marker={"symbol": "line-ns", "size": 8, "line": {"width": 1.5, "color": SPREAD}},
        )
    made.layout.annotations = [_beside(max(row.high, row.value or 0.0), row.letter, row.text) for row in shown]
    made.update_layout(margin={"l": 8, "r": 12, "t": 4, "b": 8}, hovermode="closest", bargap=0.3)
    made.layout.minreducedheight = ROW  # one bar is lower than what plotly would keep, at the axis title's cost
    made.update_xaxes(range=[0, top * 1.6], showgrid=True, nticks=4, tickangle=0)
    if is_money:
        made.update_xaxes(tickprefix="$", tickformat=tick_format(top))
    made.update_yaxes(showgrid=False, type="category", tickfont={"size": 13})
    return made


def spans(rows: Sequence[Span], money: str, *, is_dark: bool = False) -> "Figure":
    """A line from the least to the most that an option may cost, a mark where it is likely; full ones were measured."""
    from plotly import graph_objects as go

    accent, grey, faint = (SKY, DIM_DARK, "#4c6073") if is_dark else (BLUE, DIM, "#a9b6c2")
    shown = list(reversed(rows))
    made = go.Figure(layout=template(f"cost of a run (USD, {money})", "", SPAN_ROW * len(shown) + 70))
    top = max((row.high for row in shown), default=1.0) or 1.0
    made.add_scatter(
        x=[end for row in shown for end in (row.low, row.high, None)],
        y=[row.title for row in shown for _ in range(3)],
        mode="lines",
        line={"color": faint, "width": 5},
        hoverinfo="skip",
    )
    made.add_scatter(
        x=[row.likely for row in shown],
        y=[row.title for row in shown],
        mode="markers",
        marker={
            "symbol": [SYMBOLS[row.basis] for row in shown],
            "size": 11,
            "color": [grey if row.is_late else accent for row in shown],
            "line": {"width": 2},
        },
        customdata=[[row.told] for row in shown],
        hovertemplate="%{customdata[0]}<extra></extra>",
    )
    made.layout.annotations = [_beside(row.high, row.title, row.text) for row in shown]
    made.update_layout(margin={"l": 8, "r": BESIDE, "t": 4, "b": 8}, hovermode="closest")
    made.update_xaxes(range=[0, top * 1.05], showgrid=True, nticks=5, tickangle=0)
    made.update_xaxes(tickprefix="$", tickformat=tick_format(top))
    titles = [row.title for row in shown]
    made.update_yaxes(showgrid=False, type="category", tickvals=titles, ticktext=[_in_two(title) for title in titles])
    return made


def _in_two(title: str) -> str:
    """A title on two lines, so that a phone has room for the spans: "SageMaker" above "ml.m5.large"."""
    return title.replace(" ", "<br>", 1)


def _beside(x: float, y: str, text: str) -> dict[str, Any]:
    """A figure written behind the end of its row."""
    return {"x": x, "y": y, "text": text, "xanchor": "left", "xshift": 8, "showarrow": False, "font": {"size": 12}}
