"""The steps of what is done to a role: proving, changing, undoing, retiring. Each is told as it begins and ends."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How far a step is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "left out"

    @property
    def is_final(self) -> bool:
        return self is not State.RUNNING

    @property
    def is_failed(self) -> bool:
        return self is State.FAILED


@dataclass(frozen=True)
class Step:
    """One step as it stands. number: from 1, the same from its begin to its end. detail: what came of it, in a
    sentence; of a failed one why, and what to do next. evidence: what speaks for it, a line each. undoes: it takes
    earlier ones back.
    """

    number: int
    title: str
    state: State
    detail: str = ""
    evidence: tuple[str, ...] = ()
    undoes: bool = False
