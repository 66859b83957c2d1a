"""What each duty needs, held against AWS's own reference and against what AWS's guides name."""

import fnmatch
import re
from typing import Any

import pytest

from dashboard.core.iam import actions
from dashboard.core.iam.findings import audit
from dashboard.core.iam.least.duties import needs
from dashboard.core.iam.least.duty_trust import trust
from dashboard.core.iam.least.grants import Grant, document
from dashboard.core.iam.least.resources import Folder, Resources
from dashboard.core.iam.usage import Duty
from tests.core.iam.generated import ACCOUNT, BUCKET, ENDPOINT, HERE, WHERE, WORK, details

EVERYTHING = Resources(
    reads=(Folder("dogs", "in/"), Folder("other", "")),
    writes=(Folder("dogs", "out/"),),
    kept=(Folder("dogs", "kept/"),),
    images=("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8", "kennel/sample"),
    endpoints=(ENDPOINT,),
    groups=("/some/group",),
    new_groups=("/some/group",),
    namespaces=("Some/Namespace",),
    keys=(f"arn:aws:kms:{HERE}:key/1234", f"arn:aws:kms:{HERE}:alias/dogs"),
    subnets=("subnet-1",),
    security_groups=("sg-1",),
    jobs=("dogs-*",),
    roles=(f"arn:aws:iam::{ACCOUNT}:role/DogTraining",),
    topics=(f"arn:aws:sns:{HERE}:done",),
    managed=True,
)


def all_grants() -> list[Any]:
    return [
        pytest.param(duty, grant, id=f"{duty}-{grant.sid}") for duty in Duty for grant in needs(duty, EVERYTHING, WHERE)
    ]


def meanings(resource: str) -> list[str]:
    """What a resource's last wildcard may stand for: a stream of a log group goes on after the group's name."""
    if ":log-group:" not in resource or not resource.endswith("*"):
        return [resource]
    begun = resource.removesuffix("*")
    return [f"{begun}log-stream:one", f"{begun}x:log-stream:one"]


@pytest.mark.parametrize(("duty", "grant"), all_grants())
def test_every_grant_is_one_that_the_service_authorization_reference_knows(duty: Duty, grant: Grant) -> None:
    fit: set[str] = set()
    for action in grant.actions:
        assert actions.known(action)
        assert actions.canonical(action) == action
        # judged by the standard library's matcher, not by our own
        patterns = [re.sub(r"\$\{[^}]*\}", "*", form) for form in actions.resource_types(action).values()]
        found = {
            one
            for one in grant.resources
            if any(fnmatch.fnmatchcase(meant, pattern) for meant in meanings(one) for pattern in patterns)
        }
        assert found or grant.resources == ("*",), f"{action} never meets {grant.resources}"
        fit |= found
        keys = {key.lower() for key in actions.condition_keys(action)}
        assert {limit.key.lower() for limit in grant.limits} <= keys
    assert fit == set(grant.resources) - {"*"}


@pytest.mark.parametrize("duty", Duty)
def test_what_writes_takes_a_resource_where_aws_has_one(duty: Duty) -> None:
    """Whatever changes something and can be limited to a resource is limited to one, or by a condition."""
    excused = {"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses", "ec2:CreateNetworkInterface",
               "ec2:DeleteNetworkInterface", "ssm:UpdateInstanceInformation"}  # fmt: skip
    for grant in needs(duty, EVERYTHING, WHERE):
        for action in grant.actions:
            if "*" in grant.resources and actions.access_level(action).changes and actions.resource_types(action):
                assert grant.limits or (grant.sid in ("JoinNetwork", "Sessions") and action in excused), action


@pytest.mark.parametrize("duty", Duty)
def test_the_audit_finds_nothing_in_a_role_of_one_duty(duty: Duty) -> None:
    policy = document(needs(duty, WORK[duty], WHERE))
    found = audit(details("DogTraining", inline=[policy], trust=trust(duty, WHERE)))
    assert [(one.kind, one.reason) for one in found] == []


def test_training_is_what_the_developer_guide_lists_for_createtrainingjob() -> None:
    """SageMaker Developer Guide, "CreateTrainingJob API: Execution Role Permissions"."""
    listed = {
        "cloudwatch:PutMetricData", "logs:CreateLogStream", "logs:PutLogEvents", "logs:CreateLogGroup",
        "logs:DescribeLogStreams", "s3:GetObject", "s3:PutObject", "s3:ListBucket", "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
    }  # fmt: skip
    found = {action for grant in needs(Duty.TRAINING, WORK[Duty.TRAINING], WHERE) for action in grant.actions}
    assert found - listed == {"s3:AbortMultipartUpload"}
    assert listed <= found


def test_a_training_reads_its_folders_and_no_other_and_lists_them_only() -> None:
    policy = document(needs(Duty.TRAINING, WORK[Duty.TRAINING], WHERE))["Statement"]
    assert {
        "Sid": "ListPrefix",
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{BUCKET}",
        "Condition": {"StringLike": {"s3:prefix": ["datasets/dogs/*", "code/*"]}},
    } in policy
    assert {
        "Sid": "ReadIn",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": [f"arn:aws:s3:::{BUCKET}/datasets/dogs/*", f"arn:aws:s3:::{BUCKET}/code/*"],
    } in policy


def test_a_function_asks_its_endpoint_and_writes_its_own_log() -> None:
    assert document(needs(Duty.FUNCTION, WORK[Duty.FUNCTION], WHERE)) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "InvokeOneEndpoint",
                "Effect": "Allow",
                "Action": "sagemaker:InvokeEndpoint",
                "Resource": ENDPOINT,
            },
            {
                "Sid": "OwnLogs",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": f"arn:aws:logs:{HERE}:log-group:/aws/lambda/dog-infer:*",
            },
        ],
    }


def test_sagemaker_says_for_whom_it_acts_and_lambda_and_ec2_cannot() -> None:
    training = trust(Duty.TRAINING, WHERE)["Statement"][0]
    assert training["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert f"arn:aws:sagemaker:{HERE}:training-job/*" in training["Condition"]["ArnLike"]["aws:SourceArn"]
    endpoint = trust(Duty.ENDPOINT, WHERE)["Statement"][0]
    assert endpoint["Condition"]["ArnLike"] == {"aws:SourceArn": f"arn:aws:sagemaker:{HERE}:*"}
    for duty in (Duty.FUNCTION, Duty.INSTANCE):
        assert "Condition" not in trust(duty, WHERE)["Statement"][0]


def test_a_bucket_that_is_served_as_a_whole_is_listed_as_a_whole() -> None:
    (listing, reads, *_) = needs(Duty.TRAINING, Resources(reads=(Folder("dogs", ""),)), WHERE)
    assert (listing.limits, reads.resources) == ((), ("arn:aws:s3:::dogs/*",))
