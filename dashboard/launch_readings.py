"""What a launch finds in the account, and what tells one intent to launch from another. Used through `state`."""

import secrets
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.runs.look import look
from dashboard.core.runs.quota import Limits, sagemaker_limits
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.surroundings import Surroundings, about
from dashboard.readings import Reading, now, where
from dashboard.ui import access


def surroundings(aws: Aws, spec: TrainingSpec) -> Reading[Surroundings]:
    """What a launch of this training would find in the account. Raises Unreachable or CredentialsProblem."""
    return _surroundings(where(aws), about(spec), aws)


def intent(aws: Aws, spec: TrainingSpec) -> str:
    """Identifies one intent to launch: the same in every tab that describes this training, until it was `launched`.

    A double click, a rerun or a second tab so confirm the same plan, and the same plan makes one run. Two people who
    describe the same training mean two.
    """
    launches = _launches(where(aws), access.key())
    return f"{launches.seed}-{launches.done[replace(spec, max_cost=None)]}"


def launched(aws: Aws, spec: TrainingSpec) -> None:
    """The intent was carried out: describing the same training again from now on is another one."""
    _launches(where(aws), access.key()).done[replace(spec, max_cost=None)] += 1


def forget_surroundings() -> None:
    """Something was changed: look again before the next launch."""
    _surroundings.clear()


@dataclass(frozen=True)
class _Launches:
    """How often each training was launched since this server started; the seed tells its launches from another's."""

    seed: str = field(default_factory=partial(secrets.token_hex, 8))
    done: Counter[TrainingSpec] = field(default_factory=Counter)


@st.cache_data(show_spinner=False, ttl=10, refresh_mode="background", max_entries=200)
def _surroundings(where: str, spec: TrainingSpec, _aws: Aws) -> Reading[Surroundings]:
    limits = None if spec.is_on_ec2 else _limits(where, _aws)
    return Reading(look(_aws, spec, limits=limits), now())


@st.cache_data(show_spinner=False, ttl=300, refresh_mode="background", max_entries=8)
def _limits(where: str, _aws: Aws) -> Limits:
    return sagemaker_limits(_aws)


@st.cache_resource(show_spinner=False, max_entries=200)
def _launches(where: str, person: str) -> _Launches:
    return _Launches()
