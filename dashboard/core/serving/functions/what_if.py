"""What if: the same calls with nothing kept, a ceiling, environments kept ready, or kept ready as they are needed.

Minute by minute by `load.fare`, then over a month. Environments beyond those of the minutes before start cold when
traffic grows. Left out, and said on the page: a cold start occupies its environment a little longer, failed calls are
asked again by whoever called, and the first invocations after an update.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache

from dashboard.core.costs import charges
from dashboard.core.costs.prices import Extra, PriceBook
from dashboard.core.costs.quantities import MONTH_HOURS
from dashboard.core.costs.receipt import Line
from dashboard.core.serving.functions.concurrency import kept_ready_cost
from dashboard.core.serving.functions.load import IDLE_SECONDS, Load, Minute, busiest_at_once, fare
from dashboard.core.serving.functions.scaled import Scaling

METHOD = (
    "Erlang's loss formula for each minute: calls come at random moments, a free environment takes each, the one that "
    "was used last first. An idle environment is taken to be kept for 10 minutes; AWS promises no time. "
    "Where fewer than 1 call in 1,000 starts cold, a simulation of each call counts up to two thirds more of them."
)
OUT_MINUTES, IN_MINUTES = 3, 15
"""Application Auto Scaling acts after so many minutes above the target, or below 90 % of it."""
_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
_TRACE = 1e-6


class Way(StrEnum):
    """A way to set a function's concurrency."""

    NONE = "none"
    RESERVED = "reserved"
    PROVISIONED = "provisioned"
    SCALED = "provisioned + scaling"


@dataclass(frozen=True)
class Setting:
    """One way with its numbers. most: that may run at once; ready: kept ready; scaling: moves `ready`."""

    way: Way
    most: int
    ready: int = 0
    scaling: Scaling | None = None


@dataclass(frozen=True)
class Machine:
    """What an environment is: its memory, processor and region. hours: of a month."""

    memory_mb: int
    arm: bool
    region: str
    hours: Decimal = MONTH_HOURS


@dataclass(frozen=True)
class Outcome:
    """A month of one way. All counts are expected ones; cost is None where a price is unknown. ready: on average."""

    setting: Setting
    invocations: float
    in_ready: float
    cold: float
    throttled: float
    ready: float
    cost: Decimal | None
    kept: Decimal | None  # of the cost: keeping environments ready

    @property
    def cold_share(self) -> float:
        """Of those that ran."""
        ran = self.invocations - self.throttled
        return self.cold / ran if ran > 0 else 0.0

    @property
    def throttled_share(self) -> float:
        return self.throttled / self.invocations if self.invocations else 0.0


def outcome(load: Load, setting: Setting, machine: Machine, prices: PriceBook, idle: float = IDLE_SECONDS) -> Outcome:
    """What a month of this load would be. Raises ValueError for a load without a minute."""
    if not load.per_minute:
        raise ValueError("a load has at least one minute")
    kept = path(load, setting.scaling) if setting.scaling else (setting.ready,) * len(load.per_minute)
    minutes, grown = _minutes(load, setting.most, kept, idle)
    scale = float(machine.hours) * 60 / len(load.per_minute)
    ready = scale * math.fsum(one.ready for one in minutes)
    cold = scale * (math.fsum(one.cold for one in minutes) + grown)
    warm = scale * (math.fsum(one.warm for one in minutes) - grown)
    throttled = scale * math.fsum(one.throttled for one in minutes)
    mean_ready = sum(kept) / len(kept)
    keeping = kept_ready_cost(
        prices,
        machine.region,
        memory_mb=machine.memory_mb,
        number=1 if mean_ready else 0,
        arm=machine.arm,
        hours=machine.hours * Decimal(str(mean_ready)),
    )
    running = _running(load, ready, warm, cold, machine, prices)
    return Outcome(
        setting=setting,
        invocations=scale * math.fsum(load.per_minute),
        in_ready=ready,
        cold=cold,
        throttled=throttled,
        ready=mean_ready,
        cost=None if keeping is None or running is None else keeping + running,
        kept=keeping,
    )


def path(load: Load, scaling: Scaling) -> tuple[int, ...]:
    """How many auto scaling keeps ready in each minute, as its alarms see them; it begins at the minimum.

    A minute without a call has no figure, and moves nothing: so what is ready for nobody stays.
    """
    number, above, below = scaling.minimum, 0, 0
    found = []
    for per_minute in load.per_minute:
        found.append(number)
        if per_minute <= 0:
            continue
        used = min(1.0, busiest_at_once(per_minute, load.seconds) / number)
        above = above + 1 if used > scaling.target else 0
        below = below + 1 if used < 0.9 * scaling.target else 0
        wanted = max(scaling.minimum, min(scaling.maximum, math.ceil(number * used / scaling.target)))
        if (above >= OUT_MINUTES and wanted > number) or (below >= IN_MINUTES and wanted < number):
            number = wanted
    return tuple(found)


def break_even(ready: int, seconds: float, machine: Machine, prices: PriceBook) -> float | None:
    """From how many invocations a minute on, at random moments, keeping `ready` costs less than keeping none.

    What runs in a ready environment has a lower duration price; it pays once the ready ones are busy for that share
    of the time which the price of keeping takes of the difference. None where a price is unknown, or it never pays.
    """
    share = break_even_share(machine, prices)
    if share is None or share >= 1 or ready < 1 or seconds <= 0:
        return None
    low, high = 0.0, float(ready)
    while _busy(high, ready) < share * ready:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if _busy(middle, ready) >= share * ready else (middle, high)
    return high * 60 / seconds


def break_even_share(machine: Machine, prices: PriceBook) -> float | None:
    """The share of time that a ready environment must be busy to cost no more than one that is not kept."""
    if machine.arm:
        return None
    plain = prices.beside(Extra.LAMBDA_DURATION_X86, machine.region)
    ready = prices.beside(Extra.LAMBDA_PROVISIONED_DURATION, machine.region)
    keep = prices.beside(Extra.LAMBDA_PROVISIONED, machine.region)
    if plain is None or ready is None or keep is None or plain.amount <= ready.amount:
        return None
    return float(keep.amount / (plain.amount - ready.amount))


def costs(
    rates: Sequence[float], setting: Setting, seconds: float, cold_seconds: float, machine: Machine, prices: PriceBook
) -> list[Decimal | None]:
    """A month's cost at each of these steady rates of invocations a minute."""
    return [outcome(Load((rate,), seconds, cold_seconds), setting, machine, prices).cost for rate in rates]


def _busy(load: float, ready: int) -> float:
    """How many of `ready` environments are busy on average at an offered load."""
    lost = 1.0
    for number in range(1, ready + 1):
        lost = load * lost / (number + load * lost)
    return load * (1 - lost)


def _minutes(load: Load, most: int, kept: Sequence[int], idle: float) -> tuple[list[Minute], float]:
    """Each minute's fate, and the cold starts on top that growing traffic takes."""
    fares = cache(lambda rate, ready: fare(rate, load.seconds, ready, max(most, 0), idle))
    minutes = [fares(rate, min(ready, most)) for rate, ready in zip(load.per_minute, kept, strict=True)]
    window = max(1, round(idle / 60))
    grown = waiting = 0.0
    for place in range(1, len(minutes)):
        before = max(one.started for one in minutes[max(0, place - window) : place])
        waiting += max(0.0, minutes[place].started - before)
        # each starts with a call that the stationary formula took for a warm one; with few calls that takes a while
        begun = min(waiting, minutes[place].warm)
        grown, waiting = grown + begun, min(waiting - begun, minutes[place].started)
    return minutes, grown


def _running(load: Load, ready: float, warm: float, cold: float, machine: Machine, prices: PriceBook) -> Decimal | None:
    """What the invocations of a month cost: requests and durations, cold starts' INIT included (since 2025-08)."""
    ended = _SINCE + timedelta(seconds=float(machine.hours * 3600))
    lines: tuple[Line, ...] = ()
    if warm + cold > _TRACE:
        milliseconds = ((warm + cold) * load.seconds + cold * load.cold_seconds) * 1000
        lines += charges.function(
            prices,
            machine.region,
            requests=round(warm + cold),
            duration_ms=milliseconds,
            memory_mb=machine.memory_mb,
            started=_SINCE,
            ended=ended,
            arm=machine.arm,
        )
    if ready > _TRACE:
        ran = charges.provisioned(
            prices,
            machine.region,
            memory_mb=machine.memory_mb,
            count=0,
            started=_SINCE,
            ended=ended,
            requests=round(ready),
            duration_ms=ready * load.seconds * 1000,
            arm=machine.arm,
        )
        lines += tuple(line for line in ran if line.quantity)
    amounts = [line.amount for line in lines]
    return None if None in amounts else sum((each for each in amounts if each is not None), Decimal(0))
