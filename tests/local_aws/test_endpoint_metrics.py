"""Every request to an endpoint is counted in CloudWatch, under the names and units that SageMaker has for it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.pace import Pace
from local_aws.services.cloudwatch_store import Metric, MetricStore
from local_aws.services.endpoint_metrics import NAMESPACE, EndpointMetrics, Invocation, Seat
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
    end = time.monotonic() + 30
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


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


def points(store: MetricStore, metric: str, period: int) -> list[tuple[int, float]]:
    """(second since the clock's beginning, highest value) of each bin."""
    begun = 1_700_000_000
    named = Metric(NAMESPACE, metric, (("EndpointName", "dogs"), ("VariantName", "a")))
    bins = store.bins("us-east-1", named, start=begun, end=begun + 120, period=period)
    return [(bin.at - begun, bin.high) for bin in bins]


SEATS = [Seat("us-east-1", "dogs", "a", f"i-{number}") for number in range(2)]


def test_concurrency_is_the_most_that_an_instance_had_at_once_in_each_ten_seconds(tmp_path: Path) -> None:
    async def body() -> None:
        store, clock = MetricStore(tmp_path), Clock()
        metrics = EndpointMetrics(store, clock, write_seconds=60)
        for seat in (SEATS[0], SEATS[0], SEATS[0], SEATS[1]):
            metrics.began(seat)
        metrics.ended(SEATS[0])
        metrics.write()
        assert points(store, "ConcurrentRequestsPerModel", 10) == [], "the ten seconds have not passed"
        clock.seconds += 21
        metrics.write()
        assert points(store, "ConcurrentRequestsPerModel", 10) == [(0, 3.0)]
        for seat in (SEATS[0], SEATS[0], SEATS[1]):
            metrics.ended(seat)
        clock.seconds += 10
        metrics.write()
        assert points(store, "ConcurrentRequestsPerModel", 10) == [(0, 3.0), (20, 2.0)], "two lasted until then"
        clock.seconds += 10
        metrics.write()
        assert len(points(store, "ConcurrentRequestsPerModel", 10)) == 2, "nobody asked since"
        await metrics.close()
        store.close()

    asyncio.run(body())


@pytest.mark.parametrize(("scale", "at"), [(1.0, 40), (30.0, 47)])
def test_points_keep_their_second_where_an_alarm_looks_at_seconds(tmp_path: Path, scale: float, at: int) -> None:
    async def body() -> None:
        store, clock = MetricStore(tmp_path), Clock()
        metrics = EndpointMetrics(store, clock, write_seconds=60, pace=Pace(scale))
        clock.seconds += 47  # the clock began at second 20 of a minute
        metrics.add(Invocation("us-east-1", "dogs", "a", 200, 0.1, 0.1, instances=3))
        await metrics.close()
        assert points(store, "InvocationsPerInstance", 1) == [(at, pytest.approx(1 / 3))]
        store.close()

    asyncio.run(body())
