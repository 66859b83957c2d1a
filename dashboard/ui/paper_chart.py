"""The chart of spending for paper: a drawing that takes the width of the sheet, where the one on the screen cannot.

Pure markup. On the screen it is hidden; see `kn-on-paper` in kennel.css.
"""

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time

from dashboard.core.costs.selection import DAY
from dashboard.core.costs.spend.forecast import Forecast
from dashboard.core.costs.spend.over_time import Series
from dashboard.core.format import money
from dashboard.ui.figures import ticks
from dashboard.ui.figures_spend import Limit, colour
from dashboard.ui.markup import Markup, escape

WIDTH, HEIGHT = 700, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 100, 26, 22
NAMES = 6


def bars(made: Series, word: Callable[[str], str]) -> Markup:
    """Stacked bars, one for each day or month."""
    highest = max((float(step.total) for step in made.steps), default=0.0) or 1.0
    each = (WIDTH - LEFT - RIGHT) / max(1, len(made.steps))
    parts = []
    for number, step in enumerate(made.steps):
        below = 0.0
        for place, amount in enumerate(step.amounts):
            top = below + float(amount)
            fill = colour(place, made.groups, made.together)
            high, low = _y(top, highest), _y(below, highest)
            if amount:
                parts.append(_rect(LEFT + number * each, high, each * 0.75, low - high, fill))
            below = top
    every = max(1, -(-len(made.steps) // NAMES))
    form = "%b %Y" if made.is_monthly else "%-d %b"
    for number in range(0, len(made.steps), every):
        first = made.steps[number].period.first
        parts.append(_text(LEFT + number * each, HEIGHT - 6, f"{first:{form}}"))
    return _drawing(parts, highest, made, word)


def adding_up(
    made: Series,
    at: datetime,
    word: Callable[[str], str],
    *,
    forecast: Forecast | None = None,
    limit: Limit | None = None,
) -> Markup:
    """Areas that add up, the forecast's cone after them, and the line of the limit."""
    sums = made.adding_up()
    if not sums.steps:
        return _drawing([], 1.0, made, word)
    start, last = sums.steps[0].period.first, sums.steps[-1].period.last
    points = forecast.path() if forecast is not None else ()
    end = _midnight((points[-1].day if points else last) + DAY)
    length = (end - _midnight(start)).total_seconds()
    total = float(sums.steps[-1].total)
    drawn = max(total, float(points[-1].high) if points else 0.0)
    is_far = limit is not None and limit.is_far(drawn)
    highest = max(drawn, float(limit.amount) if limit and not is_far else 0.0) or 1.0

    def x(moment: datetime) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (moment - _midnight(start)).total_seconds() / length

    moments = [x(_midnight(start)), *(x(min(_midnight(step.period.last + DAY), at)) for step in sums.steps)]
    parts, below = [], [0.0] * len(moments)
    for place in range(len(sums.groups)):
        values = [0.0, *(float(step.amounts[place]) for step in sums.steps)]
        above = [low + value for low, value in zip(below, values, strict=True)]
        edge = [*zip(moments, above, strict=True), *reversed(list(zip(moments, below, strict=True)))]
        parts.append(_area(edge, highest, colour(place, sums.groups, sums.together), 0.8))
        below = above
    if points:
        ahead = [(x(at), total, total, total)]
        ahead += [(x(_midnight(p.day + DAY)), float(p.low), float(p.amount), float(p.high)) for p in points]
        cone = [*((p[0], p[3]) for p in ahead), *((p[0], p[1]) for p in reversed(ahead))]
        parts.append(_area(cone, highest, "#808C98", 0.3))
        middle = " ".join(f"{p[0]:.1f},{_y(p[2], highest):.1f}" for p in ahead)
        parts.append(f'<polyline points="{middle}" fill="none" stroke="#3A4753" stroke-dasharray="3 3"/>')
        parts.append(_text(WIDTH - RIGHT + 6, _y(ahead[-1][2], highest) + 4, f"about {money(points[-1].amount)}"))
    if limit is not None:
        line = _y(highest if is_far else float(limit.amount), highest)
        if not is_far:
            parts.append(f'<path d="M{LEFT} {line:.1f}H{WIDTH - RIGHT}" stroke="#D55E00" stroke-dasharray="6 4"/>')
        parts.append(_text(LEFT + 4, line - 4, limit.words(drawn)))
    days = (end - _midnight(start)).days
    named = [start + number * DAY for number in range(0, days + 1, max(1, -(-days // NAMES)))]
    parts += [_text(x(_midnight(day)), HEIGHT - 6, f"{day:%-d %b}") for day in named]
    return _drawing(parts, highest, made, word)


def _drawing(parts: Sequence[str], highest: float, made: Series, word: Callable[[str], str]) -> Markup:
    grid = []
    for value in ticks(0.0, highest, whole=False, most=5):
        grid.append(f'<path d="M{LEFT} {_y(value, highest):.1f}H{WIDTH - RIGHT}" stroke="#D5DCE3"/>')
        grid.append(_text(LEFT - 6, _y(value, highest) + 4, f"${value:,.4f}".rstrip("0").rstrip("."), "end"))
    names, place = [], float(LEFT)
    for number, group in enumerate(made.groups):
        names.append(_rect(place, 4, 10, 10, colour(number, made.groups, made.together)))
        names.append(_text(place + 14, 13, word(group)))
        place += 28 + 6.5 * len(word(group))
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="11">{"".join([*grid, *parts, *names])}</svg>'
    )


def picture(drawing: Markup, alt: str) -> Markup:
    """A drawing as a picture: Streamlit takes drawings out of a page's own markup, pictures it leaves."""
    coded = base64.b64encode(drawing.encode()).decode()
    return Markup(
        f'<img class="kn-on-paper kn-paper-chart" alt="{escape(alt)}" src="data:image/svg+xml;base64,{coded}">'
    )


def _area(edge: Sequence[tuple[float, float]], highest: float, fill: str, opacity: float) -> str:
    points = " ".join(f"{x:.1f},{_y(y, highest):.1f}" for x, y in edge)
    return f'<polygon points="{points}" fill="{fill}" fill-opacity="{opacity}"/>'


def _rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#16202B">{escape(text)}</text>'


def _y(value: float, highest: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / highest


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
