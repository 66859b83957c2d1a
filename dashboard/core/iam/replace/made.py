"""The policies and roles that Kennel makes: known by their path and tags, and deleted only where both say so."""

from collections.abc import Iterable, Mapping
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.calls import Call
from dashboard.core.errors import AlreadyExists, NotFound, Refused
from dashboard.core.iam.replace import standing
from dashboard.core.iam.replace.refusals import PATH
from dashboard.core.iam.replace.standing import Attached, Standing, canonical

VERSION = "v1"
"""Of a policy that was just made."""


def create_policy(policy: Attached, mark: str, role: str) -> Call:
    """The request that makes a policy for a role."""
    asked = {
        "PolicyName": policy.name,
        "Path": PATH,
        "PolicyDocument": canonical(policy.document),
        "Description": f"The least rights that {role} needs",
        "Tags": tags.of_plan(mark),
    }
    return Call("iam", "CreatePolicy", asked, f"makes the policy {policy.name}")


def create_role(role: Standing, mark: str) -> Call:
    """The request that makes a role, without its policies."""
    asked: dict[str, Any] = {
        "RoleName": role.name,
        "Path": PATH,
        "AssumeRolePolicyDocument": canonical(role.trust),
        "Description": role.description,
        "MaxSessionDuration": role.longest_session,
        "Tags": tags.of_plan(mark),
    }
    if role.boundary:
        asked["PermissionsBoundary"] = role.boundary.arn
    return Call("iam", "CreateRole", asked, f"makes the role {role.name}")


def profile_calls(role: str, mark: str) -> tuple[Call, Call]:
    """The requests that make the instance profile of a role, under the role's name."""
    asked = {"InstanceProfileName": role, "Path": PATH, "Tags": tags.of_plan(mark)}
    return (
        Call("iam", "CreateInstanceProfile", asked, f"makes the instance profile {role}"),
        Call("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": role, "RoleName": role}, "puts the role in it"),
    )


def make(aws: Aws, call: Call) -> None:
    """Make a policy, role or instance profile, or put a role into one. What Kennel made before for the same is that.

    Raises AlreadyExists for the name of something else, and the errors of `Aws.call`.
    """
    if call.operation == "AddRoleToInstanceProfile" and _is_in(aws, call.parameters):
        return
    try:
        aws.call(call.service, call.operation, **call.parameters)
    except AlreadyExists as taken:
        kind, name, is_same = {
            "CreatePolicy": ("policy", "PolicyName", _same_policy),
            "CreateRole": ("role", "RoleName", _same_role),
            "CreateInstanceProfile": ("instance profile", "InstanceProfileName", _same_profile),
        }[call.operation]
        if not is_same(aws, call.parameters):
            raise AlreadyExists(
                f"there is already a {kind} named {call.parameters[name]}",
                "Kennel did not make it for this, and does not change it",
                "rename or delete that one first",
            ) from taken


def delete_policies(aws: Aws, arns: Iterable[str], mark: str) -> tuple[str, ...]:
    """Delete those that a plan with this mark made and that nothing has any more; what stays, a sentence each."""
    stays = []
    for arn in arns:
        try:
            told = aws.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]
            if tags.as_dict(told.get("Tags", [])).get(tags.ORDER) != mark:
                continue  # it was there before, of an earlier change
            if told.get("AttachmentCount", 0) or told.get("PermissionsBoundaryUsageCount", 0):
                stays.append(f"the policy {told['PolicyName']} stays, since something else has it")
                continue
            aws.call("iam", "DeletePolicy", PolicyArn=arn)
        except NotFound:
            continue
    return tuple(stays)


def is_of(aws: Aws, arn: str, mark: str) -> bool:
    """Whether there is such a policy, and a plan with this mark made it."""
    try:
        told = aws.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]
    except NotFound:
        return False
    return tags.as_dict(told.get("Tags", [])).get(tags.ORDER) == mark


def delete_role(aws: Aws, name: str, *marks: str) -> None:
    """Delete a role with all that hangs on it; nothing when it is gone. marks: of the plans that may have made it, none
    for whoever has looked already. Raises Refused for a role of another making, and the errors of `Aws.call`.
    """
    try:
        role = standing.read(aws, name)
    except NotFound:
        return
    if marks and role.tags.get(tags.ORDER) not in marks:
        raise Refused(
            f"the role {name} is not deleted", "another change made it", "delete it in IAM if nothing needs it"
        )
    for profile in role.profiles:
        gone(aws, "RemoveRoleFromInstanceProfile", InstanceProfileName=profile, RoleName=name)
        if profile == name and marks:
            gone(aws, "DeleteInstanceProfile", InstanceProfileName=profile)
    for one in role.attached:
        gone(aws, "DetachRolePolicy", RoleName=name, PolicyArn=one.arn)
    for inline in role.inline:
        gone(aws, "DeleteRolePolicy", RoleName=name, PolicyName=inline)
    gone(aws, "DeleteRole", RoleName=name)


def gone(aws: Aws, operation: str, **parameters: Any) -> None:
    """A request of IAM that removes something; what is gone already counts as removed."""
    try:
        aws.call("iam", operation, **parameters)
    except NotFound:
        return


def _same_policy(aws: Aws, asked: Mapping[str, Any]) -> bool:
    account = aws.call("sts", "GetCallerIdentity")["Arn"].split(":")
    arn = f"arn:{account[1]}:iam::{account[4]}:policy{asked['Path']}{asked['PolicyName']}"
    told = aws.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]
    if tags.as_dict(told.get("Tags", [])).get(tags.MADE_BY) != tags.KENNEL:
        return False
    return bool(canonical(standing.policy(aws, asked["PolicyName"], arn).document) == asked["PolicyDocument"])


def _same_role(aws: Aws, asked: Mapping[str, Any]) -> bool:
    """Only one of this very plan: what another one made may have been changed since."""
    told = aws.call("iam", "GetRole", RoleName=asked["RoleName"])["Role"]
    return tags.as_dict(told.get("Tags", [])).get(tags.ORDER) == tags.as_dict(asked["Tags"])[tags.ORDER]


def _same_profile(aws: Aws, asked: Mapping[str, Any]) -> bool:
    name = asked["InstanceProfileName"]
    told = aws.call("iam", "GetInstanceProfile", InstanceProfileName=name)["InstanceProfile"]
    return tags.as_dict(told.get("Tags", [])).get(tags.ORDER) == tags.as_dict(asked["Tags"])[tags.ORDER]


def _is_in(aws: Aws, asked: Mapping[str, Any]) -> bool:
    """Whether an instance profile has its role: it takes one only."""
    name = asked["InstanceProfileName"]
    told = aws.call("iam", "GetInstanceProfile", InstanceProfileName=name)["InstanceProfile"]
    return any(role["RoleName"] == asked["RoleName"] for role in told["Roles"])
