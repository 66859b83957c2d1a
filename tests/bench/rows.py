"""One row of the benchmark table, and the ways its figures are taken."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """Ours against a baseline, both measured in this run on this machine; `ratio` > 1 means ours is better.

    `unit` is what `ours` and `baseline` are in; `note` says what a reader must know to judge the figure.
    """

    name: str
    ratio: float
    ours: float
    baseline: float
    unit: str
    note: str = ""

    @classmethod
    def of_times(cls, name: str, ours: float, baseline: float, unit: str, note: str = "") -> "Row":
        """A row of two durations, where less is better."""
        return cls(name, baseline / ours, ours, baseline, unit, note)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def interleaved(*actions: Callable[[], object], rounds: int) -> tuple[float, ...]:
    """Median seconds of each action, taken in turns so that a noisy minute hits all of them alike."""
    for action in actions:
        action()
    taken: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for index, action in enumerate(actions):
            started = time.perf_counter()
            action()
            taken[index].append(time.perf_counter() - started)
    return tuple(median(seconds) for seconds in taken)
