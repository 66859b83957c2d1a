"""Sums and means by UTC day of some of CloudWatch's metrics, as far back as CloudWatch keeps them by the hour.

GetMetricData is not free: $0.01 for 1,000 metrics (AWS's CloudWatch pricing page, 2026-11). Ask seldom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dashboard.core.aws import Aws

BACK = timedelta(days=396)
"""Thirteen months; CloudWatch keeps hourly figures for fifteen."""
QUERIES = 500
DAY = 86_400


@dataclass(frozen=True)
class Metric:
    """One metric and how its points of a day become one: "Sum" or "Average"."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str = "Sum"


def by_day(aws: Aws, metrics: Sequence[Metric], now: datetime) -> list[dict[date, float]]:
    """The figure of each day that has one, for each metric in turn. Raises the errors of `Aws.call`."""
    first = (now.astimezone(UTC) - BACK).replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[dict[date, float]] = [{} for _ in metrics]
    for begin in range(0, len(metrics), QUERIES):
        asked = [_query(place, metrics[place]) for place in range(begin, min(begin + QUERIES, len(metrics)))]
        for page in aws.pages("cloudwatch", "GetMetricData", MetricDataQueries=asked, StartTime=first, EndTime=now):
            for told in page["MetricDataResults"]:
                points = zip(told["Timestamps"], told["Values"], strict=True)
                found[int(told["Id"][1:])] |= {at.astimezone(UTC).date(): float(value) for at, value in points}
    return found


def _query(place: int, metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    which = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": f"m{place}", "MetricStat": {"Metric": which, "Period": DAY, "Stat": metric.statistic}}
