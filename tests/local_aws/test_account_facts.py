"""What the account's roles and networks are asked: who trusts whom, what is there."""

import json
from typing import Any

import pytest

from local_aws.account_facts import trusts
from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import bucket, client, finished, refused, role, training_request, unique

SAGEMAKER = "sagemaker.amazonaws.com"


def trust(**changes: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": SAGEMAKER}, "Action": "sts:AssumeRole"} | changes
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        (trust(), True),
        (trust(Principal={"Service": ["lambda.amazonaws.com", SAGEMAKER]}), True),
        (trust(Action=["sts:TagSession", "STS:assumeRole"]), True),
        (trust(Action="sts:*"), True),
        (trust(Principal="*"), True),
        (trust(Principal={"AWS": "*"}), True),
        (trust(Action="sts:Assume*"), True),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}}), True),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": "999999999999"}}), False),
        (trust(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:us-east-1:123456789012:*"}}), True),
        (trust(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:eu-west-1:123456789012:*"}}), False),
        (trust(Condition={"NoSuchOperator": {"aws:SourceArn": "x"}}), False),
        ({"Statement": trust()["Statement"][0]}, True),
        (trust(Principal={"Service": "ec2.amazonaws.com"}), False),
        (trust(Principal={"AWS": "arn:aws:iam::123456789012:root"}), False),
        (trust(Action="sts:TagSession"), False),
        (trust(Effect="Deny"), False),
        ({"Statement": [*trust()["Statement"], *trust(Effect="Deny")["Statement"]]}, False),
        ({}, False),
    ],
)
def test_a_trust_policy_names_who_may_assume_the_role(policy: dict[str, Any], allowed: bool) -> None:
    assert trusts(policy, SAGEMAKER, "arn:aws:sagemaker:us-east-1:123456789012:training-job/j") is allowed


@pytest.fixture
def sagemaker(embedded: Embedded) -> Any:
    bucket(embedded)
    return client(embedded, "sagemaker", parameter_validation=False)


def test_a_role_that_is_missing_or_trusts_another_service_is_named(embedded: Embedded, sagemaker: Any) -> None:
    missing = "arn:aws:iam::123456789012:role/NobodyMadeThis"
    other = role(embedded, unique("InstanceOnly"), "ec2.amazonaws.com")
    for arn in (missing, other):
        assert refused(sagemaker.create_training_job, **training_request(unique(), RoleArn=arn)) == (
            "ValidationException",
            f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
            "'sagemaker.amazonaws.com' to assume the role.",
        )
    statement = trust()["Statement"][0]
    client(embedded, "iam").update_assume_role_policy(
        RoleName=other.rpartition("/")[2],
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    name = unique()
    sagemaker.create_training_job(**training_request(name, RoleArn=other))
    assert finished(sagemaker, name)["TrainingJobStatus"] == "Completed"


def test_a_vpc_is_recorded_where_its_parts_are_there_and_said_not_to_be(embedded: Embedded, sagemaker: Any) -> None:
    ec2, name = client(embedded, "ec2"), unique()
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = next(one for one in ec2.describe_security_groups()["SecurityGroups"] if one["VpcId"] == subnet["VpcId"])[
        "GroupId"
    ]
    vpc = {"Subnets": [subnet["SubnetId"]], "SecurityGroupIds": [group]}
    sagemaker.create_training_job(**training_request(name, VpcConfig=vpc))
    found = finished(sagemaker, name)
    assert found["VpcConfig"] == vpc
    (training,) = (one for one in found["SecondaryStatusTransitions"] if one["Status"] == "Training")
    assert "This machine has no VPC" in training["StatusMessage"]

    elsewhere = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    other = ec2.create_security_group(GroupName=unique(), Description="x", VpcId=elsewhere)["GroupId"]
    for wrong, words in (
        (
            {"Subnets": ["subnet-0123456789abcdef0"], "SecurityGroupIds": [group]},
            "'subnet-0123456789abcdef0' does not exist",
        ),
        ({"Subnets": vpc["Subnets"], "SecurityGroupIds": ["sg-0123456789abcdef0"]}, "'sg-0123456789abcdef0' does not"),
        ({"Subnets": vpc["Subnets"], "SecurityGroupIds": [other]}, "must belong to one VPC"),
    ):
        code, message = refused(sagemaker.create_training_job, **training_request(unique(), VpcConfig=wrong))
        assert code == "ValidationException"
        assert words in message
