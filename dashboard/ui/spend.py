"""The page of spending, top-down: what it is, what it will be, where it goes, why it changed, what to do.

Every figure on it leads to the receipts that it is the sum of. The chart is in `spend_chart`, the panels beside and
below it in `spend_panels`, the table in `spend_table`.
"""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard.core.aws import Account
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.selection import Period, Selection
from dashboard.core.costs.spend.statement import Statement
from dashboard.core.format import count
from dashboard.ui import (
    empty,
    forecast_page,
    markup,
    page,
    receipt,
    receipt_lines,
    spend_controls,
    spend_table,
    spend_words,
)
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure


def head(made: Statement, age: str) -> None:
    """The title line, with the link that shows exactly this and the way to print it."""
    with st.container(horizontal=True, vertical_alignment="center", key="spend-head"):
        page.title("Spend", spend_words.title(made), age, marks=receipt.of(made.selection.nature))
        st.space("stretch")
        with st.popover("Link", icon=":material/link:", type="tertiary"):
            st.caption("This address shows exactly this view. Print it from the browser: it is laid out for paper.")
            st.code(spend_controls.address(made.selection), language=None, wrap_lines=True)


def none_yet(ledger: Ledger) -> None:
    """An account without any receipt."""
    page.title("Spend", "nothing has cost anything yet" if ledger.is_complete else "reading")
    if ledger.is_complete:
        empty.show(
            "costs",
            "No receipt yet.",
            "Each training and each endpoint gets one: its seconds, its price with source and day, and the sum.",
            Place.TRAIN,
            "Train a model",
        )


def figures(made: Statement, budget: Sequence[Figure], wasted: Sequence[Figure]) -> list[Figure]:
    """The strip, the month's budget and what is wasted in their places; each leads to what it is made of."""
    mark = receipt.of(made.selection.nature)
    found = [
        Figure(
            "spend-total",
            "Month to date" if made.goes_on and made.selection.period.is_month else "Spent",
            spend_words.sum_of(made.total),
            spend_words.total_note(made),
            Place.RECEIPT,
            f"Open {count(made.total.receipts, 'receipt')}",
            mark,
            query=made.selection.query(),
        )
    ]
    if made.forecast is not None:
        found.append(
            Figure(
                "spend-forecast",
                f"Forecast, {made.forecast.period.first:%B}",
                spend_words.forecast_value(made.forecast),
                spend_words.forecast_note(made.forecast),
                Place.RECEIPT if made.forecast.expected is not None else None,
                "Open what makes it",
                mark if made.forecast.expected is not None else markup.NO_MARK,
                query={**made.selection.query(), forecast_page.FORECAST: forecast_page.SHOWN},
            )
        )
    found += budget
    found.append(
        Figure(
            "spend-change",
            "Change",
            spend_words.change_value(made.change),
            spend_words.change_note(made.change),
            Place.RECEIPT,
            "Open what changed",
            mark,
            query=spend_controls.against(made.selection.over(made.change.period), made.change.before),
        )
    )
    return [*found, *wasted]


def receipts(made: Statement) -> None:
    """Every receipt of the selection."""
    page.section("Receipts", receipt.word_of(made.selection.nature))
    spend_table.show(made.rows, made.selection, made.ledger.at)


def nothing(made: Statement) -> None:
    """A selection without receipts in an account that has some."""
    with st.container(border=True, key="panel-empty-spend"):
        st.html(
            '<div class="kn-empty"><p class="kn-empty-what">'
            f"{escape(spend_words.nothing(made.selection, made.today))}</p>"
            "<p>Choose other days or another kind of money, or look at the whole year.</p></div>"
        )  # fmt: skip
        year = Selection(made.selection.nature, Period.parse("12m", made.ledger.at), made.selection.by)
        st.page_link(Place.COSTS, label="Show the last 12 months", query_params=year.query())


def foot(made: Statement, account: Account) -> None:
    """What a sheet of paper needs to be believed: whose money, which kind, of when, and where it is from."""
    st.html(receipt_lines.foot(made.selection.nature, account, made.ledger.at, spend_controls.address(made.selection)))
