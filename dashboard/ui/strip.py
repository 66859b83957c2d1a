"""The strip of figures under a title: at most five, each with its unit, what it is compared to, and its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import streamlit as st

from dashboard.ui.markup import NO_MARK, Markup
from dashboard.ui.page import Place

MOST = 5


@dataclass(frozen=True)
class Figure:
    """One figure. `note` says what it is compared to; `place` opens when the card is clicked, None leads nowhere."""

    key: str
    name: str
    value: str
    note: str
    place: Place | None = None
    link: str = ""
    mark: Markup = NO_MARK
    tone: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


def show(figures: Sequence[Figure]) -> None:
    """Draw the strip; the whole card is its link, if it has one."""
    if len(figures) > MOST:
        raise ValueError(f"a strip has at most {MOST} figures")
    with st.grid(len(figures), gap="small", min_column_width=150):
        for figure in figures:
            with st.container(border=True, height="stretch", gap=None, key=f"figure-{figure.key}"):
                st.html(card(figure))
                if figure.place is not None:
                    st.page_link(figure.place, label=figure.link, query_params=dict(figure.query) or None)


def card(figure: Figure) -> str:
    """A figure's inside."""
    tone = f" kn-{figure.tone}-text" if figure.tone else ""
    return (
        f'<div class="kn-figure"><p class="kn-figure-name">{escape(figure.name)} {figure.mark}</p>'
        f'<p class="kn-figure-value{tone}">{escape(figure.value)}</p>'
        f'<p class="kn-note">{escape(figure.note)}</p></div>'
    )
