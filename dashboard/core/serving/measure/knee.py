"""Where an endpoint's curve bends, and the scaling target that follows. Pure.

The knee is the level with the highest power, throughput ÷ latency (L. Kleinrock, "Power and deterministic rules of
thumb for probabilistic problems in computer communications", 1979): up to it more clients get more answers, from it on
they mostly wait longer. Levels with more than 1 % errors do not count.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.core.serving.measure.result import Level, Measurement
from dashboard.core.serving.scaling.policy import Tracked

SAFETY = 0.5
"""AWS recommends to start with this (SageMaker Developer Guide, "Load testing your auto scaling configuration")."""
MORE = 1.05
"""Throughput that is worth another level: less than this times the best before is none."""


def knee(levels: Sequence[Level]) -> Level | None:
    """The level with the highest power; None where no level was borne."""
    borne = [level for level in levels if level.is_borne]
    return max(borne, key=_power, default=None)


def _power(level: Level) -> float:
    return level.throughput / level.p50 if level.p50 else 0.0


def peak(levels: Sequence[Level]) -> Level | None:
    """The level with the most answers a second that was borne."""
    return max((level for level in levels if level.is_borne), key=lambda level: level.throughput, default=None)


def is_enough(levels: Sequence[Level]) -> str:
    """Why more clients would tell nothing new, "" while they would."""
    if not levels:
        return ""
    if levels[-1].error_share > 0.05:
        return "more than 5 % of the requests failed"
    if len(levels) < 4:
        return ""
    best = max(level.throughput for level in levels[:-2])
    if all(level.throughput < MORE * best for level in levels[-2:]):
        return "more clients got no more answers"
    return ""


@dataclass(frozen=True)
class Target:
    """A target for one metric, rounded down, and how it was worked out."""

    tracked: Tracked
    value: float
    how: str


@dataclass(frozen=True)
class Service:
    """What one instance can do: latency in seconds of a request that does not wait, and how many at once at it."""

    latency: float
    places: int


def targets(measured: Measurement, safety: float = SAFETY) -> tuple[Target, ...]:
    """The targets for both metrics; () where no level was borne, or where instances changed meanwhile, or are none.

    InvocationsPerInstance: AWS's own formula, requests a second at the knee × safety × 60, of one instance. Concurrent
    requests: the clients at the knee × safety, of one instance, at least 1; AWS gives no formula for it.
    """
    found = knee(measured.levels)
    if found is None or not measured.is_steady or not measured.instances:
        return ()
    each = found.throughput / measured.instances
    clients = found.clients / measured.instances
    per_minute = max(1, math.floor(each * safety * 60))
    at_once = max(1, math.floor(clients * safety))
    return (
        Target(Tracked.INVOCATIONS, per_minute, f"{each:.1f} a second and instance at the knee × {safety:g} × 60"),
        Target(Tracked.CONCURRENT, at_once, f"{clients:.3g} at once and instance at the knee × {safety:g}, at least 1"),
    )


def service(measured: Measurement) -> Service | None:
    """What a replay takes of it; None where it tells nothing of one instance."""
    first, most = knee(measured.levels[:1]), peak(measured.levels)
    if first is None or most is None or not first.p50 or not measured.is_steady:
        return None
    return Service(first.p50, max(1, round(most.throughput / max(1, measured.instances) * first.p50)))
