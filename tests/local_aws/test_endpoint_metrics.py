"""Every request to an endpoint is counted in CloudWatch, under the names and units that SageMaker has for it."""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import bucket, client, endpoint


@pytest.fixture(scope="module")
def name(embedded: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An endpoint that was asked five times well, once badly, and that failed once."""
    bucket(embedded)
    runtime = client(embedded, "sagemaker-runtime", parameter_validation=False)
    with endpoint(embedded, tmp_path_factory.mktemp("package"), count=2) as made:
        for body in (b"a", b"b", b"c", b"sleep 0.2", b"d", b"bad", b"fail"):
            with suppress(ClientError):
                runtime.invoke_endpoint(EndpointName=made, Body=body)
        yield made


def told(embedded: Embedded, name: str, metric: str, *statistics: str, percentile: str = "") -> dict[str, Any]:
    """The one data point of a metric over an hour, once all seven requests are in it."""
    now = datetime.now(UTC)
    asked: dict[str, Any] = {
        "Namespace": "AWS/SageMaker",
        "MetricName": metric,
        "Dimensions": [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "AllTraffic"}],
        "StartTime": now - timedelta(hours=1),
        "EndTime": now + timedelta(minutes=1),
        "Period": 86_400,
        **({"ExtendedStatistics": [percentile]} if percentile else {"Statistics": [*statistics, "SampleCount"]}),
    }
    cloudwatch = client(embedded, "cloudwatch")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = cloudwatch.get_metric_statistics(**asked)["Datapoints"]
        if found and (percentile or sum(one["SampleCount"] for one in found) == 7):
            return dict(found[-1])
        time.sleep(0.05)
    raise AssertionError(f"{metric} has {found}")


def test_requests_are_counted(embedded: Embedded, name: str) -> None:
    point = told(embedded, name, "Invocations", "Sum")
    assert (point["Sum"], point["Unit"]) == (7, "Count")
    assert told(embedded, name, "InvocationsPerInstance", "Sum")["Sum"] == 3.5, "two instances share them"


def test_errors_of_the_model_are_told_apart(embedded: Embedded, name: str) -> None:
    assert told(embedded, name, "Invocation4XXErrors", "Sum", "Average")["Sum"] == 1
    assert told(embedded, name, "Invocation5XXErrors", "Sum")["Sum"] == 1
    assert told(embedded, name, "InvocationModelErrors", "Sum")["Sum"] == 2


def test_latency_is_in_microseconds_and_has_percentiles(embedded: Embedded, name: str) -> None:
    point = told(embedded, name, "ModelLatency", "Maximum", "Minimum")
    assert point["Unit"] == "Microseconds"
    assert 200_000 <= point["Maximum"] < 2_000_000, "one request slept for 0.2 s"
    assert point["Minimum"] < 200_000
    half = told(embedded, name, "ModelLatency", percentile="p50")["ExtendedStatistics"]["p50"]
    assert half < 200_000, "the middle one of seven did not sleep"
    assert told(embedded, name, "OverheadLatency", "Minimum")["Minimum"] >= 1


def test_an_endpoint_that_nobody_asked_has_no_points(embedded: Embedded, tmp_path: Path) -> None:
    with endpoint(embedded, tmp_path) as quiet:
        found = client(embedded, "cloudwatch").list_metrics(
            Namespace="AWS/SageMaker", Dimensions=[{"Name": "EndpointName", "Value": quiet}]
        )
        assert found["Metrics"] == []
