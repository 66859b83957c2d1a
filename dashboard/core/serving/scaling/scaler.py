"""What Application Auto Scaling decides from its alarms: a variant's number of instances. Pure.

Rules and their sources (Application Auto Scaling User Guide, "How target tracking scaling works", "Multiple scaling
policies"; API reference, TargetTrackingScalingPolicyConfiguration):
- scale out to ceil(instances × metric / target), at most the maximum, with the newest value of the metric; within the
  scale-out cooldown, which begins when the activity has completed, "the capacity added by the initiating scale-out
  activity is calculated as part of the desired capacity for the next": the expression is of the instances before it
- scale in to the same expression where that is at least one fewer, at least the minimum: it rounds so that it never
  removes too much; not within the scale-in cooldown, which a scale-out ends
- of several policies the largest capacity wins; scale in only when all policies that may scale in are ready to
- while the variant is being updated nothing is started; an alarm that stays on is tried again each period
- without a newest value nothing is done: an endpoint that nobody asks has no data points, and is not scaled in
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from dashboard.core.serving.scaling.alarm import Alarm, Side, State, alarms
from dashboard.core.serving.scaling.policy import TargetTracking


@dataclass(frozen=True)
class AlarmChange:
    """An alarm went to another state, `at` seconds after the begin."""

    at: float
    policy: str
    side: Side
    state: State


@dataclass(frozen=True)
class Activity:
    """A change of capacity: begun `at`, and `done` when all instances serve (or are gone); seconds after the begin.

    done is infinity while that is not known.
    """

    at: float
    done: float
    before: int
    after: int
    why: str
    policy: str = ""  # that asked for it; "" for a scheduled action, or a minimum or maximum

    @property
    def is_out(self) -> bool:
        return self.after > self.before


@dataclass
class Watched:
    """One policy with its alarms, the data points that they see, and its cooldown."""

    policy: TargetTracking
    points: list[float | None] = field(default_factory=list)
    seen: int = 0  # periods
    states: dict[Side, State] = field(default_factory=lambda: dict.fromkeys(Side, State.INSUFFICIENT_DATA))
    base: int = 0  # instances before the activity that began its scale-out cooldown
    out_until: float = -math.inf
    in_until: float = -math.inf

    def __post_init__(self) -> None:
        self.high, self.low = alarms(self.policy)

    def see(self, at: float, value: float | None) -> list[AlarmChange]:
        """The data point of one more period; what it changes."""
        self.seen += 1
        self.points.append(value)
        del self.points[: -self.low.range]
        return [change for alarm in (self.high, self.low) if (change := self._look(at, alarm))]

    def _look(self, at: float, alarm: Alarm) -> AlarmChange | None:
        before = self.states[alarm.side]
        self.states[alarm.side] = alarm.state(self.points)
        after = self.states[alarm.side]
        return AlarmChange(at, self.policy.name, alarm.side, after) if after is not before else None

    def wanted(self, instances: int) -> int:
        """What the newest value asks for where there are so many instances, whatever the ends allow."""
        newest = self.points[-1] if self.points else None
        return instances if newest is None else math.ceil(instances * newest / self.policy.target - 1e-9)

    def is_on(self, side: Side) -> bool:
        """Whether this alarm is on, and has a newest value to act by."""
        return self.states[side] is State.ALARM and self.points[-1] is not None


@dataclass
class Scaler:
    """The policies of one variant. `minimum` and `maximum` may be changed by scheduled actions."""

    minimum: int
    maximum: int
    watched: Sequence[Watched]

    def clamp(self, instances: int) -> int:
        return max(self.minimum, min(self.maximum, instances))

    def decide(self, at: float, instances: int, looked: Sequence[Watched]) -> tuple[int, str]:
        """The capacity after the policies in `looked` have seen a new period, and which policy asked for it.

        `instances` and "" for no change.
        """
        out = [(self._out(at, one, instances), one) for one in looked if one.is_on(Side.HIGH)]
        wanted, by = max(out, key=lambda found: found[0], default=(instances, None))
        if by is None:
            return self._in(at, instances, looked)
        if wanted <= instances:
            return instances, ""
        by.base = by.base if at < by.out_until else instances
        return wanted, by.policy.name

    def _out(self, at: float, one: Watched, instances: int) -> int:
        return self.clamp(one.wanted(one.base if at < one.out_until else instances))

    def _in(self, at: float, instances: int, looked: Sequence[Watched]) -> tuple[int, str]:
        able = [one for one in self.watched if one.policy.can_scale_in]
        is_ready = all(one.is_on(Side.LOW) and at >= one.in_until for one in able)
        if not is_ready or not any(one in able for one in looked):
            return instances, ""
        by = max(able, key=lambda one: one.wanted(instances))
        wanted = self.clamp(by.wanted(instances))
        return (wanted, by.policy.name) if wanted < instances else (instances, "")

    def completed(self, at: float, activity: Activity) -> None:
        """An activity has completed: its cooldown begins."""
        for one in self.watched:
            if activity.is_out:
                one.in_until = -math.inf
                if activity.policy == one.policy.name:
                    one.out_until = at + one.policy.scale_out_cooldown
            else:
                one.in_until = at + one.policy.scale_in_cooldown
