"""The caches of what an account has of Kennel's pieces, of its stack and its quotas. Pages use them through `state`."""

from datetime import timedelta

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.setup import missing, quotas, stack
from dashboard.core.setup.missing import Found
from dashboard.core.setup.quotas import Quotas
from dashboard.core.setup.stack import Stack
from dashboard.glances import Glance
from dashboard.readings import Reading, now, where

SELDOM = timedelta(minutes=10)
"""After how long quotas are read again: SageMaker's are pages over pages, and seldom change."""


def pieces(aws: Aws) -> Reading[tuple[Found, ...]]:
    """How each piece that Kennel needs stands. Raises Unreachable and CredentialsProblem."""
    return _pieces(where(aws), aws)


def setup_stack(aws: Aws) -> Reading[Stack]:
    """The stack that made them. Raises the errors of `Aws.call`."""
    return _stack(where(aws), aws)


def zero_quotas(aws: Aws) -> Quotas | None:
    """The quotas that are zero, without waiting: None until they have been read."""
    return _glance(where(aws)).value(lambda: quotas.read(aws))


def forget_setup() -> None:
    """Something was changed: read pieces and stack again at the next look."""
    for cached in (_pieces, _stack):
        cached.clear()


@st.cache_data(show_spinner=False, ttl=20, refresh_mode="background", max_entries=8)
def _pieces(where: str, _aws: Aws) -> Reading[tuple[Found, ...]]:
    return Reading(missing.look(_aws), now())


@st.cache_data(show_spinner=False, ttl=1, refresh_mode="background", max_entries=8)
def _stack(where: str, _aws: Aws) -> Reading[Stack]:
    return Reading(stack.read(_aws), now())


@st.cache_resource(show_spinner=False)
def _glances() -> dict[str, Glance[Quotas]]:
    return {}


def _glance(where: str) -> Glance[Quotas]:
    return _glances().setdefault(where, Glance(SELDOM))
