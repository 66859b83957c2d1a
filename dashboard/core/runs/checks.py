"""What was looked at before a launch: each check with what it found and what to do about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class CheckState(StrEnum):
    """What a check found."""

    OK = "ok"
    WARN = "warn"
    STOP = "stop"
    UNKNOWN = "unknown"

    @property
    def is_stop(self) -> bool:
        """Launching would fail for sure."""
        return self is CheckState.STOP

    @property
    def tone(self) -> str:
        """What its colour means, in the words of RunStatus.tone."""
        return {"ok": "done", "warn": "waiting", "stop": "failed", "unknown": "stopped"}[self]


@dataclass(frozen=True)
class Check:
    """One thing looked at: "Quota", what was found in one sentence, what to do, and the IAM statement to ask for.

    is_set_up: setting the account up mends it.
    """

    title: str
    state: CheckState
    sentence: str
    next_step: str = ""
    statement: Mapping[str, Any] | None = None
    is_set_up: bool = False


def stops(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Those that make a launch fail for sure."""
    return tuple(check for check in checks if check.state.is_stop)
