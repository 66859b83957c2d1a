"""The chart of spending, the table and the file behind it, and what a click on it opens."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.core.costs.selection import Period, Selection
from dashboard.core.costs.spend.over_time import OTHERS
from dashboard.core.costs.spend.statement import Statement
from dashboard.ui import chart, figures_spend, markup, page, paper_chart, receipt, spend_words
from dashboard.ui.figures_spend import Limit
from dashboard.ui.markup import Markup
from dashboard.ui.page import Place

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

ADDING_UP, EACH = "adding up", "each day"
CHART = "chart"
SHOWN = "spend-shown"


def over_time(made: Statement, limit: Limit | None = None) -> None:
    """The chart: sums adding up to the forecast under the budget's line, or a bar for each day or month."""
    kinds = (EACH,) if made.series.is_monthly else (ADDING_UP, EACH)
    kind = EACH
    with st.container(border=True, key="panel-spend-time", gap="xsmall"):
        if len(kinds) > 1:
            kind = st.segmented_control(
                "Chart",
                kinds,
                key=CHART,
                bind="query-params",
                default=ADDING_UP,
                label_visibility="collapsed",
                required=True,
            )
        finding, figure, paper = _drawn(made, str(kind), limit)
        st.html(f'<h2 class="kn-finding">{escape(finding)} {receipt.word_of(made.selection.nature)}</h2>')
        st.session_state[SHOWN] = made.selection
        key = f"chart-spend-{kind}"
        st.plotly_chart(
            figure,
            key=key,
            config=chart.CONFIG,
            alt=finding,
            on_select=partial(_clicked, key),
            selection_mode="points",
        )
        st.html(paper_chart.picture(paper, finding))
        if made.ahead is not None and (made.ahead.is_known or made.ahead.standing):
            st.html(markup.note(f"Forecast: {made.ahead.method}."))
        behind(made)


def _drawn(made: Statement, kind: str, limit: Limit | None) -> tuple[str, "Figure", Markup]:
    """What it shows in a sentence, as a figure, and as a drawing for paper."""
    word = partial(spend_words.group, made.selection.by)
    if kind == EACH:
        finding = spend_words.UNKNOWN if made.is_unknown else spend_words.each_finding(made.series, made.selection.by)
        each = figures_spend.each(made.series, word, limit if made.series.is_monthly else None)
        return finding, each, paper_chart.bars(made.series, word)
    at, ahead = made.ledger.at, made.ahead
    figure = figures_spend.adding_up(made.series, made.selection.period, at, word, forecast=ahead, limit=limit)
    paper = paper_chart.adding_up(made.series, at, word, forecast=ahead, limit=limit)
    return spend_words.adding_up_finding(made), figure, paper


def behind(made: Statement) -> None:
    """The numbers of the chart as a table and as a file."""
    with st.expander("The figures as a table", key="spend-behind"):
        names = columns(made)
        rows = [
            {"first day": str(step.period.first), "last day": str(step.period.last)}
            | {name: float(amount) for name, amount in zip(names, step.amounts, strict=True)}
            | {"total": float(step.total)}
            for step in made.series.steps
        ]
        st.dataframe(rows, hide_index=True, key="spend-steps", alt="Spending over time")
        chart.download(
            lambda: steps(made),
            f"kennel-{made.selection.nature}-{made.selection.period}-by-{made.selection.by}.csv",
            "download-steps",
        )


def columns(made: Statement) -> list[str]:
    """A column for each group, called like no other: a project may be called "total", or as what has no project is."""
    taken = {"first day", "last day", "first_day", "last_day", "money", "total"}
    named = []
    for group in made.series.groups:
        word = spend_words.group(made.selection.by, group)
        while word in taken:
            word = f"{made.selection.by.word} {word}"
        taken.add(word)
        named.append(word)
    return named


def steps(made: Statement) -> list[dict[str, str]]:
    """The chart's figures with all of their digits."""
    names = columns(made)
    return [
        {"first_day": str(step.period.first), "last_day": str(step.period.last), "money": made.selection.nature.word}
        | {name: f"{amount:f}" for name, amount in zip(names, step.amounts, strict=True)}
        | {"total": f"{step.total:f}"}
        for step in made.series.steps
    ]


def _clicked(key: str) -> None:
    """A bar or an area was clicked: open the receipts of its days."""
    asked = opened(st.session_state[key].selection.points, st.session_state[SHOWN])
    if asked is not None:
        page.go(Place.RECEIPT, asked.query())


def opened(points: Sequence[Mapping[str, Any]], shown: Selection) -> Selection | None:
    """What a click on these points of the chart asks for; None for the forecast.

    A bar names its group; where areas lie on each other nobody can tell which was meant, and all of these days are.
    """
    held = [point["customdata"] for point in points if point.get("customdata")]
    if not held:
        return None
    first, last, *groups = held[0]
    days = shown.over(Period(date.fromisoformat(first), date.fromisoformat(last)))
    is_one = len(held) == len(groups) == 1 and groups != [OTHERS]
    return days.within(days.by, groups[0]) if is_one else days
