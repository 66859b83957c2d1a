"""The caches of everything about endpoints. Pages use them through `state`."""

from collections.abc import Sequence

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.runs.log import LogLine
from dashboard.core.serving import endpoints as serving
from dashboard.core.serving import live, logs
from dashboard.core.serving.endpoints import Endpoint
from dashboard.core.serving.live import Traffic
from dashboard.core.serving.span import Span
from dashboard.price_readings import prices
from dashboard.readings import Reading, now, where


def endpoints(aws: Aws) -> Reading[tuple[Endpoint, ...]]:
    """The endpoints of the account."""
    return _endpoints(where(aws), aws)


def endpoint(aws: Aws, name: str) -> Reading[Endpoint]:
    """One endpoint as it is now. Raises NotFound."""
    return _endpoint(where(aws), name, aws)


def traffic(aws: Aws, one: Endpoint, span: Span) -> Reading[dict[str, Traffic]]:
    """How each variant of an endpoint did, by its name."""
    return _traffic(where(aws), one.name, tuple(each.name for each in one.variants), span, one, aws)


def brief_traffic(aws: Aws, those: Sequence[Endpoint]) -> Reading[dict[str, list[Traffic]]]:
    """How endpoints did in the last quarter of an hour, by name, one a variant."""
    return _brief(where(aws), tuple((one.name, each.name) for one in those for each in one.variants), tuple(those), aws)


def serving_log(aws: Aws, group: str) -> tuple[LogLine, ...]:
    """The newest lines of the log group of an endpoint or a function. Raises the errors of `Aws.call`."""
    return _log(where(aws), group, aws)


def find_in_serving_log(aws: Aws, group: str, text: str) -> tuple[LogLine, ...]:
    """The lines of such a whole log that contain `text`. Raises the errors of `Aws.call`."""
    return _found(where(aws), group, text, aws)


def forget_endpoints() -> None:
    """Something was changed: read endpoints again at the next look."""
    for cached in (_endpoints, _endpoint, _traffic, _brief):
        cached.clear()


@st.cache_data(show_spinner=False, ttl=2, refresh_mode="background", max_entries=8)
def _endpoints(where: str, _aws: Aws) -> Reading[tuple[Endpoint, ...]]:
    return Reading(serving.list_endpoints(_aws, prices(_aws.account)), now())


@st.cache_data(show_spinner=False, ttl=1, refresh_mode="background", max_entries=64)
def _endpoint(where: str, name: str, _aws: Aws) -> Reading[Endpoint]:
    return Reading(serving.get_endpoint(_aws, prices(_aws.account), name), now())


@st.cache_data(show_spinner=False, ttl=3, refresh_mode="background", max_entries=64)
def _traffic(
    where: str, name: str, variants: tuple[str, ...], span: Span, _one: Endpoint, _aws: Aws
) -> Reading[dict[str, Traffic]]:
    at = now()
    return Reading(live.read(_aws, _one, span, at), at)


@st.cache_data(show_spinner=False, ttl=5, refresh_mode="background", max_entries=16)
def _brief(
    where: str, names: tuple[tuple[str, str], ...], _those: tuple[Endpoint, ...], _aws: Aws
) -> Reading[dict[str, list[Traffic]]]:
    at = now()
    return Reading(live.brief(_aws, _those, at), at)


@st.cache_data(show_spinner=False, ttl=2, refresh_mode="background", max_entries=32)
def _log(where: str, group: str, _aws: Aws) -> tuple[LogLine, ...]:
    return logs.newest(_aws, group)


@st.cache_data(show_spinner=False, ttl=10, max_entries=64)
def _found(where: str, group: str, text: str, _aws: Aws) -> tuple[LogLine, ...]:
    return logs.search(_aws, group, text)
