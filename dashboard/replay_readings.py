"""The caches of replays: what an endpoint's past tells, and what was simulated. Pages use them through `state`."""

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.serving.scaling import facts
from dashboard.core.serving.scaling.facts import Facts
from dashboard.core.serving.scaling.policy import Settings
from dashboard.core.serving.scaling.recorded import Window, recorded
from dashboard.core.serving.scaling.replay import Delays, Replay, simulate
from dashboard.core.serving.scaling.serving import Service
from dashboard.core.serving.scaling.traffic import Traffic
from dashboard.price_readings import prices
from dashboard.readings import Reading, now, where
from dashboard.scaling_readings import scaling


def recorded_traffic(aws: Aws, endpoint: str, variant: str, window: Window) -> Reading[Traffic]:
    """The requests that a variant had over a window."""
    return _recorded(where(aws), endpoint, variant, window, aws)


def replay_facts(aws: Aws, endpoint: str, variant: str) -> Reading[Facts]:
    """What the account tells of a variant that a replay has to know. Raises NotFound."""
    return _facts(where(aws), endpoint, variant, aws)


def replayed(settings: Settings, traffic: Traffic, service: Service, delays: Delays, instances: int) -> Replay:
    """What the settings would have done; the same question is simulated once."""
    asked = (settings, traffic, service, delays, instances)
    return _replayed(hash(asked), repr((settings, service, delays, instances)), asked)


def forget_replays() -> None:
    """Something was changed: look again. What was simulated stays as it is."""
    for cached in (_recorded, _facts):
        cached.clear()


@st.cache_data(show_spinner=False, ttl=60, refresh_mode="background", max_entries=32)
def _recorded(where: str, endpoint: str, variant: str, window: str, _aws: Aws) -> Reading[Traffic]:
    at = now()
    return Reading(recorded(_aws, endpoint, variant, Window(window), at), at)


@st.cache_data(show_spinner=False, ttl=30, refresh_mode="background", max_entries=64)
def _facts(where: str, endpoint: str, variant: str, _aws: Aws) -> Reading[Facts]:
    at = now()
    return Reading(facts.read(_aws, scaling(_aws, endpoint, variant).value, prices(_aws.account), at), at)


@st.cache_resource(show_spinner=False, max_entries=64)
def _replayed(key: int, settings: str, _asked: tuple[Settings, Traffic, Service, Delays, int]) -> Replay:
    chosen, traffic, service, delays, instances = _asked
    return simulate(chosen, traffic, service, delays, instances=instances)
