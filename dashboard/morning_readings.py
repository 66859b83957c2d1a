"""What Overview shows beside runs, endpoints and money: read in the background. Used through `state`."""

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import streamlit as st

from dashboard.core import first_steps as stepping
from dashboard.core import morning as mornings
from dashboard.core import steps_taken
from dashboard.core.aws import Aws
from dashboard.core.data.datasets import list_datasets
from dashboard.core.errors import KennelError
from dashboard.core.first_steps import Found
from dashboard.core.morning import Morning
from dashboard.core.overview import Overview
from dashboard.core.parallel import gather
from dashboard.core.trail.model import Deed
from dashboard.core.trail.read import recent
from dashboard.glances import Glance
from dashboard.readings import Reading, is_filling, now, where
from dashboard.run_readings import Tail, log
from dashboard.security_readings import Standing, posture

OFTEN = timedelta(seconds=10)
"""How old the steps of somebody new get: whoever has just taken one wants to see it ticked off."""
SOMETIMES = timedelta(minutes=1)
SELDOM = timedelta(minutes=10)
"""The same of what takes dozens of calls, of which AWS takes some ten a second."""


def posture_so_far(aws: Aws) -> Standing | None:
    """How the account's roles stand, as `posture` says it; None until they have been read once."""
    return _postures().setdefault(where(aws), Glance(SOMETIMES)).value(lambda: posture(aws))


def morning(aws: Aws) -> Morning | None:
    """Alarms, what lies open and what is lacking; None until all of that has been read once."""
    rung = _alarms().setdefault(where(aws), Glance(SOMETIMES)).value(lambda: mornings.alarming(aws, now()))
    glance = _open().setdefault(where(aws), Glance(SELDOM))
    lying = glance.look(lambda: mornings.lying_open(aws))
    if lying is not None and lying.value.is_changing and now() - lying.at >= OFTEN:
        glance.stale()
    return rung.with_more(lying.value) if rung is not None and lying is not None else None


def first_steps(aws: Aws, seen: Overview) -> Reading[Found] | None:
    """What the steps of somebody new are ticked off by; None until that has been read once. seen: the account now."""
    filling, taken = is_filling(aws), steps_taken.place(aws.account)

    def read() -> Found:
        found = mornings.found(aws, lambda: list_datasets(aws, is_filling=filling), seen.endpoints, now())
        done = [one.step for one in stepping.steps(seen, found) if one.is_done]
        return replace(found, before=steps_taken.taken(taken, done))

    return _steps().setdefault(where(aws), Glance(OFTEN)).look(read)


def tails(aws: Aws, keys: Iterable[str]) -> dict[str, Tail]:
    """The ends of these runs' logs as they are now, read side by side, by key; what cannot be read is left out."""

    def read(key: str) -> tuple[str, Tail | None]:
        with contextlib.suppress(KennelError):  # a run's own page says why
            return key, log(aws, key)
        return key, None

    return {key: tail for key, tail in gather(read, keys) if tail is not None}


def deeds(aws: Aws, most: int) -> tuple[Deed, ...]:
    """What was done in the account lately, and on this machine alone, the newest first. Raises ServiceFault."""
    return _deeds(where(aws), aws.account.account_id, most)


def forget_morning() -> None:
    """Something was changed: look again."""
    for standing in _postures().values():
        standing.stale()
    for seen in _alarms().values():
        seen.stale()
    for lying in _open().values():
        lying.doubt(lambda told: told.is_about_set_up)
    for found in _steps().values():
        found.stale()
    _deeds.clear()


@st.cache_resource(show_spinner=False)
def _postures() -> dict[str, Glance[Standing]]:
    return {}


@st.cache_resource(show_spinner=False)
def _alarms() -> dict[str, Glance[Morning]]:
    return {}


@st.cache_resource(show_spinner=False)
def _open() -> dict[str, Glance[Morning]]:
    return {}


@st.cache_resource(show_spinner=False)
def _steps() -> dict[str, Glance[Found]]:
    return {}


@st.cache_data(show_spinner=False, ttl=2, max_entries=16)
def _deeds(where: str, account_id: str, most: int) -> tuple[Deed, ...]:
    return recent(account_id, most)
