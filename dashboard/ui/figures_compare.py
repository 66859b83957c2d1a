"""Compared runs → plotly bars: seconds, money and photos right, dominated runs greyed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.ui.figures import template
from dashboard.ui.lines import Style

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

ROW = 30
GREY, GREY_DARK = "#C3CDD7", "#3A4753"


@dataclass(frozen=True)
class Compared:
    """One run as it is compared: seconds, cost and accuracy, None where unknown."""

    name: str
    style: Style
    seconds: float | None
    cost: float | None
    accuracy: float | None
    data: str = ""  # the address of its photos
    money: str = ""  # the kind of its money
    is_cached: bool = False  # its features came from the cache of an earlier run: it did less work

    @property
    def photos(self) -> tuple[str, ...]:
        """Runs with other ones of these are not held against each other in accuracy."""
        return (self.data,)

    @property
    def work(self) -> tuple[str, ...]:
        """Nor in time."""
        return (self.data, str(self.is_cached))

    @property
    def paid(self) -> tuple[str, ...]:
        """Nor in cost."""
        return (*self.work, self.money)


@dataclass(frozen=True)
class Bars:
    """One measure of all runs: its axis title with the unit, and each run's value with how it is written."""

    unit: str
    rows: Sequence[tuple[Compared, float | None, str]]
    most: float | None = None  # the upper end of the axis, if it is fixed


def dominated(runs: Sequence[Compared]) -> set[str]:
    """The letters of the runs that another one beats: no slower, no dearer, no worse, and better in one of them.

    Only of the same data, with the same kind of money, and where both computed their features.
    """
    whole = [run for run in runs if None not in (run.seconds, run.cost, run.accuracy)]
    return {
        one.style.letter
        for one in whole
        for other in whole
        if other.paid == one.paid
        and _measures(other) != _measures(one)
        and all(a <= b for a, b in zip(_measures(other), _measures(one), strict=True))
    }


def _measures(run: Compared) -> tuple[float, float, float]:
    """What is better when it is less."""
    return run.seconds or 0.0, run.cost or 0.0, -(run.accuracy or 0.0)


def bars(shown: Bars, grey: set[str], *, is_dark: bool = False) -> "Figure":
    """A bar a run in the order given, its letter at the left and its value written at its end."""
    from plotly import graph_objects as go

    rows = list(reversed(shown.rows))  # plotly draws from the bottom up
    figure = go.Figure(layout=template(shown.unit, "", ROW * max(2, len(rows)) + 58))
    top = shown.most or max((value for _, value, _ in rows if value), default=1.0)
    figure.add_bar(
        orientation="h",
        x=[value or 0 for _, value, _ in rows],
        y=[run.style.letter for run, _, _ in rows],
        text=[text for _, _, text in rows],
        textposition="outside",
        cliponaxis=False,
        marker={
            "color": [
                (GREY_DARK if is_dark else GREY) if run.style.letter in grey else run.style.on(is_dark=is_dark)
                for run, _, _ in rows
            ]
        },
        customdata=[[run.name] for run, _, _ in rows],
        hovertemplate="%{customdata[0]}: %{text}<extra></extra>",
        width=0.62,
    )
    figure.update_layout(margin={"l": 8, "r": 12, "t": 4, "b": 8}, hovermode="closest", bargap=0.3)
    figure.update_xaxes(range=[0, top * 1.38], rangemode="tozero", showgrid=True, nticks=4, exponentformat="none")
    figure.update_yaxes(showgrid=False, type="category", tickfont={"size": 13})
    return figure
