"""What is a sum made of? ?receipt= is one receipt, any other address the receipts of a selection."""

import streamlit as st

from dashboard import state
from dashboard.ui import (
    billed,
    billed_page,
    change_page,
    forecast_page,
    page,
    problem,
    receipt_page,
    spend_controls,
    unread,
)

aws = state.connection()
if not st.query_params:
    st.switch_page(page.Place.COSTS)
key = st.query_params.get(receipt_page.KEY, "")

with problem.shown("receipt", title="Receipt"):
    ledger = receipt_page.as_asked(state.ledger(aws).value)
    selection = spend_controls.chosen(ledger, aws.account, state.now())
    receipt_page.back(selection, to_sum=bool(key) and "period" in st.query_params)
    if key:
        receipt_page.one(ledger, key, selection, aws.account)
    elif billed.BILL in st.query_params:
        billed_page.show(aws, ledger, selection, st.query_params[billed.BILL])
    elif forecast_page.FORECAST in st.query_params:
        forecast_page.show(ledger, selection, aws.account)
    elif earlier := change_page.before(st.query_params.get(spend_controls.AGAINST, ""), state.now()):
        change_page.show(ledger, selection, earlier, aws.account)
    else:
        receipt_page.whole(ledger, selection, aws.account)
    if not key and billed.BILL not in st.query_params:
        unread.show("Not in any sum", ledger.unread, "spend")
    if not ledger.is_complete:
        spend_controls.wait(aws)
