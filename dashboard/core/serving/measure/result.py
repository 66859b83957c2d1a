"""What a load test found: latency, errors and throughput by the number of clients that asked at once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dashboard.core.format import count

BEARABLE = 0.01
"""The share of refused or failed requests up to which a level still counts as one that the endpoint can do."""


@dataclass(frozen=True)
class Level:
    """So many clients, each asking again as soon as it is answered, for `seconds`.

    requests: all of them; errors: how many of each kind, in words; p50, p90, p99: seconds of those that were answered,
    None where none was.
    """

    clients: int
    requests: int
    seconds: float
    p50: float | None
    p90: float | None
    p99: float | None
    errors: Mapping[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        return sum(self.errors.values())

    @property
    def answered(self) -> int:
        return self.requests - self.failed

    @property
    def throughput(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds if self.seconds > 0 else 0.0

    @property
    def error_share(self) -> float:
        return self.failed / self.requests if self.requests else 0.0

    @property
    def is_borne(self) -> bool:
        """Whether the endpoint can do this."""
        return self.answered > 0 and self.error_share <= BEARABLE


@dataclass(frozen=True)
class Measurement:
    """One load test of a variant. instances: how many served when it began; `instances_after` when it ended; 0 for a
    serverless one.

    config: the endpoint's configuration then; another one is another endpoint. ended: why, in words, "" when it went
    through all levels.
    """

    endpoint: str
    variant: str
    at: datetime
    config: str
    instance_type: str
    instances: int
    instances_after: int
    levels: tuple[Level, ...]
    ended: str = ""

    @property
    def machine(self) -> str:
        """What answered: "1 instance of ml.m5.large", "serverless, 3072 MB"."""
        return machine(self.instances, self.instance_type)

    @property
    def is_steady(self) -> bool:
        """Whether as many instances served all the time: else its figures are of no number of instances."""
        return self.instances == self.instances_after

    @property
    def requests(self) -> int:
        return sum(level.requests for level in self.levels)


def machine(instances: int, instance_type: str) -> str:
    """So many instances of a type, or only the type of what has none."""
    return f"{count(instances, 'instance')} of {instance_type}" if instances else instance_type


def level(clients: int, latencies: Sequence[float], errors: Mapping[str, int], seconds: float) -> Level:
    """A level from the seconds of each answered request; percentiles by the nearest rank."""
    ordered = sorted(latencies)
    requests = len(ordered) + sum(errors.values())
    p50, p90, p99 = (_percentile(ordered, share) for share in (0.5, 0.9, 0.99))
    return Level(clients, requests, seconds, p50, p90, p99, dict(errors))


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
