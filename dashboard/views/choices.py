"""Which choice is best? Cost × duration × accuracy of completed runs; the address holds all of what is asked."""

import streamlit as st

from dashboard import state
from dashboard.ui import choices, problem

aws = state.connection()


@st.fragment(run_every=2, key="choices")
def arriving() -> None:
    with problem.shown("choices-live", title="Choices"):
        if not choices.show(aws):
            st.rerun()


with problem.shown("choices", title="Choices"):
    if state.choices(aws).listing.is_complete:
        choices.show(aws)
    else:
        arriving()
