"""How an endpoint does, from CloudWatch: requests, errors, latency, and how busy its instances are.

Metrics of AWS/SageMaker and /aws/sagemaker/Endpoints by EndpointName and VariantName. Source: SageMaker Developer
Guide, "Amazon SageMaker AI metrics in Amazon CloudWatch". Latencies come in microseconds and are seconds here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.serving.model import Endpoint

REQUESTS, INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
QUERIES = 500  # of one GetMetricData
PERCENTILES = ("p50", "p90", "p99")
MICROSECONDS = 1e6
MOST_POINTS = 180
SHORT = (1, 5, 10, 30)
LONGEST = 86_400
"""Seconds of CloudWatch's longest period: of more days the worst day's percentiles stand for the whole."""
KEPT_SHORT = timedelta(hours=3)


class Span(StrEnum):
    """How far back a page looks, as the address has it."""

    QUARTER = "15 min"
    HOUR = "1 h"
    HOURS = "3 h"
    DAY = "24 h"
    WEEK = "7 d"

    @property
    def length(self) -> timedelta:
        return _LENGTHS[self]

    @property
    def word(self) -> str:
        return _WORDS[self]


_LENGTHS = {
    Span.QUARTER: timedelta(minutes=15),
    Span.HOUR: timedelta(hours=1),
    Span.HOURS: timedelta(hours=3),
    Span.DAY: timedelta(days=1),
    Span.WEEK: timedelta(days=7),
}
_WORDS = {
    Span.QUARTER: "15 minutes",
    Span.HOUR: "hour",
    Span.HOURS: "3 hours",
    Span.DAY: "24 hours",
    Span.WEEK: "7 days",
}


@dataclass(frozen=True)
class Metric:
    """One statistic of one metric. `key` names it in `Traffic.series`."""

    key: str
    name: str
    statistic: str
    namespace: str = REQUESTS
    scale: float = 1.0


COUNTS = (
    Metric("requests", "Invocations", "Sum"),
    Metric("4xx", "Invocation4XXErrors", "Sum"),
    Metric("5xx", "Invocation5XXErrors", "Sum"),
)
LATENCY = tuple(Metric(f"model-{p}", "ModelLatency", p, scale=1 / MICROSECONDS) for p in PERCENTILES)
OVERHEAD = tuple(Metric(f"overhead-{p}", "OverheadLatency", p, scale=1 / MICROSECONDS) for p in PERCENTILES)
MEAN = Metric("model-mean", "ModelLatency", "Average", scale=1 / MICROSECONDS)
PER_INSTANCE = Metric("per-instance", "InvocationsPerInstance", "Sum")
SETUP = Metric("setup", "ModelSetupTime", "Maximum", scale=1 / MICROSECONDS)
USE = (
    Metric("cpu", "CPUUtilization", "Average", INSTANCES),
    Metric("memory", "MemoryUtilization", "Average", INSTANCES),
)
SUMMED = ("requests", "4xx", "5xx", "per-instance")
ALL = (*COUNTS, *LATENCY, *OVERHEAD, MEAN, PER_INSTANCE, SETUP, *USE)
BRIEF = (*COUNTS, LATENCY[1], OVERHEAD[1])

Points = tuple[tuple[datetime, float], ...]


@dataclass(frozen=True)
class Traffic:
    """What one variant was asked in a span. `series` by metric key, in order of time; `whole`: one value for all of it.

    Percentiles of the whole span are CloudWatch's own of all requests; those of model and overhead are added up, which
    is what a request waits at that percentile where both are slow together.
    """

    period: int
    series: Mapping[str, Points] = field(default_factory=dict)
    whole: Mapping[str, float] = field(default_factory=dict)

    @property
    def requests(self) -> float:
        return self.whole.get("requests", 0.0)

    @property
    def errors(self) -> float:
        return self.whole.get("4xx", 0.0) + self.whole.get("5xx", 0.0)

    @property
    def error_share(self) -> float | None:
        """0..1 of the requests; None where there were none."""
        return min(1.0, self.errors / self.requests) if self.requests else None

    def latency(self, percentile: str) -> float | None:
        """Seconds in the model and on the way; None where nobody asked."""
        model = self.whole.get(f"model-{percentile}")
        return None if model is None else model + self.whole.get(f"overhead-{percentile}", 0.0)

    def points(self, percentile: str) -> Points:
        """`latency` over time."""
        overhead = dict(self.series.get(f"overhead-{percentile}", ()))
        return tuple((at, value + overhead.get(at, 0.0)) for at, value in self.series.get(f"model-{percentile}", ()))

    def per_minute(self, key: str = "requests") -> Points:
        """A counted metric over time, for each minute."""
        return tuple((at, value * 60 / self.period) for at, value in self.series.get(key, ()))

    @property
    def instances(self) -> Points:
        """How many instances answered: the requests, shared by those for each instance. Where nobody asked: unknown."""
        each = dict(self.series.get("per-instance", ()))
        return tuple((at, value / each[at]) for at, value in self.series.get("requests", ()) if each.get(at))


def lived(one: Endpoint, length: timedelta, now: datetime) -> timedelta:
    """The part of a span for which an endpoint was there: what it was asked then is no rate of the whole span."""
    return min(length, max(now - one.created, timedelta(minutes=1)))


def rate(traffic: Iterable[Traffic], length: timedelta) -> float:
    """Requests a minute of all variants together, over a span."""
    return sum(one.requests for one in traffic) / (length.total_seconds() / 60)


def worst(traffic: Iterable[Traffic], percentile: str) -> float | None:
    """The latency of the slowest variant: percentiles of several cannot be put together."""
    known = [found for one in traffic if (found := one.latency(percentile)) is not None]
    return max(known, default=None)


def mean(traffic: Iterable[Traffic]) -> float | None:
    """Seconds in the model of a request on average, of all variants; None where nobody asked."""
    known = [(one.requests, one.whole["model-mean"]) for one in traffic if "model-mean" in one.whole and one.requests]
    asked = sum(requests for requests, _ in known)
    return sum(requests * seconds for requests, seconds in known) / asked if asked else None


def per_thousand(hourly: Decimal | None, per_minute: float) -> Decimal | None:
    """What a thousand photos cost at that many requests a minute; None where nobody asks or the price is unknown."""
    if hourly is None or per_minute <= 0:
        return None
    return hourly * 1000 / (Decimal(repr(per_minute)) * 60)


def per_thousand_by_use(per_second: Decimal | None, seconds: float | None) -> Decimal | None:
    """The same of a serverless endpoint, which is billed for the time in the model."""
    return None if per_second is None or seconds is None else per_second * 1000 * Decimal(repr(seconds))


def period(length: timedelta, time_scale: float = 1.0) -> int:
    """Seconds of one point: at most MOST_POINTS in a span, minutes as AWS keeps them.

    An embedded AWS that waits `time_scale` times less keeps these metrics by the second, for three hours.
    """
    least = length.total_seconds() / MOST_POINTS
    wanted = max(60 / time_scale, least)
    if time_scale > 1 and length <= KEPT_SHORT:
        found = next((one for one in SHORT if one >= wanted), None)
        if found:
            return found
    return max(60, -int(-least // 60) * 60)


def begin(length: timedelta, now: datetime) -> datetime:
    """When a span begins that ends with the minute that goes on."""
    return now.replace(second=0, microsecond=0) - length + timedelta(minutes=1)


def filled(points: Points, first: datetime, last: datetime, period: int) -> Points:
    """Counts with a 0 for each period in which CloudWatch has none, because nobody asked then."""
    known = dict(points)
    number = int((last - first).total_seconds() // period)
    moments = [first + timedelta(seconds=period * place) for place in range(number + 1)]
    return tuple((at, known.get(at, 0.0)) for at in moments) if points else ()


def read(aws: Aws, endpoint: Endpoint, span: Span, now: datetime) -> dict[str, Traffic]:
    """How each variant of an endpoint did, by its name. Raises the errors of `Aws.call`."""
    names = [one.name for one in endpoint.variants]
    every = period(span.length, aws.account.time_scale)
    found = _read(aws, [(endpoint.name, name) for name in names], ALL, span.length, every, now)
    return {name: found[endpoint.name, name] for name in names}


def brief(
    aws: Aws, endpoints: Sequence[Endpoint], now: datetime, span: Span = Span.QUARTER
) -> dict[str, list[Traffic]]:
    """How endpoints did in a span as a whole, by name, one a variant. Raises the errors of `Aws.call`."""
    asked = [(one.name, variant.name) for one in endpoints for variant in one.variants]
    found = _read(aws, asked, BRIEF, span.length, None, now)
    return {one.name: [found[one.name, variant.name] for variant in one.variants] for one in endpoints}


def _read(
    aws: Aws,
    variants: Sequence[tuple[str, str]],
    metrics: Sequence[Metric],
    length: timedelta,
    every: int | None,
    now: datetime,
) -> dict[tuple[str, str], Traffic]:
    """The whole span in one value of each metric, and with `every` also a series."""
    first_moment = begin(length, now)
    whole = min(int(length.total_seconds()), LONGEST)
    asked: list[tuple[tuple[str, str], Metric, int]] = [
        (variant, metric, period)
        for variant in variants
        for metric in metrics
        for period in ((whole, every) if every else (whole,))
    ]
    values: dict[int, list[tuple[datetime, float]]] = {}
    for first in range(0, len(asked), QUERIES):
        queries = [_query(f"q{place}", *one) for place, one in enumerate(asked[first : first + QUERIES], start=first)]
        window: dict[str, Any] = {"StartTime": first_moment, "EndTime": first_moment + length}
        pages = aws.pages("cloudwatch", "GetMetricData", MetricDataQueries=queries, **window)
        for page in pages:
            for result in page["MetricDataResults"]:
                told = zip(result.get("Timestamps", ()), result.get("Values", ()), strict=True)
                values.setdefault(int(result["Id"][1:]), []).extend((at.astimezone(UTC), v) for at, v in told)
    found = {variant: Traffic(every or whole, {}, {}) for variant in variants}
    for place, (variant, metric, seconds) in enumerate(asked):
        points = tuple((at, value * metric.scale) for at, value in sorted(values.get(place, ())))
        if not points:
            continue
        one = found[variant]
        if seconds == whole:
            value = sum(v for _, v in points) if metric.key in SUMMED else max(v for _, v in points)
            found[variant] = Traffic(one.period, one.series, {**one.whole, metric.key: value})
        else:
            found[variant] = Traffic(one.period, {**one.series, metric.key: points}, one.whole)
    return found


def _query(name: str, variant: tuple[str, str], metric: Metric, seconds: int) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": variant[0]}, {"Name": "VariantName", "Value": variant[1]}]
    what = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": what, "Period": seconds, "Stat": metric.statistic}}
