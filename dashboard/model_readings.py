"""The caches of what visitors and models need: functions before endpoints, the limit on photos."""

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.serving.through import Front, list_fronts
from dashboard.core.serving.visitors import Visitors, per_minute
from dashboard.readings import Reading, now, where


def fronts(aws: Aws) -> Reading[tuple[Front, ...]]:
    """Kennel's functions that ask an endpoint. Raises the errors of `Aws.call`."""
    return _fronts(where(aws), aws)


@st.cache_resource(show_spinner=False)
def visitors() -> Visitors:
    """The photos of the last minute by visitor, of all who look. Raises InvalidInput for a wrong setting."""
    return Visitors(per_minute())


def forget_models() -> None:
    """Something was changed: read them again at the next look."""
    _fronts.clear()


@st.cache_data(show_spinner=False, ttl=5, refresh_mode="background", max_entries=8)
def _fronts(where: str, _aws: Aws) -> Reading[tuple[Front, ...]]:
    return Reading(list_fronts(_aws), now())
