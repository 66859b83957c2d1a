"""Dataclasses and plain numbers → plotly figures. Pure: no Streamlit, no AWS, no clock.

One template for all: the text above says the finding, axes carry units, lines are labelled where they end, and a second
mark beside the colour (dash, symbol) tells them apart. Streamlit's theme colours text and grid, light or dark.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboard.core.format import percent

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Points = Sequence[tuple[int, float]]

# Okabe and Ito, "Color Universal Design", 2008: told apart with every kind of colour vision.
BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"

HEIGHT = 240


@dataclass(frozen=True)
class Measure:
    """What a learning curve shows. `better` is the function that picks the best of its values."""

    name: str
    unit: str
    is_share: bool

    def best(self, points: Points) -> tuple[int, float]:
        """(epoch, value) of the best point; the first of equals."""
        if self.is_share:
            return max(points, key=lambda point: (point[1], -point[0]))
        return min(points, key=lambda point: (point[1], point[0]))

    def text(self, value: float) -> str:
        return percent(value, 1) if self.is_share else f"{value:.3f}"


LOSS = Measure("loss", "loss (cross-entropy)", is_share=False)
ACCURACY = Measure("accuracy", "photos right (%)", is_share=True)


@dataclass(frozen=True)
class Series:
    """One line: its colour on a light and on a dark ground, and the second mark that tells it apart without colour."""

    key: str
    word: str
    colour: str
    on_dark: str
    dash: str
    symbol: str
    mark: str


SERIES = (
    Series("train", "training", BLUE, SKY, "dot", "circle", "●"),
    Series("valid", "validation", VERMILLION, ORANGE, "solid", "diamond", "◆"),
)


def finite(curves: Mapping[str, Points], series: Series, measure: Measure) -> Points:
    """One line's points without those that cannot be drawn (a loss that became NaN or infinite)."""
    return [point for point in curves.get(f"{series.key}:{measure.name}", ()) if math.isfinite(point[1])]


def learning_finding(curves: Mapping[str, Points], measure: Measure) -> str:
    """The sentence above a learning curve: the best value, where it was, and whether it got worse after.

    It is true of a run that goes on, and of one that has ended.
    """
    for series in reversed(SERIES):
        points = finite(curves, series, measure)
        if not points:
            continue
        epoch, value = measure.best(points)
        last_epoch, last = points[-1]
        subject = f"{series.word.capitalize()} {measure.name}"
        if epoch == last_epoch:
            of = f", the best of {len(points)}" if len(points) > 1 else ""
            return f"{subject} {measure.text(value)} after epoch {last_epoch}{of}"
        if measure.text(value) == measure.text(last):
            return f"{subject} {measure.text(value)}, reached at epoch {epoch}"
        best = f"{subject} was best at epoch {epoch} ({measure.text(value)})"
        return f"{best}, {measure.text(last)} after epoch {last_epoch}"
    return f"No {measure.name} yet"


def learning_rows(curves: Mapping[str, Points], measure: Measure) -> list[dict[str, float | int | None]]:
    """The numbers behind a learning curve, one row an epoch: epoch, training …, validation …."""
    by_epoch: dict[int, dict[str, float]] = {}
    for series in SERIES:
        for epoch, value in finite(curves, series, measure):
            by_epoch.setdefault(epoch, {})[f"{series.word} {measure.name}"] = value
    names = [f"{series.word} {measure.name}" for series in SERIES]
    return [{"epoch": epoch, **{name: by_epoch[epoch].get(name) for name in names}} for epoch in sorted(by_epoch)]


def learning_curve(curves: Mapping[str, Points], measure: Measure, *, is_dark: bool = False) -> "Figure":
    """Training and validation values by epoch; `curves` maps "train:loss", "valid:accuracy" … to (epoch, value)."""
    from plotly import graph_objects as go

    figure = go.Figure(layout=template("epoch", measure.unit))
    shown = [(series, points) for series in SERIES if (points := finite(curves, series, measure))]
    heights = spread([points[-1][1] for _, points in shown], label_gap(curves, measure), top(curves, measure))
    for (series, points), height in zip(shown, heights, strict=True):
        colour = series.on_dark if is_dark else series.colour
        epochs, values = [p[0] for p in points], [p[1] for p in points]
        figure.add_scatter(
            x=epochs,
            y=values,
            name=series.word,
            mode="lines+markers" if len(points) < 40 else "lines",
            line={"color": colour, "dash": series.dash, "width": 2},
            marker={"symbol": series.symbol, "size": 6, "color": colour},
            hovertemplate=f"{series.word} %{{y:{'.1%' if measure.is_share else '.4f'}}}<extra></extra>",
        )
        figure.add_annotation(
            x=epochs[-1],
            y=height,
            # The words in the page's own ink, which is readable on both grounds; the mark ties them to their line.
            text=f'<span style="color:{colour}">{series.mark}</span> {series.word} {measure.text(values[-1])}',
            xanchor="left",
            xshift=9,
            showarrow=False,
            font={"size": 12},
        )
    if measure.is_share:
        figure.update_yaxes(tickformat=".0%", rangemode="tozero", range=[0, top(curves, measure)])
    else:
        figure.update_yaxes(rangemode="tozero")
    first, last = epochs_shown(curves, measure)
    edge = max(0.3, (last - first) * 0.02)
    figure.update_xaxes(range=[first - edge, last + edge], tickvals=ticks(first, last), tickformat="d", tickangle=0)
    return figure


def ticks(low: float, high: float, *, whole: bool = True, most: int = 6) -> list[float]:
    """Round values between `low` and `high` to write on an axis, at least one and at most `most`.

    Left to itself a figure that is drawn before it has its width finds no room for any, and places its axis title at
    minus infinity. `whole`: only whole numbers, as for epochs.
    """
    length = high - low
    step = 10.0 ** math.floor(math.log10(length / most)) if length > 0 else 1.0
    step = next(size * step for size in (1, 2, 5, 10, 20) if length / (size * step) <= most - 1)
    if whole:
        step = max(1.0, step)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)] or [low]


DATES = (
    {"dtickrange": [None, 86_399_999], "value": "%H:%M\n%-d %b %Y"},
    {"dtickrange": [86_400_000, None], "value": "%-d %b %Y"},
)
"""How the ticks of an axis of time are written, by how far they are apart: as the pages write dates."""


def template(x: str, y: str, height: int = HEIGHT) -> dict[str, Any]:
    """The layout every figure of Kennel has; `x` and `y` are axis titles with their unit.

    The finding stands above the figure as text, which wraps on a phone; see `chart`.
    """

    def axis(title: str, grid: bool) -> dict[str, Any]:
        return {
            "title": {"text": title, "font": {"size": 12}},
            "tickfont": {"size": 11},
            "automargin": True,
            "zeroline": False,
            "showgrid": grid,
            # In a place that has no width yet plotly would hide every label that does not fit, and then place the
            # axis title by the lowest of none: at minus infinity.
            "ticklabeloverflow": "allow",
        }

    return {
        "xaxis": axis(x, grid=False),
        "yaxis": axis(y, grid=True),
        "height": height,
        "margin": {"l": 8, "r": 140, "t": 10, "b": 8},  # the right margin holds the labels of the lines
        "showlegend": False,
        "hovermode": "x unified",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }


def spread(values: Sequence[float], gap: float, highest: float) -> list[float]:
    """Label positions near `values`, at least `gap` apart and between 0 and `highest`, in the values' order.

    Labels that would touch stand together around their middle. More labels than fit keep the gap and run over.
    """
    groups: list[list[int]] = []
    for index in sorted(range(len(values)), key=lambda i: values[i]):
        groups.append([index])
        while len(groups) > 1:
            below, above = (_middle([values[i] for i in group], gap, highest) for group in groups[-2:])
            if above - below >= gap * (len(groups[-2]) + len(groups[-1])) / 2:
                break
            joined = groups.pop()
            groups[-1] += joined
    placed = [0.0] * len(values)
    for group in groups:
        lowest = _middle([values[i] for i in group], gap, highest) - gap * (len(group) - 1) / 2
        for place, index in enumerate(group):
            at = lowest + place * gap
            placed[index] = highest if math.isclose(at, highest) else at  # the last bit above it hides the label
    return placed


def _middle(values: Sequence[float], gap: float, highest: float) -> float:
    """Where the middle of a group of labels stands, so that none of them leaves the figure."""
    half = gap * (len(values) - 1) / 2
    return max(half, min(highest - half, sum(values) / len(values)))


def top(curves: Mapping[str, Points], measure: Measure) -> float:
    """The upper end of the y axis, which starts at 0."""
    if measure.is_share:
        return 1.03
    return max((value for series in SERIES for _, value in finite(curves, series, measure)), default=1.0)


def label_gap(curves: Mapping[str, Points], measure: Measure) -> float:
    """The height of a label in the units of the y axis."""
    return top(curves, measure) * 17 / (HEIGHT - 60)


def epochs_shown(curves: Mapping[str, Points], measure: Measure) -> tuple[int, int]:
    """The first and last epoch on the x axis; (0, 1) without any."""
    epochs = [epoch for s in SERIES for epoch, _ in finite(curves, s, measure)]
    return (min(epochs), max(epochs)) if epochs else (0, 1)
