"""The caches of how variants of endpoints scale. Pages use them through `state`."""

import contextlib

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError
from dashboard.core.runs.quota import Limits, sagemaker_limits
from dashboard.core.serving.scaling import around, history, read
from dashboard.core.serving.scaling.around import Around
from dashboard.core.serving.scaling.history import History
from dashboard.core.serving.scaling.policy import TargetTracking
from dashboard.core.serving.scaling.scaling import Scaling
from dashboard.core.serving.scaling.variant import Variant
from dashboard.readings import Reading, now, where


def scaling(aws: Aws, endpoint: str, variant: str = "") -> Reading[Scaling]:
    """How a variant scales now; "" is the endpoint's first. Raises NotFound."""
    return _scaling(where(aws), endpoint, variant, aws)


def scaling_around(aws: Aws, variant: Variant) -> Around:
    """The service-linked role and the limit of instances that its auto scaling finds in the account."""
    return _around(where(aws), variant.instance_type, variant.kind, variant, aws)


def scaling_history(aws: Aws, of: Scaling, policies: tuple[TargetTracking, ...]) -> Reading[History]:
    """The metrics of some policies and the variant's instances over the last while."""
    return _history(where(aws), of.variant.resource_id, policies, len(of.activities), of.variant.desired, of, aws)


def scaling_latency(aws: Aws, of: Scaling, policies: tuple[TargetTracking, ...]) -> float | None:
    """Mean seconds of a request in the last while; None without requests, or where CloudWatch does not tell."""
    with contextlib.suppress(KennelError):  # the page says it where it draws the history itself
        return scaling_history(aws, of, policies).value.latency
    return None


def forget_scaling() -> None:
    """Something was changed: look again."""
    for cached in (_scaling, _around, _history):
        cached.clear()


@st.cache_data(show_spinner=False, ttl=1, refresh_mode="background", max_entries=64)
def _scaling(where: str, endpoint: str, variant: str, _aws: Aws) -> Reading[Scaling]:
    return Reading(read.read(_aws, endpoint, variant), now())


@st.cache_data(show_spinner=False, ttl=30, refresh_mode="background", max_entries=64)
def _around(where: str, instance_type: str, kind: str, _variant: Variant, _aws: Aws) -> Around:
    return around.look(_aws, _variant, lambda: _limits(where, _aws))


@st.cache_data(show_spinner=False, ttl=300, refresh_mode="background", max_entries=8)
def _limits(where: str, _aws: Aws) -> Limits:
    """Reading all of SageMaker's quotas takes seconds on AWS."""
    return sagemaker_limits(_aws)


@st.cache_data(show_spinner=False, ttl=10, refresh_mode="background", max_entries=64)  # a chart that changes flickers
def _history(
    where: str, resource: str, policies: tuple[TargetTracking, ...], moves: int, desired: int, _of: Scaling, _aws: Aws
) -> Reading[History]:
    at = now()
    return Reading(history.read(_aws, _of, policies, at, _aws.account.time_scale), at)
