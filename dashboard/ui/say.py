"""A short message of what has happened: seen in a corner for a moment, and read out to who does not see it.

Streamlit's own toasts are dialogs that nothing announces.
"""

from typing import Literal

import streamlit as st

from dashboard.ui.markup import escape, literal

SLOT = "say.slot"


def place() -> None:
    """Where what is said is read out from; once a run, before the page, so that what follows keeps its place."""
    with st.container(key="said"):
        st.session_state[SLOT] = st.empty()


def say(text: str, *, icon: str | None = None, duration: Literal["short", "long"] = "short") -> None:
    """Say it, as it is: nothing in it is Markdown."""
    st.toast(literal(text), icon=icon, duration=duration)
    if (slot := st.session_state.get(SLOT)) is not None:
        slot.html(f'<p class="kn-unseen" role="alert">{escape(text)}</p>')
