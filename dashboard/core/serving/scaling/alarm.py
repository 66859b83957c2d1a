"""The two alarms of a target tracking policy, as CloudWatch evaluates them. Pure.

Both look at periods of 60 s (InvocationsPerInstance: Sum) or 10 s (ConcurrentRequestsPerModel: Maximum). The high one
goes off above the target in 3 of 3 periods; the low one below 90 % of it for 15 minutes: 15 of 15, or 90 of 90 periods
of 10 s (AWS publishes the first three of these numbers and not the last one, which is an assumption).
Missing data points are CloudWatch's "missing": CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing
data", with its evaluation range of two more periods than are needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dashboard.core.serving.scaling.policy import TargetTracking

HIGH_PERIODS = 3
LOW_SECONDS = 900
LOW_SHARE = 0.9
MORE = 2
"""Periods farther back that CloudWatch looks at where data points are missing."""


class Side(StrEnum):
    """Which of the two alarms."""

    HIGH = "AlarmHigh"
    LOW = "AlarmLow"


class State(StrEnum):
    """An alarm's state, as CloudWatch names it."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class Alarm:
    """One of the two alarms of a policy: `periods` of `period` seconds beyond the threshold make it go off."""

    side: Side
    threshold: float
    period: int
    periods: int

    @property
    def range(self) -> int:
        """Data points that it looks at."""
        return self.periods + MORE

    def breach(self, values: Sequence[float]) -> bool:
        """Whether all of these values, at least one, are beyond the threshold."""
        return min(values) > self.threshold if self.side is Side.HIGH else max(values) < self.threshold

    def state(self, points: Sequence[float | None]) -> State:
        """Its state after these data points, oldest first, None where there is none. The last `range` are looked at.

        A single new value behind a gap is no alarm yet: the oldest one that breaches must be `periods` old.
        """
        if points and points[-1] is not None and not self.breach([points[-1]]):
            return State.OK  # whatever was before: most of the time this is all there is to see
        seen = list(points[-self.range :])
        real = [value for value in seen if value is not None]
        if not real:
            return State.INSUFFICIENT_DATA
        if len(real) >= self.periods:
            return State.ALARM if self.breach(real[-self.periods :]) else State.OK
        oldest = next(place for place, value in enumerate(seen) if value is not None)
        return State.ALARM if self.breach(real) and len(seen) - oldest >= self.periods else State.OK


def alarms(policy: TargetTracking) -> tuple[Alarm, Alarm]:
    """The high and the low alarm that Application Auto Scaling makes for a policy."""
    period = policy.tracked.period
    high = Alarm(Side.HIGH, policy.target, period, HIGH_PERIODS)
    return high, Alarm(Side.LOW, LOW_SHARE * policy.target, period, LOW_SECONDS // period)
