"""What costs money and serves nobody? Found by looking, defended by evidence, and changed on a confirmed plan."""

import streamlit as st

from dashboard import state
from dashboard.ui import page, problem, waste, waste_words

aws = state.connection()

with problem.shown("waste", title="Waste"):
    chosen = st.query_params.get(waste.IDLE, waste_words.USUAL)
    reading = state.waste(aws, waste_words.IDLE.get(chosen, waste_words.IDLE[waste_words.USUAL]))
    shown = waste.nature(reading.value, aws.account)
    page.title("Waste", waste_words.sentence(reading.value, shown))
    waste.controls(reading.value, shown, aws.account)
    waste.figures(reading.value, shown)
    page.section("What serves nobody")
    ledger = state.ledger(aws).value
    waste.findings(aws, reading.value, shown, ledger)
    waste.foot(reading.value, shown, aws.account, ledger)
