"""Requests over time, as a replay takes them: recorded ones, or made up in one of four shapes. Pure.

A made-up minute has a number of requests that varies around its mean as independent visitors would (a Poisson number,
by its normal approximation from 50 on), from a seed: the same seed is the same traffic.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dashboard.core.errors import InvalidInput

MINUTE = 60
MOST_PER_MINUTE = 6_000_000
MANY = 50
"""From this mean on a Poisson number is drawn as a normal one."""


@dataclass(frozen=True)
class Traffic:
    """requests[i] came within the `step` seconds from begin + i × step on. `what`: in words, for the page.

    is_even: they come one after the other in even distances, and not at random within a step.
    """

    step: int
    requests: tuple[float, ...]
    begin: datetime
    what: str
    is_even: bool = False

    @property
    def seconds(self) -> int:
        return self.step * len(self.requests)

    @property
    def end(self) -> datetime:
        return self.begin + timedelta(seconds=self.seconds)

    @property
    def total(self) -> float:
        return sum(self.requests)

    @property
    def peak(self) -> float:
        """Requests per minute in its busiest step."""
        return max(self.requests, default=0.0) * MINUTE / self.step

    def per_second(self, at: float) -> float:
        """Requests per second, `at` seconds after the begin; 0 outside."""
        place = int(at // self.step)
        return self.requests[place] / self.step if 0 <= place < len(self.requests) else 0.0


class Shape(StrEnum):
    """How made-up traffic goes over time."""

    STEADY = "steady"
    DAILY = "daily"
    SPIKE = "spike"
    TRIPLING = "tripling"

    @property
    def minutes(self) -> int:
        """How long it lasts."""
        return 1440 if self is Shape.DAILY else 60 if self is Shape.STEADY else 120

    @property
    def words(self) -> str:
        """What it is, for "…, 120 requests per minute"."""
        return _WORDS[self]


_WORDS = {
    Shape.STEADY: "the same rate for an hour",
    Shape.DAILY: "a day that is busiest at 14:00, with a sixth of that at 02:00",
    Shape.SPIKE: "two hours with ten times the rate for ten minutes",
    Shape.TRIPLING: "two hours, from half an hour on three times the rate",
}


def synthetic(shape: Shape, per_minute: float, begin: datetime, *, seed: int = 1) -> Traffic:
    """Made-up traffic around a rate: for a day that is the mean of its busiest minute.

    Raises InvalidInput for a rate that is none.
    """
    if not 0 < per_minute <= MOST_PER_MINUTE:
        raise InvalidInput(
            f"{per_minute:g} requests per minute are no rate",
            f"it must be more than 0 and at most {MOST_PER_MINUTE:,}",
            "type another one",
            field="rate",
        )
    source = random.Random(f"{shape.value}/{seed}")  # noqa: S311 - visitors, not secrets
    of = _OF[shape]
    requests = tuple(float(poisson(per_minute * of(minute), source)) for minute in range(shape.minutes))
    return Traffic(MINUTE, requests, begin, shape.words)


def even(per_minute: float, minutes: int, begin: datetime) -> Traffic:
    """The same number each minute, evenly spaced."""
    return Traffic(MINUTE, (per_minute,) * minutes, begin, f"{per_minute:g} requests per minute, evenly", is_even=True)


def poisson(mean: float, source: random.Random) -> int:
    """A Poisson number (Knuth's product of uniform numbers; from MANY on rounded from a normal one)."""
    if mean >= MANY:
        return max(0, round(source.gauss(mean, math.sqrt(mean))))
    limit, product, number = math.exp(-mean), source.random(), 0
    while product > limit:
        product *= source.random()
        number += 1
    return number


def _daily(minute: int) -> float:
    """A wave of one day between 1/6 and 1, lowest at 02:00."""
    middle, swing = 7 / 12, 5 / 12
    return middle - swing * math.cos(2 * math.pi * (minute - 120) / 1440)


def _spike(minute: int) -> float:
    return 10.0 if 30 <= minute < 40 else 1.0


def _tripling(minute: int) -> float:
    return 3.0 if minute >= 30 else 1.0


_OF: dict[Shape, Callable[[int], float]] = {
    Shape.STEADY: lambda minute: 1.0,
    Shape.DAILY: _daily,
    Shape.SPIKE: _spike,
    Shape.TRIPLING: _tripling,
}
