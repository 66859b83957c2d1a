"""Requests for SageMaker's tests: jobs that run a shell script, and models served by the tiny server."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded

ROLE = "arn:aws:iam::123456789012:role/KennelTraining"
BUCKET = "sagemaker-tests"
IMAGE = "kennel/test"
TINY_SERVER = Path(__file__).with_name("tiny_server.py")

WORK = (
    "s3:ListBucket",
    "s3:GetObject",
    "s3:PutObject",
    "s3:AbortMultipartUpload",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
    "sagemaker:InvokeEndpoint",
)
"""What the roles of tests may do, where a test is not about that."""


@cache
def client(aws: Embedded, service: str, **config: Any) -> Any:
    """One client for each service of a server, kept: a client that is thrown away leaves its connection open."""
    return aws.client(service, **config)


def unique(prefix: str = "t") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def bucket(aws: Embedded) -> str:
    """A bucket that is there, with one object below data/; the role of jobs is there too."""
    role(aws)
    s3 = client(aws, "s3")
    if BUCKET not in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="data/a.txt", Body=b"a")
    return BUCKET


def role(aws: Embedded, name: str = "KennelTraining", service: str = "sagemaker.amazonaws.com") -> str:
    """A role that is there and that a service may assume; its ARN."""
    iam = client(aws, "iam")
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)
        allow(aws, name)
    return f"arn:aws:iam::123456789012:role/{name}"


def allow(aws: Embedded, role_name: str, *actions: str, resource: str | list[str] = "*", **statement: Any) -> None:
    """Give a role one policy, its only one of this kind: what jobs, endpoints and functions need, or those actions."""
    allowed = {"Effect": "Allow", "Action": list(actions or WORK), "Resource": resource} | statement
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    client(aws, "iam").put_role_policy(RoleName=role_name, PolicyName="work", PolicyDocument=document)


def training_request(name: str, script: str = "true", **changes: Any) -> dict[str, Any]:
    """CreateTrainingJob's parameters for a job that runs a shell script."""
    algorithm = {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": ["-c", script],
    } | changes.pop("AlgorithmSpecification", {})
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": algorithm,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/runs"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    } | changes


def channel(name: str = "training", key: str = "data/", **changes: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{key}"} | changes
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def finished(sagemaker: Any, name: str, seconds: float = 20.0) -> dict[str, Any]:
    """The description of a job that has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        if found["TrainingJobStatus"] not in ("InProgress", "Stopping"):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{name} is still {found['SecondaryStatus']}: {found['SecondaryStatusTransitions']}")


def in_stage(sagemaker: Any, name: str, stage: str, seconds: float = 10.0) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        if found["SecondaryStatus"] == stage:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{name} is {found['SecondaryStatus']}, not {stage}")


def log_lines(logs: Any, group: str, stream_prefix: str = "") -> list[str]:
    """Every line of the group's streams with that prefix; none when there is no such group."""
    try:
        prefix = {"logStreamNamePrefix": stream_prefix} if stream_prefix else {}
        streams = logs.describe_log_streams(logGroupName=group, **prefix)["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [
        event["message"]
        for stream in streams
        for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)[
            "events"
        ]
    ]


def tiny_package(folder: Path, *settings: str) -> dict[str, str]:
    """A model's Environment under which `python -m training.serve` is the tiny server."""
    package = folder / "training"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").touch()
    source = TINY_SERVER.read_text().replace("arguments = sys.argv[1:]", f"arguments = [*{settings!r}, *sys.argv[1:]]")
    (package / "serve.py").write_text(source)
    return {"PYTHONPATH": str(folder)}


def create_endpoint(
    sagemaker: Any, name: str, environment: dict[str, str], *, count: int = 1, role: str = ROLE, **model: Any
) -> None:
    """A model, a configuration and an endpoint of one name."""
    container = {"Image": IMAGE, "Environment": environment} | model
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": count,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def wait_for(sagemaker: Any, name: str, status: str, seconds: float = 60.0) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
        if found["EndpointStatus"] == status:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{name} is {found['EndpointStatus']}, not {status}: {found}")


def delete_endpoint(sagemaker: Any, name: str) -> None:
    """Delete an endpoint and wait until nothing of it runs."""
    sagemaker.delete_endpoint(EndpointName=name)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            sagemaker.describe_endpoint(EndpointName=name)
        except sagemaker.exceptions.ClientError:
            return
        time.sleep(0.02)
    raise AssertionError(f"{name} is still there")


@contextmanager
def endpoint(aws: Embedded, folder: Path, *settings: str, count: int = 1, **model: Any) -> Iterator[str]:
    """An endpoint in service, served by the tiny server; gone afterwards. Its name."""
    sagemaker, name = client(aws, "sagemaker"), unique("endpoint")
    create_endpoint(sagemaker, name, tiny_package(folder, *settings), count=count, **model)
    try:
        wait_for(sagemaker, name, "InService")
        yield name
    finally:
        delete_endpoint(sagemaker, name)


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """The code and message of the error a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]
