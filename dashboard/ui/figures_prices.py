"""What spot cost over the last days: the range of each day as a band, against the price on demand. Pure → plotly."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from dashboard.core.costs.price_cache import SpotDay
from dashboard.core.format import count, percent, rate
from dashboard.ui.figures import BLUE, SKY, VERMILLION, template

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT = 260
TICKS = 3


def finding(instance: str, days: Sequence[SpotDay], listed: Decimal | None) -> str:
    """The sentence above the chart: the range, and what it is of the list price."""
    if not days:
        return f"No spot price of {instance} is known"
    lowest, highest = min(one.lowest for one in days), max(one.highest for one in days)
    between = rate(lowest) if lowest == highest else f"{rate(lowest, '').rstrip('/')} to {rate(highest)}"
    over = f"over {count(len({one.day for one in days}), 'day')}"
    if not listed:
        return f"Spot {instance} cost {between} {over}"
    if highest > listed:
        return f"Spot {instance} cost {between} {over}: dearer than on demand at times"
    saves = percent(float(1 - highest / listed))
    most = percent(float(1 - lowest / listed))
    saving = f"{saves} below" if saves == most else f"{saves} to {most} below"
    return f"Spot {instance} cost {between} {over}: {saving} on demand"


def rows(days: Sequence[SpotDay]) -> list[dict[str, object]]:
    """The numbers behind the band, a row a day."""
    return [
        {"Day (UTC)": str(one.day), "Lowest, USD/h": float(one.lowest), "Highest, USD/h": float(one.highest)}
        for one in days
    ]


def spot_range(days: Sequence[SpotDay], listed: Decimal | None, *, is_dark: bool = False) -> "Figure":
    """The band from each day's lowest to its highest, and a line for the price on demand. The axis begins at 0."""
    from plotly import graph_objects as go

    colour = SKY if is_dark else BLUE
    figure = go.Figure(layout=template("", "USD an hour", HEIGHT))
    when: list[date] = [one.day for one in days]
    told = [f"{rate(one.lowest)} to {rate(one.highest)}" for one in days]
    shape = "hv"
    figure.add_scatter(
        x=when,
        y=[float(one.lowest) for one in days],
        mode="lines",
        line={"width": 1.5, "color": colour, "shape": shape},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=when,
        y=[float(one.highest) for one in days],
        mode="lines",
        line={"width": 1.5, "color": colour, "shape": shape},
        fill="tonexty",
        fillcolor="rgba(0,114,178,0.28)" if not is_dark else "rgba(86,180,233,0.28)",
        text=told,
        hovertemplate="spot %{text}<extra></extra>",
    )
    top = max(float(one.highest) for one in days)
    last = days[-1]
    middle = float(last.lowest + last.highest) / 2
    figure.add_annotation(
        x=when[-1], y=middle, text="spot", xanchor="left", xshift=8, showarrow=False, font={"size": 12}
    )
    if listed is not None:
        top = max(top, float(listed))
        figure.add_hline(y=float(listed), line={"color": VERMILLION, "dash": "dash", "width": 2})
        figure.add_annotation(
            x=1, xref="paper", y=float(listed), xanchor="left", xshift=4, showarrow=False,
            text=f"on demand<br>{rate(listed)}", align="left", font={"size": 12},
        )  # fmt: skip
    every = max(1, -(-len(when) // TICKS))
    shown = when[::every]
    figure.update_xaxes(tickvals=shown, ticktext=[f"{day:%-d %b}" for day in shown], tickangle=0, hoverformat="%-d %b")
    figure.update_yaxes(range=[0, top * 1.15], tickprefix="$", tickformat=".3~f" if top < 1 else ".2f", nticks=5)
    figure.update_layout(margin={"l": 8, "r": 92, "t": 10, "b": 8})
    return figure
