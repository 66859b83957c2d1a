"""Errors as a card: what happened, why, what to do. The one place that catches them for the views."""

import json
import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.core.errors import AccessDenied, KennelError, ServiceFault
from dashboard.ui import access, markup, page

logger = logging.getLogger(__name__)
WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


@contextmanager
def shown(key: str = "page", title: str = "") -> Iterator[None]:
    """Inside, a KennelError ends the block and becomes a card; everything above it stays on the page.

    `title` is the page's, where the block would have drawn it itself.
    """
    if title:
        page.begin()
    try:
        yield
    except KennelError as error:
        if title and not page.is_titled():
            page.title(title, "cannot be shown right now")
        card(error, key)


def card(error: KennelError, key: str = "page") -> None:
    """Show an error that a person can act on. A visitor cannot, and is told no more than that it is so."""
    if access.is_visitor():
        logger.warning("a visitor's page could not show something: %s", error)
        error = ServiceFault("This cannot be shown at this moment", "", "try again in a minute")
    drawn(error, key)


def drawn(error: KennelError, key: str) -> None:
    """The card of an error that whoever looks at the page may read as it is."""
    with st.container(border=True, key=f"panel-problem-{key}"):  # a page has panels and buttons of the plain name
        st.html(markup.problem(kind(error), markup.sentence(error.what), error.why, error.next_step))
        if isinstance(error, AccessDenied) and error.action:
            st.code(json.dumps(error.statement, indent=2), language="json")
        if error.is_temporary:
            st.button("Try again", key=f"problem-{key}-again", icon=":material/refresh:")


def kind(error: KennelError) -> str:
    """The error's kind in words: "access denied"."""
    return WORD.sub(" ", type(error).__name__).lower()


def unexpected(error: Exception) -> bool:
    """A mistake of ours: say so, with a number that finds it in the server's log. True: nothing else is shown."""
    number = secrets.token_hex(3)
    logger.error("page failed, number %s", number, exc_info=error)
    with st.container(border=True, key="panel-unexpected"):
        st.html(
            markup.problem(
                "a fault in Kennel",
                f"This page could not be drawn (number {number})",
                "something happened that Kennel does not know how to explain",
                "try again; if it stays, report the lines with this number from the dashboard's log",
            )
        )
        st.button("Try again", key="unexpected-again", icon=":material/refresh:")
    return True
