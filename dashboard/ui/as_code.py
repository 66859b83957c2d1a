"""The same launch as code, in the three ways that people start trainings."""

from collections.abc import Mapping

import streamlit as st

from dashboard.core.runs.as_code import LANGUAGES, SDK
from dashboard.ui.markup import note


def tabs(code: Mapping[str, str], key: str) -> None:
    """One tab for each way, to read and to copy."""
    for tab, (name, text) in zip(st.tabs(list(code), key=key), code.items(), strict=True):
        with tab:
            st.code(text, language=LANGUAGES[name], wrap_lines=True)
    if SDK not in code:
        st.html(note("The SageMaker SDK starts no instances of EC2."))
