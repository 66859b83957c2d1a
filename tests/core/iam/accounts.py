"""Answers of GetAccountAuthorizationDetails, written for a test."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dashboard.core.iam.finding import Finding, Kind
from dashboard.core.iam.findings import audit

ACCOUNT = "111122223333"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MADE = "2026-11-20T00:00:00+00:00"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/subject"
LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(*policies: Any, name: str = "subject", boundary: str = "", **more: Any) -> dict[str, Any]:
    """A role of a function's with inline policies p0, p1 … (documents); boundary: the name of a policy."""
    bound = {"PermissionsBoundary": {"PermissionsBoundaryArn": arn(boundary)}} if boundary else {}
    return {
        "RoleName": name,
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "Path": "/",
        "CreateDate": MADE,
        "AssumeRolePolicyDocument": LAMBDA,
        "RolePolicyList": [
            {"PolicyName": f"p{place}", "PolicyDocument": policy} for place, policy in enumerate(policies)
        ],
        "AttachedManagedPolicies": [],
        **bound,
        **more,
    }


def attached(*names: str, of_aws: bool = False) -> list[dict[str, str]]:
    return [{"PolicyName": name, "PolicyArn": arn(name, of_aws=of_aws)} for name in names]


def arn(name: str, *, of_aws: bool = False) -> str:
    return f"arn:aws:iam::{'aws' if of_aws else ACCOUNT}:policy/{name}"


def managed(name: str, policy: Any, *, of_aws: bool = False) -> dict[str, Any]:
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": policy}
    return {
        "PolicyName": name,
        "Arn": arn(name, of_aws=of_aws),
        "DefaultVersionId": "v1",
        "AttachmentCount": 1,
        "PolicyVersionList": [version],
    }


def details(roles: Sequence[Any], policies: Sequence[Any] = ()) -> dict[str, Any]:
    return {"RoleDetailList": list(roles), "Policies": list(policies), "UserDetailList": [], "GroupDetailList": []}


def judged(*policies: Any, **more: Any) -> list[Finding]:
    """What is found of one role with these inline policies."""
    return audit(details([role(*policies, **more)]), now=NOW)


def kinds(found: Sequence[Finding]) -> set[Kind]:
    return {one.kind for one in found}


def of_kind(found: Sequence[Finding], kind: Kind) -> Finding:
    """The one finding of this kind."""
    (one,) = [one for one in found if one.kind is kind]
    return one


def bounded(policy: Mapping[str, Any], *policies: Any) -> list[Finding]:
    """What is found of a role with inline policies and this permissions boundary."""
    return audit(details([role(*policies, boundary="limit")], [managed("limit", policy)]), now=NOW)
