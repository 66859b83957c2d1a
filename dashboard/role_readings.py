"""What is read of one role, and what is being done to it in the background. Pages of roles use it."""

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.iam.going import Deed, Do, Going, Progress
from dashboard.readings import now, where

__all__ = ["begin", "forget_roles", "going", "now", "put_away", "stop"]


def going(aws: Aws, role: str) -> Progress | None:
    """How far what is done to a role is, or how the last of it ended; None when this server has done nothing to it."""
    return _going(where(aws)).look(role)


def begin(aws: Aws, role: str, deed: Deed, do: Do, about: str = "") -> None:
    """Begin a proof, a change, an undo or a retirement; returns at once. Raises Refused while another goes on."""
    _going(where(aws)).start(role, deed, do, now(), about)


def stop(aws: Aws, role: str) -> None:
    """End a proof after the step that is under way."""
    _going(where(aws)).stop(role)


def put_away(aws: Aws, role: str) -> None:
    """Show no longer how the last deed ended."""
    _going(where(aws)).put_away(role)


def forget_roles() -> None:
    """Something was changed: read roles again at the next look."""


@st.cache_resource(show_spinner=False, max_entries=8)
def _going(where: str) -> Going:
    return Going()
