"""Where did the money go, what will it come to, and what should change?"""

import streamlit as st

from dashboard import state
from dashboard.core.costs.spend.statement import statement
from dashboard.ui import (
    billed,
    budget,
    page,
    problem,
    spend,
    spend_chart,
    spend_controls,
    spend_panels,
    spend_todo,
    strip,
    unread,
    words,
)

aws = state.connection()


with problem.shown("spend", title="Spend"):
    now = state.now()
    reading = state.ledger(aws)
    ledger = reading.value
    if ledger.receipts:
        made = statement(ledger, spend_controls.chosen(ledger, aws.account, now))
        spend.head(made, words.age(reading.at, now))
        spend_controls.show(ledger, made.selection, now)
        month = budget.look(aws, made, now)
        sweep = state.waste(aws).value
        if made.rows:
            nature = made.selection.nature
            strip.show(spend.figures(made, budget.figures(month), spend_todo.figures(sweep, nature)))
            left, right = st.columns((8, 5), gap="medium")
            with left:
                page.section("Over time")
                spend_chart.over_time(made, budget.limit(month, made))
                budget.panel(aws, month, ledger, now)
            with right:
                spend_panels.dearest(made)
                spend_todo.panel(sweep, state.advice(aws, nature), nature, made.forecast)
            left, right = st.columns((8, 5), gap="medium")
            with left:
                spend_panels.why(made)
            with right:
                spend_panels.where(made)
                spend_panels.platforms(made)
            spend.receipts(made)
        else:
            spend.nothing(made)
            budget.panel(aws, month, ledger, now)
        billed.section(aws, ledger, made.selection)
        unread.show("Not in any sum", ledger.unread, "spend")
        spend.foot(made, aws.account)
    else:
        spend.none_yet(ledger)
        unread.show("Not in any sum", ledger.unread, "spend")
    if not ledger.is_complete:
        spend_controls.wait(aws)
