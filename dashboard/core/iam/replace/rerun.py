"""Run something small as the trial role, once more as the real role runs it: what a proof rests on besides simulation.

One module a duty; each makes what it needs under the trial's name, waits for it, and deletes it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.core.aws import Aws
from dashboard.core.iam.replace.trial import Trial
from dashboard.core.iam.usage import Use

POLL = 0.5
"""Seconds between two looks at what is being waited for."""


class NotRunError(Exception):
    """There is nothing to run again; the sentence says why. The proof goes on without it and says so."""


class StoppedError(Exception):
    """Somebody stopped the proof."""


@dataclass(frozen=True)
class Told:
    """What a rerun showed: a sentence, and lines that speak for it."""

    said: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Running:
    """What a rerun works with. uses: of the role and duty, the newest first. later: what is called once the proof is
    over, the last first; each tells what it could not delete.
    """

    aws: Aws
    trial: Trial
    role_arn: str
    uses: Sequence[Use]
    sleep: Callable[[float], None]
    is_stopped: Callable[[], bool]
    later: list[Callable[[Aws], tuple[str, ...]]]

    def wait(self) -> None:
        """A moment. Raises StoppedError when the proof was stopped."""
        if self.is_stopped():
            raise StoppedError
        self.sleep(POLL)


Rerun = Callable[[Running], Told]
Names = Mapping[str, str]
