"""The caches of what visitors and models need: the registry, imports, functions before endpoints, the photo limit."""

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.home import home
from dashboard.core.serving.registry import Group, list_groups, read_versions
from dashboard.core.serving.through import Front, list_fronts
from dashboard.core.serving.visitors import Visitors, per_minute
from dashboard.model_imports import Imports
from dashboard.readings import Reading, now, where


def groups(aws: Aws) -> Reading[tuple[Group, ...]]:
    """The registry's models with their versions as they are listed. Raises the errors of `Aws.call`."""
    return _groups(where(aws), aws)


def versions(aws: Aws, group: Group) -> Group:
    """A listed model with all that is known of its newest versions. Raises the errors of `Aws.call`."""
    return _versions(where(aws), group.name, tuple(one.arn for one in group.versions), aws, group)


def imports(aws: Aws) -> Imports:
    """The imports of this account that go on, and those that are over, of all who look."""
    return _imports(where(aws))


def fronts(aws: Aws) -> Reading[tuple[Front, ...]]:
    """Kennel's functions that ask an endpoint. Raises the errors of `Aws.call`."""
    return _fronts(where(aws), aws)


@st.cache_resource(show_spinner=False)
def visitors() -> Visitors:
    """The photos of the last minute by visitor, of all who look. Raises InvalidInput for a wrong setting."""
    return Visitors(per_minute())


def forget_models() -> None:
    """Something was changed: read them again at the next look."""
    _groups.clear()
    _versions.clear()
    _fronts.clear()


@st.cache_data(show_spinner=False, ttl=5, refresh_mode="background", max_entries=8)
def _groups(where: str, _aws: Aws) -> Reading[tuple[Group, ...]]:
    return Reading(list_groups(_aws), now())


@st.cache_data(show_spinner=False, ttl=5, refresh_mode="background", max_entries=64)
def _versions(where: str, name: str, arns: tuple[str, ...], _aws: Aws, _group: Group) -> Group:
    return read_versions(_aws, _group)


@st.cache_resource(show_spinner=False)  # of as many accounts as there are: it is more than a reading
def _imports(where: str) -> Imports:
    return Imports(home() / "imports", _groups.clear)


@st.cache_data(show_spinner=False, ttl=5, refresh_mode="background", max_entries=8)
def _fronts(where: str, _aws: Aws) -> Reading[tuple[Front, ...]]:
    return Reading(list_fronts(_aws), now())
