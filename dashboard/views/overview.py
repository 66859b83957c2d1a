"""Is anything wrong, what is running, and what does it cost?"""

import streamlit as st

from dashboard import state
from dashboard.ui import attention, month, overview, page, problem, strip, words

aws = state.connection()
is_busy = bool(state.overview(aws).value.running) or attention.is_reading(aws)


@st.fragment(run_every=2 if is_busy else 6, key="overview")
def live() -> None:
    with problem.shown("live", title="Overview"):
        now = state.now()
        reading = state.overview(aws)
        card = month.figure(aws, now)
        seen = attention.with_money(aws, reading.value, now)
        is_reading = attention.is_reading(aws)
        page.title("Overview", words.overview_sentence(seen), words.age(reading.at, now))
        strip.show(overview.figures(seen, card, aws.account, now))
        left, right = st.columns((6, 5), gap="medium")
        with left:
            page.section("Needs attention")
            with st.container(border=True, key="panel-attention", gap=None):
                attention.show(aws, seen.attention, is_reading=is_reading)
            page.section("Running now")
            with st.container(border=True, key="panel-running", gap=None):
                overview.running(aws, seen.running, now)
        with right:
            page.section("Endpoints")
            with st.container(border=True, key="panel-endpoints", gap=None):
                overview.endpoints(aws, seen, now)
        page.section("Recent runs")
        overview.recent(aws, seen.runs, now)
        if (bool(seen.running) or is_reading) != is_busy:
            st.rerun()  # look more, or less, often from now on


live()
