"""What SageMaker and Lambda do as a role they do as far as it may: data, artifacts, images, logs and figures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.engine.artifacts import pack
from tests.conftest import Embedded
from tests.local_aws.callers import allow, document, trust
from tests.local_aws.lambda_world import ask, lines, make, package, remove
from tests.local_aws.sagemaker_world import (
    BUCKET,
    bucket,
    channel,
    client,
    create_endpoint,
    delete_endpoint,
    finished,
    log_lines,
    refused,
    tiny_package,
    training_request,
    unique,
    wait_for,
)

READS = (allow("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"), allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/data/*"))
WRITES = allow("s3:PutObject", f"arn:aws:s3:::{BUCKET}/runs/*")
LOGS = allow(
    ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/*",
)
FIGURES = allow(
    "cloudwatch:PutMetricData",
    Condition={"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}},
)
GROUP = "/aws/sagemaker/TrainingJobs"
ECR = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.9"
SCRIPT = "cat /opt/ml/input/data/training/a.txt; echo; echo 'loss=0.5;'; sleep 0.7; echo 1 > /opt/ml/model/weights"


class Role:
    """One role, whose statements a test changes."""

    def __init__(self, aws: Embedded, service: str = "sagemaker.amazonaws.com") -> None:
        self.iam = client(aws, "iam")
        self.name = unique("deeds")
        self.arn = f"arn:aws:iam::123456789012:role/{self.name}"
        self.iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=trust({"Service": service}))

    def may(self, *statements: dict[str, Any]) -> None:
        self.iam.put_role_policy(RoleName=self.name, PolicyName="own", PolicyDocument=document(*statements))


@pytest.fixture
def role(embedded: Embedded) -> Iterator[Role]:
    bucket(embedded)
    yield Role(embedded)


def train(aws: Embedded, role: Role, **changes: Any) -> dict[str, Any]:
    """A job that reads its channel, prints a metric and leaves a model, as it ended."""
    name = unique("deeds")
    metrics = {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*?);"}]}
    algorithm = metrics | changes.pop("AlgorithmSpecification", {})
    request = training_request(name, SCRIPT, RoleArn=role.arn, InputDataConfig=[channel()])
    request["AlgorithmSpecification"] |= algorithm
    client(aws, "sagemaker").create_training_job(**request | changes)
    return finished(client(aws, "sagemaker"), name)


def figures(aws: Embedded, name: str) -> list[str]:
    """The names of the metrics that a job told."""
    found = client(aws, "cloudwatch").get_paginator("list_metrics").paginate(Namespace=GROUP)
    return [
        one["MetricName"]
        for page in found
        for one in page["Metrics"]
        if any(name in each["Value"] for each in one["Dimensions"])
    ]


def test_a_job_with_what_it_needs_and_no_more_completes(embedded: Embedded, role: Role) -> None:
    role.may(*READS, WRITES, LOGS, FIGURES)
    found = train(embedded, role)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    assert log_lines(client(embedded, "logs"), GROUP, found["TrainingJobName"])[0] == "a"
    assert "loss" in figures(embedded, found["TrainingJobName"])


def test_a_role_that_may_not_list_its_data_has_its_job_refused(embedded: Embedded, role: Role) -> None:
    role.may(WRITES, LOGS)
    request = training_request(unique("deeds"), RoleArn=role.arn, InputDataConfig=[channel()])
    code, told = refused(client(embedded, "sagemaker").create_training_job, **request)
    assert code == "ValidationException"
    assert f'that the role "{role.arn}" has "s3:ListBucket" permissions on bucket "{BUCKET}"' in told
    assert told.endswith("Error message from S3: Access Denied")


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        ((READS[0], WRITES, LOGS), f"Data download failed: s3://{BUCKET}/data/: User: "),
        ((*READS, LOGS), f"Artifact upload failed: s3://{BUCKET}/runs/"),
    ],
)
def test_a_job_fails_where_its_role_may_not(
    embedded: Embedded, role: Role, statements: tuple[dict[str, Any], ...], reason: str
) -> None:
    role.may(*statements)
    found = train(embedded, role)
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"].startswith(f"ClientError: {reason}")
    session = f"arn:aws:sts::123456789012:assumed-role/{role.name}/SageMaker"
    assert f"User: {session} is not authorized to perform: s3:" in found["FailureReason"]


def test_without_rights_to_log_and_tell_a_job_works_in_silence(embedded: Embedded, role: Role) -> None:
    role.may(*READS, WRITES)
    found = train(embedded, role)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    assert log_lines(client(embedded, "logs"), GROUP, found["TrainingJobName"]) == []
    assert figures(embedded, found["TrainingJobName"]) == []
    assert found["FinalMetricDataList"][0]["Value"] == 0.5  # which SageMaker reads itself


def test_checkpoints_are_the_roles_too(embedded: Embedded, role: Role) -> None:
    name = unique("ck")
    client(embedded, "s3").put_object(Bucket=BUCKET, Key=f"{name}/old.pt", Body=b"old")
    keep = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/{name}"}}
    role.may(*READS, WRITES, LOGS)
    found = train(embedded, role, **keep)
    assert found["FailureReason"].startswith(f"ClientError: Checkpoint download failed: s3://{BUCKET}/{name}")
    role.may(*READS, WRITES, LOGS, allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{BUCKET}/{name}/*"))
    assert train(embedded, role, **keep)["TrainingJobStatus"] == "Completed"


def test_an_image_of_a_registry_is_pulled_as_the_role(embedded: Embedded, role: Role) -> None:
    role.may(*READS, WRITES, LOGS)
    image = {"AlgorithmSpecification": {"TrainingImage": ECR}}
    found = train(embedded, role, **image)
    assert found["FailureReason"] == (
        f"ClientError: The role '{role.arn}' does not have GetAuthorizationToken permission for the image: '{ECR}'."
    )
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    repository = "arn:aws:ecr:us-east-1:763104351884:repository/pytorch-training"
    role.may(*READS, WRITES, LOGS, allow("ecr:GetAuthorizationToken"), allow(pull, repository))
    assert train(embedded, role, **image)["TrainingJobStatus"] == "Completed"


def test_a_model_is_fetched_and_an_endpoint_speaks_as_the_models_role(
    embedded: Embedded, role: Role, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(b"1")
    pack(tmp_path / "model", tmp_path / "model.tar.gz")
    name = unique("deeds")
    data = f"s3://{BUCKET}/{name}/model.tar.gz"
    client(embedded, "s3").upload_file(str(tmp_path / "model.tar.gz"), BUCKET, f"{name}/model.tar.gz")
    sagemaker = client(embedded, "sagemaker")
    container = {"Image": "kennel/test", "ModelDataUrl": data, "Environment": tiny_package(tmp_path / "package")}
    code, told = refused(sagemaker.create_model, ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role.arn)
    assert (code, f"Could not access model data at {data}" in told) == ("ValidationException", True)
    reads = allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/{name}/*")
    role.may(reads)
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role.arn)
    variant = {"VariantName": "v", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    role.may(LOGS)  # changed since
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    found = wait_for(sagemaker, name, "Failed")
    assert "not authorized to perform: s3:GetObject" in found["FailureReason"]
    delete_endpoint(sagemaker, name)
    role.may(reads)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_for(sagemaker, name, "InService")
    delete_endpoint(sagemaker, name)
    assert log_lines(client(embedded, "logs"), f"/aws/sagemaker/Endpoints/{name}") == []


def test_an_endpoint_starts_as_a_role_that_trusts_sagemaker_for_more_than_one_endpoint(
    embedded: Embedded, tmp_path: Path
) -> None:
    """It is assumed for no single endpoint's ARN: a trust which wants one keeps every endpoint from starting."""
    sagemaker, name = client(embedded, "sagemaker"), unique("trust")
    role = Role(embedded)
    own = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}"
    for source, status in ((own, "Failed"), ("arn:aws:sagemaker:us-east-1:123456789012:*", "InService")):
        service = {"Service": "sagemaker.amazonaws.com"}
        role.iam.update_assume_role_policy(
            RoleName=role.name, PolicyDocument=trust(service, ArnLike={"aws:SourceArn": source})
        )
        create_endpoint(sagemaker, name, tiny_package(tmp_path / status), role=role.arn)
        found = wait_for(sagemaker, name, status)
        assert f"Could not assume role {role.arn}" in found.get("FailureReason", f"Could not assume role {role.arn}")
        delete_endpoint(sagemaker, name)
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
        sagemaker.delete_model(ModelName=name)


def test_a_functions_log_is_written_as_its_role(embedded: Embedded) -> None:
    """The three are asked one after the other, and their lines are written in that order."""
    code = package(app="def handler(event, context):\n    print('hello')\n    return 1\n")
    write = ["logs:CreateLogStream", "logs:PutLogEvents"]
    rights = {"none": [], "no-group": write, "all": [*write, "logs:CreateLogGroup"]}
    names = {}
    for kind, actions in rights.items():
        role = Role(embedded, "lambda.amazonaws.com")
        names[kind] = make(embedded, code=code, Role=role.arn)
        if actions:
            role.may(allow(actions, f"arn:aws:logs:*:*:log-group:/aws/lambda/{names[kind]}:*"))
        assert ask(embedded, names[kind])["Payload"] == 1
    assert "hello" in lines(embedded, names["all"], "hello")
    logs, group = client(embedded, "logs"), f"/aws/lambda/{names['no-group']}"
    assert log_lines(logs, f"/aws/lambda/{names['none']}") == log_lines(logs, group) == []
    logs.create_log_group(logGroupName=group)
    assert ask(embedded, names["no-group"])["Payload"] == 1
    assert lines(embedded, names["no-group"], "hello").count("hello") == 1
    for name in names.values():
        remove(embedded, name)
