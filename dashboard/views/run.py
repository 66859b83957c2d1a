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
        one = reading.value
        run_page.head(aws, one, token, reading.at)
        run_page.live(aws, one, state.log(aws, key), reading.at)
        if one.status.is_final:
            st.rerun()


token = st.session_state.setdefault(f"deploy-token-{key}", secrets.token_hex(8))
with problem.shown("run", title=key):
    reading = run_page.found(aws, key)
    one = reading.value
    run_page.back(one.parent)
    if one.status.is_active:
        watched()
    else:
        run_page.head(aws, one, token, reading.at)
        run_page.endpoints(aws, one)
        run_page.live(aws, one, state.log(aws, key), reading.at)
