"""How much endpoints are used, as CloudWatch's AWS/SageMaker metrics tell it, in a few calls for all of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dashboard.core import metrics
from dashboard.core.aws import Aws
from dashboard.core.metrics import Points, Statistic

NAMESPACE = "AWS/SageMaker"
WINDOW = timedelta(days=14)
"""As far back as ListMetrics knows of a metric."""
BUSY_WINDOW = timedelta(days=7)
HOUR, BUSY_PERIOD = 3600, 300  # seconds
FULL = 0.7
"""The share of its time that an instance may be busy and still answer without a queue that is felt."""


@dataclass(frozen=True)
class Use:
    """What was asked of one endpoint in the last two weeks. `last`: the end of the last hour with a request.

    `busiest`: of the last week's five minutes the most: how many requests were in the model at a time, on average.
    """

    requests: int = 0
    last: datetime | None = None
    busiest: float | None = None

    @property
    def needed(self) -> int:
        """How many instances answer the busiest five minutes, each busy for at most FULL of its time."""
        return max(1, math.ceil((self.busiest or 0.0) / FULL))


def read(aws: Aws, now: datetime, several: Sequence[str]) -> dict[str, Use]:
    """By endpoint, those that were asked at all; `several`: the endpoints of which `busiest` is wanted.

    Raises the errors of `Aws.call`.
    """
    variants = _variants(aws)
    requests: dict[str, int] = {}
    last: dict[str, datetime] = {}
    for name, points in _read(aws, variants, "Invocations", HOUR, WINDOW, now):
        for moment, value in points:
            if value > 0:
                requests[name] = requests.get(name, 0) + round(value)
                ended = min(moment + timedelta(seconds=HOUR), now)
                last[name] = max(last.get(name, ended), ended)
    busy: dict[str, dict[datetime, float]] = {}
    wanted = [one for one in variants if one[0] in set(several)]
    for name, points in _read(aws, wanted, "ModelLatency", BUSY_PERIOD, BUSY_WINDOW, now):
        for moment, value in points:  # the sum of all requests' microseconds, over the period's
            at = busy.setdefault(name, {})
            at[moment] = at.get(moment, 0.0) + value / 1e6 / BUSY_PERIOD
    names = requests.keys() | busy.keys()
    return {
        name: Use(requests.get(name, 0), last.get(name), max(busy.get(name, {}).values(), default=None))
        for name in names
    }


def _variants(aws: Aws) -> list[tuple[str, str]]:
    """The endpoints, each with a variant, that were asked within the last two weeks."""
    found: set[tuple[str, str]] = set()
    for page in aws.pages("cloudwatch", "ListMetrics", Namespace=NAMESPACE, MetricName="Invocations"):
        for metric in page["Metrics"]:
            by = {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}
            if by.keys() == {"EndpointName", "VariantName"}:
                found.add((by["EndpointName"], by["VariantName"]))
    return sorted(found)


def _read(
    aws: Aws, variants: Sequence[tuple[str, str]], metric: str, period: int, window: timedelta, now: datetime
) -> list[tuple[str, Points]]:
    """The sums of a metric in whole periods, with the endpoint that each variant is of."""
    end = _next(now, period)
    asked = [
        Statistic(NAMESPACE, metric, (("EndpointName", name), ("VariantName", variant)), "Sum", period)
        for name, variant in variants
    ]
    return list(zip((name for name, _ in variants), metrics.read(aws, asked, end - window, end), strict=True))


def _next(now: datetime, period: int) -> datetime:
    """The end of the period that `now` is in: whole periods, so that CloudWatch keeps to theirs."""
    return datetime.fromtimestamp((now.timestamp() // period + 1) * period, UTC)
