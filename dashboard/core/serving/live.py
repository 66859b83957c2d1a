"""How an endpoint does, from CloudWatch: requests, errors, latency, and how busy its instances are.

Metrics of AWS/SageMaker and /aws/sagemaker/Endpoints by EndpointName and VariantName. Source: SageMaker Developer
Guide, "Amazon SageMaker AI metrics in Amazon CloudWatch". Latencies come in microseconds and are seconds here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from dashboard.core.aws import Aws
from dashboard.core.metrics import Points
from dashboard.core.serving.model import Endpoint
from dashboard.core.serving.span import Metric, Span, counts, measure, period, step, whole_period

REQUESTS, INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
PERCENTILES = ("p50", "p90", "p99")
MICROSECONDS = 1e6

COUNTS = (
    Metric("requests", "Invocations", "Sum", REQUESTS),
    Metric("4xx", "Invocation4XXErrors", "Sum", REQUESTS),
    Metric("5xx", "Invocation5XXErrors", "Sum", REQUESTS),
)
LATENCY = tuple(Metric(f"model-{p}", "ModelLatency", p, REQUESTS, scale=1 / MICROSECONDS) for p in PERCENTILES)
OVERHEAD = tuple(Metric(f"overhead-{p}", "OverheadLatency", p, REQUESTS, scale=1 / MICROSECONDS) for p in PERCENTILES)
MEAN = Metric("model-mean", "ModelLatency", "Average", REQUESTS, scale=1 / MICROSECONDS)
PER_INSTANCE = Metric("per-instance", "InvocationsPerInstance", "Sum", REQUESTS)
SETUP = Metric("setup", "ModelSetupTime", "Maximum", REQUESTS, scale=1 / MICROSECONDS)
USE = (
    Metric("cpu", "CPUUtilization", "Average", INSTANCES),
    Metric("memory", "MemoryUtilization", "Average", INSTANCES),
)
ALL = (*COUNTS, *LATENCY, *OVERHEAD, MEAN, PER_INSTANCE, SETUP, *USE)
BRIEF = (*COUNTS, LATENCY[1], OVERHEAD[1])


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

    @property
    def step(self) -> int:
        """Seconds for which counts are told."""
        return step(self.period)

    def counts(self, key: str = "requests") -> Points:
        """A counted metric over time, in `step` seconds each; of longer periods the average."""
        return counts(self.series.get(key, ()), self.period)

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
    asked = [
        (one, metric, (("EndpointName", one[0]), ("VariantName", one[1]))) for one in variants for metric in metrics
    ]
    found = measure(aws, asked, length, every, now)
    return {one: Traffic(every or whole_period(length), told.series, told.whole) for one, told in found.items()}
