"""Roles as CloudFormation makes them: AWS::IAM::Role, AWS::IAM::ManagedPolicy, AWS::IAM::InstanceProfile."""

import json
from typing import Any, ClassVar

from dashboard.core.iam.documents import listed
from local_aws.services.cloudformation_kinds import Call, Kind, Params, Place, pairs, tags, there, unless

_GONE, _TAKEN = ("NoSuchEntity",), ("EntityAlreadyExists",)
MOST_VERSIONS = 5
"""Of a managed policy."""


class IamKind(Kind):
    """What has a path and an ARN. noun: what the ARN calls it."""

    noun: ClassVar[str]
    is_iam = True

    def foreseen(self, properties: Params, place: Place) -> dict[str, str]:
        name, path = properties.get(self.named), properties.get("Path", "/")
        if not isinstance(name, str) or not isinstance(path, str):
            return {}
        return {"": name, "Arn": self.arn(name, properties, place)}

    def arn(self, name: str, properties: Params, place: Place) -> str:
        return f"arn:aws:iam::{place.account}:{self.noun}{properties.get('Path', '/')}{name}"


class RoleKind(IamKind):
    type = "AWS::IAM::Role"
    noun = "role"
    takes = frozenset(
        {
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        }
    )
    required = frozenset({"AssumeRolePolicyDocument"})
    named = "RoleName"
    replaced = frozenset({"RoleName", "Path"})
    attributes = frozenset({"Arn", "RoleId"})
    has_tags = True

    def exists(self, call: Call, physical: str, properties: Params) -> bool:
        return there(call, _GONE, "iam", "GetRole", RoleName=physical)

    def make(self, call: Call, physical: str, properties: Params, place: Place) -> None:
        asked: Params = {
            "RoleName": physical,
            "AssumeRolePolicyDocument": json.dumps(properties["AssumeRolePolicyDocument"]),
        }
        asked |= {
            name: properties[name] for name in ("Description", "Path", "PermissionsBoundary") if name in properties
        }
        if "MaxSessionDuration" in properties:
            asked["MaxSessionDuration"] = int(properties["MaxSessionDuration"])
        if properties.get("Tags"):
            asked["Tags"] = pairs(tags(properties))
        unless(_TAKEN, call, "iam", "CreateRole", **asked)
        self._rights(call, physical, {}, properties)

    def change(self, call: Call, physical: str, before: Params, after: Params) -> None:
        trust = after["AssumeRolePolicyDocument"]
        if before["AssumeRolePolicyDocument"] != trust:
            call("iam", "UpdateAssumeRolePolicy", RoleName=physical, PolicyDocument=json.dumps(trust))
        if any(before.get(name) != after.get(name) for name in ("Description", "MaxSessionDuration")):
            seconds = int(after.get("MaxSessionDuration", 3600))
            text = after.get("Description", "")
            call("iam", "UpdateRole", RoleName=physical, Description=text, MaxSessionDuration=seconds)
        boundary = after.get("PermissionsBoundary")
        if before.get("PermissionsBoundary") != boundary:
            if boundary:
                call("iam", "PutRolePermissionsBoundary", RoleName=physical, PermissionsBoundary=boundary)
            else:
                call("iam", "DeleteRolePermissionsBoundary", RoleName=physical)
        self._rights(call, physical, before, after)
        old, new = tags(before), tags(after)
        if gone := [key for key in old if key not in new]:
            call("iam", "UntagRole", RoleName=physical, TagKeys=gone)
        if old != new and new:
            call("iam", "TagRole", RoleName=physical, Tags=pairs(new))

    def remove(self, call: Call, physical: str, properties: Params) -> None:
        for name in _inline(properties):
            unless(_GONE, call, "iam", "DeleteRolePolicy", RoleName=physical, PolicyName=name)
        for arn in listed(properties.get("ManagedPolicyArns")):
            unless(_GONE, call, "iam", "DetachRolePolicy", RoleName=physical, PolicyArn=arn)
        unless(_GONE, call, "iam", "DeleteRole", RoleName=physical)

    def told(self, call: Call, physical: str, properties: Params, place: Place) -> dict[str, str]:
        role = call("iam", "GetRole", RoleName=physical)["Role"]
        return {"": physical, "Arn": role["Arn"], "RoleId": role["RoleId"]}

    @staticmethod
    def _rights(call: Call, physical: str, before: Params, after: Params) -> None:
        """What it gets comes before what it loses: nothing that works as it stops for a moment."""
        old, new = _inline(before), _inline(after)
        for name, document in new.items():
            if old.get(name) != document:
                call("iam", "PutRolePolicy", RoleName=physical, PolicyName=name, PolicyDocument=json.dumps(document))
        had, has = listed(before.get("ManagedPolicyArns")), listed(after.get("ManagedPolicyArns"))
        for arn in has:
            if arn not in had:
                call("iam", "AttachRolePolicy", RoleName=physical, PolicyArn=arn)
        for name in old:
            if name not in new:
                unless(_GONE, call, "iam", "DeleteRolePolicy", RoleName=physical, PolicyName=name)
        for arn in had:
            if arn not in has:
                unless(_GONE, call, "iam", "DetachRolePolicy", RoleName=physical, PolicyArn=arn)


class ManagedPolicyKind(IamKind):
    type = "AWS::IAM::ManagedPolicy"
    noun = "policy"
    takes = frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument", "Roles"})
    required = frozenset({"PolicyDocument"})
    named = "ManagedPolicyName"
    replaced = frozenset({"Description", "ManagedPolicyName", "Path"})
    attributes = frozenset({"PolicyArn", "PolicyId"})

    def physical(self, properties: Params, generated: str, place: Place) -> str:
        return self.arn(properties.get("ManagedPolicyName") or generated, properties, place)

    def foreseen(self, properties: Params, place: Place) -> dict[str, str]:
        """Ref of a policy is its ARN."""
        known = super().foreseen(properties, place)
        return {"": known["Arn"], "PolicyArn": known["Arn"]} if known else {}

    def exists(self, call: Call, physical: str, properties: Params) -> bool:
        return there(call, _GONE, "iam", "GetPolicy", PolicyArn=physical)

    def make(self, call: Call, physical: str, properties: Params, place: Place) -> None:
        asked: Params = {
            "PolicyName": physical.rpartition("/")[2],
            "PolicyDocument": json.dumps(properties["PolicyDocument"]),
        }
        asked |= {name: properties[name] for name in ("Description", "Path") if name in properties}
        unless(_TAKEN, call, "iam", "CreatePolicy", **asked)
        for role in listed(properties.get("Roles")):
            call("iam", "AttachRolePolicy", RoleName=role, PolicyArn=physical)

    def change(self, call: Call, physical: str, before: Params, after: Params) -> None:
        document = after["PolicyDocument"]
        if before["PolicyDocument"] != document:
            versions = call("iam", "ListPolicyVersions", PolicyArn=physical)["Versions"]
            if len(versions) >= MOST_VERSIONS:
                oldest = min((one for one in versions if not one["IsDefaultVersion"]), key=_number)["VersionId"]
                call("iam", "DeletePolicyVersion", PolicyArn=physical, VersionId=oldest)
            text = json.dumps(document)
            call("iam", "CreatePolicyVersion", PolicyArn=physical, PolicyDocument=text, SetAsDefault=True)
        had, has = listed(before.get("Roles")), listed(after.get("Roles"))
        for role in has:
            if role not in had:
                call("iam", "AttachRolePolicy", RoleName=role, PolicyArn=physical)
        for role in had:
            if role not in has:
                unless(_GONE, call, "iam", "DetachRolePolicy", RoleName=role, PolicyArn=physical)

    def remove(self, call: Call, physical: str, properties: Params) -> None:
        for role in listed(properties.get("Roles")):
            unless(_GONE, call, "iam", "DetachRolePolicy", RoleName=role, PolicyArn=physical)
        if not self.exists(call, physical, properties):
            return
        for one in call("iam", "ListPolicyVersions", PolicyArn=physical)["Versions"]:
            if not one["IsDefaultVersion"]:
                call("iam", "DeletePolicyVersion", PolicyArn=physical, VersionId=one["VersionId"])
        unless(_GONE, call, "iam", "DeletePolicy", PolicyArn=physical)

    def told(self, call: Call, physical: str, properties: Params, place: Place) -> dict[str, str]:
        policy = call("iam", "GetPolicy", PolicyArn=physical)["Policy"]
        return {"": physical, "PolicyArn": physical, "PolicyId": policy["PolicyId"]}


class InstanceProfileKind(IamKind):
    type = "AWS::IAM::InstanceProfile"
    noun = "instance-profile"
    takes = frozenset({"InstanceProfileName", "Path", "Roles"})
    required = frozenset({"Roles"})
    named = "InstanceProfileName"
    replaced = frozenset({"InstanceProfileName", "Path"})
    attributes = frozenset({"Arn"})

    def exists(self, call: Call, physical: str, properties: Params) -> bool:
        return there(call, _GONE, "iam", "GetInstanceProfile", InstanceProfileName=physical)

    def make(self, call: Call, physical: str, properties: Params, place: Place) -> None:
        more = {"Path": properties["Path"]} if "Path" in properties else {}
        unless(_TAKEN, call, "iam", "CreateInstanceProfile", InstanceProfileName=physical, **more)
        self.change(call, physical, {}, properties)

    def change(self, call: Call, physical: str, before: Params, after: Params) -> None:
        """It holds one role: the old one leaves before the new one comes."""
        found = call("iam", "GetInstanceProfile", InstanceProfileName=physical)["InstanceProfile"]["Roles"]
        has, wanted = {one["RoleName"] for one in found}, set(listed(after["Roles"]))
        for role in sorted(has - wanted):
            call("iam", "RemoveRoleFromInstanceProfile", InstanceProfileName=physical, RoleName=role)
        for role in sorted(wanted - has):
            call("iam", "AddRoleToInstanceProfile", InstanceProfileName=physical, RoleName=role)

    def remove(self, call: Call, physical: str, properties: Params) -> None:
        if self.exists(call, physical, properties):
            self.change(call, physical, properties, {"Roles": []})
            unless(_GONE, call, "iam", "DeleteInstanceProfile", InstanceProfileName=physical)

    def told(self, call: Call, physical: str, properties: Params, place: Place) -> dict[str, str]:
        profile = call("iam", "GetInstanceProfile", InstanceProfileName=physical)["InstanceProfile"]
        return {"": physical, "Arn": profile["Arn"]}


def _inline(properties: Params) -> dict[str, Any]:
    return {str(one["PolicyName"]): one["PolicyDocument"] for one in listed(properties.get("Policies"))}


def _number(version: Params) -> int:
    return int(str(version["VersionId"]).removeprefix("v"))
