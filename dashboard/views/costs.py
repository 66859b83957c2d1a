"""Where did the money go, what will it come to, and what should change?"""

import streamlit as st

from dashboard import state
from dashboard.core.costs import spend
from dashboard.core.format import money
from dashboard.ui import page, problem, receipt

aws = state.connection()

with problem.shown(title="Spend"):
    seen = state.overview(aws).value
    month = spend.this_month(seen.runs, seen.endpoints, state.prices(), aws.account.region, state.now())
    page.title("Spend", f"{money(month.amount)} this month", marks=receipt.label(aws.account))
    st.html(f'<p class="kn-note">{month.note}</p>')
