"""What SageMaker tells CloudWatch of each request to an endpoint: namespace AWS/SageMaker, by endpoint and variant.

The metrics are those of the SageMaker Developer Guide ("Monitor Amazon SageMaker AI with CloudWatch"): Invocations,
InvocationsPerInstance (1 / instances for each request, as ScalingPolicyMetric of the API reference has it),
Invocation4XXErrors, Invocation5XXErrors, InvocationModelErrors, ModelLatency and OverheadLatency in microseconds, and
ConcurrentRequestsPerModel: of each instance the most requests that it had at once, queued ones included, every ten
seconds. Requests are added up in memory and written together a moment later, so that a request costs no write; an
endpoint that nobody asks has no data points, as in AWS.

Where waiting goes faster than in AWS an alarm looks at bins of less than a minute, so points keep their second there.
"""

import math
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from local_aws.engine.endpoint import Use
from local_aws.engine.soon import Soon
from local_aws.pace import AS_AWS, Pace
from local_aws.services.cloudwatch_store import Datum, Dimensions, MetricStore

NAMESPACE = "AWS/SageMaker"
WRITE_SECONDS = 1.0
MINUTE = 60
CONCURRENCY_SECONDS = 10
"""How often the concurrency of an instance is told, at scale 1."""
DIGITS = 3  # of a latency: as fine as a percentile needs, and few rows when there are many requests


@dataclass(frozen=True)
class Invocation:
    """One request that reached an endpoint. status: the answer's; None: the process that took it gave none.

    model, whole: seconds in the container (None: it was asked of none), and here altogether; instances: how many the
    variant has, 0 for a serverless one; setup: seconds that a process took to start for it; use: of a serverless one.
    """

    region: str
    endpoint: str
    variant: str
    status: int | None
    model: float | None
    whole: float
    instances: int = 1
    setup: float | None = None
    use: Use | None = None


@dataclass(frozen=True)
class Seat:
    """An instance of a variant, as requests go to it."""

    region: str
    endpoint: str
    variant: str
    instance: str

    @property
    def dimensions(self) -> Dimensions:
        return (("EndpointName", self.endpoint), ("VariantName", self.variant))


class EndpointMetrics:
    """Adds requests up. now: epoch seconds; at most one write each `write_seconds`. pace: how fast alarms look."""

    def __init__(
        self,
        store: MetricStore,
        now: Callable[[], float],
        write_seconds: float = WRITE_SECONDS,
        *,
        pace: Pace = AS_AWS,
    ) -> None:
        self._store = store
        self._now = now
        self._resolution = MINUTE if pace.scale == 1 else 1
        self._window = max(1, round(pace.seconds(CONCURRENCY_SECONDS)))
        self._lock = threading.Lock()
        self._waiting: Counter[tuple[str, str, Dimensions, int, float, str]] = Counter()
        self._in_flight: Counter[Seat] = Counter()
        self._most: dict[tuple[Seat, int], int] = {}  # by the beginning of its window
        self._soon = Soon("metrics of endpoints", write_seconds, self.write, self._waits)

    def began(self, seat: Seat) -> None:
        """A request goes to an instance; called in the event loop, as `ended` is when its answer is there."""
        with self._lock:
            self._in_flight[seat] += 1
            self._note_most(seat)
        self._soon.wake()

    def ended(self, seat: Seat) -> None:
        with self._lock:
            self._note_most(seat)  # it may have lasted since the window before
            self._in_flight[seat] -= 1
            if not self._in_flight[seat]:
                del self._in_flight[seat]

    def _note_most(self, seat: Seat) -> None:
        key = (seat, int(self._now() // self._window) * self._window)
        self._most[key] = max(self._most.get(key, 0), self._in_flight[seat])

    def add(self, one: Invocation) -> None:
        """Count a request; called in the event loop, which writes it soon."""
        at = int(self._now())
        dimensions: Dimensions = (("EndpointName", one.endpoint), ("VariantName", one.variant))
        status = 503 if one.status is None else one.status
        measured = [
            ("Invocations", 1.0, "Count"),
            ("Invocation4XXErrors", float(400 <= status < 500), "Count"),
            ("Invocation5XXErrors", float(status >= 500), "Count"),
        ]
        if one.instances:
            measured.append(("InvocationsPerInstance", 1.0 / one.instances, "Count"))
        if one.use is not None:
            measured += serverless(one.use)
        if one.setup is not None:
            measured.append(("ModelSetupTime", _microseconds(one.setup), "Microseconds"))
        if one.status is not None and one.model is not None:
            if one.instances:
                measured.append(("InvocationModelErrors", float(not 200 <= status < 300), "Count"))
            measured += [
                ("ModelLatency", _microseconds(one.model), "Microseconds"),
                ("OverheadLatency", _microseconds(max(0.0, one.whole - one.model)), "Microseconds"),
            ]
        with self._lock:
            for name, value, unit in measured:
                self._waiting[one.region, name, dimensions, at, value, unit] += 1
        self._soon.wake()

    def _waits(self) -> bool:
        return bool(self._waiting or self._most or self._in_flight)

    async def close(self) -> None:
        """Write what is left."""
        await self._soon.close()
        await run_in_threadpool(self.write, everything=True)

    def write(self, *, everything: bool = False) -> None:
        """Write what was added up; it is there when this returns. everything: also of a window that has not ended."""
        with self._lock:
            taken, self._waiting = self._waiting, Counter()
            for seat in self._in_flight:
                self._note_most(seat)
            now = self._now()
            ended = [key for key in self._most if everything or key[1] + self._window <= now]
            most = {key: self._most.pop(key) for key in ended}
        counted: dict[str, list[Datum]] = {}
        for (region, name, dimensions, at, value, unit), times in taken.items():
            counted.setdefault(region, []).append(Datum(name, dimensions, at, value, unit, float(times)))
        for region, data in counted.items():
            self._store.put(region, NAMESPACE, data, resolution=self._resolution)
        at_once: dict[str, list[Datum]] = {}
        for (seat, start), number in most.items():
            datum = Datum("ConcurrentRequestsPerModel", seat.dimensions, start, float(number), "Count")
            at_once.setdefault(seat.region, []).append(datum)
        for region, data in at_once.items():
            self._store.put(region, NAMESPACE, data, resolution=1)


def serverless(use: Use) -> list[tuple[str, float, str]]:
    """What is told of a serverless variant when it takes a request: (name, value, unit).

    As the Developer Guide's "Alarms and logs for tracking metrics from serverless endpoints" lists them: utilisations
    are shares of 1 and not percentages, and a request that finds no provisioned process free spills over.
    """
    provisioned = use.config.provisioned
    told = [("ServerlessConcurrentExecutionsUtilization", use.busy / use.config.most, "None")]
    if provisioned:
        told += [
            ("ServerlessProvisionedConcurrencyExecutions", float(use.provisioned_busy), "Count"),
            ("ServerlessProvisionedConcurrencyUtilization", use.provisioned_busy / provisioned, "None"),
            ("ServerlessProvisionedConcurrencyInvocations", float(use.on_provisioned), "Count"),
            ("ServerlessProvisionedConcurrencySpilloverInvocations", float(not use.on_provisioned), "Count"),
        ]
    return told


def _microseconds(seconds: float) -> float:
    """In whole microseconds, to DIGITS digits."""
    value = max(1.0, seconds * 1e6)
    return float(round(value, DIGITS - 1 - math.floor(math.log10(value))))
