"""What every page begins with: its style, its title and one live sentence; and where the pages are."""

from collections.abc import Mapping
from contextvars import ContextVar
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import NoReturn

import streamlit as st

from dashboard.ui.markup import NO_MARK, Markup

GOING = "page.going"
_titled: ContextVar[bool] = ContextVar("titled", default=False)
STATIC = Path(__file__).resolve().parents[1] / "static"


class Place(StrEnum):
    """A page by its script, as `st.page_link` and `st.switch_page` want it."""

    OVERVIEW = "views/overview.py"
    TRAIN = "views/train.py"
    RUNS = "views/runs.py"
    RUN = "views/run.py"
    COMPARE = "views/compare.py"
    MODELS = "views/models.py"
    ENDPOINTS = "views/endpoints.py"
    ENDPOINT = "views/endpoint.py"
    SCALING = "views/scaling.py"
    FUNCTIONS = "views/functions.py"
    FUNCTION = "views/function.py"
    NOTEBOOKS = "views/notebooks.py"
    CLASSIFY = "views/classify.py"
    COSTS = "views/costs.py"
    CHOICES = "views/choices.py"
    WASTE = "views/waste.py"
    RECEIPT = "views/receipt.py"
    SECURITY = "views/security.py"
    ROLE = "views/role.py"
    PRICES = "views/prices.py"
    ACTIVITY = "views/activity.py"
    DATA = "views/data.py"
    SETTINGS = "views/settings.py"

    @property
    def stem(self) -> str:
        """Its place in the address."""
        return Path(self).stem


def style() -> None:
    """Send our own style sheet; the theme itself is in .streamlit/config.toml.

    Streamlit tells the page which of the two appearances it has, but not its dialogs, which hang outside of it.
    """
    st.html(STATIC / "kennel.css")
    appearance = "dark" if st.context.theme.type == "dark" else "light"
    st.html(f"<style>[data-testid='stDialog'] {{ color-scheme: {appearance}; }}</style>")


def go(place: Place, query: Mapping[str, str] | None = None) -> NoReturn:
    """Open another page from a callback."""
    st.session_state[GOING] = (place, dict(query or {}))
    st.rerun()


def follow(opened: str) -> None:
    """Carry out `go`; once a run, as soon as the pages are known. opened: the open page, by its place in the address.

    To go where one is already changes the address alone, and of it what a widget holds through the widget: Streamlit
    refuses to write that itself.
    """
    if not (going := st.session_state.pop(GOING, None)):
        return
    place, query = going
    if place.stem != opened:
        # what a widget of the page that is left holds is set once the other page is open, whose own is of that name
        held = {name: value for name, value in query.items() if name in st.session_state}
        if held:
            st.session_state[GOING] = (place, held)
        st.switch_page(place, query_params={name: value for name, value in query.items() if name not in held})
    for name, value in query.items():
        if st.query_params.get(name) == value:
            continue
        if name in st.session_state:
            st.session_state[name] = value
        else:
            st.query_params[name] = value


def whole(name: str, usual: int = 1) -> int:
    """A whole number that the address tells, 1 to 99,999; the usual one for anything else, which is taken out of it.

    A widget that is bound to the address fails on what is no number, or on one without end.
    """
    told = st.query_params.get(name, "")
    if told.isascii() and told.isdecimal() and len(told) <= len("99999"):
        return max(1, int(told))
    st.query_params.pop(name, None)
    return usual


def begin() -> None:
    """What follows draws the page's title."""
    _titled.set(False)


def is_titled() -> bool:
    """Whether it was drawn since `begin`."""
    return _titled.get()


def title(name: str, sentence: str, age: str = "", marks: Markup = NO_MARK) -> None:
    """The title line: the page's name, badges, one live sentence, and how old the reading is once that matters."""
    _titled.set(True)
    old = f'<span class="kn-age">{escape(age)}</span>' if age else ""
    st.html(f'<div class="kn-title"><h1>{escape(name)}</h1>{marks}<p>{escape(sentence)}</p>{old}</div>')


def back(place: Place, label: str, query: Mapping[str, str] | None = None) -> None:
    """The way back from a page to the one that it is a part of."""
    with st.container(horizontal=True, gap="small", key="back"):
        st.page_link(place, label=label, icon=":material/arrow_back:", query_params=query)


def section(name: str, mark: Markup = NO_MARK) -> None:
    """The heading of a part of the page; `mark` stands beside it."""
    st.html(f'<div class="kn-heading"><h2 class="kn-section">{escape(name)}</h2>{mark}</div>')
