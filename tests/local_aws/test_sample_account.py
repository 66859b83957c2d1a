"""The sample account is built once, whatever interrupts it, and is what Kennel needs in its first minute."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import client

BUCKET = "kennel-123456789012-us-east-1"
MARKS = {"kennel:made-by": "kennel", "kennel:sample": "true"}


def command(state: Path) -> list[str]:
    return [sys.executable, "-m", "local_aws.sample_account", "--state", str(state)]


def build(state: Path, *arguments: str) -> list[str]:
    """Build the account to its end; the lines it printed."""
    done = subprocess.run(
        [*command(state), *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def keys(aws: Embedded, prefix: str) -> list[str]:
    pages = client(aws, "s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [one["Key"] for page in pages for one in page.get("Contents", [])]


def marks(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


@dataclass
class Built:
    aws: Embedded
    found_when_killed: list[str]
    lines: list[str]
    lines_again: list[str]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """An account whose building was killed while it uploaded photos, then done again, then once more."""
    aws = start_embedded(tmp_path_factory.mktemp("state"))
    with subprocess.Popen(command(aws.state), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("dataset"):
            assert process.poll() is None
        while not (found := keys(aws, "datasets/")):
            time.sleep(0.02)
        process.kill()
    lines = build(aws.state)
    made = Built(aws, found, lines, build(aws.state))
    yield made
    stop_embedded(made.aws)


def test_it_goes_on_where_it_was_killed(built: Built) -> None:
    assert 0 < len(built.found_when_killed) < 240
    assert built.lines == [
        "dataset drawn-dogs: draw and upload",
        "training run sample-drawn-dogs",
        "sample account: complete",
    ]


def test_once_built_it_changes_nothing(built: Built) -> None:
    assert built.lines_again == ["sample account: complete"]


def test_the_starter_classifies(built: Built) -> None:
    key = next(key for key in keys(built.aws, "datasets/drawn-dogs/test/"))
    photo = client(built.aws, "s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    answer = client(built.aws, "sagemaker-runtime").invoke_endpoint(
        EndpointName="starter",
        ContentType="image/jpeg",
        Accept="application/json; profile=breeds",
        Body=photo,
    )
    told = json.loads(answer["Body"].read())
    assert told["model"] == "starter"
    assert len(told["predictions"][0]) == 5


def test_the_dataset_has_the_folders_that_training_expects(built: Built) -> None:
    found = [key.split("/") for key in keys(built.aws, "datasets/")]
    assert {parts[1] for parts in found} == {"drawn-dogs"}
    assert {parts[2] for parts in found} == {"train", "valid", "test"}
    assert all(len(parts) == 5 and parts[4].endswith(".jpg") for parts in found)
    assert len({parts[3] for parts in found}) >= 2


def test_everything_is_tagged_as_a_sample(built: Built) -> None:
    s3, sagemaker, iam = (client(built.aws, service) for service in ("s3", "sagemaker", "iam"))
    assert marks(s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]) == MARKS
    for key in ("models/starter/model.tar.gz", keys(built.aws, "datasets/")[0]):
        assert marks(s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]) == MARKS
    for role in ("KennelTraining", "KennelEndpoint", "KennelInstance"):
        assert marks(iam.list_role_tags(RoleName=role)["Tags"]) == MARKS
    account = "arn:aws:sagemaker:us-east-1:123456789012"
    for name in ("model/starter", "endpoint-config/starter", "endpoint/starter", "training-job/sample-drawn-dogs"):
        assert marks(sagemaker.list_tags(ResourceArn=f"{account}:{name}")["Tags"]) == MARKS


ECR_LOGIN = "ecr:GetAuthorizationToken"


@pytest.mark.parametrize(
    ("role", "service"), [("KennelTraining", "sagemaker.amazonaws.com"), ("KennelInstance", "ec2.amazonaws.com")]
)
def test_the_roles_can_be_assumed_by_their_service_and_do_little_else(built: Built, role: str, service: str) -> None:
    iam = client(built.aws, "iam")
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert [statement["Principal"] for statement in trust] == [{"Service": service}]
    policy: dict[str, Any] = iam.get_role_policy(RoleName=role, PolicyName=role)["PolicyDocument"]
    assert all("*" not in action for statement in policy["Statement"] for action in statement["Action"])
    # PutMetricData knows no resources and has a condition; the login to a registry has neither
    limited = [one for one in policy["Statement"] if "Condition" not in one and one["Action"] != [ECR_LOGIN]]
    assert "*" not in [resource for statement in limited for resource in statement["Resource"]]
    assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]


def test_an_instance_gets_its_role_through_the_profile_of_the_same_name(built: Built) -> None:
    profile = client(built.aws, "iam").get_instance_profile(InstanceProfileName="KennelInstance")["InstanceProfile"]
    assert [role["RoleName"] for role in profile["Roles"]] == ["KennelInstance"]


def test_a_policy_of_an_older_kennel_is_replaced_and_a_persons_own_is_kept(built: Built) -> None:
    iam = client(built.aws, "iam")
    name = "KennelTraining"
    ours = iam.get_role_policy(RoleName=name, PolicyName=name)["PolicyDocument"]
    older = {"Version": "2012-10-17", "Statement": ours["Statement"][:2]}
    own = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    narrower = json.loads(json.dumps(ours))
    narrower["Statement"][1]["Resource"].remove(f"arn:aws:s3:::{BUCKET}/runs/code/*")
    for put, only, expected in ((own, (), own), (older, (), ours), (narrower, ("--only", "roles"), ours)):
        iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(put))
        build(built.aws.state, *only)
        assert iam.get_role_policy(RoleName=name, PolicyName=name)["PolicyDocument"] == expected


def test_a_run_that_the_servers_end_interrupted_is_followed_by_another(built: Built) -> None:
    found = client(built.aws, "sagemaker").describe_training_job(TrainingJobName="sample-drawn-dogs")
    if found["TrainingJobStatus"] == "Completed":
        pytest.skip("this machine finished the run before the server could be killed")
    assert found["HyperParameters"]["epochs"]
    built.aws.process.kill()
    stop_embedded(built.aws)
    built.aws = start_embedded(built.aws.state)
    assert build(built.aws.state) == ["training run sample-drawn-dogs-2", "sample account: complete"]
    sagemaker = client(built.aws, "sagemaker")
    assert sagemaker.describe_training_job(TrainingJobName="sample-drawn-dogs")["TrainingJobStatus"] == "Failed"


def test_without_a_server_it_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(command(tmp_path), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"python -m local_aws --state {tmp_path}" in done.stderr
    assert "Traceback" not in done.stderr
