"""What one tab has chosen: its account, and whether it may change it.

A tab begins with what its browser chose last, else with what the environment names, and always without the right to
change a real account. Outside of a tab, as for /healthz, there is the environment's choice alone.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.core.accounts import browsers, choice
from dashboard.core.accounts.browsers import Browsers
from dashboard.core.accounts.choice import Choice
from dashboard.core.accounts.switch import Switch
from dashboard.core.aws import Account
from dashboard.core.people import Role
from dashboard.readings import now
from dashboard.ui import access

CHOICE, SWITCH, SEEN = "tab.choice", "tab.switch", "tab.seen"


def chosen() -> Choice:
    """The account that this tab works on. A visitor has no choice."""
    if get_script_run_ctx() is None or access.is_visitor():
        return choice.standing()
    if CHOICE not in st.session_state:  # a new tab: what another one chooses later is no matter to this one
        last = _browsers().last(_cookie(), access.key())
        is_open = last is not None and (last.is_embedded or choice.allowed(last.profile))
        st.session_state[CHOICE] = last if is_open else None
    found: Choice | None = st.session_state[CHOICE]
    return found or choice.standing()


def choose(one: Choice) -> None:
    """Work on this account from now on, to read it. What the tab holds of another one is let go: plans, drafts, what
    was typed and what is watched.
    """
    st.session_state.clear()
    st.session_state[CHOICE] = one
    _browsers().note(_cookie(), access.key(), one)


def allow(account: Account) -> None:
    """Changes are allowed on this account, in this tab, until an hour is idle."""
    st.session_state[SWITCH] = Switch(account, now())


def forbid() -> None:
    """Only to read again."""
    st.session_state.pop(SWITCH, None)


def switch(account: Account) -> Switch | None:
    """What allows changes on this account at this moment; None where nothing does, or who looks may do none."""
    if get_script_run_ctx() is None or not access.may(Role.ENGINEER):
        return None
    found: Switch | None = st.session_state.get(SWITCH)
    return found if found is not None and found.allows(account, now()) else None


def touched(what: str = "") -> None:
    """Something was done that counts as work on the account. what: a page's address, which counts once."""
    found: Switch | None = st.session_state.get(SWITCH)
    if found is not None and (not what or what != st.session_state.get(SEEN)):
        st.session_state[SWITCH] = found.touched(now())
    if what:
        st.session_state[SEEN] = what


def _cookie() -> str:
    return st.context.cookies.get(browsers.COOKIE, "")


@st.cache_resource(show_spinner=False)
def _browsers() -> Browsers:
    return Browsers()
