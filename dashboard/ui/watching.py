"""Runs that this tab has looked at while they went on: when one ends, whatever page is open says so."""

from datetime import datetime

import streamlit as st

from dashboard import state
from dashboard.core.aws import Account, Aws
from dashboard.core.costs.quote import Quote
from dashboard.core.errors import KennelError, NotFound
from dashboard.core.runs.model import Run
from dashboard.ui import receipt, run, say
from dashboard.ui.tones import LOOKS, Tone
from dashboard.ui.words import simulated

WATCHED, OPEN = "watched-runs", "watched-open"
MOST = 20
"""Runs watched at once by one tab; the oldest is let go."""


def watch(one: Run) -> None:
    """Say so when this run ends. A run that has ended is not watched."""
    watched: list[str] = st.session_state.setdefault(WATCHED, [])
    if one.status.is_active and one.key not in watched:
        watched.append(one.key)
        del watched[:-MOST]


def elsewhere() -> None:
    """No run's own page is open, until one says so; once a page, before it."""
    st.session_state[OPEN] = ""


def on_page(key: str) -> None:
    """This run's own page is open: its end is to be seen there and needs no saying."""
    st.session_state[OPEN] = key


def show(aws: Aws) -> None:
    """Look at the watched runs, and again while there are any; once a page, after it."""
    if st.session_state.get(WATCHED):
        st.fragment(_look, run_every=3, key="watching")(aws)


def _look(aws: Aws) -> None:
    watched: list[str] = st.session_state.get(WATCHED, [])
    for key in list(watched):
        try:
            one = state.run(aws, key).value
        except NotFound:
            watched.remove(key)
            continue
        except KennelError:
            return  # the page itself says what is wrong with the account; the next look may succeed
        if one.status.is_final:
            watched.remove(key)
            if key != st.session_state.get(OPEN):
                _say(aws, one)
    if not watched:
        st.rerun()  # nothing left to look at: without this fragment


def _say(aws: Aws, one: Run) -> None:
    say.say(
        said(one, state.cost(aws, one), aws.account, state.now()),
        icon=LOOKS[Tone(one.status.tone)].icon,
        duration="long",
    )


def said(one: Run, cost: Quote, account: Account, now: datetime) -> str:
    """What a person is told: "dogs-1 completed in 1 min 14 s, 91.7 % right · $0.0024 · simulated"."""
    paid = f" · {receipt.amount(cost)}{simulated(account)}" if cost.is_known else ""
    return f"{one.name} {run.sentence(one, now)}{paid}"
