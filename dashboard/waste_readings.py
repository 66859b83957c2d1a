"""The cache of the sweep for forgotten spend. Pages use it through `state`; one sweep is shared by all who look."""

from datetime import timedelta

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.waste.sweep import IDLE, sweep
from dashboard.core.costs.waste.waste import Sweep
from dashboard.glances import Glance
from dashboard.price_readings import prices
from dashboard.readings import Reading, now, where

SECONDS = 300
"""How long a sweep is shown before it is made again, in the background: a dozen calls and a few for each thing, and
CloudWatch charges a real account for each metric that GetMetricData reads."""
NEW = timedelta(minutes=1)
SELDOM = timedelta(minutes=15)
"""The same for a page that is open all day and says no more of waste than that it is there."""


def waste(aws: Aws, idle: timedelta = IDLE) -> Reading[Sweep]:
    """What costs money and serves nobody; `idle`: after how long without a request. Raises nothing of `Aws.call`."""
    return _waste(where(aws), idle, aws)


def waste_so_far(aws: Aws) -> Sweep | None:
    """The last sweep, whoever asked for it, without waiting: None until there is one.

    One that is older than SELDOM, or was made before something changed, is made again in the background.
    """
    listed = prices(aws.account)
    return _glance(where(aws)).value(lambda: sweep(aws, listed, now()))


def forget_waste() -> None:
    """Something was changed: look again."""
    _waste.clear()
    for glance in _glances().values():
        glance.stale()


@st.cache_resource(show_spinner=False)
def _glances() -> dict[str, Glance[Sweep]]:
    return {}


def _glance(where: str) -> Glance[Sweep]:
    return _glances().setdefault(where, Glance(SELDOM))


@st.cache_data(show_spinner=False, ttl=SECONDS, refresh_mode="background", max_entries=16)
def _waste(where: str, idle: timedelta, _aws: Aws) -> Reading[Sweep]:
    glance = _glance(where)
    found = glance.newest(NEW) if idle == IDLE else None
    if found is None:
        found = sweep(_aws, prices(_aws.account), now(), idle=idle)
        if idle == IDLE:
            glance.keep(Reading(found, found.at))
    return Reading(found, found.at)
