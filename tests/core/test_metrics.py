"""Reading CloudWatch's statistics: in parts that it takes, page by page, in order of time."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from dashboard.core import metrics
from dashboard.core.metrics import QUERIES, Statistic
from tests.core.costs.shaped_aws import ShapedAws

BEGIN = datetime(2026, 11, 21, 12, tzinfo=UTC)
END = BEGIN + timedelta(hours=1)


def statistic(number: int = 0, unit: str = "") -> Statistic:
    return Statistic("Mine", f"metric-{number}", (("Name", "dogs"),), "p90", 60, unit)


def test_each_metric_has_its_own_points_however_many_are_asked_for():
    def answered(asked: dict[str, Any]) -> dict[str, Any]:
        assert len(asked["MetricDataQueries"]) <= QUERIES
        results = []
        for query in asked["MetricDataQueries"]:
            number = float(query["MetricStat"]["Metric"]["MetricName"].removeprefix("metric-"))
            results.append({"Id": query["Id"], "Timestamps": [asked["StartTime"]], "Values": [number]})
        return {"MetricDataResults": results[::-1]}

    aws = ShapedAws({"cloudwatch GetMetricData": answered})
    found = metrics.read(aws, [statistic(number) for number in range(QUERIES + 2)], BEGIN, END)
    assert found == [((BEGIN, float(number)),) for number in range(QUERIES + 2)]
    assert len(aws.calls) == 2


def test_points_come_in_order_and_in_utc():
    late, early = BEGIN + timedelta(minutes=1), BEGIN.astimezone(timezone(timedelta(hours=2)))
    told = {"MetricDataResults": [{"Id": "q0", "Timestamps": [late, early], "Values": [2.0, 1.0]}]}
    ((first, second),) = metrics.read(ShapedAws({"cloudwatch GetMetricData": told}), [statistic()], BEGIN, END)
    assert (first, second) == ((BEGIN, 1.0), (late, 2.0))
    assert first[0].tzinfo is UTC


def test_a_unit_is_asked_for_only_where_one_is_meant():
    aws = ShapedAws({"cloudwatch GetMetricData": {"MetricDataResults": []}})
    assert metrics.read(aws, [statistic(), statistic(unit="Seconds")], BEGIN, END) == [(), ()]
    ((_, asked),) = aws.calls
    assert [one["MetricStat"].get("Unit") for one in asked["MetricDataQueries"]] == [None, "Seconds"]
    assert (asked["StartTime"], asked["EndTime"]) == (BEGIN, END)


def test_nothing_is_asked_for_nothing():
    aws = ShapedAws({})
    assert metrics.read(aws, [], BEGIN, END) == [] and aws.calls == []
