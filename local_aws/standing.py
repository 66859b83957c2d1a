"""What decides about a caller: the policies of its user or role, its boundary, those of its session, and its tags."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dashboard.core.iam.documents import Policy, PolicyError
from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto
from local_aws.principal import Principal
from local_aws.resource_tags import iam_tags
from local_aws.services.iam_policies import entity

IDENTITY, BOUNDARY, SESSION = "identity-based policy", "permissions boundary", "session policy"
"""What AWS calls the layers of a caller's policies in its errors."""
MOST_KEPT = 2_000
_TAG_KEY = "resourcetag/"


@dataclass(frozen=True)
class Standing:
    """layers: sets of policies that must each allow an action, by what AWS calls them in its errors.

    facts: what is true of the caller whatever it asks, as context keys. gone: why nothing is allowed, "" when policies
    decide.
    """

    layers: tuple[tuple[str, tuple[Policy, ...]], ...] = ()
    facts: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    gone: str = ""

    def asks_tags(self, action: str) -> bool:
        """Whether what the policies say of an action depends on the tags of what it is done to."""
        name = action.lower()
        kept = self._asking.get(name)
        if kept is None:
            statements = (one for _, policies in self.layers for policy in policies for _, one in policy.about(name))
            kept = self._asking[name] = any(_TAG_KEY in key.lower() for one in statements for key in one.keys)
        return kept

    @cached_property
    def _asking(self) -> dict[str, bool]:
        return {}


class Standings:
    """Each caller's, kept until IAM changes. moto: where users, roles and policies are."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._kept: tuple[int, dict[Principal, Standing]] = (-1, {})
        self._lock = threading.Lock()

    def known(self, principal: Principal) -> Standing | None:
        """What is kept, without any waiting; None when it must be read."""
        version, found = self._kept
        return found.get(principal) if version == self._moto.version("iam") else None

    def of(self, principal: Principal) -> Standing:
        """Read where it is not kept, which may wait for a change of IAM to end."""
        found = self.known(principal)
        if found is not None:
            return found
        version = self._moto.version("iam")  # before what is read: what changes meanwhile is read again
        found = read(self._moto, principal)
        with self._lock:
            kept_at, kept = self._kept
            if kept_at != version or len(kept) >= MOST_KEPT:
                kept = {}
            self._kept = version, {**kept, principal: found}
        return found


def read(moto: Moto, principal: Principal) -> Standing:
    """As IAM has it now. A policy that cannot be read lets nothing through."""
    try:
        found = entity(moto, principal.identity)
    except ServiceError as wrong:
        return Standing(gone=_gone(principal, wrong))
    with moto.using("iam") as backends:
        iam = backends[ACCOUNT]["aws"]
        identity = _identity(iam, principal)
        if identity is None or (principal.identity_id and principal.identity_id != identity.id):
            return Standing(gone=_gone(principal, None))
        facts = dict(_facts(iam, identity, principal))
        try:
            session = _session(iam, principal)
        except PolicyError as wrong:
            return Standing(gone=f"a policy of its session cannot be judged: {wrong}")
    layers = [(IDENTITY, tuple(one.policy for one in found.policies))]
    if found.boundary:
        layers.append((BOUNDARY, (found.boundary.policy,)))
    if principal.session or principal.session_arns:
        layers.append((SESSION, session))
    return Standing(tuple(layers), facts)


def _gone(principal: Principal, wrong: ServiceError | None) -> str:
    if wrong is not None and wrong.code == "PolicyEvaluation":
        return f"a policy of {principal.identity} cannot be judged: {wrong.message}"
    return f"{principal.identity} does not exist any more"


def _identity(iam: Any, principal: Principal) -> Any:
    kept = iam.users if ":user/" in principal.identity else iam.roles
    return next((one for one in kept.values() if one.arn == principal.identity), None)


def _facts(iam: Any, identity: Any, principal: Principal) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Context keys (IAM User Guide, "AWS global condition context keys"), those that a caller always has."""
    yield "aws:PrincipalAccount", ACCOUNT
    yield "aws:PrincipalArn", principal.identity
    yield "aws:PrincipalIsAWSService", "false"
    yield "aws:ViaAWSService", "false"
    if principal.is_session:
        yield "aws:PrincipalType", "AssumedRole"
        yield "aws:userid", f"{identity.id}:{principal.name}"
        yield "aws:MultiFactorAuthPresent", "false"  # long-term keys have no such key at all
        if principal.issued:
            yield "aws:TokenIssueTime", f"{principal.issued:%Y-%m-%dT%H:%M:%SZ}"
    else:
        yield "aws:PrincipalType", "User"
        yield "aws:userid", identity.id
        yield "aws:username", identity.name
    for key, value in iam_tags(iam, identity).items():
        yield f"aws:PrincipalTag/{key}", value
    yield from principal.facts


def _session(iam: Any, principal: Principal) -> tuple[Policy, ...]:
    given = [Policy.of(text, "session policy") for text in principal.session]
    for arn in principal.session_arns:
        policy = iam.managed_policies.get(arn)
        if policy is None:  # deleted since: it allows nothing any more
            continue
        text = next(one.document for one in policy.versions if one.version_id == policy.default_version_id)
        given.append(Policy.of(text, policy.name))
    return tuple(given)
