"""What a replay is told of a variant: by the account, by a measurement, and what is assumed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import AccessDenied
from dashboard.core.serving.measure.result import Level, Measurement
from dashboard.core.serving.scaling import facts
from dashboard.core.serving.scaling.facts import Facts
from dashboard.core.serving.scaling.read import read
from dashboard.core.serving.scaling.recorded import Window, recorded
from tests.core.serving.scaling.scaling_aws import NOW, ScalingAws


@pytest.fixture
def aws() -> ScalingAws:
    return ScalingAws(count=2)


def told(aws: Any) -> Facts:
    return facts.read(aws, read(aws, "dogs"), PriceBook.load(), NOW)


def test_the_account_tells_price_latency_and_instances(aws: ScalingAws) -> None:
    aws.series["ModelLatency"] = [(NOW, 40_000.0), (NOW, 60_000.0), (NOW, 50_000.0)]
    found = told(aws)
    assert (found.instance_type, found.instances, found.hourly) == ("ml.m5.large", 2, Decimal("0.115"))
    assert (found.latency.value, found.latency.is_assumed) == (0.05, False)
    assert found.config == "dogs-config"


def test_what_the_account_does_not_tell_is_assumed_and_says_so(aws: ScalingAws) -> None:
    aws.endpoint["LastModifiedTime"] = NOW + timedelta(hours=2)  # it was updated since: that is no start
    found = told(aws)
    assert found.latency.is_assumed and "nobody asked" in found.latency.source
    assert found.start.value == 240 and found.start.is_assumed
    aws.errors["GetMetricData"] = AccessDenied("reading metrics is not allowed")
    assert "not allowed" in told(aws).latency.source


def test_a_start_is_the_median_of_what_scaling_added_before(aws: ScalingAws) -> None:
    for capacity, age, took in ((1, 900, 5), (3, 800, 100), (1, 500, 5), (2, 400, 140)):
        aws.did(capacity, age=age, EndTime=NOW - timedelta(seconds=age - took), Cause="by AlarmLow")
    found = told(aws).start
    assert (found.value, found.is_assumed) == (120, False)
    assert "2 times" in found.source


def test_else_it_is_what_creating_the_endpoint_took(aws: ScalingAws) -> None:
    aws.endpoint["LastModifiedTime"] = aws.endpoint["CreationTime"] + timedelta(seconds=200)
    assert told(aws).start.value == 200
    aws.account = replace(aws.account, time_scale=30)
    assert told(aws).start.value == 6000
    assert "times 30" in told(aws).start.source


def test_a_measurement_of_the_same_configuration_tells_more(aws: ScalingAws) -> None:
    known = told(aws)
    levels = (Level(1, 100, 10, 0.1, 0.1, 0.1), Level(4, 400, 10, 0.1, 0.1, 0.1))
    measured = Measurement("dogs", "AllTraffic", datetime(2026, 11, 21, tzinfo=UTC), "dogs-config", "t", 1, 1, levels)
    better = facts.with_measured(known, [measured])
    assert (better.latency.value, better.places.value, better.places.is_assumed) == (0.1, 4, False)
    assert facts.with_measured(known, [replace(measured, config="other")]) == known
    assert facts.with_measured(known, []) == known


def test_recorded_minutes_without_a_point_had_no_requests(aws: ScalingAws) -> None:
    aws.series["Invocations"] = [(NOW - timedelta(minutes=3), 12.0), (NOW - timedelta(minutes=180), 7.0)]
    found = recorded(aws, "dogs", "AllTraffic", Window.HOURS, NOW + timedelta(seconds=20))  # type: ignore[arg-type]
    assert len(found.requests) == 180
    assert (found.requests[0], found.requests[-3], found.total) == (7.0, 12.0, 19.0)
    assert found.end == NOW
