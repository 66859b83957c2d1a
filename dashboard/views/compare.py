"""Which of these runs was worth its money? Several runs side by side, by ?compare=."""

import streamlit as st

from dashboard import state
from dashboard.ui import compare, page, problem

aws = state.connection()
keys = tuple(key for key in st.query_params.get("compare", "").split(",") if key)
if not keys:
    st.switch_page(page.Place.RUNS)


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
