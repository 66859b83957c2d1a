"""Which account this is, and as whom, on every page: a badge in the header that leads to its choice, a tinted header
on a real one, and a line in every plan.
"""

from html import escape

import streamlit as st

from dashboard import state, tab
from dashboard.core.aws import Account, Aws
from dashboard.core.costs import SIMULATED
from dashboard.core.errors import KennelError
from dashboard.ui import access, page, problem
from dashboard.ui.markup import badge
from dashboard.ui.page import Place
from dashboard.ui.pages import Page

FAILED = "account.failed"
LOOK = 20
"""Seconds between two looks at whether changes are still allowed."""
TINTS = {"waiting": "light-dark(#fcecd2, #3a2608)", "stopped": "light-dark(#e1e8ef, #1b2733)"}


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


def who(account: Account) -> str:
    """The identity as people say it: the ARN's last part ("user/ada", "assumed-role/Reader/ada"); "" for unknown."""
    return account.identity.rpartition(":")[2]


def show(account: Account) -> None:
    """Put the badge into the header; tint the header when the money is real. A visitor learns nothing of either."""
    if access.is_visitor():
        return
    which = " · ".join(part for part in (account.account_id, account.region) if part)
    tone = "simulated" if account.is_embedded else "waiting" if account.writable else "stopped"
    identity = f'<span class="kn-account-who" title="{escape(account.identity)}">{escape(who(account))}</span>'
    with st.container(key="account"):
        st.html(
            '<div class="kn-account" role="group" aria-label="Account in use">'
            f'<span class="kn-account-id">{escape(which)}</span>{identity if account.identity else ""}'
            f"{badge(tone, words(account), explanation(account))}</div>"
        )
        st.page_link(Place.SETTINGS, label="Account and settings")
        if not account.is_embedded:
            st.html(f'<style>header[data-testid="stHeader"] {{ background: {TINTS[tone]}; }}</style>')
    if tab.switch(account) is not None:
        st.fragment(_until, run_every=LOOK, key="account-until")(account)


def _until(account: Account) -> None:
    """The page says that changes are allowed no longer than they are."""
    if tab.switch(account) is None:
        st.rerun()


def planned(account: Account, *, says_read_only: bool) -> None:
    """The first line of every plan: what it would be done on, and as whom; and the way out where a tab only reads."""
    if access.is_visitor():
        return
    what = "the embedded AWS, simulated money" if account.is_embedded else f"profile {account.name}"
    told = f"On account {account.account_id}, {account.region} · {what}"
    told += f" · as {who(account)}" if account.identity else ""
    told += f" · signed in as {name}" if (name := access.name()) else ""
    kind = "" if account.is_embedded else " kn-planned-real"
    st.html(f'<p class="kn-note kn-planned{kind}" title="{escape(account.identity)}">{escape(told)}</p>')
    if says_read_only and not account.is_embedded and tab.switch(account) is None:
        st.page_link(
            Place.SETTINGS,
            label="This tab only reads this account. Allow changes",
            icon=":material/lock:",
            query_params={"part": "Account"},
        )


def connected(opened: Page) -> Aws | None:
    """The account in use, and its badge. Where it cannot be connected to, the badge still says which one was meant, and
    the page says why and where another one is chosen; that page itself stands without an account.
    """
    st.session_state[FAILED] = None
    try:
        aws = state.connection()
    except KennelError as error:
        show(tab.chosen().unasked)
        st.session_state[FAILED] = error
        if opened.place is not Place.SETTINGS:
            page.title(opened.title, "cannot be shown right now")
            problem.card(error)
            if not access.is_visitor():
                st.page_link(Place.SETTINGS, label="Choose another account", icon=":material/swap_horiz:")
        return None
    show(aws.account)
    return aws


def failure() -> KennelError | None:
    """Why the account of this run of the page cannot be connected to; None where it is."""
    found: KennelError | None = st.session_state.get(FAILED)
    return found
