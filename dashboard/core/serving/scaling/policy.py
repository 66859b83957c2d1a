"""A scaling policy of an endpoint's variant, in the terms of Application Auto Scaling.

A variant is a scalable target with a minimum and a maximum. Target tracking keeps a metric at a value; step scaling
adds or takes away what an alarm's distance from its threshold says; a scheduled action moves minimum and maximum.
Source: Application Auto Scaling User Guide; SageMaker Developer Guide, "Automatic scaling of models".
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

COOLDOWN = 300
"""Seconds that AWS takes where a policy says none, for variants of SageMaker endpoints."""


class Tracked(StrEnum):
    """The metric that target tracking keeps at its value, by AWS's name of it where it is predefined."""

    INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
    CONCURRENT = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
    PROVISIONED = "SageMakerVariantProvisionedConcurrencyUtilization"  # of a serverless variant
    CUSTOM = "custom"

    @property
    def period(self) -> int:
        """Seconds that one data point stands for."""
        return 10 if self is Tracked.CONCURRENT else 60

    @property
    def unit(self) -> str:
        """What its target counts, in words."""
        return _UNITS[self]


_UNITS = {
    Tracked.INVOCATIONS: "requests per instance and minute",
    Tracked.CONCURRENT: "requests at the same time per instance",
    Tracked.PROVISIONED: "of its provisioned concurrency in use, 0 to 1",
    Tracked.CUSTOM: "of the metric",
}


@dataclass(frozen=True)
class CustomMetric:
    """A metric of one's own (CustomizedMetricSpecification). statistic: Average, Minimum, Maximum, Sum, SampleCount."""

    namespace: str
    name: str
    statistic: str
    dimensions: tuple[tuple[str, str], ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class TargetTracking:
    """One target tracking policy. target: in `tracked.unit`; cooldowns: seconds."""

    name: str
    tracked: Tracked
    target: float
    scale_in_cooldown: int = COOLDOWN
    scale_out_cooldown: int = COOLDOWN
    can_scale_in: bool = True
    custom: CustomMetric | None = None
    alarms: tuple[str, ...] = ()  # that AWS made for it; none before it is put


@dataclass(frozen=True)
class Step:
    """From `above` to `below` over the alarm's threshold (None: without end), `adjustment` is made."""

    adjustment: int
    above: float | None
    below: float | None


@dataclass(frozen=True)
class StepPolicy:
    """A step scaling policy. kind: ChangeInCapacity, ExactCapacity or PercentChangeInCapacity; cooldown: seconds."""

    name: str
    kind: str
    cooldown: int
    steps: tuple[Step, ...]
    aggregation: str = "Average"
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scheduled:
    """A scheduled action. schedule: at(…), rate(…) or cron(…); None leaves that end as it is."""

    name: str
    schedule: str
    minimum: int | None
    maximum: int | None
    timezone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Settings:
    """All that makes a variant scale. Without policies and schedules it is only kept within its two ends."""

    minimum: int
    maximum: int
    tracking: tuple[TargetTracking, ...] = ()
    steps: tuple[StepPolicy, ...] = ()
    scheduled: tuple[Scheduled, ...] = ()

    @property
    def policies(self) -> tuple[TargetTracking | StepPolicy, ...]:
        """Both kinds of policies."""
        return (*self.tracking, *self.steps)


def reference(target: float = 10, tracked: Tracked = Tracked.INVOCATIONS) -> Settings:
    """What the reference projects set: 1 to 3 instances, a target of 10 or 20, cooldowns of 30 s.

    They call the target "simultaneous requests"; the metric that their console offered counts requests per minute.
    """
    name = "kennel-requests-per-instance" if tracked is Tracked.INVOCATIONS else "kennel-requests-at-once"
    return Settings(1, 3, (TargetTracking(name, tracked, target, 30, 30),))
