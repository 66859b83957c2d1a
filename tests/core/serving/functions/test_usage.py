"""What CloudWatch tells of functions, in the numbers that pages show."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.core.metrics import QUERIES
from dashboard.core.serving.functions.usage import Usage, brief, read_usage
from dashboard.core.serving.span import Span
from tests.core.costs.shaped_aws import ShapedAws

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
VALUES = {"Invocations": 30.0, "Throttles": 10.0, "Errors": 3.0, "Duration": 41.0, "ConcurrentExecutions": 4.0}


def answered(asked: dict[str, Any]) -> dict[str, Any]:
    """Each metric that VALUES has, once, a minute before the end."""
    assert len(asked["MetricDataQueries"]) <= QUERIES
    found = []
    for query in asked["MetricDataQueries"]:
        name = query["MetricStat"]["Metric"]["MetricName"]
        told = {"Timestamps": [asked["EndTime"] - timedelta(minutes=1)], "Values": [VALUES.get(name, 0.0)]}
        found.append({"Id": query["Id"], **(told if name in VALUES else {"Timestamps": [], "Values": []})})
    return {"MetricDataResults": found}


def test_a_function_is_told_in_seconds_and_shares() -> None:
    aws = ShapedAws({"cloudwatch GetMetricData": answered})
    usage = read_usage(aws, "dogs", Span.QUARTER, NOW)
    assert usage.whole["p99"] == pytest.approx(0.041)
    assert (usage.invocations, usage.per_minute) == (30.0, 2.0)
    assert usage.share("errors") == 0.1
    assert usage.share("throttles") == 0.25  # of the 40 that were called
    assert (usage.step, usage.counts()[0][1]) == (60, 30.0)
    assert "utilization" not in usage.whole
    ((_, asked),) = aws.calls
    of_live = [one for one in asked["MetricDataQueries"] if len(one["MetricStat"]["Metric"]["Dimensions"]) == 2]
    assert {one["MetricStat"]["Metric"]["MetricName"] for one in of_live} == {"ProvisionedConcurrencyUtilization"}


def test_many_functions_are_asked_for_together_in_bounded_requests() -> None:
    aws = ShapedAws({"cloudwatch GetMetricData": answered})
    found = brief(aws, [f"fn-{place}" for place in range(150)], Span.HOUR, NOW)
    assert len(found) == 150 and len(aws.calls) == 2
    assert {usage.invocations for usage in found.values()} == {30.0}


def test_nobody_asked_is_no_share() -> None:
    quiet = Usage(Span.HOUR, 60)
    assert (quiet.invocations, quiet.share("errors")) == (0.0, None)
    assert quiet.minutes(NOW) == (0.0,) * 60


@pytest.mark.parametrize("seconds", [60, 480])
def test_minutes_hold_every_invocation_and_silence_between(seconds: int) -> None:
    first = NOW - Span.DAY.length + timedelta(minutes=1)
    points = tuple((first + timedelta(seconds=seconds * place), 8.0) for place in (0, 7, 100))
    usage = Usage(Span.DAY, seconds, {"invocations": points})
    minutes = usage.minutes(NOW)
    assert len(minutes) == 1440
    assert sum(minutes) == pytest.approx(24.0)
    assert sum(value > 0 for value in minutes) == 3 * seconds // 60


@pytest.mark.parametrize(("seconds", "step", "value"), [(5, 5, 8.0), (60, 60, 8.0), (480, 60, 1.0)])
def test_counts_are_of_a_minute_or_of_as_little_as_is_known(seconds: int, step: int, value: float) -> None:
    usage = Usage(Span.DAY, seconds, {"invocations": ((NOW, 8.0),)})
    assert (usage.step, usage.counts()) == (step, ((NOW, value),))
