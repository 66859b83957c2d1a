"""Parts of an account that could not be read: one calm line, and behind it why, and which right would allow it."""

import json
from collections.abc import Sequence

import streamlit as st

from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import AccessDenied, KennelError, ServiceFault, Throttled, Unreachable
from dashboard.ui import markup


def show(lead: str, parts: Sequence[Unread], key: str) -> None:
    """ "Not checked: notebooks, functions: not available here · volumes: not allowed"; nothing where all was read."""
    if not parts:
        return
    st.html(markup.note(f"{lead}: {sentence(parts)}."))
    with st.expander("Why, in AWS's words", key=f"unread-{key}"):
        for part in parts:
            st.html(markup.note(f"{markup.sentence(part.what)}: {part.problem}"))
            if isinstance(part.problem, AccessDenied) and part.problem.action:
                st.code(json.dumps(part.problem.statement, indent=2), language="json")


def sentence(parts: Sequence[Unread]) -> str:
    """The parts by why they could not be read, in the order of their first."""
    by_reason: dict[str, list[str]] = {}
    for part in parts:
        by_reason.setdefault(reason(part.problem), []).append(part.what)
    return " · ".join(f"{', '.join(what)}: {why}" for why, what in by_reason.items())


def reason(problem: KennelError) -> str:
    """Why, in a few words."""
    if isinstance(problem, ServiceFault) and "not part of the embedded AWS" in problem.why:
        return "not part of the embedded AWS"
    if isinstance(problem, AccessDenied):
        return "not allowed"
    if isinstance(problem, Throttled):
        return "AWS asked to slow down"
    return "AWS did not answer" if isinstance(problem, Unreachable) else problem.what
