"""What a function is asked: invocations minute by minute, as CloudWatch counted them or in a shape that was typed.

And how a minute of them fares, by Erlang's loss formula (A. K. Erlang, 1917; it holds whatever the spread of the
durations): calls come at random moments, the first environment that is free takes each, and with all of them busy a
call is lost, which Lambda says as a throttle.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

DAY_MINUTES = 1440
IDLE_SECONDS = 600.0
"""How long an idle environment is kept. AWS promises nothing; ten minutes is an assumption, and said as one."""
_TINY = 1e-9


class Shape(StrEnum):
    """How typed invocations spread over a day."""

    STEADY = "steady"
    DAILY = "day and night"
    BURSTS = "a burst each hour"

    @property
    def words(self) -> str:
        return {
            Shape.STEADY: "the same all day",
            Shape.DAILY: "1.9 times the mean at noon, a tenth of it at midnight",
            Shape.BURSTS: "all of an hour's calls in its first 5 minutes",
        }[self]


@dataclass(frozen=True)
class Load:
    """per_minute: invocations of each minute in turn; seconds: that one takes; cold_seconds: that a start adds."""

    per_minute: tuple[float, ...]
    seconds: float
    cold_seconds: float
    source: str = "typed"

    @property
    def mean(self) -> float:
        """Invocations a minute over all of it."""
        return math.fsum(self.per_minute) / len(self.per_minute) if self.per_minute else 0.0

    @property
    def busiest(self) -> float:
        """Invocations of the busiest minute."""
        return max(self.per_minute, default=0.0)


@dataclass(frozen=True)
class Minute:
    """What becomes of a minute's invocations: all numbers are expected ones, and so no whole ones.

    ready: ran in environments that are kept ready; warm and cold: in others; throttled: found none free. started:
    environments beyond those kept ready that calls keep alive at this rate.
    """

    ready: float
    warm: float
    cold: float
    throttled: float
    started: float


def shaped(mean: float, shape: Shape) -> tuple[float, ...]:
    """A day of `mean` invocations a minute in a shape, from midnight on."""
    if shape is Shape.DAILY:
        return tuple(mean * (1 - 0.9 * math.cos(2 * math.pi * minute / DAY_MINUTES)) for minute in range(DAY_MINUTES))
    if shape is Shape.BURSTS:
        return tuple(mean * 12 if minute % 60 < 5 else 0.0 for minute in range(DAY_MINUTES))
    return (mean,) * DAY_MINUTES


def fare(per_minute: float, seconds: float, ready: int, most: int, idle: float = IDLE_SECONDS) -> Minute:
    """A minute of `per_minute` invocations of `seconds` each, with `ready` kept ready and at most `most` at once.

    The k-th environment is asked when the first k − 1 are busy, at the rate of what these lose; a call that reaches it
    finds it cold when none came for `idle` seconds: exp(−rate × idle), as if what overflows came at random too. It
    comes in bursts: where cold starts are rarer than 1 in 1,000, simulations find 1 to 1.7 times as many.
    """
    if per_minute <= 0:
        return Minute(0.0, 0.0, 0.0, 0.0, 0.0)
    a_second = per_minute / 60
    offered = a_second * seconds
    lost, number = 1.0, 0  # the share of calls that finds the first `number` environments busy
    in_ready = warm = cold = started = 0.0
    while number < most and (number < ready or lost * per_minute > _TINY):
        after = offered * lost / (number + 1 + offered * lost)
        served = per_minute * (lost - after)
        if number < ready:
            in_ready += served
        else:
            is_cold = math.exp(-a_second * lost * idle)
            cold += served * is_cold
            warm += served * (1 - is_cold)
            started += 1 - is_cold
        lost, number = after, number + 1
    return Minute(in_ready, warm, cold, per_minute * lost if number >= most else 0.0, started)


def busiest_at_once(per_minute: float, seconds: float, share: float = 0.99) -> int:
    """How many run at once at a minute's busiest moment: what `share` of moments stays at or below (Poisson)."""
    load = per_minute / 60 * seconds
    if load <= 0:
        return 0
    number, likely = 0, math.exp(-load) if load < 700 else 0.0
    if not likely:
        return math.ceil(load + 2.33 * math.sqrt(load))  # the same quantile of the normal distribution
    total = likely
    while total < share:
        number += 1
        likely *= load / number
        total += likely
    return number
