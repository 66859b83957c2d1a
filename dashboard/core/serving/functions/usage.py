"""What functions did, from CloudWatch: invocations, errors, throttles, durations, and how many ran at once.

Metrics of AWS/Lambda by FunctionName. Source: Lambda Developer Guide, "Types of metrics for Lambda functions".
Durations come in milliseconds and are seconds here; INIT is not part of Duration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.serving.functions.model import LIVE
from dashboard.core.serving.live import Points, Span, period

NAMESPACE = "AWS/Lambda"
QUERIES = 500  # of one GetMetricData
LONGEST = 86_400


@dataclass(frozen=True)
class Metric:
    """One statistic of one metric. `key` names it in `Usage`."""

    key: str
    name: str
    statistic: str
    scale: float = 1.0
    of_live: bool = False  # told for each alias and version alone: that of `live`


INVOCATIONS = Metric("invocations", "Invocations", "Sum")
ERRORS = Metric("errors", "Errors", "Sum")
THROTTLES = Metric("throttles", "Throttles", "Sum")
DURATION = Metric("duration", "Duration", "Average", 0.001)
P90 = Metric("p90", "Duration", "p90", 0.001)
AT_ONCE = Metric("at-once", "ConcurrentExecutions", "Maximum")
BRIEF = (INVOCATIONS, ERRORS, THROTTLES, P90, AT_ONCE)
ALL = (
    INVOCATIONS,
    ERRORS,
    THROTTLES,
    DURATION,
    Metric("p50", "Duration", "p50", 0.001),
    P90,
    Metric("p99", "Duration", "p99", 0.001),
    AT_ONCE,
    Metric("in-ready", "ProvisionedConcurrencyInvocations", "Sum"),
    Metric("spilled", "ProvisionedConcurrencySpilloverInvocations", "Sum"),
    Metric("utilization", "ProvisionedConcurrencyUtilization", "Maximum", of_live=True),
)
SUMMED = ("invocations", "errors", "throttles", "in-ready", "spilled")


@dataclass(frozen=True)
class Usage:
    """What one function did in a span: `series` by metric key in order of time, `whole` one value for all of it."""

    span: Span
    period: int
    series: Mapping[str, Points] = field(default_factory=dict)
    whole: Mapping[str, float] = field(default_factory=dict)

    @property
    def invocations(self) -> float:
        return self.whole.get("invocations", 0.0)

    @property
    def per_minute(self) -> float:
        """Invocations a minute over the whole span."""
        return self.invocations / (self.span.length.total_seconds() / 60)

    def share(self, key: str) -> float | None:
        """A counted metric's share of the invocations; None where there were none. Throttled calls are no invocations,
        and counted against both together."""
        whole = self.invocations + (self.whole.get("throttles", 0.0) if key == "throttles" else 0.0)
        return min(1.0, self.whole.get(key, 0.0) / whole) if whole else None

    def rates(self, key: str = "invocations") -> Points:
        """A counted metric over time, for each minute."""
        return tuple((at, value * 60 / self.period) for at, value in self.series.get(key, ()))

    def minutes(self, now: datetime) -> tuple[float, ...]:
        """Invocations a minute, period after period over the whole span; 0 where nobody asked."""
        each = [0.0] * max(1, int(self.span.length.total_seconds()) // self.period)
        for at, value in self.series.get("invocations", ()):
            back = int((now - at).total_seconds() // self.period)  # CloudWatch's points begin where it was asked from
            each[max(0, len(each) - 1 - max(0, back))] += value * 60 / self.period
        repeat = max(1, self.period // 60)
        return tuple(value for value in each for _ in range(repeat))


def read_usage(aws: Aws, function: str, span: Span, now: datetime) -> Usage:
    """How a function did. Raises the errors of `Aws.call`."""
    return _read(aws, [function], ALL, span, period(span.length, aws.account.time_scale), now)[function]


def brief(aws: Aws, functions: Sequence[str], span: Span, now: datetime) -> dict[str, Usage]:
    """How functions did over a span as a whole, by name. Raises the errors of `Aws.call`."""
    return _read(aws, functions, BRIEF, span, None, now)


def _read(
    aws: Aws, functions: Sequence[str], metrics: Sequence[Metric], span: Span, every: int | None, now: datetime
) -> dict[str, Usage]:
    begin = now.replace(second=0, microsecond=0) - span.length + timedelta(minutes=1)
    whole = min(int(span.length.total_seconds()), LONGEST)
    periods = (whole, every) if every else (whole,)
    asked = [(name, metric, seconds) for name in functions for metric in metrics for seconds in periods]
    values: dict[int, list[tuple[datetime, float]]] = {}
    for first in range(0, len(asked), QUERIES):
        queries = [_query(f"q{place}", *one) for place, one in enumerate(asked[first : first + QUERIES], start=first)]
        window: dict[str, Any] = {"StartTime": begin, "EndTime": begin + span.length}
        for page in aws.pages("cloudwatch", "GetMetricData", MetricDataQueries=queries, **window):
            for result in page["MetricDataResults"]:
                told = zip(result.get("Timestamps", ()), result.get("Values", ()), strict=True)
                values.setdefault(int(result["Id"][1:]), []).extend((at.astimezone(UTC), v) for at, v in told)
    series: dict[str, dict[str, Points]] = {name: {} for name in functions}
    wholes: dict[str, dict[str, float]] = {name: {} for name in functions}
    for place, (name, metric, seconds) in enumerate(asked):
        points = tuple((at, value * metric.scale) for at, value in sorted(values.get(place, ())))
        if points and seconds == whole:
            each = [value for _, value in points]
            wholes[name][metric.key] = sum(each) if metric.key in SUMMED else max(each)
        elif points:
            series[name][metric.key] = points
    return {name: Usage(span, every or whole, series[name], wholes[name]) for name in functions}


def _query(name: str, function: str, metric: Metric, seconds: int) -> dict[str, Any]:
    dimensions = [{"Name": "FunctionName", "Value": function}]
    if metric.of_live:
        dimensions.append({"Name": "Resource", "Value": f"{function}:{LIVE}"})
    what = {"Namespace": NAMESPACE, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": what, "Period": seconds, "Stat": metric.statistic}}
