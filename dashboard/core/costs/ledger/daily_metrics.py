"""Sums and means by UTC day of some of CloudWatch's metrics, as far back as CloudWatch keeps them by the hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from dashboard.core import metrics
from dashboard.core.aws import Aws
from dashboard.core.metrics import Statistic

BACK = timedelta(days=396)
"""Thirteen months; CloudWatch keeps hourly figures for fifteen."""
DAY = 86_400


@dataclass(frozen=True)
class Metric:
    """One metric and how its points of a day become one: "Sum" or "Average"."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str = "Sum"


def by_day(aws: Aws, daily: Sequence[Metric], now: datetime) -> list[dict[date, float]]:
    """The figure of each day that has one, for each metric in turn. Raises the errors of `Aws.call`."""
    first = (now.astimezone(UTC) - BACK).replace(hour=0, minute=0, second=0, microsecond=0)
    asked = [Statistic(one.namespace, one.name, one.dimensions, one.statistic, DAY) for one in daily]
    return [{at.date(): value for at, value in points} for points in metrics.read(aws, asked, first, now)]
