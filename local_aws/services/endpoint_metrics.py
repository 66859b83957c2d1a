"""What SageMaker tells CloudWatch of each request to an endpoint: namespace AWS/SageMaker, by endpoint and variant.

The metrics are those of the SageMaker Developer Guide ("Monitor Amazon SageMaker AI with CloudWatch"): Invocations,
InvocationsPerInstance, Invocation4XXErrors, Invocation5XXErrors, InvocationModelErrors, ModelLatency and
OverheadLatency in microseconds. Requests are added up in memory and written together a moment later, so that a
request costs no write; an endpoint that nobody asks has no data points, as in AWS.
"""

import asyncio
import math
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from local_aws.services.cloudwatch_store import Datum, Dimensions, MetricStore

NAMESPACE = "AWS/SageMaker"
WRITE_SECONDS = 1.0
DIGITS = 3  # of a latency: as fine as a percentile needs, and few rows when there are many requests


@dataclass(frozen=True)
class Invocation:
    """One request that reached an endpoint. status: the answer's; None: no process could take it.

    model, whole: seconds in the container, and here altogether; instances: how many the variant has.
    """

    region: str
    endpoint: str
    variant: str
    status: int | None
    model: float
    whole: float
    instances: int = 1


class EndpointMetrics:
    """Adds requests up. now: epoch seconds; at most one write each `write_seconds`."""

    def __init__(self, store: MetricStore, now: Callable[[], float], write_seconds: float = WRITE_SECONDS) -> None:
        self._store = store
        self._now = now
        self._write_seconds = write_seconds
        self._lock = threading.Lock()
        self._waiting: Counter[tuple[str, str, Dimensions, int, float, str]] = Counter()
        self._writing: asyncio.Task[None] | None = None

    def add(self, one: Invocation) -> None:
        """Count a request; called in the event loop, which writes it soon."""
        at = int(self._now())
        dimensions: Dimensions = (("EndpointName", one.endpoint), ("VariantName", one.variant))
        status = 503 if one.status is None else one.status
        measured = [
            ("Invocations", 1.0, "Count"),
            ("InvocationsPerInstance", 1.0 / max(one.instances, 1), "Count"),
            ("Invocation4XXErrors", float(400 <= status < 500), "Count"),
            ("Invocation5XXErrors", float(status >= 500), "Count"),
        ]
        if one.status is not None:
            measured += [
                ("InvocationModelErrors", float(not 200 <= status < 300), "Count"),
                ("ModelLatency", _microseconds(one.model), "Microseconds"),
                ("OverheadLatency", _microseconds(max(0.0, one.whole - one.model)), "Microseconds"),
            ]
        with self._lock:
            for name, value, unit in measured:
                self._waiting[one.region, name, dimensions, at, value, unit] += 1
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write_soon())

    async def close(self) -> None:
        """Write what is left."""
        if self._writing is not None:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing
        await run_in_threadpool(self.write)

    async def _write_soon(self) -> None:
        await asyncio.sleep(self._write_seconds)
        # a request that comes while this writes starts no second task: look again until nothing is left
        while self._waiting:
            await run_in_threadpool(self.write)

    def write(self) -> None:
        """Write what was added up; it is there when this returns."""
        with self._lock:
            taken, self._waiting = self._waiting, Counter()
        by_region: dict[str, list[Datum]] = {}
        for (region, name, dimensions, at, value, unit), times in taken.items():
            by_region.setdefault(region, []).append(Datum(name, dimensions, at, value, unit, float(times)))
        for region, data in by_region.items():
            self._store.put(region, NAMESPACE, data)


def _microseconds(seconds: float) -> float:
    """In whole microseconds, to DIGITS digits."""
    value = max(1.0, seconds * 1e6)
    return float(round(value, DIGITS - 1 - math.floor(math.log10(value))))
