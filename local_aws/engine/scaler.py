"""The arithmetic of scaling policies: how many a scalable target should have. Pure.

Sources: Application Auto Scaling User Guide, "Target tracking scaling policies" and "Step scaling policies" (rounding
of percentages, which ends of an interval belong to it); API reference, TargetTrackingScalingPolicyConfiguration and
StepScalingPolicyConfiguration (cooldowns).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

LOW_SHARE = 0.9
"""Of the target: target tracking scales in below it, so that it does not go in and out at one value."""


def tracked(capacity: int, metric: float, target: float) -> int:
    """The capacity at which a metric that falls as capacity grows would be at its target.

    Rounded up: too much is better than too little. A hair above a whole number is that number: shares of 1/3 add up so.
    """
    return math.ceil(round(capacity * metric / target, 6))


@dataclass(frozen=True)
class Steps:
    """A step scaling policy's configuration. kind: ChangeInCapacity, ExactCapacity or PercentChangeInCapacity.

    steps: (lower bound, upper bound, adjustment), the bounds as differences from the alarm's threshold, None: no end.
    least: the smallest change, of percentages only. aggregation: Average, Minimum or Maximum.
    """

    kind: str
    steps: tuple[tuple[float | None, float | None, int], ...]
    least: int = 0
    aggregation: str = "Average"

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Steps":
        """From a StepScalingPolicyConfiguration."""
        return cls(
            config["AdjustmentType"],
            tuple(
                (one.get("MetricIntervalLowerBound"), one.get("MetricIntervalUpperBound"), one["ScalingAdjustment"])
                for one in config["StepAdjustments"]
            ),
            config.get("MinAdjustmentMagnitude") or 0,
            config.get("MetricAggregationType") or "Average",
        )

    def aggregate(self, values: Sequence[float]) -> float:
        """One figure for the data points that an alarm evaluated."""
        return {"Minimum": min, "Maximum": max}.get(self.aggregation, fmean)(values)

    def desired(self, capacity: int, metric: float, threshold: float) -> int | None:
        """What the step for that metric makes of a capacity; None when no step is for it. Never below 0."""
        for low, high, adjustment in self.steps:
            if _within(metric - threshold, low, high):
                return max(0, self._adjusted(capacity, adjustment))
        return None

    def _adjusted(self, capacity: int, adjustment: int) -> int:
        if self.kind == "ExactCapacity":
            return adjustment
        if self.kind == "ChangeInCapacity":
            return capacity + adjustment
        change = percentage(capacity, adjustment)
        if change and abs(change) < self.least:
            change = self.least if change > 0 else -self.least
        return capacity + change


def percentage(capacity: int, percent: int) -> int:
    """A share of a capacity in whole units, toward 0, but at least one where it is anything at all."""
    exact = capacity * percent / 100
    return math.trunc(exact) if abs(exact) >= 1 or exact == 0 else int(math.copysign(1, exact))


def _within(difference: float, low: float | None, high: float | None) -> bool:
    """Above the threshold the lower end belongs to an interval, below it the upper one."""
    if difference >= 0:
        return (low is None or difference >= low) and (high is None or difference < high)
    return (low is None or difference > low) and (high is None or difference <= high)


@dataclass(frozen=True)
class Cooldown:
    """The last activity of a policy in one direction. before: the capacity it began with; ended: None while it goes on.

    seconds: how long it takes here.
    """

    before: int
    ended: float | None
    seconds: float

    def lasts(self, now: float) -> bool:
        return self.ended is None or now < self.ended + self.seconds


def outward(capacity: int, last: Cooldown | None, now: float) -> int:
    """The capacity that a scale-out is worked out from.

    Within the cooldown the one before the last scale-out: what that added is part of what is wanted, not the base of
    more. So a metric that has not fallen yet adds nothing, and only one that has risen further adds the difference.
    """
    return last.before if last is not None and last.lasts(now) else capacity
