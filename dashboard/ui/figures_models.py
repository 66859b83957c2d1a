"""A model's versions → plotly: how many test photos each of them names rightly. Pure."""

from typing import TYPE_CHECKING

from dashboard.core.format import percent
from dashboard.core.serving.registry import Approval, Group
from dashboard.ui.figures import BLUE, GREEN, SKY, template, ticks
from dashboard.ui.sketch import Sketch

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

GREY, GREY_DARK = "#8895A1", "#7C8894"
MOST_WRITTEN = 10
"""Versions beside which their accuracy still has room."""
SYMBOLS = {Approval.APPROVED: "star", Approval.PENDING: "circle", Approval.REJECTED: "x"}


def accuracies(group: Group, *, is_dark: bool = False) -> "Figure | None":
    """Test accuracy by version, the approved ones as stars; None where no version was measured."""
    shown = sorted((one for one in group.versions if one.accuracy is not None), key=lambda one: one.number)
    if not shown:
        return None
    layout = template("version", "test photos right (%)", 210)
    layout["margin"] = {"l": 8, "r": 28, "t": 22, "b": 8}
    sketch = Sketch(layout)
    numbers = [one.number for one in shown]
    colours = {
        Approval.APPROVED: GREEN,
        Approval.PENDING: SKY if is_dark else BLUE,
        Approval.REJECTED: GREY_DARK if is_dark else GREY,
    }
    sketch.add(
        "scatter",
        x=numbers,
        y=[one.accuracy for one in shown],
        mode="lines+markers+text",
        text=[percent(one.accuracy, 1) for one in shown] if len(shown) <= MOST_WRITTEN else None,
        textposition="top center",
        cliponaxis=False,
        line={"color": GREY_DARK if is_dark else GREY, "width": 1, "dash": "dot"},
        marker={
            "symbol": [SYMBOLS[one.approval] for one in shown],
            "size": [13 if one.approval.may_deploy else 9 for one in shown],
            "color": [colours[one.approval] for one in shown],
        },
        customdata=[[one.approval.word, one.run or "imported"] for one in shown],
        hovertemplate="version %{x}: %{y:.1%}, %{customdata[0]} · %{customdata[1]}<extra></extra>",
    )
    first, last = numbers[0], numbers[-1]
    edge = max(0.5, (last - first) * 0.06)
    layout["xaxis"] |= {"range": [first - edge, last + edge], "tickvals": ticks(first, last), "tickformat": "d"}
    layout["yaxis"] |= {"tickformat": ".0%", "range": [0, 1.12], "tickvals": [0, 0.25, 0.5, 0.75, 1]}
    return sketch.drawn()
