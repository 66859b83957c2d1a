"""IAM's policy simulator on the embedded AWS: roles, users with groups, boundaries, exclusions, and what it refuses."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded

TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
AWS = "arn:aws:iam::aws:policy/"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def code_of(call: Callable[..., Any], **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture
def iam(embedded: Embedded) -> Any:
    return embedded.client("iam")


def role(iam: Any, name: str, *statements: dict[str, Any]) -> str:
    arn: str = iam.create_role(RoleName=name, Path="/simulated/", AssumeRolePolicyDocument=document(TRUST))["Role"][
        "Arn"
    ]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document(*statements))
    return arn


def decisions(iam: Any, arn: str, *actions: str, **more: Any) -> list[str]:
    found = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=list(actions), **more)
    return [one["EvalDecision"] for one in found["EvaluationResults"]]


def test_a_role_with_inline_and_attached_policies(iam: Any) -> None:
    arn = role(iam, "SimulatedA", {"Effect": "Deny", "Action": "sagemaker:Delete*", "Resource": "*"})
    iam.attach_role_policy(RoleName="SimulatedA", PolicyArn=AWS + "AmazonSageMakerFullAccess")
    assert decisions(iam, arn, "sagemaker:CreateTrainingJob", "sagemaker:DeleteModel", "iam:CreateUser") == [
        "allowed",
        "explicitDeny",
        "implicitDeny",
    ]
    found = iam.simulate_principal_policy(
        PolicySourceArn=arn,
        ActionNames=["s3:PutObject", "sagemaker:DeleteModel"],
        ResourceArns=["arn:aws:s3:::my-sagemaker-data/x", "arn:aws:s3:::other/x"],
    )["EvaluationResults"]
    assert [one["EvalDecision"] for one in found] == ["implicitDeny", "explicitDeny"]  # the most restrictive of both
    assert [(one["EvalResourceName"], one["EvalResourceDecision"]) for one in found[0]["ResourceSpecificResults"]] == [
        ("arn:aws:s3:::my-sagemaker-data/x", "allowed"),
        ("arn:aws:s3:::other/x", "implicitDeny"),
    ]
    assert found[0]["ResourceSpecificResults"][0]["MatchedStatements"] == [
        {"SourcePolicyId": "AmazonSageMakerFullAccess", "SourcePolicyType": "aws-managed"}
    ]
    assert found[1]["MatchedStatements"] == [{"SourcePolicyId": "role_SimulatedA_inline", "SourcePolicyType": "role"}]


def test_a_user_has_what_its_groups_have(iam: Any) -> None:
    arn = iam.create_user(UserName="simulated")["User"]["Arn"]
    iam.create_group(GroupName="simulators")
    iam.put_group_policy(GroupName="simulators", PolicyName="p", PolicyDocument=document(allow("s3:Get*")))
    assert decisions(iam, arn, "s3:GetObject") == ["implicitDeny"]
    iam.add_user_to_group(GroupName="simulators", UserName="simulated")
    assert decisions(iam, arn, "s3:GetObject", "s3:PutObject") == ["allowed", "implicitDeny"]
    group = iam.get_group(GroupName="simulators")["Group"]["Arn"]
    assert decisions(iam, group, "s3:GetObject") == ["allowed"]
    exclusion = {"PolicyName": "p", "AttachmentType": "group", "AttachmentName": "simul*"}
    excluded = decisions(iam, arn, "s3:GetObject", PolicyExclusionList=[{"InlinePolicyIdentifier": exclusion}])
    assert excluded == ["implicitDeny"]


def test_the_default_version_of_a_policy_counts(iam: Any) -> None:
    arn = role(iam, "SimulatedB")
    made = iam.create_policy(PolicyName="simulated", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="SimulatedB", PolicyArn=made)
    iam.create_policy_version(PolicyArn=made, PolicyDocument=document(allow("ec2:*")), SetAsDefault=False)
    assert decisions(iam, arn, "s3:GetObject", "ec2:RunInstances") == ["allowed", "implicitDeny"]
    iam.set_default_policy_version(PolicyArn=made, VersionId="v2")
    assert decisions(iam, arn, "s3:GetObject", "ec2:RunInstances") == ["implicitDeny", "allowed"]
    for exclusion in ({"PolicyArn": made}, {"PolicyType": "user-managed"}):
        assert decisions(iam, arn, "ec2:RunInstances", PolicyExclusionList=[exclusion]) == ["implicitDeny"]
    assert decisions(iam, arn, "ec2:RunInstances", PolicyExclusionList=[{"PolicyType": "inline"}]) == ["allowed"]


def test_a_boundary_limits_and_another_can_be_tried(iam: Any) -> None:
    arn = role(iam, "SimulatedC", allow(["s3:*", "ec2:*"]))
    iam.put_role_permissions_boundary(RoleName="SimulatedC", PermissionsBoundary=AWS + "AmazonS3ReadOnlyAccess")
    found = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject", "ec2:RunInstances"])
    told = [
        (one["EvalDecision"], one["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"])
        for one in found["EvaluationResults"]
    ]
    assert told == [("allowed", True), ("implicitDeny", False)]
    tried = document(allow("ec2:*"))
    assert decisions(iam, arn, "ec2:RunInstances", PermissionsBoundaryPolicyInputList=[tried]) == ["allowed"]
    without = [{"PolicyType": "permission-boundary"}]
    assert decisions(iam, arn, "ec2:RunInstances", PolicyExclusionList=without) == ["allowed"]


def test_context_and_additional_policies(iam: Any) -> None:
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    arn = role(iam, "SimulatedD", allow("iam:PassRole", Condition=condition))
    found = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["iam:PassRole"])["EvaluationResults"][0]
    assert (found["EvalDecision"], found["MissingContextValues"]) == ("implicitDeny", ["iam:PassedToService"])
    entry = {"ContextKeyName": "iam:PassedToService", "ContextKeyValues": ["sagemaker.amazonaws.com"]}
    entries = [{**entry, "ContextKeyType": "string"}]
    assert decisions(iam, arn, "iam:PassRole", ContextEntries=entries) == ["allowed"]
    more = [document({"Effect": "Deny", "Action": "*", "Resource": "*"})]
    assert decisions(iam, arn, "iam:PassRole", ContextEntries=entries, PolicyInputList=more) == ["explicitDeny"]
    assert iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)["ContextKeyNames"] == ["iam:PassedToService"]


def test_custom_policies(iam: Any) -> None:
    given = document(allow("s3:GetObject", "arn:aws:s3:::b/${aws:username}/*"))
    entry = {"ContextKeyName": "aws:username", "ContextKeyValues": ["ann"], "ContextKeyType": "string"}
    found = iam.simulate_custom_policy(
        PolicyInputList=[given],
        ActionNames=["s3:GetObject"],
        ResourceArns=["arn:aws:s3:::b/ann/1"],
        ContextEntries=[entry],
    )["EvaluationResults"]
    assert [(one["EvalDecision"], one["MatchedStatements"][0]["SourcePolicyId"]) for one in found] == [
        ("allowed", "PolicyInputList.1")
    ]
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[given])["ContextKeyNames"]
    assert keys == ["aws:username"]


def test_pages(iam: Any) -> None:
    actions = [f"s3:Get{letter}" for letter in "ABCDEFG"]
    pages = list(
        iam.get_paginator("simulate_custom_policy").paginate(
            PolicyInputList=[document(allow("s3:*"))], ActionNames=actions, PaginationConfig={"PageSize": 3}
        )
    )
    assert [len(page["EvaluationResults"]) for page in pages] == [3, 3, 1]
    assert [one["EvalActionName"] for page in pages for one in page["EvaluationResults"]] == actions


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"PolicySourceArn": "arn:aws:iam::123456789012:root"}, "InvalidInput"),
        ({"PolicySourceArn": "arn:aws:sts::123456789012:assumed-role/R/session"}, "InvalidInput"),
        ({"PolicySourceArn": "arn:aws:iam::123456789012:role/Nobody"}, "NoSuchEntity"),
        ({"PolicySourceArn": "arn:aws:iam::210987654321:role/KennelTraining"}, "NoSuchEntity"),
        ({"ActionNames": ["CreateTrainingJob"]}, "InvalidInput"),
        ({"ResourceArns": ["bucket"]}, "InvalidInput"),
        ({"PolicyInputList": ["{"]}, "InvalidInput"),
        ({"PermissionsBoundaryPolicyInputList": [document(allow("*"))] * 2}, "InvalidInput"),
        ({"ResourcePolicy": document(allow("*"))}, "InvalidInput"),
        ({"ResourceHandlingOption": "EC2-VPC-EBS"}, "InvalidInput"),
        ({"ResourceOwner": "210987654321"}, "InvalidInput"),
        ({"Marker": "7"}, "InvalidInput"),
        ({"PolicyExclusionList": [{"PolicyArn": "arn:aws:iam::aws:policy/*a*"}]}, "InvalidInput"),
        (
            {
                "ContextEntries": [
                    {"ContextKeyName": "a:key", "ContextKeyValues": ["1", "2"], "ContextKeyType": "string"}
                ]
            },
            "InvalidInput",
        ),
    ],
)
def test_what_is_refused(iam: Any, params: dict[str, Any], code: str) -> None:
    if "PolicySourceArn" not in params:
        existing = [one["RoleName"] for one in iam.list_roles()["Roles"]]
        if "SimulatedE" not in existing:
            role(iam, "SimulatedE", allow("*"))
        params = {**params, "PolicySourceArn": iam.get_role(RoleName="SimulatedE")["Role"]["Arn"]}
    assert code_of(iam.simulate_principal_policy, **{"ActionNames": ["s3:GetObject"], **params}) == code


def test_a_policy_that_cannot_be_judged_is_no_pass(iam: Any) -> None:
    bad = document(allow("*", Condition={"NumericEquals": {"aws:Count": "many"}}))
    entry = {"ContextKeyName": "aws:Count", "ContextKeyValues": ["1"], "ContextKeyType": "numeric"}
    given = {"PolicyInputList": [bad], "ActionNames": ["s3:GetObject"], "ContextEntries": [entry]}
    assert code_of(iam.simulate_custom_policy, **given) == "PolicyEvaluation"
