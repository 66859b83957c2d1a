"""How much longer a run takes: by its own figures, else by how long such a run was expected to take. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dashboard.core.format import duration
from dashboard.core.runs.expectation import expectation_of
from dashboard.core.runs.model import Run
from dashboard.core.runs.progress import Progress


class Basis(StrEnum):
    """What an estimate rests on, the best first."""

    PRINTED = "as it says itself"
    TRIALS = "by the trials that have ended"
    EXPECTED = "as expected at its launch"
    LIMIT = "then its time limit stops it"


@dataclass(frozen=True, slots=True)
class Left:
    """So many seconds are left of a run, from 0 on; of a LIMIT it is the most that it can be."""

    seconds: float
    basis: Basis

    @property
    def words(self) -> str:
        """ "about 4 min left", "at most 52 min left", "nearly there"."""
        if self.basis is Basis.LIMIT:
            return f"at most {duration(self.seconds)} left"
        return f"about {duration(self.seconds)} left" if self.seconds >= 1 else "nearly there"


def left(run: Run, now: datetime, progress: Progress | None = None, printed: datetime | None = None) -> Left | None:
    """What is left of a run that goes on; None for one that has ended, or of which nothing tells.

    progress: what its log says, as it was `printed` then. What was expected and is over tells nothing any more.
    """
    if not run.status.is_active:
        return None
    if progress is not None and progress.eta_seconds is not None:
        passed = (now - printed).total_seconds() if printed is not None else 0.0
        return Left(max(0.0, progress.eta_seconds - passed), Basis.PRINTED)
    if run.tuning is not None and 0 < run.tuning.fraction < 1:
        done = run.tuning.fraction
        return Left(run.elapsed(now) * (1 - done) / done, Basis.TRIALS)
    begun = run.created if run.is_tuning else run.started
    gone = (now - begun).total_seconds() if begun is not None else 0.0
    expected = expectation_of(run)
    if expected is not None and expected.seconds is not None and expected.seconds > gone:
        return Left(expected.seconds - gone, Basis.EXPECTED)
    if run.max_seconds and not run.is_tuning:  # a search's limit is of each trial
        return Left(max(0.0, run.max_seconds - gone), Basis.LIMIT)
    return None
