"""The requests that a variant really had, from CloudWatch, as traffic for a replay."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from dashboard.core import metrics
from dashboard.core.aws import Aws
from dashboard.core.metrics import Statistic
from dashboard.core.serving.scaling.traffic import MINUTE, Traffic

NAMESPACE = "AWS/SageMaker"


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
    minutes = [0.0] * int(window.length.total_seconds() // MINUTE)
    (points,) = metrics.read(aws, [statistic("Invocations", endpoint, variant, "Sum", MINUTE)], begin, end)
    for at, value in points:
        place = int((at - begin).total_seconds() // MINUTE)
        if 0 <= place < len(minutes):
            minutes[place] = value
    return Traffic(MINUTE, tuple(minutes), begin, f"the requests of the last {window.value}")


def statistic(metric: str, endpoint: str, variant: str, how: str, period: int) -> Statistic:
    """A metric of a variant in periods of so many seconds; how: "Sum", "p50", …"""
    return Statistic(NAMESPACE, metric, (("EndpointName", endpoint), ("VariantName", variant)), how, period)
