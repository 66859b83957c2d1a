"""A serverless endpoint as AWS's clients see it: configured, asked cold and warm, throttled, measured."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import IMAGE, ROLE, bucket, refused, tiny_package, wait_for

SCALE = 200
CONFIG = {"MemorySizeInMB": 2048, "MaxConcurrency": 2}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """An embedded AWS in which a process that nobody asks ends after 1.5 s, with the serverless endpoint "dogs"."""
    running = start_embedded(tmp_path_factory.mktemp("fast"), "--time-scale", str(SCALE))
    try:
        bucket(running)
        sagemaker = running.client("sagemaker")
        environment = tiny_package(tmp_path_factory.mktemp("package"), "delay=0.2")
        container = {"Image": IMAGE, "Environment": environment}
        sagemaker.create_model(ModelName="dogs", PrimaryContainer=container, ExecutionRoleArn=ROLE)
        variant = {"VariantName": "AllTraffic", "ModelName": "dogs", "ServerlessConfig": CONFIG}
        sagemaker.create_endpoint_config(EndpointConfigName="dogs", ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName="dogs", EndpointConfigName="dogs")
        wait_for(sagemaker, "dogs", "InService")
        yield running
    finally:
        stop_embedded(running)


def ask(aws: Embedded, body: bytes = b"hello") -> bytes:
    return bytes(aws.client("sagemaker-runtime").invoke_endpoint(EndpointName="dogs", Body=body)["Body"].read())


def timed(aws: Embedded) -> float:
    """Seconds of one request."""
    started = time.perf_counter()
    ask(aws)
    return time.perf_counter() - started


def told(aws: Embedded, metric: str, statistic: str, namespace: str = "AWS/SageMaker") -> float:
    """A statistic over the last hour, once there is one."""
    now = datetime.now(UTC)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        points = aws.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": "EndpointName", "Value": "dogs"}, {"Name": "VariantName", "Value": "AllTraffic"}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=86_400,
            Statistics=[statistic],
        )["Datapoints"]
        if points:
            return float(points[-1][statistic])
        time.sleep(0.05)
    raise AssertionError(f"{metric} has no points")


def test_it_is_described_without_instances(aws: Embedded) -> None:
    (variant,) = aws.client("sagemaker").describe_endpoint(EndpointName="dogs")["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == variant["DesiredServerlessConfig"] == CONFIG
    assert "CurrentInstanceCount" not in variant


def test_a_cold_request_waits_for_its_process_and_says_so_in_cloudwatch(aws: Embedded) -> None:
    first = timed(aws)
    time.sleep(300 / SCALE + 1)  # until its process has ended; nothing tells when
    cold, warm = timed(aws), timed(aws)
    assert warm < cold
    setup = told(aws, "ModelSetupTime", "Maximum")
    assert 200_000 <= setup <= max(first, cold) * 1e6, "the process takes 0.2 s before it listens"
    assert told(aws, "OverheadLatency", "Maximum") >= setup, "the cold start is part of the overhead"
    assert told(aws, "ServerlessConcurrentExecutionsUtilization", "Maximum") == 0.5, "one of two"
    names = {one["MetricName"] for one in aws.client("cloudwatch").list_metrics(Namespace="AWS/SageMaker")["Metrics"]}
    assert not {"InvocationsPerInstance", "ConcurrentRequestsPerModel", "InvocationModelErrors"} & names


def test_above_the_maximum_requests_are_throttled(aws: Embedded) -> None:
    answers: list[str] = []

    def client() -> None:
        try:
            answers.append(ask(aws, b"sleep 1").decode())
        except ClientError as error:
            answers.append(f"{error.response['ResponseMetadata']['HTTPStatusCode']} {error.response['Error']['Code']}")

    clients = [threading.Thread(target=client) for _ in range(4)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert sorted(answers) == ["429 ThrottlingException"] * 2 + ["awake"] * 2, "every request is answered"
    assert told(aws, "Invocation4XXErrors", "Sum") == 2
    assert told(aws, "MemoryUtilization", "Maximum", "/aws/sagemaker/Endpoints") > 0


def test_concurrency_is_changed_in_place(aws: Embedded) -> None:
    sagemaker = aws.client("sagemaker")

    def update(**change: Any) -> None:
        wanted = [{"VariantName": "AllTraffic", **change}]
        sagemaker.update_endpoint_weights_and_capacities(EndpointName="dogs", DesiredWeightsAndCapacities=wanted)

    update(ServerlessUpdateConfig={"MaxConcurrency": 3, "ProvisionedConcurrency": 1})
    (variant,) = wait_for(sagemaker, "dogs", "InService")["ProductionVariants"]
    wanted = CONFIG | {"MaxConcurrency": 3, "ProvisionedConcurrency": 1}
    assert variant["DesiredServerlessConfig"] == variant["CurrentServerlessConfig"] == wanted
    ask(aws)
    assert told(aws, "ServerlessProvisionedConcurrencyUtilization", "Maximum") == 1
    with pytest.raises(ClientError, match="at most MaxConcurrency"):
        update(ServerlessUpdateConfig={"ProvisionedConcurrency": 4})
    with pytest.raises(ClientError, match="it has no instances"):
        update(DesiredInstanceCount=2)


@pytest.mark.parametrize(
    ("variants", "words"),
    [
        ([{"ServerlessConfig": CONFIG | {"MemorySizeInMB": 1500}}], "must be one of 1024"),
        ([{"ServerlessConfig": CONFIG | {"ProvisionedConcurrency": 3}}], "at most MaxConcurrency"),
        ([{"ServerlessConfig": CONFIG}, {"ServerlessConfig": CONFIG}], "no other variant"),
    ],
)
def test_what_is_ruled_out_is_refused(aws: Embedded, variants: list[dict[str, Any]], words: str) -> None:
    full = [{"VariantName": f"v{n}", "ModelName": "dogs", **one} for n, one in enumerate(variants)]
    make = aws.client("sagemaker").create_endpoint_config
    assert words in refused(make, EndpointConfigName="wrong", ProductionVariants=full)[1]


def test_an_endpoint_with_instances_does_not_become_serverless(aws: Embedded, tmp_path: Path) -> None:
    sagemaker = aws.client("sagemaker")
    variant = {"VariantName": "a", "ModelName": "dogs", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="real", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="real", EndpointConfigName="real")
    wait_for(sagemaker, "real", "InService")
    said = refused(sagemaker.update_endpoint, EndpointName="real", EndpointConfigName="dogs")[1]
    assert "cannot be made serverless" in said
    sagemaker.update_endpoint(EndpointName="dogs", EndpointConfigName="real")
    (after,) = wait_for(sagemaker, "dogs", "InService")["ProductionVariants"]
    assert (after["VariantName"], after["CurrentInstanceCount"]) == ("a", 1), "the other way round it does"
