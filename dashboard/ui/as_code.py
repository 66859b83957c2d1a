"""A plan as code: a launch in the three ways that people start trainings, others as the program of their calls."""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.core.calls import Call
from dashboard.core.runs.as_code import LANGUAGES, SDK
from dashboard.ui.calls import listed
from dashboard.ui.markup import note


def tabs(code: Mapping[str, str], key: str) -> None:
    """One tab for each way, to read and to copy."""
    for tab, (name, text) in zip(st.tabs(list(code), key=key), code.items(), strict=True):
        with tab:
            st.code(text, language=LANGUAGES[name], wrap_lines=True)
    if SDK not in code:
        st.html(note("The SageMaker SDK starts no instances of EC2."))


def below(calls: Sequence[Call], code: str) -> None:
    """The calls in their order, and below them, folded, the same as a program."""
    st.html(listed(calls))
    with st.expander("Show as code"):
        st.code(code, language="python")
