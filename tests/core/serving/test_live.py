from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard.core.errors import AccessDenied
from dashboard.core.serving import live
from dashboard.core.serving.live import Traffic
from dashboard.core.serving.span import MOST_POINTS, Span
from tests.core.serving.made import asked, endpoint
from tests.core.serving.scripted import Scripted

NOW = datetime(2026, 11, 21, 12, 30, 40, tzinfo=UTC)
VALUES = {
    "Invocations": 90.0,
    "Invocation4XXErrors": 3.0,
    "Invocation5XXErrors": 6.0,
    "InvocationsPerInstance": 45.0,
    "ModelLatency": 20_000.0,
    "OverheadLatency": 5_000.0,
}


def metrics(MetricDataQueries, StartTime, **_):  # noqa: N803 - CloudWatch's names
    """Every metric has its value at the window's begin, and again a minute later in a series."""
    results = []
    for query in MetricDataQueries:
        stat = query["MetricStat"]
        value = VALUES.get(stat["Metric"]["MetricName"])
        moments = [StartTime] if stat["Period"] >= 900 else [StartTime + timedelta(minutes=1), StartTime]
        found = moments if value is not None else []
        results.append({"Id": query["Id"], "Timestamps": found, "Values": [value for _ in found]})
    return {"MetricDataResults": results}


def test_an_endpoint_is_read_in_one_call_with_series_and_the_whole_span():
    aws = Scripted(GetMetricData=metrics)
    found = live.read(aws, endpoint(), Span.QUARTER, NOW)["main"]
    assert aws.names == ["GetMetricData"]
    (call,) = aws.asked("GetMetricData")
    assert call["EndTime"] - call["StartTime"] == timedelta(minutes=15)
    assert call["EndTime"] >= NOW
    assert (found.requests, found.errors, found.error_share) == (90.0, 9.0, 0.1)
    assert found.latency("p90") == pytest.approx(0.025)
    assert [at for at, _ in found.series["requests"]] == [call["StartTime"], call["StartTime"] + timedelta(minutes=1)]
    assert found.counts()[0][1] == 90.0
    assert found.instances[0][1] == 2.0
    assert found.points("p50")[0][1] == pytest.approx(0.025)
    assert "cpu" not in found.series


def test_all_endpoints_are_read_together_without_series():
    aws = Scripted(GetMetricData=metrics)
    those = [endpoint(name="dogs"), endpoint(asked("a"), asked("b"), name="cats")]
    found = live.brief(aws, those, NOW)
    assert {name: len(each) for name, each in found.items()} == {"dogs": 1, "cats": 2}
    assert live.rate(found["cats"], Span.QUARTER.length) == pytest.approx(12.0)
    assert found["dogs"][0].series == {}
    assert len(aws.calls) == 1


def test_an_endpoint_that_nobody_asked_has_no_latency_and_no_errors():
    aws = Scripted(GetMetricData={"MetricDataResults": []})
    found = live.read(aws, endpoint(), Span.HOUR, NOW)["main"]
    assert (found.requests, found.latency("p90"), found.error_share) == (0.0, None, None)
    assert live.worst([found], "p90") is None


@pytest.mark.parametrize("span", list(Span))
def test_no_period_is_longer_than_cloudwatch_has(span):
    aws = Scripted(GetMetricData=metrics)
    live.read(aws, endpoint(), span, NOW)
    periods = {query["MetricStat"]["Period"] for query in aws.asked("GetMetricData")[0]["MetricDataQueries"]}
    assert max(periods) <= 86_400
    assert all(period % 60 == 0 for period in periods)
    assert span.length.total_seconds() / min(periods) <= MOST_POINTS


def test_a_thousand_photos_cost_what_the_instances_cost_while_they_come():
    assert live.per_thousand(Decimal("0.115"), 60.0) == pytest.approx(Decimal("0.0319"), abs=Decimal("0.0001"))
    assert live.per_thousand(Decimal("0.115"), 0.0) is None
    assert live.per_thousand(None, 60.0) is None


def test_percentiles_of_several_variants_are_not_put_together():
    slow, fast = Traffic(60, {}, {"model-p90": 0.2}), Traffic(60, {}, {"model-p90": 0.01, "overhead-p90": 0.02})
    assert live.worst([fast, slow], "p90") == 0.2


def test_what_may_not_be_read_is_said():
    with pytest.raises(AccessDenied):
        live.read(Scripted(GetMetricData=AccessDenied("no")), endpoint(), Span.HOUR, NOW)


def test_a_rate_is_of_the_time_for_which_the_endpoint_was_there():
    young = endpoint(created=NOW - timedelta(minutes=5))
    assert live.lived(young, Span.DAY.length, NOW) == timedelta(minutes=5)
    assert live.lived(young, timedelta(minutes=2), NOW) == timedelta(minutes=2)
    assert live.lived(endpoint(created=NOW), Span.DAY.length, NOW) == timedelta(minutes=1)


def test_a_serverless_endpoint_costs_the_time_in_the_model_of_a_thousand_photos():
    many, few = (
        Traffic(60, {}, {"requests": 30.0, "model-mean": 0.02}),
        Traffic(60, {}, {"requests": 10.0, "model-mean": 0.1}),
    )
    assert live.mean([many, few]) == pytest.approx(0.04)
    assert live.per_thousand_by_use(Decimal("0.00006"), 0.04) == Decimal("0.0024")
    assert live.mean([Traffic(60)]) is None
    assert live.per_thousand_by_use(Decimal("0.00006"), None) is None
