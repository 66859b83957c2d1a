"""The caches of notebook instances. Pages use them through `state`."""

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.waste import sweep_notebooks
from dashboard.core.costs.waste.sweep import IDLE
from dashboard.core.costs.waste.waste import Finding
from dashboard.core.notebooks import listing
from dashboard.core.notebooks.model import Notebook
from dashboard.price_readings import prices
from dashboard.readings import Reading, now, where


def notebooks(aws: Aws) -> Reading[tuple[Notebook, ...]]:
    """The notebook instances of the account, by name. Raises the errors of `Aws.call`."""
    return _notebooks(where(aws), aws)


def notebook(aws: Aws, name: str) -> Notebook:
    """One of them as it is at this moment, to plan from. Raises NotFound and the errors of `Aws.call`."""
    return listing.notebook(aws, prices(aws.account), name)


def idle_notebooks(aws: Aws) -> Reading[tuple[Finding, ...]]:
    """What is wasted on notebook instances, as Waste finds it. Raises the errors of `Aws.call`."""
    return _idle(where(aws), aws)


def forget_notebooks() -> None:
    """Something was changed: read them again at the next look."""
    for cached in (_notebooks, _idle):
        cached.clear()


@st.cache_data(show_spinner=False, ttl=3, refresh_mode="background", max_entries=8)
def _notebooks(where: str, _aws: Aws) -> Reading[tuple[Notebook, ...]]:
    return Reading(listing.notebooks(_aws, prices(_aws.account)), now())


@st.cache_data(show_spinner=False, ttl=60, refresh_mode="background", max_entries=8)
def _idle(where: str, _aws: Aws) -> Reading[tuple[Finding, ...]]:
    at = now()
    return Reading(sweep_notebooks.look(_aws, prices(_aws.account), at, IDLE).findings, at)
