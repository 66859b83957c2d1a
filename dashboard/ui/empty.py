"""Empty states: they teach the next step and hold its button."""

from collections.abc import Mapping
from html import escape

import streamlit as st

from dashboard.ui import pages
from dashboard.ui.page import Place


def show(
    key: str,
    what: str,
    how: str,
    place: Place | None = None,
    button: str = "",
    *,
    framed: bool = True,
    query: Mapping[str, str] | None = None,
) -> None:
    """What is not there yet, how it comes about, and the way there for whom it is open; no frame inside a panel."""
    with st.container(border=framed, key=f"panel-empty-{key}"):
        st.html(f'<div class="kn-empty"><p class="kn-empty-what">{escape(what)}</p><p>{escape(how)}</p></div>')
        if place is not None:
            pages.link(place, button, ":material/arrow_forward:", query)
