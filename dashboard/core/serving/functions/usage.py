"""What functions did, from CloudWatch: invocations, errors, throttles, durations, and how many ran at once.

Metrics of AWS/Lambda by FunctionName. Source: Lambda Developer Guide, "Types of metrics for Lambda functions".
Durations come in milliseconds and are seconds here; INIT is not part of Duration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dashboard.core.aws import Aws
from dashboard.core.metrics import Points
from dashboard.core.serving.functions.model import LIVE
from dashboard.core.serving.span import Dimensions, Metric, Span, counts, measure, period, step, whole_period

NAMESPACE = "AWS/Lambda"
INVOCATIONS = Metric("invocations", "Invocations", "Sum", NAMESPACE)
ERRORS = Metric("errors", "Errors", "Sum", NAMESPACE)
THROTTLES = Metric("throttles", "Throttles", "Sum", NAMESPACE)
DURATION = Metric("duration", "Duration", "Average", NAMESPACE, 0.001)
P90 = Metric("p90", "Duration", "p90", NAMESPACE, 0.001)
AT_ONCE = Metric("at-once", "ConcurrentExecutions", "Maximum", NAMESPACE)
BRIEF = (INVOCATIONS, ERRORS, THROTTLES, P90, AT_ONCE)
ALL = (
    INVOCATIONS,
    ERRORS,
    THROTTLES,
    DURATION,
    Metric("p50", "Duration", "p50", NAMESPACE, 0.001),
    P90,
    Metric("p99", "Duration", "p99", NAMESPACE, 0.001),
    AT_ONCE,
    Metric("in-ready", "ProvisionedConcurrencyInvocations", "Sum", NAMESPACE),
    Metric("spilled", "ProvisionedConcurrencySpilloverInvocations", "Sum", NAMESPACE),
    Metric("utilization", "ProvisionedConcurrencyUtilization", "Maximum", NAMESPACE),
)
OF_LIVE = ("utilization",)
"""Told for each alias and version alone: read of `live`."""


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

    @property
    def step(self) -> int:
        """Seconds for which counts are told."""
        return step(self.period)

    def counts(self, key: str = "invocations") -> Points:
        """A counted metric over time, in `step` seconds each; of longer periods the average."""
        return counts(self.series.get(key, ()), self.period)

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
    asked = [(name, metric, _dimensions(name, metric)) for name in functions for metric in metrics]
    found = measure(aws, asked, span.length, every, now)
    seconds = every or whole_period(span.length)
    return {name: Usage(span, seconds, told.series, told.whole) for name, told in found.items()}


def _dimensions(function: str, metric: Metric) -> Dimensions:
    whose = ("FunctionName", function)
    return (whose, ("Resource", f"{function}:{LIVE}")) if metric.key in OF_LIVE else (whose,)
