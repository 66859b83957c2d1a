"""The roles that Kennel itself works as on a real account: reader, operator, remediator, and what bounds them. Pure.

Made from the operations that its code calls (own_calls), each turned into the rights that it needs. A reader changes
nothing. An operator changes what carries Kennel's mark, and passes no roles but Kennel's. A remediator changes the
roles it was made for and no other, and only within a permissions boundary that these roles, and those it makes, have.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account
from dashboard.core.calls import Call
from dashboard.core.iam import actions
from dashboard.core.iam.documents import CURRENT
from dashboard.core.iam.least import sizes
from dashboard.core.iam.least.grants import Grant, document, gathered
from dashboard.core.iam.own import own_grants, work_boundary
from dashboard.core.iam.own.mended import Mended
from dashboard.core.iam.own.own_calls import MENDS, OPERATES, READS
from dashboard.core.iam.replace.refusals import LINKED, OWN_ROLES, PATH, RESERVED

READER, OPERATOR, REMEDIATOR = OWN_ROLES
BOUNDARY = "kennel-boundary"
_TOLD = {
    BOUNDARY: "makes the boundary, unless it is there",
    work_boundary.NAME: "makes the boundary of the roles; where an earlier one is there, give it this text anew",
}


@dataclass(frozen=True)
class OwnRole:
    """policies: documents by name, to be attached. boundary: the name of the policy that bounds it.

    work: what bounds the roles that it changes and makes, None where it changes none. bounded: the names of those that
    have no boundary yet, and get that one before the role is made.
    """

    name: str
    does: str
    policies: Mapping[str, Mapping[str, Any]]
    trust: Mapping[str, Any]
    boundary: str = BOUNDARY
    work: Mapping[str, Any] | None = None
    bounded: tuple[str, ...] = ()


def reader(account: Account, buckets: Iterable[str] = ()) -> OwnRole:
    """Reads what the pages show. buckets: those beside Kennel's own that hold data or a trail's files."""
    return _role(account, READER, "shows every page and changes nothing", own_grants.reading(account, buckets))


def operator(account: Account, buckets: Iterable[str] = ()) -> OwnRole:
    """Reads, and launches, deploys, scales, stops and deletes what is Kennel's."""
    grants = (*own_grants.reading(account, buckets), *own_grants.operating(account))
    return _role(account, OPERATOR, "launches, deploys, scales and deletes what carries Kennel's mark", grants)


def remediator(account: Account, roles: Sequence[Mended], buckets: Iterable[str] = ()) -> OwnRole:
    """Reads, and changes these roles, within the boundary that each of them has or gets."""
    grants = (*own_grants.reading(account, buckets), *own_grants.mending(account, roles))
    made = _role(account, REMEDIATOR, "replaces the policies of the roles it was made for, and undoes that", grants)
    unbounded = tuple(one.name for one in roles if not one.boundary)
    work = work_boundary.document_for(account, roles, own_grants.PASSES)
    return replace(made, work=work, bounded=unbounded)


def boundary(account: Account) -> dict[str, Any]:
    """The most that any of the three may ever do, whatever is attached to it: it can change neither itself nor this
    boundary, make no users and no keys, and become no other role.
    """
    where = account.where
    services = sorted({right.service for right in own_grants.rights(account, READS, OPERATES)} - {"iam", "sts"})
    iam = sorted(
        {right.action for right in own_grants.rights(account, READS, OPERATES, MENDS) if right.service == "iam"}
    )
    here = f"arn:{where.partition}:iam::{where.account}"
    own = [f"{here}:role/{path}{name}" for name in OWN_ROLES for path in ("", "*/")]
    limits = [
        f"{here}:policy{PATH}{name}" for name in (BOUNDARY, work_boundary.NAME, *(f"{name}*" for name in OWN_ROLES))
    ]
    linked = [f"arn:{where.partition}:iam::*:role{path}*" for path in (LINKED, RESERVED)]
    changing = [action for action in iam if actions.access_level(action).changes]
    return {
        "Version": CURRENT,
        "Statement": [
            {"Sid": "Work", "Effect": "Allow", "Action": [f"{one}:*" for one in services], "Resource": "*"},
            {"Sid": "Roles", "Effect": "Allow", "Action": [*iam, "iam:PassRole"], "Resource": "*"},
            {"Sid": "NeverItself", "Effect": "Deny", "Action": changing, "Resource": [*own, *limits, *linked]},
        ],
    }


def trust(account: Account) -> dict[str, Any]:
    """Who may work as it: the account's own users and roles that are given sts:AssumeRole on it."""
    root = f"arn:{account.where.partition}:iam::{account.account_id}:root"
    return {
        "Version": CURRENT,
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}],
    }


def _role(account: Account, name: str, does: str, grants: Iterable[Grant]) -> OwnRole:
    documents = sizes.packed(document(gathered(grants))["Statement"])
    names = [name if number == 1 else f"{name}-{number}" for number in range(1, len(documents) + 1)]
    return OwnRole(name, does, dict(zip(names, documents, strict=True)), trust(account))


def calls(account: Account, role: OwnRole) -> tuple[Call, ...]:
    """The requests with which somebody who may do so makes a role, with its boundary before it and its policies."""
    here = f"arn:{account.where.partition}:iam::{account.account_id}"
    marks = tags.listed({tags.MADE_BY: tags.KENNEL})
    limit = f"{here}:policy{PATH}{role.boundary}"
    made = {
        "RoleName": role.name,
        "AssumeRolePolicyDocument": json.dumps(role.trust),
        "PermissionsBoundary": limit,
        "Description": f"Kennel {role.does}",
        "Tags": marks,
    }
    work = {work_boundary.NAME: role.work} if role.work else {}
    policies = {role.boundary: boundary(account), **work, **role.policies}
    return (
        *(
            Call(
                "iam",
                "CreatePolicy",
                {"PolicyName": name, "Path": PATH, "PolicyDocument": json.dumps(document), "Tags": marks},
                _TOLD.get(name, f"makes the policy {name}"),
            )
            for name, document in policies.items()
        ),
        *(
            Call(
                "iam",
                "PutRolePermissionsBoundary",
                {"RoleName": name, "PermissionsBoundary": work_boundary.arn(account)},
                f"{name} may do no more than {work_boundary.NAME} says, from now on",
            )
            for name in role.bounded
        ),
        Call("iam", "CreateRole", made, f"makes the role {role.name} within its boundary"),
        *(
            Call("iam", "AttachRolePolicy", {"RoleName": role.name, "PolicyArn": f"{here}:policy{PATH}{name}"}, "")
            for name in role.policies
        ),
    )
