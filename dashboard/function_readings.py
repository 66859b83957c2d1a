"""The caches of Lambda functions. Pages use them through `state`."""

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.serving.functions import functions as lambdas
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.model import Function
from dashboard.readings import Reading, now, where


def functions(aws: Aws) -> Reading[tuple[Function, ...]]:
    """The Lambda functions of the account, by name. Raises the errors of `Aws.call`."""
    return _functions(where(aws), aws)


def function(aws: Aws, name: str) -> Reading[Details]:
    """One function with all that hangs on it. Raises NotFound and the errors of `Aws.call`."""
    return _function(where(aws), name, aws)


def forget_functions() -> None:
    """Something was changed: read functions again at the next look."""
    for cached in (_functions, _function):
        cached.clear()


@st.cache_data(show_spinner=False, ttl=3, refresh_mode="background", max_entries=8)
def _functions(where: str, _aws: Aws) -> Reading[tuple[Function, ...]]:
    return Reading(lambdas.list_functions(_aws), now())


@st.cache_data(show_spinner=False, ttl=2, refresh_mode="background", max_entries=50)
def _function(where: str, name: str, _aws: Aws) -> Reading[Details]:
    return Reading(lambdas.read(_aws, name), now())
