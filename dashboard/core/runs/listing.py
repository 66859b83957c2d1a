"""The run book: every run of one account and region, read once and then kept up to date, whoever looks.

The first read of a window goes on in the background, and whoever looks sees what has arrived; later refreshes read
only what was modified since. What cannot be read is said, and the rest stands.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dashboard.core.aws import Aws
from dashboard.core.errors import CredentialsProblem, KennelError
from dashboard.core.parallel import gather
from dashboard.core.runs import listing_sagemaker as sagemaker
from dashboard.core.runs.listing_parts import Ec2Part, Part, SageMakerPart
from dashboard.core.runs.model import Platform, Run, RunKey, RunKind
from dashboard.core.runs.window import Window

__all__ = ["Listing", "RunBook", "Window"]

FRESH = timedelta(seconds=2)
MOST = sagemaker.MOST
SPARE = 1_000
"""Runs above MOST before the oldest are forgotten, so that not every new run sorts all of them."""

_Sort = tuple[Platform, RunKind]


@dataclass(frozen=True)
class Listing:
    """The runs of a window, newest first, as they were read `at` then.

    `is_complete` is False while a first read goes on; `expected` is how many AWS says there will be, if it does.
    `problems` are what could not be read, by what it is ("EC2 trainings"). `is_cut`: older ones were left out.
    """

    runs: tuple[Run, ...]
    window: Window
    at: datetime
    is_complete: bool = True
    expected: int | None = None
    problems: Mapping[str, KennelError] = field(default_factory=dict)
    is_cut: bool = False

    @property
    def fraction(self) -> float:
        """How much of a first read has arrived, 0..1."""
        if self.is_complete:
            return 1.0
        return min(0.99, len(self.runs) / self.expected) if self.expected else 0.0

    @property
    def is_busy(self) -> bool:
        """Whether anything in it may change by itself."""
        return not self.is_complete or any(run.status.is_active for run in self.runs)


class RunBook:
    """The runs of ONE account and region. Safe to share between threads; `now` is the clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._changed = threading.Condition()
        self._parts: tuple[Part, ...] = (
            SageMakerPart("trainings", sagemaker.TRAININGS, self._take),
            SageMakerPart("tuning jobs", sagemaker.TUNINGS, self._take),
            Ec2Part("EC2 trainings", self._take),
        )
        # Thousands of runs are looked through every two seconds: each part finds its own without asking every key.
        self._runs: dict[_Sort, dict[str, Run]] = {part.sort: {} for part in self._parts}
        self._worker: threading.Thread | None = None
        self._failed: BaseException | None = None
        self._rounds = self._changes = 0
        self._is_cut = False
        self._version = 0
        self._shown: dict[Window, tuple[tuple[int, int], Listing]] = {}
        self._at: dict[Window, datetime] = {}

    def look(self, aws: Aws, window: Window, *, patience: float, fresh: timedelta = FRESH) -> Listing:
        """The runs of the window. Reads again where the last reading is older than `fresh`, in the background.

        Waits for that at most `patience` seconds. Raises Unreachable or CredentialsProblem when the account cannot be
        asked at all, or the first error when nothing of it could be read.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._failed is not None or self._is_fresh(aws, window, fresh), patience)
            failed, self._failed = self._failed, None
            if failed is not None:
                raise failed
            return self._listing(window)

    def _is_fresh(self, aws: Aws, window: Window, fresh: timedelta) -> bool:
        """Whether the window has just been read; a reading is begun where it was not. Called with the lock held."""
        at = self._at.get(window)
        if at is not None and self._now() - at < fresh:
            return True
        if self._worker is None:
            work = threading.Thread(target=self._work, args=(aws, window, self._changes), name="runs", daemon=True)
            self._worker = work
            work.start()
        return False

    def get(self, key: str) -> Run | None:
        """A run as it was last read."""
        with self._changed:
            return self._of(key).get(key)

    def is_read(self, window: Window) -> bool:
        """Whether the window has been read, and nothing is known to have changed since."""
        with self._changed:
            return window in self._at

    def is_arriving(self, window: Window) -> bool:
        """Whether a first reading of the window goes on: whoever looks sees what there is, and need not wait."""
        with self._changed:
            return self._worker is not None and not all(part.covers(window) for part in self._parts)

    def children(self, parent: str) -> tuple[Run, ...]:
        """The trials of the tuning job of this name that have been read."""
        with self._changed:
            trainings = self._runs[Platform.SAGEMAKER, RunKind.TRAINING]
            return tuple(run for run in trainings.values() if run.parent == parent)

    def keep(self, runs: Sequence[Run]) -> None:
        """Runs were looked at by themselves: list them as they are now."""
        self._take(runs)

    def drop(self, key: str) -> None:
        """A run was deleted."""
        with self._changed:
            if self._of(key).pop(key, None) is not None:
                self._version += 1

    def stale(self) -> None:
        """Something was changed: read again at the next look."""
        with self._changed:
            self._at.clear()
            self._changes += 1

    def _work(self, aws: Aws, window: Window, changes: int) -> None:
        now = self._now()
        failed: BaseException | None = None
        try:
            self._read(aws, window, now)
        except BaseException as error:  # noqa: BLE001 - raised to whoever looks next
            failed = error
        with self._changed:
            self._worker = None
            self._rounds += 1
            self._failed = failed
            # A reading that was under way when something was changed may not have seen it.
            if failed is None and changes == self._changes:
                read = [one for one in Window if all(part.covers(one) for part in self._parts)]
                self._at |= dict.fromkeys([window, *read], now)
            self._changed.notify_all()

    def _read(self, aws: Aws, window: Window, now: datetime) -> None:
        gather(lambda part: part.update(aws, window, now, self._known(part)), self._parts)
        for part in self._parts:
            for key in part.gone():
                self.drop(key)
        problems = [part.problem for part in self._parts if part.problem is not None]
        for problem in problems:
            # One service may be out of reach alone: a network may have a way to SageMaker and none to EC2.
            if len(problems) == len(self._parts) or isinstance(problem, CredentialsProblem):
                raise problem

    def _known(self, part: Part) -> dict[str, Run]:
        with self._changed:
            return dict(self._runs[part.sort])

    def _of(self, key: str) -> dict[str, Run]:
        """The runs of a key's kind; called with the lock held."""
        wanted = RunKey.parse(key)
        return self._runs[wanted.platform, wanted.kind]

    def _take(self, runs: Sequence[Run]) -> None:
        with self._changed:
            for run in runs:
                held = self._runs[run.platform, run.kind]
                known = held.get(run.key)
                if known is not None and known.created == run.created and _moment(known) > _moment(run):
                    continue  # a slow read must not undo a newer one
                if known != run:
                    held[run.key] = run
                    self._version += 1
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        """A server that runs for months keeps the newest MOST runs of a kind. Called with the lock held."""
        for held in self._runs.values():
            if len(held) > MOST + SPARE:
                oldest = sorted(held.values(), key=lambda run: run.created)[: len(held) - MOST]
                for run in oldest:
                    del held[run.key]
                self._is_cut = True

    def _listing(self, window: Window) -> Listing:
        """Called with the lock held. Made anew only when something has changed."""
        now = self._now()
        made, listing = self._shown.get(window, (None, None))
        state = (self._version, self._rounds)
        if listing is not None and made == state:
            return listing
        since = window.since(now)
        if listing is not None and made is not None and made[0] == self._version:
            runs = listing.runs
            while runs and since is not None and runs[-1].created < since:
                runs = runs[:-1]  # it has left the window since
        else:
            everything = (run for held in self._runs.values() for run in held.values())
            left = [run for run in everything if since is None or run.created >= since]
            runs = tuple(sorted(left, key=lambda run: run.created, reverse=True))
        expected = [part.expected for part in self._parts]
        listing = Listing(
            runs=runs,
            window=window,
            at=self._at.get(window, now),
            is_complete=window in self._at or all(part.covers(window) for part in self._parts),
            expected=sum(one or 0 for one in expected) if any(expected) else None,
            problems={part.title: part.problem for part in self._parts if part.problem is not None},
            is_cut=self._is_cut or any(part.is_cut for part in self._parts),
        )
        self._shown[window] = state, listing
        return listing


def _moment(run: Run) -> datetime:
    return run.modified or run.created
