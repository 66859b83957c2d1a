"""Which account this is, on every page: a badge in the header, and a tinted header on a real one."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import streamlit as st

from dashboard import tab
from dashboard.core.aws import Account
from dashboard.core.costs import SIMULATED
from dashboard.core.errors import KennelError
from dashboard.ui.markup import badge


def words(account: Account) -> str:
    """What the badge says."""
    if account.is_embedded:
        faster = f" · waits {account.time_scale:g} × shorter" if account.time_scale != 1 else ""
        return f"Embedded AWS · simulated money{faster}"
    access = "changes allowed" if account.writable else "read-only"
    return f"Real AWS · profile {account.name} · {access}"


def explanation(account: Account) -> str:
    """What the badge says when pointed at."""
    if account.is_embedded:
        told = f"Runs on this machine. Money is {SIMULATED}."
        if account.time_scale != 1:
            told += (
                f" Alarms, cooldowns and instance starts take 1/{account.time_scale:g} of the time they take in AWS."
            )
        return told
    if account.writable:
        return "Changes are allowed in this tab: what you launch here costs real money."
    return "Nothing can be changed here. Settings, under Account, allows it."


def show(account: Account) -> None:
    """Put the badge into the header; tint the header when the money is real."""
    which = " · ".join(part for part in (account.account_id, account.region) if part)
    tone = "simulated" if account.is_embedded else "waiting" if account.writable else "stopped"
    with st.container(key="account"):
        st.html(
            '<div class="kn-account" role="group" aria-label="Account in use">'
            f'<span class="kn-account-id">{escape(which)}</span>'
            f"{badge(tone, words(account), explanation(account))}</div>"
        )
        if not account.is_embedded:
            st.html(f'<style>header[data-testid="stHeader"] {{ background: {TINTS[tone]}; }}</style>')


@contextmanager
def named() -> Iterator[None]:
    """Inside, the account is connected to. Where that fails, the badge still says which one was meant."""
    try:
        yield
    except KennelError:
        show(tab.chosen().unasked)
        raise


TINTS = {"waiting": "light-dark(#fcecd2, #3a2608)", "stopped": "light-dark(#e1e8ef, #1b2733)"}
