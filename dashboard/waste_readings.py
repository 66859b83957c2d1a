"""The cache of the sweep for forgotten spend. Pages use it through `state`; one sweep is shared by all who look."""

from datetime import timedelta

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.sweep import IDLE, sweep
from dashboard.core.costs.waste import Sweep
from dashboard.price_readings import prices
from dashboard.readings import Reading, now, where

SECONDS = 300
"""How long a sweep is shown before it is made again, in the background: a dozen calls and a few for each thing, and
CloudWatch charges a real account for each metric that GetMetricData reads."""


def waste(aws: Aws, idle: timedelta = IDLE) -> Reading[Sweep]:
    """What costs money and serves nobody; `idle`: after how long without a request. Raises nothing of `Aws.call`."""
    return _waste(where(aws), idle, aws)


def forget_waste() -> None:
    """Something was changed: look again."""
    _waste.clear()


@st.cache_data(show_spinner=False, ttl=SECONDS, refresh_mode="background", max_entries=16)
def _waste(where: str, idle: timedelta, _aws: Aws) -> Reading[Sweep]:
    found = sweep(_aws, prices(), now(), idle=idle)
    return Reading(found, found.at)
