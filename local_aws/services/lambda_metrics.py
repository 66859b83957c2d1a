"""What Lambda tells CloudWatch of its functions: namespace AWS/Lambda (Developer Guide, "Types of metrics").

Each is there for the function ("FunctionName"), for what was asked for of it ("FunctionName", "Resource") and, but for
those of provisioned concurrency, for the whole region. A function that nobody asks has no data points.
"""

import math
import threading
from collections import Counter
from collections.abc import Callable

from local_aws.engine.soon import Soon
from local_aws.services.cloudwatch_store import Datum, Dimensions, MetricStore

NAMESPACE = "AWS/Lambda"
WRITE_SECONDS = 1.0
DIGITS = 3  # of a duration: as fine as a percentile needs, and few rows when there are many requests
_UNITS = {"Duration": "Milliseconds", "AsyncEventAge": "Milliseconds", "ProvisionedConcurrencyUtilization": "None"}


class LambdaMetrics:
    """Adds up in memory, writes once in a while. now: epoch seconds; resolution: seconds that a time is told to."""

    def __init__(self, store: MetricStore, now: Callable[[], float], *, resolution: int = 60) -> None:
        self._store = store
        self._now = now
        self._resolution = resolution
        self._lock = threading.Lock()
        self._waiting: Counter[tuple[str, str, Dimensions, int, float]] = Counter()
        self._soon = Soon("Lambda's metrics", WRITE_SECONDS, self.write, lambda: bool(self._waiting))

    def add(self, region: str, function: str, resource: str, metric: str, value: float = 1.0) -> None:
        """One measurement of a function, of what was asked for ("name", "name:alias") and of the region.

        Called in the event loop, which writes it soon.
        """
        by_function: Dimensions = (("FunctionName", function),)
        wholes = () if metric.startswith("Provisioned") and metric != "ProvisionedConcurrentExecutions" else ((),)
        for dimensions in (by_function, (*by_function, ("Resource", resource)), *wholes):
            self._add(region, metric, dimensions, value)

    def add_for_function(self, region: str, function: str, resource: str, metric: str, value: float) -> None:
        """The same, without the region: of what has a sum there that is more than each function's."""
        self._add(region, metric, (("FunctionName", function),), value)
        self.add_for_resource(region, function, resource, metric, value)

    def add_for_region(self, region: str, metric: str, value: float) -> None:
        self._add(region, metric, (), value)

    def add_for_resource(self, region: str, function: str, resource: str, metric: str, value: float) -> None:
        self._add(region, metric, (("FunctionName", function), ("Resource", resource)), value)

    def _add(self, region: str, metric: str, dimensions: Dimensions, value: float) -> None:
        with self._lock:
            self._waiting[region, metric, dimensions, int(self._now()), _rounded(value)] += 1
        self._soon.wake()

    async def close(self) -> None:
        """Write what is left."""
        await self._soon.close()

    def write(self) -> None:
        """Write what was added up; it is there when this returns."""
        with self._lock:
            taken, self._waiting = self._waiting, Counter()
        by_region: dict[str, list[Datum]] = {}
        for (region, metric, dimensions, at, value), times in taken.items():
            datum = Datum(metric, dimensions, at, value, _UNITS.get(metric, "Count"), float(times))
            by_region.setdefault(region, []).append(datum)
        for region, data in by_region.items():
            self._store.put(region, NAMESPACE, data, resolution=self._resolution)


def _rounded(value: float) -> float:
    if value <= 0 or value == int(value):
        return float(value)
    return float(round(value, max(0, DIGITS - 1 - math.floor(math.log10(value)))))
