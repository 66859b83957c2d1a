"""A variant's instances under traffic: what they serve, what waits, what is refused, and the metrics of it. Pure."""

import math
from dataclasses import dataclass
from decimal import Decimal

from dashboard.core.serving.scaling.policy import Tracked
from dashboard.core.serving.scaling.waiting import Wait, most_at_once, stationary

TIMEOUT = 60.0
"""Seconds that SageMaker gives a container to answer (SageMaker Developer Guide, "Custom inference code")."""
ROUND = 1000
"""Waits and shares are told apart to so many parts: of a second, and of the whole."""
METRICS = (Tracked.INVOCATIONS, Tracked.CONCURRENT)


@dataclass(frozen=True)
class Service:
    """How one instance serves. latency: seconds for one request that does not wait; places: requests that it works on
    at once at that latency; queue: requests that may wait on it beyond those; late_after: seconds, wait and service,
    after which an answer counts as late; hourly: the price of an instance, None where unknown."""

    latency: float
    places: int = 1
    queue: int = 64
    late_after: float = 1.0
    hourly: Decimal | None = None

    def __post_init__(self) -> None:
        if not (self.latency > 0 and self.places >= 1 and self.queue >= 0 and self.late_after > 0):
            raise ValueError("latency, places and late_after must be more than 0")

    @property
    def per_second(self) -> float:
        """Requests that one instance serves for each second, at most."""
        return self.places / self.latency


@dataclass(frozen=True)
class Serving:
    """One step. asked = taken + failed; late of the taken ones; waiting: the backlog at its end."""

    asked: float
    taken: float
    failed: float
    late: float
    waiting: float
    wait: Wait
    instances: int


class Variant:
    """Instances with their backlog, and the data points that their requests have made."""

    def __init__(self, service: Service, instances: int, *, is_even: bool = False) -> None:
        self.instances = instances
        self._service = service
        self._is_even = is_even
        self._backlog = 0.0
        self._points: dict[Tracked, list[float | None]] = {tracked: [] for tracked in METRICS}

    def serve(self, at: float, length: int, per_second: float) -> Serving:
        """Let `per_second` requests come for `length` seconds. `length` divides the metrics' periods."""
        asked, count, service = per_second * length, self.instances, self._service
        can = count * service.per_second
        before = self._backlog
        room = min(count * service.queue, max(0.0, TIMEOUT - service.latency) * can)
        left = before + asked - can * length
        failed = max(0.0, left - room)
        self._backlog = max(0.0, min(left, room))
        wait = self._wait(before, per_second, can)
        taken = max(0.0, asked - failed)
        served = Serving(asked, taken, failed, taken * wait.beyond(self._slack), self._backlog, wait, count)
        self._measure(at, served, per_second)
        return served

    @property
    def _slack(self) -> float:
        return max(0.0, self._service.late_after - self._service.latency)

    def _wait(self, before: float, per_second: float, can: float) -> Wait:
        if not can:
            return Wait(0.0)
        if before or self._backlog:
            return Wait(round((before + self._backlog) / 2 / can * ROUND) / ROUND)
        if self._is_even:
            return Wait(0.0)
        unit = stationary(self.instances * self._service.places, round(per_second / can * ROUND) / ROUND)
        return Wait(0.0, unit.chance, unit.mean * self._service.latency)

    def _measure(self, at: float, served: Serving, per_second: float) -> None:
        count = max(served.instances, 1)
        has_any = served.asked > 0 or served.waiting > 0
        for tracked, value in (
            (Tracked.INVOCATIONS, served.asked / count),
            (Tracked.CONCURRENT, self._at_once(served, per_second) / count),
        ):
            points, place = self._points[tracked], int(at // tracked.period)
            while len(points) <= place:
                points.append(None)
            if has_any and served.instances:
                held = points[place] or 0.0
                points[place] = held + value if tracked is Tracked.INVOCATIONS else max(held, math.ceil(value - 1e-9))

    def _at_once(self, served: Serving, per_second: float) -> float:
        """The most requests there at once in this step, on all instances."""
        service = self._service
        if served.waiting:
            return served.waiting + served.instances * service.places
        mean = per_second * (service.latency + served.wait.expected)
        if self._is_even:
            return mean
        return most_at_once(round(mean * ROUND) / ROUND, max(1, round(Tracked.CONCURRENT.period / service.latency)))

    def point(self, tracked: Tracked, place: int) -> float | None:
        """The data point of the metric's period number `place`; None: there was nothing to tell."""
        points = self._points[tracked]
        return points[place] if place < len(points) else None
