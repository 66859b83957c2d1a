"""Which of these runs was worth its money? Several runs side by side, by ?compare=."""

import streamlit as st

from dashboard import state
from dashboard.ui import compare, empty, page, problem

aws = state.connection()
keys = tuple(key for key in st.query_params.get("compare", "").split(",") if key)
if not keys:
    page.title("Compare", "no run is chosen")
    how = "Tick two or more of them under Runs, then press Compare."
    empty.show("compare", "Runs stand side by side here.", how, page.Place.RUNS, "Choose runs")
    st.stop()


@st.fragment(run_every=2, key="compare")
def watched() -> None:
    with problem.shown("compare-live", title="Compare"):
        if not compare.show(aws, keys):
            st.rerun()


with problem.shown("compare", title="Compare"):
    compare.back(keys)
    if compare.is_busy(aws, keys):
        watched()
    else:
        compare.show(aws, keys)
