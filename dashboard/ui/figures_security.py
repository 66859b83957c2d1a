"""An account's security → plotly: how the score went, and who has the most findings. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dashboard.core.format import count, short
from dashboard.core.iam.finding import Finding, Severity
from dashboard.core.iam.judge.audited import by_severity
from dashboard.core.iam.judge.risks import Point
from dashboard.ui.figures import BLUE, DATES, ORANGE, SKY, VERMILLION, template
from dashboard.ui.sketch import Sketch

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST = 8
"""Roles that are drawn, those with the worst findings."""
HEIGHT, ROW = 250, 24
LONGEST = 24
"""Characters of a name beside a bar."""
GREY, GREY_DARK = "#8895A1", "#7C8894"
LOOKS: Mapping[Severity, tuple[str, str, str]] = {
    Severity.CRITICAL: (VERMILLION, VERMILLION, ""),
    Severity.HIGH: (ORANGE, ORANGE, "/"),
    Severity.MEDIUM: (BLUE, SKY, "."),
    Severity.LOW: (GREY, GREY_DARK, "x"),
}
"""Of each severity its colour, that on a dark ground, and the pattern that tells it without colour."""
_DAY = timedelta(days=1)


def trend_finding(points: Sequence[Point]) -> str:
    """The sentence above the score's line: "Score 64, up 12 since 3 Nov"."""
    if not points:
        return "No score yet"
    first, last = points[0], points[-1]
    change = last.score - first.score
    since = f"since {first.at:%-d %b}" if last.at - first.at >= _DAY else f"since {first.at:%H:%M} UTC"
    if not change:
        return f"Score {last.score} of 100, {steady(points)}"
    return f"Score {last.score} of 100, {'up' if change > 0 else 'down'} {abs(change)} {since}"


def steady(points: Sequence[Point]) -> str:
    """Of a score that is what it was at the first of these points: whether it was so all the time."""
    first, last = points[0], points[-1]
    is_long = last.at - first.at >= _DAY
    then = f"{first.at:%-d %b}" if is_long else f"{first.at:%H:%M} UTC"
    others = sorted({one.score for one in points if one.score != last.score})
    if not others:
        return f"as it was since {then}"
    between = str(others[0]) if len(others) == 1 else f"{others[0]} to {others[-1]}"
    return f"as it was {'on' if is_long else 'at'} {then}; {between} in between"


def trend(points: Sequence[Point], *, is_dark: bool = False) -> "Figure | None":
    """The score by time as steps, 0 to 100; None where one point alone would be a line of no length."""
    if len(points) < 2:
        return None
    colour = SKY if is_dark else BLUE
    layout = template("", "score (of 100)", HEIGHT)
    layout["margin"] = {"l": 8, "r": 64, "t": 12, "b": 8}
    sketch = Sketch(layout)
    sketch.add(
        "scatter",
        x=[one.at for one in points],
        y=[one.score for one in points],
        mode="lines+markers",
        line={"color": colour, "width": 2, "shape": "hv"},
        marker={"color": colour, "size": 6},
        customdata=[[told(one.counts)] for one in points],
        hovertemplate="score %{y}: %{customdata[0]}<extra></extra>",
    )
    last = points[-1]
    sketch.write(x=last.at, y=last.score, text=f"<b>{last.score}</b>", xanchor="left", xshift=9, showarrow=False)
    layout["yaxis"] |= {"range": [0, 105], "tickvals": [0, 25, 50, 75, 100]}
    layout["xaxis"] |= {"nticks": 4, "tickangle": 0, "hoverformat": "%-d %b %Y, %H:%M", "tickformatstops": DATES}
    return sketch.drawn()


def told(counts: Mapping[Severity, int]) -> str:
    """ "2 critical, 3 high"."""
    parts = [f"{counts[severity]} {severity}" for severity in Severity if counts.get(severity)]
    return ", ".join(parts) or "no finding"


def subjects_finding(found: Mapping[str, Sequence[Finding]]) -> str:
    """The sentence above the bars: who has the worst."""
    if not found:
        return "No role has a finding"
    name, worst = next(iter(found.items()))
    told_of = told(by_severity(worst))
    rest = len(found) - 1
    others = f"; {count(rest, 'other')} {'has' if rest == 1 else 'have'} findings too" if rest else ""
    return f"{name} is the worst: {told_of}{others}"


def subjects(found: Mapping[str, Sequence[Finding]], *, is_dark: bool = False) -> "Figure | None":
    """The findings of each role, policy or function as a bar in parts by severity, the worst on top; None for none."""
    shown = list(found.items())[:MOST][::-1]  # plotly draws from the bottom up
    if not shown:
        return None
    layout = template("findings", "", max(150, ROW * len(shown) + 96))
    layout |= {"barmode": "stack", "hovermode": "closest", "bargap": 0.35, "showlegend": True}
    layout["legend"] = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"}
    layout["margin"] = {"l": 8, "r": 12, "t": 4, "b": 8}
    sketch = Sketch(layout)
    counts = [by_severity(findings) for _, findings in shown]
    for severity in Severity:
        if any(one[severity] for one in counts):
            sketch.add("bar", **_bar(severity, [name for name, _ in shown], counts, is_dark=is_dark))
    layout["xaxis"] |= {"showgrid": True, "rangemode": "tozero", "tickformat": "d", "nticks": 5, "tickangle": 0}
    names = [name for name, _ in shown]
    layout["yaxis"] |= {"showgrid": False, "type": "category", "tickfont": {"size": 12}}
    layout["yaxis"] |= {"tickvals": names, "ticktext": [short(name, LONGEST) for name in names]}
    return sketch.drawn()


def subject_rows(found: Mapping[str, Sequence[Finding]]) -> list[dict[str, Any]]:
    """The numbers behind the bars, all of them."""
    return [
        {"Role, policy or function": name, **{one.value: number for one, number in by_severity(findings).items()}}
        for name, findings in found.items()
    ]


def trend_rows(points: Sequence[Point]) -> list[dict[str, Any]]:
    """The numbers behind the line."""
    return [
        {
            "At (UTC)": one.at.strftime("%Y-%m-%d %H:%M:%S"),
            "Score": one.score,
            **{severity.value: one.counts.get(severity, 0) for severity in Severity},
            "Roles": one.roles,
        }
        for one in points
    ]


def _bar(
    severity: Severity, names: Sequence[str], counts: Sequence[Mapping[Severity, int]], *, is_dark: bool
) -> dict[str, Any]:
    light, dark, pattern = LOOKS[severity]
    return {
        "orientation": "h",
        "name": severity.value,
        "x": [one[severity] for one in counts],
        "y": list(names),
        "text": [str(one[severity]) if one[severity] else "" for one in counts],
        "textposition": "none",
        "marker": {
            "color": dark if is_dark else light,
            "pattern": {"shape": pattern, "fillmode": "overlay", "fgcolor": "#ffffff", "fgopacity": 0.55, "size": 6},
            "line": {"width": 0},
        },
        "hovertemplate": f"%{{y}}: %{{x}} {severity}<extra></extra>",
    }
