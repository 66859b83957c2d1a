"""What Overview shows beside runs, endpoints and money: read in the background. Used through `state`."""

from datetime import timedelta

import streamlit as st

from dashboard.core import morning as mornings
from dashboard.core.aws import Aws
from dashboard.core.data.datasets import list_datasets
from dashboard.core.first_steps import Found
from dashboard.core.morning import Morning
from dashboard.endpoint_readings import endpoints
from dashboard.glances import Glance
from dashboard.readings import is_filling, now, where
from dashboard.security_readings import Standing, posture

OFTEN = timedelta(seconds=10)
"""How old the steps of somebody new get: whoever has just taken one wants to see it ticked off."""
SOMETIMES = timedelta(minutes=1)


def posture_so_far(aws: Aws) -> Standing | None:
    """How the account's roles stand, as `posture` says it; None until they have been read once."""
    seen = _postures().setdefault(where(aws), Glance(SOMETIMES)).look(lambda: posture(aws))
    return seen.value if seen is not None else None


def morning(aws: Aws) -> Morning | None:
    """Alarms and what lies open; None until that has been read once."""
    seen = _mornings().setdefault(where(aws), Glance(SOMETIMES)).look(lambda: mornings.look(aws, now()))
    return seen.value if seen is not None else None


def first_steps(aws: Aws) -> Found | None:
    """What the steps of somebody new are ticked off by; None until that has been read once."""
    there = endpoints(aws).value
    filling = is_filling(aws)

    def read() -> Found:
        return mornings.found(aws, lambda: list_datasets(aws, is_filling=filling), there, now())

    seen = _steps().setdefault(where(aws), Glance(OFTEN)).look(read)
    return seen.value if seen is not None else None


def forget_morning() -> None:
    """Something was changed: look again."""
    for standing in _postures().values():
        standing.stale()
    for seen in _mornings().values():
        seen.stale()
    for found in _steps().values():
        found.stale()


@st.cache_resource(show_spinner=False)
def _postures() -> dict[str, Glance[Standing]]:
    return {}


@st.cache_resource(show_spinner=False)
def _mornings() -> dict[str, Glance[Morning]]:
    return {}


@st.cache_resource(show_spinner=False)
def _steps() -> dict[str, Glance[Found]]:
    return {}
