"""One run, live, by ?run=: a training on SageMaker or EC2, or a tuning job."""

import secrets

import streamlit as st

from dashboard import state
from dashboard.ui import page, problem, run_page, watching

aws = state.connection()
key = st.query_params.get("run", "")
if not key:
    st.switch_page(page.Place.RUNS)
watching.on_page(key)


@st.fragment(run_every=1.5, key="run")
def watched() -> None:
    with problem.shown("run-live", title=key):
        reading = run_page.found(aws, key)
        one = run_page.with_trials(aws, reading.value)
        tail = state.log(aws, key)  # read before anything is drawn: head and stages change at one moment
        run_page.head(aws, one, token, reading.at)
        run_page.live(aws, one, tail, reading.at)
        if one.status.is_final:
            st.rerun()


token = st.session_state.setdefault(f"deploy-token-{key}", secrets.token_hex(8))
with problem.shown("run", title=key):
    reading = run_page.found(aws, key)
    one = run_page.with_trials(aws, reading.value)
    run_page.back(one.parent)
    if one.status.is_active:
        watched()
    else:
        tail = state.log(aws, key)
        run_page.head(aws, one, token, reading.at)
        run_page.endpoints(aws, one)
        run_page.live(aws, one, tail, reading.at)
