"""What happened? All runs as a table; one of them, live, by ?run=."""

import secrets

import streamlit as st

from dashboard import state
from dashboard.ui import problem, run_list, run_page

aws = state.connection()
name = st.query_params.get("run", "")


@st.fragment(run_every=1.5, key="run")
def watched() -> None:
    with problem.shown("run-live", title=name):
        reading = run_page.found(aws, name)
        one = reading.value
        run_page.head(aws, one, token, reading.at)
        run_page.live(aws, one, state.log(aws, name), reading.at)
        if one.status.is_final:
            st.rerun()


if not name:
    run_list.full(aws)
else:
    token = st.session_state.setdefault(f"deploy-token-{name}", secrets.token_hex(8))
    run_list.back()
    with problem.shown("run", title=name):
        reading = run_page.found(aws, name)
        one = reading.value
        side, main = st.columns((2, 7), gap="medium")
        with side:
            run_list.narrow(aws, name)
        with main:
            if one.status.is_active:
                watched()
            else:
                run_page.head(aws, one, token, reading.at)
                run_page.endpoints(aws, one)
                run_page.live(aws, one, state.log(aws, name), reading.at)
