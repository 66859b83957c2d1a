"""The caches of an account's roles and of what an audit finds in them. Pages use them through `state`.

What is read is shared, not copied: thousands of findings would be pickled for every look otherwise. It is all frozen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import ServiceFault
from dashboard.core.iam.judge import audited
from dashboard.core.iam.judge.audited import Audited, by_severity
from dashboard.core.iam.judge.posture import Posture
from dashboard.core.iam.judge.posture import posture as of_audited
from dashboard.core.iam.judge.risks import Accepted, Point, Risks, held_at
from dashboard.core.iam.judge.unused import DAYS
from dashboard.core.iam.seen import account
from dashboard.core.iam.seen.account import AccountIam
from dashboard.core.iam.seen.used_by import Known
from dashboard.readings import Reading, is_filling, now, where

SECONDS = 300
"""How long a reading of the roles is shown before it is made again, in the background, unless Kennel changes something:
a dozen calls and a few for each function and endpoint, of which AWS takes some fifteen a second."""
FILLING = 10
"""The same while the sample account is being filled: its roles come before the jobs that work as them."""


@dataclass(frozen=True)
class Standing:
    """accepted: every acceptance by its finding, those that are over among them. unread: what of it could not be."""

    posture: Posture
    accepted: Mapping[str, Accepted]
    points: tuple[Point, ...]
    unread: tuple[Unread, ...] = ()


def account_iam(aws: Aws) -> Reading[AccountIam]:
    """The roles, what they may and what works as them. What could not be read is named in it; nothing is raised."""
    found = _account(where(aws), _forgotten().times, _turn(aws, now()), aws)
    return Reading(found, found.at)


def security(aws: Aws, unused_days: int = DAYS) -> Reading[Audited]:
    """What an audit of the account finds, accepted risks among it. Raises nothing of `Aws.call`."""
    read = account_iam(aws)
    return Reading(_audited(where(aws), unused_days, read.at, read.value), read.at)


def posture(aws: Aws, unused_days: int = DAYS) -> Standing:
    """How the account stands, with the risks that are accepted and the score's way. Raises nothing of `Aws.call`.

    A score is written down as it is seen, so that there is a way to show.
    """
    read = security(aws, unused_days)
    try:
        accepted = accepted_risks(aws)
        found = _posture(where(aws), unused_days, read.at, held_at(accepted, now()), read.value)
        is_whole = unused_days == DAYS and not is_filling(aws)  # else it would be the score of something else
        if found.score is not None and is_whole:
            _note(where(aws), read.at, found.score.value, aws, found)
        return Standing(found, accepted, score_trend(aws))
    except ServiceFault as problem:  # of the file alone: what AWS said stands
        unread = Unread("accepted risks and the score's trend", problem)
        return Standing(_posture(where(aws), unused_days, read.at, (), read.value), {}, (), (unread,))


def accepted_risks(aws: Aws) -> Mapping[str, Accepted]:
    """The risks of the account that somebody has accepted, by finding. Raises ServiceFault."""
    return _accepted(where(aws), aws)


def score_trend(aws: Aws) -> tuple[Point, ...]:
    """The account's scores, the oldest first. Raises ServiceFault."""
    return _trend(where(aws), aws)


def risks(aws: Aws) -> Risks:
    """The file that a risk is accepted in; whoever writes to it calls `forget_risks`."""
    return Risks(aws.account.account_id)


def forget_risks() -> None:
    """A risk was accepted or taken back, or a score was written down."""
    _accepted.clear()
    _trend.clear()


def forget_security() -> None:
    """Something was changed: read the roles again at the next look."""
    _forgotten().times += 1
    for cached in (_account, _audited, _posture):
        cached.clear()
    forget_risks()


@dataclass
class _Forgotten:
    """How often the roles were forgotten: a reading that was under way then is of what was, and is shown no more."""

    times: int = 0


@st.cache_resource(show_spinner=False)
def _forgotten() -> _Forgotten:
    return _Forgotten()


def _turn(aws: Aws, at: datetime) -> int:
    """Of what another turn's reading is not shown: each few seconds of an account that is being filled; 0 after it."""
    return int(at.timestamp()) // FILLING if is_filling(aws) else 0


@st.cache_resource(show_spinner=False, ttl=SECONDS, refresh_mode="background", max_entries=8)
def _account(where: str, forgotten: int, turn: int, _aws: Aws) -> AccountIam:
    return account.read(_aws, _known(where), now)


@st.cache_resource(show_spinner=False, max_entries=8)
def _known(where: str) -> Known:
    return Known()


@st.cache_resource(show_spinner=False, ttl=2 * SECONDS, max_entries=16)
def _audited(where: str, unused_days: int, at: datetime, _read: AccountIam) -> Audited:
    return audited.of_account(_read, unused_days)


@st.cache_resource(show_spinner=False, ttl=2 * SECONDS, max_entries=16)
def _posture(where: str, unused_days: int, at: datetime, held: tuple[str, ...], _audited: Audited) -> Posture:
    return of_audited(_audited, held)


@st.cache_resource(show_spinner=False, ttl=2 * SECONDS, max_entries=16)
def _note(where: str, at: datetime, score: int, _aws: Aws, _found: Posture) -> None:
    risks(_aws).note(score, by_severity(_found.findings), _found.audited.judged, at)
    _trend.clear()


@st.cache_data(show_spinner=False, ttl=5, max_entries=8)
def _accepted(where: str, _aws: Aws) -> dict[str, Accepted]:
    return risks(_aws).accepted()


@st.cache_data(show_spinner=False, ttl=5, max_entries=8)
def _trend(where: str, _aws: Aws) -> tuple[Point, ...]:
    return risks(_aws).trend()
