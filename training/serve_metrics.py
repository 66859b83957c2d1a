"""What a serving process tells Prometheus at /metrics, in its text format 0.0.4."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
PHOTOS = (1, 2, 4, 8, 16)


class Histogram:
    """Counts of values up to each bound, with their sum; safe to use from several threads."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        self._lock = threading.Lock()

    def add(self, value: float) -> None:
        with self._lock:
            self._counts[bisect_left(self._bounds, value)] += 1
            self._sum += value

    def lines(self, name: str) -> list[str]:
        with self._lock:
            counts, total = list(self._counts), self._sum
        lines, below = [], 0
        for bound, count in zip((*self._bounds, "+Inf"), counts, strict=True):
            below += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {below}')
        return [*lines, f"{name}_sum {total:.6f}", f"{name}_count {below}"]


class Metrics:
    """One serving process's counters. Requests are counted in the event loop, batches in the workers' threads."""

    def __init__(self) -> None:
        self.requests: Counter[int] = Counter()
        self.seconds = Histogram(SECONDS)
        self.batches = Histogram(PHOTOS)

    def answered(self, status: int, seconds: float) -> None:
        self.requests[status] += 1
        self.seconds.add(seconds)

    def text(self, gauges: Mapping[str, tuple[str, float]], about: Mapping[str, str]) -> str:
        """The page: `gauges` are name → (what it is, its value now), `about` the labels of the model."""
        told = ",".join(f'{name}="{_escaped(value)}"' for name, value in about.items())
        lines = [*_head("kennel_model_info", "gauge", "the model that answers"), f"kennel_model_info{{{told}}} 1"]
        lines += _head("kennel_requests_total", "counter", "answered requests by HTTP status")
        lines += [f'kennel_requests_total{{status="{code}"}} {count}' for code, count in sorted(self.requests.items())]
        lines += _head("kennel_request_seconds", "histogram", "from a request's headers to its answer")
        lines += self.seconds.lines("kennel_request_seconds")
        lines += _head(
            "kennel_batch_photos", "histogram", "photos that a worker took together, also those that it then refused"
        )
        lines += self.batches.lines("kennel_batch_photos")
        for name, (words, value) in gauges.items():
            lines += [*_head(name, "gauge", words), f"{name} {value:g}"]
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, words: str) -> list[str]:
    return [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
