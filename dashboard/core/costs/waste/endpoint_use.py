"""How much endpoints are used, as CloudWatch's AWS/SageMaker metrics tell it, in a few calls for all of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.core.aws import Aws

NAMESPACE = "AWS/SageMaker"
WINDOW = timedelta(days=14)
"""As far back as ListMetrics knows of a metric."""
BUSY_WINDOW = timedelta(days=7)
HOUR, BUSY_PERIOD = 3600, 300  # seconds
QUERIES = 500  # of one GetMetricData
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
    asked = [(name, variant, "Invocations", HOUR) for name, variant in variants]
    asked += [(name, variant, "ModelLatency", BUSY_PERIOD) for name, variant in variants if name in set(several)]
    requests: dict[str, int] = {}
    last: dict[str, datetime] = {}
    busy: dict[str, dict[datetime, float]] = {}
    for (name, _, metric, period), points in zip(asked, _values(aws, asked, now), strict=True):
        for moment, value in points:
            if metric == "ModelLatency":  # the sum of all requests' microseconds, over the period's
                at = busy.setdefault(name, {})
                at[moment] = at.get(moment, 0.0) + value / 1e6 / period
            elif value > 0:
                requests[name] = requests.get(name, 0) + round(value)
                ended = min(moment + timedelta(seconds=period), now)
                last[name] = max(last.get(name, ended), ended)
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


Asked = tuple[str, str, str, int]  # endpoint, variant, metric, period


def _values(aws: Aws, asked: Sequence[Asked], now: datetime) -> list[list[tuple[datetime, float]]]:
    """The sums of each metric asked for, by the start of their periods, in no order."""
    values: list[list[tuple[datetime, float]]] = [[] for _ in asked]
    for period, window in ((HOUR, WINDOW), (BUSY_PERIOD, BUSY_WINDOW)):
        places = [place for place, one in enumerate(asked) if one[3] == period]
        end = _next(now, period)
        for first in range(0, len(places), QUERIES):
            queries = [_query(place, asked[place]) for place in places[first : first + QUERIES]]
            pages = aws.pages(
                "cloudwatch", "GetMetricData", MetricDataQueries=queries, StartTime=end - window, EndTime=end
            )
            for page in pages:
                for result in page["MetricDataResults"]:
                    values[int(result["Id"][1:])] += zip(result["Timestamps"], result["Values"], strict=True)
    return values


def _query(place: int, one: Asked) -> Mapping[str, Any]:
    name, variant, metric, period = one
    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": variant}]
    measured = {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": dimensions}
    return {"Id": f"m{place}", "MetricStat": {"Metric": measured, "Period": period, "Stat": "Sum"}}


def _next(now: datetime, period: int) -> datetime:
    """The end of the period that `now` is in: whole periods, so that CloudWatch keeps to theirs."""
    return datetime.fromtimestamp((now.timestamp() // period + 1) * period, UTC)
