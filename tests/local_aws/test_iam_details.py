"""GetAccountAuthorizationDetails: all that an account's entities may, page by page, as boto3 reads it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded, start_embedded, stop_embedded

READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a%20b/ü+*"}],
}
FIRST = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
OF_AWS = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
BOUND = "arn:aws:iam::aws:policy/PowerUserAccess"


@pytest.fixture(scope="module")
def iam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """IAM with a user, a group, several roles and policies."""
    running: Embedded = start_embedded(tmp_path_factory.mktemp("details"))
    try:
        _fill(running.client("iam"))
        yield running.client("iam")
    finally:
        stop_embedded(running)


def _fill(iam: Any) -> None:
    own = iam.create_policy(PolicyName="own", Path="/team/", PolicyDocument=json.dumps(FIRST))
    arn = own["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(READ), SetAsDefault=True)
    iam.create_policy(PolicyName="left", PolicyDocument=json.dumps(READ))
    iam.create_role(
        RoleName="full",
        Path="/ml/",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        PermissionsBoundary=BOUND,
        Tags=[{"Key": "owner", "Value": "ada"}],
    )
    iam.put_role_policy(RoleName="full", PolicyName="inline", PolicyDocument=json.dumps(READ))
    iam.attach_role_policy(RoleName="full", PolicyArn=arn)
    iam.attach_role_policy(RoleName="full", PolicyArn=OF_AWS)
    iam.create_instance_profile(InstanceProfileName="profile")
    iam.add_role_to_instance_profile(InstanceProfileName="profile", RoleName="full")
    iam.create_role(RoleName="bare", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.create_user(UserName="ada", Tags=[{"Key": "team", "Value": "ml"}])
    iam.put_user_policy(UserName="ada", PolicyName="mine", PolicyDocument=json.dumps(READ))
    iam.create_group(GroupName="dogs")
    iam.add_user_to_group(GroupName="dogs", UserName="ada")
    iam.attach_group_policy(GroupName="dogs", PolicyArn=arn)


def by(found: list[dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    return {one[name]: one for one in found}


def test_a_role_is_told_with_all_that_decides_what_it_may(iam: Any) -> None:
    found = by(iam.get_account_authorization_details()["RoleDetailList"], "RoleName")
    full = found["full"]
    assert full["Path"] == "/ml/" and full["Arn"].endswith(":role/ml/full") and full["RoleId"].startswith("AROA")
    assert full["AssumeRolePolicyDocument"] == TRUST
    assert full["RolePolicyList"] == [{"PolicyName": "inline", "PolicyDocument": READ}]
    assert {one["PolicyName"] for one in full["AttachedManagedPolicies"]} == {"own", "AmazonS3ReadOnlyAccess"}
    assert full["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUND
    assert full["Tags"] == [{"Key": "owner", "Value": "ada"}]
    (profile,) = full["InstanceProfileList"]
    assert profile["InstanceProfileName"] == "profile" and profile["Roles"][0]["Arn"] == full["Arn"]
    assert datetime.now(UTC) - full["CreateDate"] < timedelta(minutes=5)
    assert found["bare"]["RolePolicyList"] == [] and "PermissionsBoundary" not in found["bare"]


def test_policies_are_told_with_every_version_and_how_many_have_them(iam: Any) -> None:
    found = by(iam.get_account_authorization_details()["Policies"], "PolicyName")
    own = found["own"]
    assert own["DefaultVersionId"] == "v2" and own["AttachmentCount"] == 2
    assert {one["VersionId"]: one["IsDefaultVersion"] for one in own["PolicyVersionList"]} == {"v1": False, "v2": True}
    assert next(one["Document"] for one in own["PolicyVersionList"] if one["IsDefaultVersion"]) == READ
    assert found["left"]["AttachmentCount"] == 0
    assert (found["PowerUserAccess"]["AttachmentCount"], found["PowerUserAccess"]["PermissionsBoundaryUsageCount"]) == (
        0,
        1,
    )


def test_of_aws_s_own_policies_only_those_in_use_are_told(iam: Any) -> None:
    found = iam.get_account_authorization_details(Filter=["AWSManagedPolicy"])
    assert {one["Arn"] for one in found["Policies"]} == {OF_AWS, BOUND}
    assert not found["RoleDetailList"] and not found["UserDetailList"]


def test_users_and_groups_are_told(iam: Any) -> None:
    found = iam.get_account_authorization_details(Filter=["User", "Group"])
    ada, dogs = by(found["UserDetailList"], "UserName")["ada"], by(found["GroupDetailList"], "GroupName")["dogs"]
    assert ada["UserPolicyList"] == [{"PolicyName": "mine", "PolicyDocument": READ}] and ada["GroupList"] == ["dogs"]
    assert ada["Tags"] == [{"Key": "team", "Value": "ml"}]
    assert [one["PolicyName"] for one in dogs["AttachedManagedPolicies"]] == ["own"] and dogs["GroupPolicyList"] == []
    assert not found["RoleDetailList"] and not found["Policies"]


def test_pages_hold_as_many_as_asked_for_and_together_everything_once(iam: Any) -> None:
    whole = iam.get_account_authorization_details(MaxItems=1000)
    assert whole["IsTruncated"] is False
    paginator = iam.get_paginator("get_account_authorization_details")
    pages = list(paginator.paginate(PaginationConfig={"PageSize": 2}))
    assert all(sum(len(page[name]) for name in LISTS) <= 2 for page in pages) and len(pages) > 3
    for name in LISTS:
        assert [one["Arn"] for page in pages for one in page[name]] == [one["Arn"] for one in whole[name]]


@pytest.mark.parametrize("params", [{"Filter": ["Roles"]}, {"MaxItems": 1001}, {"Marker": "here"}, {"Marker": "9999"}])
def test_what_cannot_be_is_refused(iam: Any, params: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        iam.get_account_authorization_details(**params)
    assert caught.value.response["Error"]["Code"] == "ValidationError"
