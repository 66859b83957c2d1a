"""Statistics of CloudWatch's metrics, any number of them in as few calls as GetMetricData takes.

GetMetricData is not free: $0.01 for 1,000 metrics (AWS's CloudWatch pricing page, 2026-11).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dashboard.core.aws import Aws

QUERIES = 500
"""Of one GetMetricData, per its API reference."""

Points = tuple[tuple[datetime, float], ...]
"""(begin of the period in UTC, value), in order of time."""


@dataclass(frozen=True)
class Statistic:
    """One statistic of one metric: "Sum", "Average", "p90", …, of each `period` seconds. unit: "" for any."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: int
    unit: str = ""


def read(aws: Aws, asked: Sequence[Statistic], begin: datetime, end: datetime) -> list[Points]:
    """The points of each in turn, from `begin` on and before `end`; a period without data has none.

    Raises the errors of `Aws.call`.
    """
    found: list[dict[datetime, float]] = [{} for _ in asked]
    for first in range(0, len(asked), QUERIES):
        queries = [_query(place, one) for place, one in enumerate(asked[first : first + QUERIES], start=first)]
        window: dict[str, Any] = {"StartTime": begin, "EndTime": end}
        for page in aws.pages("cloudwatch", "GetMetricData", MetricDataQueries=queries, **window):
            for told in page["MetricDataResults"]:
                points = zip(told.get("Timestamps", ()), told.get("Values", ()), strict=True)
                found[int(told["Id"][1:])].update((at.astimezone(UTC), float(value)) for at, value in points)
    return [tuple(sorted(points.items())) for points in found]


def _query(place: int, one: Statistic) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in one.dimensions]
    metric = {"Namespace": one.namespace, "MetricName": one.metric, "Dimensions": dimensions}
    stat = {"Metric": metric, "Period": one.period, "Stat": one.statistic} | ({"Unit": one.unit} if one.unit else {})
    return {"Id": f"q{place}", "MetricStat": stat, "ReturnData": True}
