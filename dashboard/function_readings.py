"""The caches of Lambda functions. Pages use them through `state`."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.serving.functions import functions as lambdas
from dashboard.core.serving.functions import role
from dashboard.core.serving.functions.functions import Details, Limits
from dashboard.core.serving.functions.model import Function
from dashboard.core.serving.functions.network import Networks, networks
from dashboard.core.serving.functions.usage import Usage, brief, read_usage
from dashboard.core.serving.span import Span
from dashboard.readings import Reading, now, where


def functions(aws: Aws) -> Reading[tuple[Function, ...]]:
    """The Lambda functions of the account, by name. Raises the errors of `Aws.call`."""
    return _functions(where(aws), aws)


def function(aws: Aws, name: str) -> Reading[Details]:
    """One function with all that hangs on it. Raises NotFound and the errors of `Aws.call`."""
    return _function(where(aws), name, aws)


def function_usage(aws: Aws, name: str, span: Span) -> Reading[Usage]:
    """What a function did in a span. Raises the errors of `Aws.call`."""
    return _usage(where(aws), name, span, aws)


def functions_usage(aws: Aws, names: Sequence[str], span: Span) -> Reading[dict[str, Usage]]:
    """What functions did in a span as a whole, by name. Raises the errors of `Aws.call`."""
    return _brief(where(aws), tuple(names), span, aws)


def lambda_limits(aws: Aws) -> Limits:
    """How many invocations the account may run at once in its region. Raises the errors of `Aws.call`."""
    return _limits(where(aws), aws)


def function_networks(aws: Aws) -> Networks:
    """The subnets and security groups that a function may be in. Raises the errors of `Aws.call`."""
    return _networks(where(aws), aws)


def function_rights(aws: Aws, name: str) -> dict[str, Any] | None:
    """The policy of a function's own role; None where it may not be read. Raises the errors of `Aws.call`."""
    return _granted(where(aws), name, aws)


def forget_functions() -> None:
    """Something was changed: read functions again at the next look."""
    for cached in (_functions, _function, _limits, _granted):
        cached.clear()


@st.cache_data(show_spinner=False, ttl=3, refresh_mode="background", max_entries=8)
def _functions(where: str, _aws: Aws) -> Reading[tuple[Function, ...]]:
    return Reading(lambdas.list_functions(_aws), now())


@st.cache_data(show_spinner=False, ttl=2, refresh_mode="background", max_entries=50)
def _function(where: str, name: str, _aws: Aws) -> Reading[Details]:
    return Reading(lambdas.read(_aws, name), now())


@st.cache_data(show_spinner=False, ttl=3, refresh_mode="background", max_entries=50)
def _usage(where: str, name: str, span: Span, _aws: Aws) -> Reading[Usage]:
    at = now()
    return Reading(read_usage(_aws, name, span, at), at)


@st.cache_data(show_spinner=False, ttl=5, refresh_mode="background", max_entries=8)
def _brief(where: str, names: tuple[str, ...], span: Span, _aws: Aws) -> Reading[dict[str, Usage]]:
    at = now()
    return Reading(brief(_aws, names, span, at), at)


@st.cache_data(show_spinner=False, ttl=10, refresh_mode="background", max_entries=8)
def _limits(where: str, _aws: Aws) -> Limits:
    return lambdas.limits(_aws)


@st.cache_data(show_spinner=False, ttl=30, refresh_mode="background", max_entries=8)
def _networks(where: str, _aws: Aws) -> Networks:
    return networks(_aws)


@st.cache_data(show_spinner=False, ttl=5, max_entries=50)
def _granted(where: str, name: str, _aws: Aws) -> dict[str, Any] | None:
    return role.granted(_aws, name)
