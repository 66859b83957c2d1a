"""GetAccountAuthorizationDetails: everything that an account's users, groups and roles may, page by page.

Of AWS's own policies it tells those that something of the account has, as AWS does; of policies all versions. Source:
IAM API Reference, GetAccountAuthorizationDetails.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto
from local_aws.protocol import Caller

LEAST, MOST, USUAL = 1, 1_000, 100
"""Entities a page."""
_LISTS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}

Params = dict[str, Any]
Entry = tuple[str, Callable[[], Params]]
"""The kind of an entity, and what tells of it: of those on other pages nothing is worked out."""


class DetailsCalls:
    """Mixed into the service."""

    _moto: Moto

    def get_account_authorization_details(self, params: Params, caller: Caller) -> Params:
        wanted = params.get("Filter") or list(_LISTS)
        for kind in wanted:
            if kind not in _LISTS:
                raise ServiceError("ValidationError", f"Filter is one of {', '.join(_LISTS)}, not {kind}.")
        most = params.get("MaxItems") or USUAL
        if not LEAST <= most <= MOST:
            raise ServiceError("ValidationError", f"MaxItems is between {LEAST} and {MOST:,}.")
        with self._moto.using("iam") as backends:
            entries = [one for one in _entries(backends[ACCOUNT]["aws"]) if one[0] in wanted]
            first = _marker(params.get("Marker"), len(entries))
            answer: Params = {name: [] for name in _LISTS.values()}
            for kind, tell in entries[first : first + most]:
                answer[_LISTS[kind]].append(tell())
        rest = first + most
        more = rest < len(entries)
        return {**answer, "IsTruncated": more, **({"Marker": str(rest)} if more else {})}


def _entries(iam: Any) -> Iterator[Entry]:
    """Every entity, in an order that stays the same from page to page."""
    bearers = [*iam.users.values(), *iam.groups.values(), *iam.roles.values()]
    attached = Counter(arn for one in bearers for arn in one.managed_policies)
    bounds = Counter(arn for one in bearers if (arn := _boundary_of(one)))
    profiles: dict[str, list[Any]] = {}
    for profile in iam.instance_profiles.values():
        for role in profile.roles:
            profiles.setdefault(role.arn, []).append(profile)
    for user in iam.users.values():
        yield "User", partial(_user, user)
    for group in iam.groups.values():
        yield "Group", partial(_group, group)
    for role in iam.roles.values():
        yield "Role", partial(_role, role, profiles.get(role.arn, []))
    for arn, policy in iam.managed_policies.items():
        if not arn.startswith("arn:aws:iam::aws:"):
            yield "LocalManagedPolicy", partial(_policy, policy, attached[arn], bounds[arn])
        elif attached[arn] or bounds[arn]:
            yield "AWSManagedPolicy", partial(_policy, policy, attached[arn], bounds[arn])


def _user(one: Any) -> Params:
    return {
        **_named(one, "User"),
        "UserPolicyList": _inline(one),
        "GroupList": one.group_list,
        "AttachedManagedPolicies": _attached(one),
        **_bounded(one),
        "Tags": _tags(one),
    }


def _group(one: Any) -> Params:
    return {**_named(one, "Group"), "GroupPolicyList": _inline(one), "AttachedManagedPolicies": _attached(one)}


def _role(one: Any, profiles: list[Any]) -> Params:
    used = {"LastUsedDate": _moment(one.last_used), "Region": one.last_used_region} if one.last_used else {}
    return {
        **_trusting(one),
        "InstanceProfileList": [
            {
                "Path": profile.path,
                "InstanceProfileName": profile.name,
                "InstanceProfileId": profile.id,
                "Arn": profile.arn,
                "CreateDate": _moment(profile.create_date),
                "Roles": [_trusting(role) for role in profile.roles],
            }
            for profile in profiles
        ],
        "RolePolicyList": _inline(one),
        "AttachedManagedPolicies": _attached(one),
        **_bounded(one),
        "Tags": _tags(one),
        "RoleLastUsed": used,
    }


def _trusting(role: Any) -> Params:
    return {**_named(role, "Role"), "AssumeRolePolicyDocument": _encoded(role.assume_role_policy_document)}


def _policy(one: Any, attached: int, bounds: int) -> Params:
    return {
        "PolicyName": one.name,
        "PolicyId": one.id,
        "Arn": one.arn,
        "Path": one.path,
        "DefaultVersionId": one.default_version_id,
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": bounds,
        "IsAttachable": one.is_attachable,
        **({"Description": one.description} if one.description else {}),
        "CreateDate": _moment(one.create_date),
        "UpdateDate": _moment(one.update_date),
        "PolicyVersionList": [
            {
                "Document": _encoded(version.document),
                "VersionId": version.version_id,
                "IsDefaultVersion": version.version_id == one.default_version_id,
                "CreateDate": _moment(version.create_date),
            }
            for version in one.versions
        ],
    }


def _named(one: Any, kind: str) -> Params:
    return {
        "Path": one.path,
        f"{kind}Name": one.name,
        f"{kind}Id": one.id,
        "Arn": one.arn,
        "CreateDate": _moment(one.create_date),
    }


def _inline(one: Any) -> list[Params]:
    return [{"PolicyName": name, "PolicyDocument": _encoded(document)} for name, document in one.policies.items()]


def _attached(one: Any) -> list[Params]:
    return [{"PolicyName": policy.name, "PolicyArn": arn} for arn, policy in one.managed_policies.items()]


def _bounded(one: Any) -> Params:
    arn = _boundary_of(one)
    told = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}
    return {"PermissionsBoundary": told} if arn else {}


def _boundary_of(one: Any) -> str:
    given = getattr(one, "permissions_boundary_arn", None) or getattr(one, "permissions_boundary", None)
    return str((given.get("PermissionsBoundaryArn") if isinstance(given, Mapping) else given) or "")


def _tags(one: Any) -> list[Params]:
    tags = one.tags or []
    return list(tags.values()) if isinstance(tags, Mapping) else list(tags)


def _encoded(document: Any) -> str:
    """URL-encoded, as IAM hands documents out (RFC 3986)."""
    return quote(document if isinstance(document, str) else json.dumps(document), safe="")


def _moment(at: datetime) -> datetime:
    """moto keeps some of its times without a zone."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _marker(marker: str | None, entities: int) -> int:
    if marker is None:
        return 0
    if not marker.isdecimal() or int(marker) >= max(entities, 1):
        raise ServiceError("ValidationError", "Invalid Marker.")
    return int(marker)
