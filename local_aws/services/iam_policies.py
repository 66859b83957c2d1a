"""Which policies apply to a user, group or role that moto keeps: inline, attached, by its groups, and its boundary."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.core.iam.documents import Policy, PolicyError
from dashboard.core.iam.wildcard import matches
from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto

_ENTITY = re.compile(r"arn:aws:iam::(\d{12}):(user|group|role)/(?:[\w+=,.@/-]*/)?([\w+=,.@-]{1,128})")
_POLICY = re.compile(r"arn:aws:iam::(\d{12}|aws):policy/[\w+=,.@/*?-]{1,512}")
_KINDS = {"user": "users", "group": "groups", "role": "roles"}


@dataclass(frozen=True)
class Applied:
    """A policy of an entity. kind: what IAM's simulator calls its source; owner: (user, group or role, name)."""

    policy: Policy
    kind: str
    arn: str = ""
    owner: tuple[str, str] = ("", "")

    @property
    def is_inline(self) -> bool:
        return not self.arn

    @property
    def is_aws_managed(self) -> bool:
        return self.arn.startswith("arn:aws:iam::aws:")


@dataclass(frozen=True)
class Entity:
    """boundary: the policy that limits it, if there is one."""

    policies: tuple[Applied, ...]
    boundary: Applied | None


def entity(moto: Moto, arn: str) -> Entity:
    """All that applies to an entity. Raises ServiceError InvalidInput or NoSuchEntity, as IAM's simulator does."""
    found = _ENTITY.fullmatch(arn)
    if found is None:
        raise ServiceError("InvalidInput", f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    account, kind, name = found.groups()
    with moto.using("iam") as backends:
        iam = backends[ACCOUNT]["aws"]
        kept = getattr(iam, _KINDS[kind]) if account == ACCOUNT else {}
        # roles are kept by an id of their own, users and groups by their name
        one = next((one for one in kept.values() if one.arn == arn), None)
        if one is None:
            raise ServiceError("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)
        policies = list(_of(kind, one))
        if kind == "user":
            for group in iam.groups.values():
                if any(user.name == name for user in group.users):
                    policies += _of("group", group)
        boundary = _boundary(iam, one)
    return Entity(tuple(policies), boundary)


def policy_of(moto: Moto, arn: str) -> Policy:
    """A managed policy in its default version. Raises ServiceError InvalidInput or NoSuchEntity."""
    if not _POLICY.fullmatch(arn):
        raise ServiceError("InvalidInput", f"Invalid Policy Arn: {arn}.")
    with moto.using("iam") as backends:
        found = backends[ACCOUNT]["aws"].managed_policies.get(arn)
        if found is None:
            raise ServiceError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
        return _managed(found).policy


def _of(kind: str, one: Any) -> Iterator[Applied]:
    for name, document in one.policies.items():
        yield Applied(_parsed(document, f"{kind}_{one.name}_{name}"), kind, owner=(kind, one.name))
    for policy in one.managed_policies.values():
        yield _managed(policy)


def _managed(policy: Any) -> Applied:
    document = next(version.document for version in policy.versions if version.version_id == policy.default_version_id)
    kind = "aws-managed" if policy.arn.startswith("arn:aws:iam::aws:") else "user-managed"
    return Applied(_parsed(document, policy.name), kind, policy.arn)


def _boundary(iam: Any, one: Any) -> Applied | None:
    given = getattr(one, "permissions_boundary_arn", None) or getattr(one, "permissions_boundary", None)
    arn = given.get("PermissionsBoundaryArn") if isinstance(given, Mapping) else given
    if not arn:
        return None
    policy = iam.managed_policies.get(arn)
    if policy is None:
        raise ServiceError("NoSuchEntity", f"The permissions boundary {arn} cannot be found.", 404)
    return _managed(policy)


def _parsed(document: Any, name: str) -> Policy:
    try:
        return Policy.parse(document if isinstance(document, str) else json.dumps(document), name)
    except PolicyError as wrong:
        raise ServiceError("PolicyEvaluation", f"{wrong}.", 400) from wrong


def is_excluded(applied: Applied, exclusions: list[dict[str, Any]], *, boundary: bool = False) -> bool:
    """Whether one of a PolicyExclusionList's entries names the policy."""
    return any(_names(one, applied, boundary=boundary) for one in exclusions)


def _names(one: Mapping[str, Any], applied: Applied, *, boundary: bool) -> bool:
    if "PolicyType" in one:
        if boundary:
            return bool(one["PolicyType"] == "permission-boundary")
        kind = "inline" if applied.is_inline else "aws-managed" if applied.is_aws_managed else "user-managed"
        return bool(one["PolicyType"] == kind)
    if boundary:
        return False
    if "PolicyArn" in one:
        return bool(applied.arn) and matches(one["PolicyArn"], applied.arn)
    inline = one["InlinePolicyIdentifier"]
    kind, name = applied.owner
    wanted = f"{kind}_{name}_{inline['PolicyName']}"
    return (
        applied.is_inline
        and kind == inline["AttachmentType"]
        and matches(inline["AttachmentName"], name)
        and applied.policy.name == wanted
    )


def check_exclusions(exclusions: list[dict[str, Any]]) -> None:
    """Raises ServiceError InvalidInput for an entry that names nothing, or several things."""
    for one in exclusions:
        if len(one) != 1:
            raise ServiceError(
                "InvalidInput",
                "An entry of PolicyExclusionList has exactly one of PolicyType, PolicyArn, InlinePolicyIdentifier.",
            )
        arn = one.get("PolicyArn")
        if arn is not None and (not _POLICY.fullmatch(arn) or arn.count("*") > 1):
            raise ServiceError("InvalidInput", f"The policy ARN {arn} is not valid.")
