"""The requests that a variant really had, from CloudWatch, as traffic for a replay."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.serving.scaling.traffic import MINUTE, Traffic

NAMESPACE = "AWS/SageMaker"
PAGES = 20


class Window(StrEnum):
    """How far back. CloudWatch keeps minutes for fifteen days."""

    HOURS = "3 hours"
    DAY = "24 hours"
    WEEK = "7 days"

    @property
    def length(self) -> timedelta:
        hours = {Window.HOURS: 3, Window.DAY: 24, Window.WEEK: 168}[self]
        return timedelta(hours=hours)


def recorded(aws: Aws, endpoint: str, variant: str, window: Window, now: datetime) -> Traffic:
    """The variant's requests minute by minute over a window that ends with the last whole minute.

    A minute without a data point had no requests. Source: SageMaker Developer Guide, metric Invocations, statistic Sum.
    Raises the errors of `Aws.call`.
    """
    end = now.astimezone(UTC).replace(second=0, microsecond=0)
    begin = end - window.length
    stat: dict[str, Any] = {"Metric": metric("Invocations", endpoint, variant), "Period": MINUTE, "Stat": "Sum"}
    minutes = [0.0] * int(window.length.total_seconds() // MINUTE)
    asked = [{"Id": "requests", "MetricStat": stat, "ReturnData": True}]
    for page in aws.pages(
        "cloudwatch", "GetMetricData", limit=PAGES, MetricDataQueries=asked, StartTime=begin, EndTime=end
    ):
        for result in page["MetricDataResults"]:
            for at, value in zip(result.get("Timestamps", ()), result.get("Values", ()), strict=True):
                place = int((at.astimezone(UTC) - begin).total_seconds() // MINUTE)
                if 0 <= place < len(minutes):
                    minutes[place] = float(value)
    return Traffic(MINUTE, tuple(minutes), begin, f"the requests of the last {window.value}")


def metric(name: str, endpoint: str, variant: str) -> dict[str, Any]:
    """A metric of a variant, as GetMetricData takes it."""
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    return {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": dimensions}
