"""Who asks, and how many photos of theirs are sent: the limit of a visitor."""

from collections.abc import Sequence
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import state
from dashboard.core.serving.visitors import said

LIMITED = "visiting.limited"
T = TypeVar("T")


def granted(wanted: Sequence[T]) -> Sequence[T]:
    """The first of the photos, as many as this visitor may ask about now; `sentence` says what became of the others.

    Raises InvalidInput for a wrong setting.
    """
    visitors = state.visitors()
    told = visitors.ask(_names(), len(wanted))
    left = len(wanted) - told.photos
    st.session_state[LIMITED] = said(left, visitors.per_minute, told.wait) if left else ""
    return wanted[: told.photos]


def sentence() -> str:
    """What to say of photos that were not sent for being too many in a minute; "" otherwise."""
    return str(st.session_state.get(LIMITED, ""))


def forget() -> None:
    """It was said once: not again after the next thing that is done."""
    st.session_state.pop(LIMITED, None)


def _names() -> tuple[str, ...]:
    """This tab and the address that it comes from. A proxy on this machine says for whom it asks."""
    context = get_script_run_ctx()
    tab = context.session_id if context else ""
    address = st.context.ip_address
    if address is None:
        through = (st.context.headers.get("X-Forwarded-For") or "").rpartition(",")[2].strip()
        address = through or "this machine"
    return f"tab {tab}", f"address {_home(address)}"


def _home(address: str) -> str:
    """Whose an address is: of IPv6 everybody has a whole /64 of them to come from (RFC 6177)."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Network((int(found) >> 64 << 64, 64)))
