"""Trials of a tuning job → plotly figures: the objective trial by trial, and all settings side by side. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dashboard.ui.figures import BLUE, HEIGHT, ORANGE, SKY, VERMILLION, template, ticks

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_AXES = 6
"""Hyperparameters side by side; more cannot be read."""
LOG_SPAN = 20
"""An axis whose highest value is this many times its lowest is drawn in logarithms."""
GREY, GREY_DARK = "#8A97A5", "#6B7A89"


@dataclass(frozen=True)
class Trial:
    """One trial: its number from 1, its objective (None while there is none), and the values that were tried."""

    number: int
    name: str
    value: float | None
    word: str  # its status
    settings: Mapping[str, str] = field(default_factory=dict)
    is_best: bool = False
    has_ended: bool = True


def best_so_far(trials: Sequence[Trial], *, is_least: bool) -> list[tuple[int, float]]:
    """(trial, best objective up to it) for every trial that ended with one, in their order."""
    found: list[tuple[int, float]] = []
    for trial in trials:
        if trial.value is None or not math.isfinite(trial.value) or not trial.has_ended:
            continue
        best = trial.value if not found else (min if is_least else max)(found[-1][1], trial.value)
        found.append((trial.number, best))
    return found


def finding(trials: Sequence[Trial], objective: str, *, is_least: bool) -> str:
    """The sentence above the figure: the best, how it compares to the first, and how many tell nothing."""
    told = best_so_far(trials, is_least=is_least)
    if not told:
        on_the_way = any(trial.value is not None for trial in trials)
        return "No trial has ended yet" if on_the_way else f"No trial has reported {objective} yet"
    best = told[-1][1]
    where = next(number for number, value in told if value == best)
    first = next(t.value for t in trials if t.number == told[0][0] and t.value is not None)
    if len(told) == 1:
        return f"{objective} {best:.4g} in the only trial so far"
    if where == told[0][0]:
        which = "the first trial" if where == 1 else f"trial {where}"
        return f"{objective} {best:.4g} in {which}; none of the other {len(told) - 1} that ended was better"
    return f"{objective} {best:.4g} in trial {where}, {first:.4g} in the first"


def objective(trials: Sequence[Trial], name: str, *, is_least: bool, is_dark: bool = False) -> "Figure":
    """Each trial's objective as a point, the best so far as a stepped line, the best one marked and labelled."""
    from plotly import graph_objects as go

    accent, calm = (ORANGE, SKY) if is_dark else (VERMILLION, BLUE)
    figure = go.Figure(layout=template("trial", f"{name}, {'lower' if is_least else 'higher'} is better"))
    steps = best_so_far(trials, is_least=is_least)
    figure.add_scatter(
        x=[number for number, _ in steps],
        y=[value for _, value in steps],
        name="best so far",
        mode="lines",
        line={"color": calm, "width": 2, "shape": "hv"},
        hovertemplate="best so far %{y:.4g}<extra></extra>",
    )
    told = [trial for trial in trials if trial.value is not None and math.isfinite(trial.value)]
    figure.add_scatter(
        x=[trial.number for trial in told],
        y=[trial.value for trial in told],
        name="trial",
        mode="markers",
        marker={
            "size": [13 if trial.is_best else 8 for trial in told],
            "symbol": ["star" if trial.is_best else "circle" if trial.has_ended else "circle-open" for trial in told],
            "color": [accent if trial.is_best else calm for trial in told],
        },
        customdata=[[trial.name, trial.word] for trial in told],
        hovertemplate="%{customdata[0]}<br>%{y:.4g} · %{customdata[1]}<extra></extra>",
    )
    best = next((trial for trial in told if trial.is_best), None)
    if best is not None:
        figure.add_annotation(
            x=best.number,
            y=best.value,
            text=f'<span style="color:{accent}">★</span> best {best.value:.4g}',
            yshift=14 if not is_least else -16,
            showarrow=False,
            font={"size": 12},
        )
    last = max((trial.number for trial in trials), default=1)
    figure.update_layout(margin={"l": 8, "r": 24, "t": 22, "b": 8}, hovermode="closest")
    figure.update_xaxes(range=[0.5, last + 0.5], tickvals=ticks(1, last, most=12), tickformat="d")
    return figure


@dataclass(frozen=True)
class Axis:
    """One upright axis of the side-by-side view: where each trial crosses it (0..1), and what stands at its ends."""

    name: str
    low: str
    high: str
    heights: tuple[float, ...]


def axes(trials: Sequence[Trial], goal: str) -> list[Axis]:
    """One axis for each hyperparameter that differs, and the objective, called `goal`, as the last."""
    told = [trial for trial in trials if trial.value is not None and math.isfinite(trial.value)]
    names = sorted({name for trial in told for name in trial.settings})
    made = []
    for name in names:
        values = [trial.settings.get(name, "") for trial in told]
        if len(set(values)) > 1:
            made.append(_axis(name.replace("_", " "), values))
    return [*made[:MOST_AXES], _axis(goal, [repr(trial.value) for trial in told])] if told else []


def _axis(name: str, values: Sequence[str]) -> Axis:
    numbers = [_number(value) for value in values]
    if any(number is None for number in numbers):
        words = sorted(set(values))
        at = {word: (place + 0.5) / len(words) for place, word in enumerate(words)}
        return Axis(name, words[0], words[-1] if len(words) > 1 else "", tuple(at[value] for value in values))
    known = [number for number in numbers if number is not None]
    low, high = min(known), max(known)
    is_wide = low > 0 and high / low >= LOG_SPAN
    scaled = [math.log(number) if is_wide else number for number in known]
    least, most = min(scaled), max(scaled)
    heights = tuple((value - least) / (most - least) if most > least else 0.5 for value in scaled)
    return Axis(name, f"{low:.4g}", f"{high:.4g}" if high > low else "", heights)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def side_by_side(trials: Sequence[Trial], goal: str, *, is_dark: bool = False) -> "Figure":
    """One line a trial through the values that it tried, to its objective at the right; the best stands out."""
    from plotly import graph_objects as go

    told = [trial for trial in trials if trial.value is not None and math.isfinite(trial.value)]
    accent, grey = (ORANGE, GREY_DARK) if is_dark else (VERMILLION, GREY)
    upright = axes(trials, goal)
    figure = go.Figure(layout=template("", "", HEIGHT))
    for place, trial in sorted(enumerate(told), key=lambda item: item[1].is_best):
        figure.add_scatter(
            x=list(range(len(upright))),
            y=[axis.heights[place] for axis in upright],
            name=trial.name,
            mode="lines+markers",
            line={"color": accent if trial.is_best else grey, "width": 3 if trial.is_best else 1.2},
            marker={"size": 8 if trial.is_best else 5, "symbol": "star" if trial.is_best else "circle"},
            opacity=1 if trial.is_best else 0.7,
            hovertemplate=f"{trial.name}<extra></extra>",
        )
    for place, axis in enumerate(upright):
        figure.add_shape(type="line", x0=place, x1=place, y0=0, y1=1, line={"color": grey, "width": 1}, layer="below")
        for text, height, shift in ((axis.low, 0, -13), (axis.high, 1, 13)):
            figure.add_annotation(x=place, y=height, text=text, yshift=shift, showarrow=False, font={"size": 11})
    figure.update_layout(margin={"l": 8, "r": 8, "t": 18, "b": 8}, hovermode="closest")
    figure.update_xaxes(
        tickvals=list(range(len(upright))),
        ticktext=[axis.name for axis in upright],
        range=[-0.35, max(0.35, len(upright) - 0.65)],
        side="bottom",
        tickangle=0,
    )
    figure.update_yaxes(visible=False, range=[-0.14, 1.14])
    return figure
