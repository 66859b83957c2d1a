"""Spending over time: bars by day or month, and sums adding up with the cone of the forecast and the budget's line.

Pure: what core says → plotly. Amounts become floats here, where they become pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from dashboard.core.costs.selection import DAY, Period
from dashboard.core.costs.spend.forecast import Forecast
from dashboard.core.costs.spend.over_time import Series
from dashboard.core.format import money
from dashboard.ui.figures import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION, spread, template
from dashboard.ui.sketch import Sketch

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT = 300
GREY = "#8A8A8A"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION)
PATTERNS = ("", "/", ".", "\\", "x", "-")
"""The second mark that tells bars apart without colour."""
INK = "#7A8794"  # readable on both grounds, and on paper
TICKS = 5
FAR = 5
"""A limit that is more times as high as everything else is named, not drawn."""


@dataclass(frozen=True)
class Limit:
    """A line that sums should stay under: USD for the period, and its name.

    One far above everything would press the rest flat: it is named at the top then, and not drawn.
    """

    name: str
    amount: Decimal

    def is_far(self, highest: float) -> bool:
        """Whether it stands far above what else a figure shows."""
        return highest > 0 and float(self.amount) > FAR * highest

    def words(self, highest: float) -> str:
        return f"{self.name} {money(self.amount)}{' ↑' if self.is_far(highest) else ''}"


def colour(place: int, groups: Sequence[str], together: int) -> str:
    """The colour of a group by its place; what stands together is grey."""
    return GREY if together and place == len(groups) - 1 else COLOURS[place % len(COLOURS)]


def plain(name: str) -> str:
    """A name as plotly is to show it: it would take <b> for bold and <a> for a link."""
    return escape(name, quote=False)


def each(made: Series, word: Callable[[str], str], limit: Limit | None = None) -> "Figure":
    """Stacked bars, one for each day or month; a bar's `customdata` is its first day, last day and group.

    `limit`: what each bar should stay under.
    """
    figure = Sketch(template("", "USD a month" if made.is_monthly else "USD a day", HEIGHT))
    days = [step.period.first for step in made.steps]
    when = "%B %Y" if made.is_monthly else "%-d %b %Y"
    for place, group in enumerate(made.groups):
        figure.add(
            "bar",
            x=days,
            y=[float(step.amounts[place]) for step in made.steps],
            name=plain(word(group)),
            marker={
                "color": colour(place, made.groups, made.together),
                "pattern": {
                    "shape": PATTERNS[place % len(PATTERNS)],
                    "fillmode": "overlay",
                    "fgcolor": "rgba(255,255,255,0.75)",
                    "fgopacity": 0.75,
                    "solidity": 0.2,
                    "size": 6,
                },
            },
            customdata=[[str(step.period.first), str(step.period.last), group] for step in made.steps],
            text=[money(step.amounts[place]) if step.amounts[place] else "" for step in made.steps],
            textposition="none",
            hovertemplate=f"%{{x|{when}}}<br>%{{fullData.name}} %{{text}}<extra></extra>",
        )
    # The one bar under the pointer, so that a click is on a group and not on all of them.
    figure.layout.update(hovermode="closest", barmode="stack", bargap=0.25, margin={"l": 8, "r": 8, "t": 34, "b": 8})
    _legend(figure, len(made.groups))
    _days(figure, days, is_monthly=made.is_monthly)
    highest = max((float(step.total) for step in made.steps), default=0.0)
    if limit is not None:
        highest = _limit(figure, limit, highest)
    _usd(figure, highest)
    return figure.drawn()


def adding_up(
    made: Series,
    whole: Period,
    at: datetime,
    word: Callable[[str], str],
    *,
    forecast: Forecast | None = None,
    limit: Limit | None = None,
) -> "Figure":
    """Areas adding up from the period's start to `at`, then the forecast's cone to its end, under the limit's line."""
    sums = made.adding_up()
    figure = Sketch(template("", "USD, adding up", HEIGHT))
    start = _midnight(whole.first)
    moments = [start, *(min(_midnight(step.period.last + DAY), at) for step in sums.steps)]
    labels: list[tuple[float, str]] = []
    below = 0.0
    for place, group in enumerate(sums.groups):
        values = [0.0, *(float(step.amounts[place]) for step in sums.steps)]
        figure.add(
            "scatter",
            x=moments,
            y=values,
            name=plain(word(group)),
            mode="lines+markers",  # a marker, seen or not, is what can be clicked
            marker={"size": 6, "opacity": 0},
            stackgroup="sums",
            line={"width": 1, "color": colour(place, sums.groups, sums.together)},
            text=[money(Decimal(0)), *(money(step.amounts[place]) for step in sums.steps)],
            customdata=[[str(whole.first), str(step.period.last)] for step in (*sums.steps[:1], *sums.steps)],
            hovertemplate="%{fullData.name} %{text}<extra></extra>",
        )
        labels.append((below + values[-1] / 2, plain(word(group))))
        below += values[-1]
    highest = below
    if forecast is not None and forecast.high is not None:
        highest = max(highest, float(forecast.high))
    if limit is not None:
        highest = _limit(figure, limit, highest)
    if forecast is not None and forecast.high is not None:
        _cone(figure, forecast, below, at, highest)
    if forecast is None or not forecast.is_known:
        _ends(figure, labels, moments[-1], highest)
        figure.layout.update(margin={"l": 8, "r": 150, "t": 10, "b": 8})
    else:
        _legend(figure, len(sums.groups))
        figure.layout.update(margin={"l": 8, "r": 96, "t": 34, "b": 8})
    end = max(moments[-1], _midnight(forecast.period.last + DAY)) if forecast and forecast.is_known else moments[-1]
    _days(figure, [start.date() + number * DAY for number in range((end - start).days + 1)])
    figure.layout["xaxis"].update(range=[start, end])
    _usd(figure, highest * 1.04)
    return figure.drawn()


def _limit(figure: Sketch, limit: Limit, highest: float) -> float:
    """A dashed line with its name and amount, or only its name; how high the figure now is."""
    amount, is_far = float(limit.amount), limit.is_far(highest)
    if not is_far:
        figure.across(amount, {"color": VERMILLION, "dash": "dash", "width": 2})
    figure.write(
        x=0,
        xref="paper",
        xanchor="left",
        y=1 if is_far else amount,
        yref="paper" if is_far else "y",
        yanchor="top" if is_far else "middle",
        yshift=0 if is_far else 9,
        showarrow=False,
        text=limit.words(highest),
        font={"size": 12},
    )
    return highest if is_far else max(highest, amount * 1.04)


def _cone(figure: Sketch, forecast: Forecast, total: float, at: datetime, top: float) -> None:
    """The range of what is to come, and the line in its middle, from what is spent."""
    points = forecast.path()
    moments = [at, *(_midnight(point.day + DAY) for point in points)]
    low, middle, high = (
        [total, *(float(value) for value in values)]
        for values in zip(*((p.low, p.amount, p.high) for p in points), strict=True)
    )
    quiet = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    figure.add("scatter", x=moments, y=low, **quiet)
    figure.add("scatter", x=moments, y=high, fill="tonexty", fillcolor="rgba(128,140,152,0.28)", **quiet)
    figure.add(
        "scatter",
        x=moments,
        y=middle,
        name="forecast",
        mode="lines",
        line={"color": INK, "dash": "dot", "width": 2},
        showlegend=False,
        text=["", *(f"{money(p.amount)} ({money(p.low)} to {money(p.high)})" for p in points)],
        hovertemplate="forecast %{text}<extra></extra>",
    )
    last = points[-1]
    figure.write(
        x=moments[-1],
        y=float(last.amount),
        text=f"about {money(last.amount)}<br>{money(last.low)}<br>to {money(last.high)}",
        align="left",
        xanchor="left",
        yanchor="middle" if float(last.amount) < top * 0.85 else "top",
        xshift=6,
        showarrow=False,
        font={"size": 12},
    )


def _ends(figure: Sketch, labels: Sequence[tuple[float, str]], x: datetime, highest: float) -> None:
    """Names of the areas where they end."""
    top = highest or 1.0
    for (_, name), place in zip(labels, spread([y for y, _ in labels], top * 17 / (HEIGHT - 60), top), strict=True):
        figure.write(x=x, y=place, text=name, xanchor="left", xshift=8, showarrow=False, font={"size": 12})


def _legend(figure: Sketch, groups: int) -> None:
    figure.layout.update(
        showlegend=groups > 1,
        legend={
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.0,
            "x": 0,
            "traceorder": "normal",
            "font": {"size": 12},
        },
    )


def _days(figure: Sketch, days: Sequence[date], *, is_monthly: bool = False) -> None:
    """At most five days, or months, are named under the axis."""
    every = max(1, -(-len(days) // TICKS))
    shown = list(days[::every])
    form = "%b %Y" if is_monthly else "%-d %b"
    figure.layout["xaxis"].update(
        tickvals=shown, ticktext=[f"{day:{form}}" for day in shown], tickangle=0, hoverformat="%-d %b %Y"
    )


def _usd(figure: Sketch, highest: float) -> None:
    """The axis of money begins at 0, its digits follow its height."""
    form = ",.0f" if highest >= 10 else ",.2f" if highest >= 0.1 else ".4~f"
    figure.layout["yaxis"].update(range=[0, highest or 1.0], tickprefix="$", tickformat=form, nticks=6)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
