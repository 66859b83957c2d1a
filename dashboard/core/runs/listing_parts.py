"""The parts of the run book: one kind of run each, read for the first time and then kept up to date."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError
from dashboard.core.runs import ec2_runs
from dashboard.core.runs import listing_sagemaker as sagemaker
from dashboard.core.runs.ec2_record import Ec2Record
from dashboard.core.runs.listing_sagemaker import MOST, Searched
from dashboard.core.runs.model import Platform, Run, RunKey, RunKind
from dashboard.core.runs.window import Window

OVERLAP = timedelta(seconds=5)
"""Clocks differ, and a change may be listed a moment after it was made."""
FIRST_OVERLAP = timedelta(minutes=5)
"""Search learns of a job later than List does."""
RECHECK = timedelta(minutes=15)
"""How long a run that somebody else deleted may still be listed."""
BATCH = 100

Take = Callable[[Sequence[Run]], None]


class Part:
    """One kind of run: what of it has been read, and what went wrong. Used by one thread at a time."""

    def __init__(self, title: str, sort: tuple[Platform, RunKind], take: Take) -> None:
        self.title = title
        self.sort = sort
        self.problem: KennelError | None = None
        self.expected: int | None = None
        self.is_cut = False
        self._take = take
        self._covered: Window | None = None
        self._checked: datetime | None = None
        self._gone: list[str] = []

    def covers(self, window: Window) -> bool:
        """Whether the window has been read as a whole."""
        return self._covered is not None and list(Window).index(self._covered) >= list(Window).index(window)

    def gone(self) -> list[str]:
        """The keys that are not there any more, once."""
        gone, self._gone = self._gone, []
        return gone

    def update(self, aws: Aws, window: Window, now: datetime, known: Mapping[str, Run]) -> None:
        """Read the window for the first time, or what has changed since. An error is kept in `problem`."""
        due = self._checked is None or now - self._checked >= RECHECK
        try:
            if due or not self.covers(window):
                self._read_all(aws, window, now, known)
            else:
                self.problem = self._refresh(aws, window, now, known)
        except KennelError as error:
            self.problem = error

    def _read_all(self, aws: Aws, window: Window, now: datetime, known: Mapping[str, Run]) -> None:
        since = window.since(now)
        seen: set[str] = set()

        def found(runs: Sequence[Run], total: int | None = None) -> None:
            seen.update(run.key for run in runs)
            self.expected = total if total is not None else self.expected
            self._take(runs)

        self.problem = self._first(aws, since, now, found)
        if not self.is_cut:
            until = now - FIRST_OVERLAP  # a younger one may not have been found yet
            self._gone += [
                key
                for key, run in known.items()
                if key not in seen and (since is None or run.created >= since) and run.created < until
            ]
        if not self.covers(window):
            self._covered = window
        self._checked = now

    def _first(self, aws: Aws, since: datetime | None, now: datetime, found: sagemaker.Found) -> KennelError | None:
        """Read the whole window and tell what was found; what could be read in part only is answered."""
        raise NotImplementedError

    def _refresh(self, aws: Aws, window: Window, now: datetime, known: Mapping[str, Run]) -> KennelError | None:
        """Read what has changed."""
        raise NotImplementedError


class SageMakerPart(Part):
    """SageMaker's trainings, or its tuning jobs."""

    def __init__(self, title: str, kind: Searched, take: Take) -> None:
        self._of = RunKind.TUNING if kind is sagemaker.TUNINGS else RunKind.TRAINING
        super().__init__(title, (Platform.SAGEMAKER, self._of), take)
        self._kind = kind
        self._mark: datetime | None = None  # everything modified before is known

    def _first(self, aws: Aws, since: datetime | None, now: datetime, found: sagemaker.Found) -> KennelError | None:
        self.is_cut = not sagemaker.search(aws, self._kind, since, found)
        self._mark = now - FIRST_OVERLAP
        return None

    def _refresh(self, aws: Aws, window: Window, now: datetime, known: Mapping[str, Run]) -> KennelError | None:
        named = {run.name: run for run in known.values()}
        # A tuning job's counters move without its being modified.
        again = [run.name for run in named.values() if run.is_tuning and run.status.is_active]
        runs, gone = sagemaker.changed(aws, self._kind, self._mark or now - FIRST_OVERLAP, named, again)
        self._take(runs)
        self._gone += [str(RunKey(name, kind=self._of)) for name in gone]
        self._mark = now - OVERLAP
        return None


class Ec2Part(Part):
    """EC2 trainings: the index in S3 tells the new ones, their reports how they go, EC2 what became of them."""

    def __init__(self, title: str, take: Take) -> None:
        super().__init__(title, (Platform.EC2, RunKind.TRAINING), take)
        self._records: dict[str, Ec2Record] = {}

    def _first(self, aws: Aws, since: datetime | None, now: datetime, found: sagemaker.Found) -> KennelError | None:
        names = ec2_runs.indexed(aws, since, limit=MOST)
        self.is_cut = len(names) >= MOST
        self._records = {name: record for name, record in self._records.items() if name in set(names)}
        problem: KennelError | None = None
        for first in range(0, len(names), BATCH):
            runs, said = self._read(aws, names[first : first + BATCH], now)
            problem = problem or said
            found(runs, len(names))
        return problem

    def _refresh(self, aws: Aws, window: Window, now: datetime, known: Mapping[str, Run]) -> KennelError | None:
        new = ec2_runs.indexed(aws, window.since(now), self._records)
        active = [run.name for run in known.values() if run.status.is_active and run.name not in new]
        runs, problem = self._read(aws, [*new, *active], now)
        self._take(runs)
        self._gone += [run.key for run in known.values() if run.name in active and run.name not in self._records]
        return problem

    def _read(self, aws: Aws, names: Sequence[str], now: datetime) -> tuple[list[Run], KennelError | None]:
        ended = {name for name in names if (known := self._records.get(name)) is not None and known.has_ended}
        read, broken = ec2_runs.read_records(aws, [name for name in names if name not in ended], self._records)
        for name in names:
            if name not in ended and name not in read:
                self._records.pop(name, None)
        self._records |= read
        runs, problem = ec2_runs.read_runs(aws, [self._records[name] for name in names if name in self._records], now)
        return runs, problem or broken
