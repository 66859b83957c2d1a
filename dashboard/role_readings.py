"""What is read of one role, and what is being done to it in the background. Pages of roles use it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from dashboard.core import role_making as making
from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import KennelError
from dashboard.core.iam.documents import Policy
from dashboard.core.iam.effective import Difference, difference
from dashboard.core.iam.entities import Role
from dashboard.core.iam.judge.risks import Accepted
from dashboard.core.iam.least import generate
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.recorded import Recorded
from dashboard.core.iam.replace.going import Deed, Do, Going, Progress, Tell
from dashboard.core.iam.replace.proof import Proof
from dashboard.core.iam.replace.proofs import Proofs
from dashboard.core.iam.replace.records import Record, Records, What
from dashboard.core.iam.seen import last_accessed, observed, served
from dashboard.core.iam.seen.last_accessed import LastAccessed
from dashboard.core.iam.seen.role_seen import RoleSeen, pick
from dashboard.readings import Reading, now, where
from dashboard.security_readings import forget_security, posture, security

__all__ = [
    "Proposed",
    "accepted",
    "accessed",
    "begin",
    "forget_roles",
    "going",
    "keep_proof",
    "now",
    "policy_records",
    "proof",
    "proofs",
    "proposed",
    "put_away",
    "recorded",
    "records",
    "records_of_name",
    "role",
    "role_making",
    "stop",
]

LOOKBACK = timedelta(days=90)
"""As far as CloudTrail's event history goes back."""
SOON = timedelta(seconds=10)
"""The roles are not read more often than that for the sake of a name that is not among them."""


@dataclass(frozen=True)
class Proposed:
    """What is proposed for a role, and what was read for it. differences: in effect, one a proposal, None where a
    policy of the role cannot be judged. unread: what it rests on without.
    """

    proposals: tuple[Proposal, ...]
    differences: tuple[Difference | None, ...] = ()
    recorded: Recorded | None = None
    unread: tuple[Unread, ...] = ()


def role(aws: Aws, name: str) -> Reading[RoleSeen]:
    """One role out of the account's reading. Raises NotFound, or what kept the roles from being read.

    One that is not in it may have been made since: then they are read again.
    """
    found = security(aws)
    if now() - found.at > SOON and all(one.name != name for one in found.value.roles):
        forget_security()
        found = security(aws)
    one = found.value
    seen = pick(name, one.roles, one.findings, one.usage, one.unread)
    return Reading(replace(seen, partial=one.partial), found.at)


def accepted(aws: Aws) -> Mapping[str, Accepted]:
    """The risks that somebody has accepted, by finding; none where their file cannot be read."""
    return posture(aws).accepted


def recorded(aws: Aws, role_arn: str) -> Reading[Recorded]:
    """The calls of a role in the last 90 days. What could not be read of them is named in it; nothing is raised."""
    return _recorded(where(aws), role_arn, aws)


def accessed(aws: Aws, role_arn: str) -> Reading[LastAccessed]:
    """What IAM tells of a role's services and actions. Raises the errors of `Aws.call`."""
    return _accessed(where(aws), role_arn, aws)


def proposed(aws: Aws, seen: Reading[RoleSeen]) -> Reading[Proposed]:
    """What would do instead of a role's rights, made of this very reading of it: another one has its own.

    Raises Refused, Unreachable and CredentialsProblem.
    """
    return _proposed(where(aws), seen.value.role.name, seen.at, seen.value, aws)


def records(aws: Aws, arn: str) -> tuple[Record, ...]:
    """What Kennel changed of a role or a policy, the newest first. Raises ServiceFault."""
    return Records.kept().of(aws.account.account_id, arn)


def records_of_name(aws: Aws, name: str) -> tuple[Record, ...]:
    """The same of whatever has or had this name, a role that is gone among it. Raises ServiceFault."""
    return tuple(one for one in Records.kept().all(aws.account.account_id) if one.name == name)


def policy_records(aws: Aws) -> tuple[Record, ...]:
    """The policies that Kennel marked or deleted, the newest first. Raises ServiceFault."""
    told = (What.MARK_POLICY, What.DELETE_POLICY)
    return tuple(one for one in Records.kept().all(aws.account.account_id) if one.what in told)


def going(aws: Aws, role: str) -> Progress | None:
    """How far what is done to a role is, or how the last of it ended; None when this server has done nothing to it."""
    return _going(where(aws)).look(role)


def begin(aws: Aws, role: str, deed: Deed, do: Do, about: str = "") -> None:
    """Begin a proof, a change, an undo or a retirement; returns at once. Raises Refused while another goes on."""

    def then_forget(tell: Tell, stopping: threading.Event) -> Any:
        """Readings that a page made in the meantime are of what was: nobody may be watching when it ends."""
        try:
            return do(tell, stopping)
        finally:
            forget_roles()

    _going(where(aws)).start(role, deed, then_forget, now(), about)


def keep_proof(aws: Aws, proposal: Proposal, made: Proof) -> None:
    """A proof came to an end: what it says is shown beside this very proposal from now on. Raises ServiceFault."""
    Proofs.kept().keep(aws.account.account_id, proposal, made)


def proof(aws: Aws, proposal: Proposal) -> Proof | None:
    """The last proof of this very proposal; None where there was none. Raises ServiceFault."""
    return Proofs.kept().of_proposal(aws.account.account_id, proposal)


def proofs(aws: Aws, role: str) -> tuple[Proof, ...]:
    """The proofs of a role's proposals, the newest first. Raises ServiceFault."""
    return Proofs.kept().of(aws.account.account_id, role)


def stop(aws: Aws, role: str) -> None:
    """End a proof after the step that is under way."""
    _going(where(aws)).stop(role)


def put_away(aws: Aws, role: str) -> None:
    """Show no longer how the last deed ended."""
    _going(where(aws)).put_away(role)


def role_making(aws: Aws, role: str, service: str) -> tuple[str, ...]:
    """What this identity lacks to make such a role and hand it to a service, as `role_making.lacking` tells it."""
    return _making(where(aws), role, service, aws)


def forget_roles() -> None:
    """Something was changed: read roles again at the next look."""
    forget_security()
    for cached in (_recorded, _accessed, _proposed):
        cached.clear()


@st.cache_resource(show_spinner=False)  # of as many accounts as there are: it is more than a reading
def _going(where: str) -> Going:
    return Going()


@st.cache_resource(show_spinner=False, ttl=60, refresh_mode="background", max_entries=32)
def _recorded(where: str, role_arn: str, _aws: Aws) -> Reading[Recorded]:
    at = now()
    return Reading(observed.read(_aws, role_arn, at - LOOKBACK), at)


@st.cache_resource(show_spinner=False, ttl=60, refresh_mode="background", max_entries=32)
def _accessed(where: str, role_arn: str, _aws: Aws) -> Reading[LastAccessed]:
    return Reading(last_accessed.read(_aws, role_arn), now())


@st.cache_resource(show_spinner=False, ttl=60, refresh_mode="background", max_entries=32)
def _proposed(where: str, name: str, seen_at: datetime, _seen: RoleSeen, _aws: Aws) -> Reading[Proposed]:
    one, at = _seen.role, now()
    calls = recorded(_aws, one.arn).value
    unread: tuple[Unread, ...] = ()
    told: LastAccessed | None = None
    try:
        told = accessed(_aws, one.arn).value
    except KennelError as problem:
        unread = (Unread("last-accessed data", problem),)
    account = _aws.account.where
    made = generate.propose(one, _seen.uses, served.read(_aws, one.arn, _seen.uses), calls, told, account)
    return Reading(Proposed(made, tuple(_difference(one, each) for each in made), calls, unread), at)


def _difference(role: Role, proposal: Proposal) -> Difference | None:
    """Against all that the role has: of a shared one each duty's own part of it."""
    if any(policy.policy is None for policy in role.policies) or (role.boundary and role.boundary.policy is None):
        return None
    limit = role.boundary.policy if role.boundary else None
    before = [policy.policy for policy in role.policies if policy.policy is not None]
    after = [Policy.of(document, name) for name, document in proposal.documents.items()]
    return difference(before, after, before_boundary=limit, after_boundary=limit)


@st.cache_data(show_spinner=False, ttl=60, max_entries=16)
def _making(where: str, role: str, service: str, _aws: Aws) -> tuple[str, ...]:
    return making.lacking(_aws, role, service)
