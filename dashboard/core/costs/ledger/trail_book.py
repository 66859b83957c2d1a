"""What CloudTrail tells of one account and region, kept up to date: looked up seldom, and only what is new."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from dashboard.core.aws import Aws
from dashboard.core.costs.ledger import trail, trail_kept
from dashboard.core.costs.ledger.trail import HISTORY, LATE, Happening
from dashboard.core.costs.ledger.trail_kept import Kept
from dashboard.core.errors import KennelError

EACH = timedelta(seconds=60)
"""How often CloudTrail is asked: it allows two lookups a second, and tells an event minutes late anyway."""


@dataclass
class TrailBook:
    """Used by one thread at a time. `path` is None for one that keeps nothing on disk; `pace` as in `read_trail`."""

    path: Path | None
    pace: Callable[[], None] = trail.at_once
    lost: set[str] = field(default_factory=set)
    """Configurations that are gone, and whose making is not told: they are not looked for again."""
    _kept: Kept | None = None
    _problem: KennelError | None = None
    _looked: datetime | None = field(default=None)

    def look(self, aws: Aws, now: datetime, *, again: bool = False) -> tuple[tuple[Happening, ...], KennelError | None]:
        """All that is known, oldest first, and why CloudTrail could not be asked for more. `again`: do ask, now."""
        if self._kept is None:
            self._kept = trail_kept.read(self.path) if self.path else Kept()
        if again or self._looked is None or now - self._looked >= EACH:
            self._looked = now
            self._ask(aws, now, self._kept)
        return self._kept.happenings, self._problem

    def add(self, found: list[Happening]) -> None:
        """Keep what was learnt otherwise."""
        if self._kept is not None and found:
            self._keep(self._kept.with_more(found, self._kept.read_to))

    @property
    def happenings(self) -> tuple[Happening, ...]:
        """All that is known, oldest first."""
        return self._kept.happenings if self._kept else ()

    @property
    def failed(self) -> tuple[str, ...]:
        """Endpoints that were seen never to come into service, by the key of their receipt."""
        return self._kept.failed if self._kept else ()

    def note_failed(self, keys: tuple[str, ...]) -> None:
        """CloudTrail does not tell how a creation ended; what was seen of it is kept."""
        if self._kept is not None and set(keys) - set(self._kept.failed):
            self._keep(replace(self._kept, failed=tuple(dict.fromkeys((*self._kept.failed, *keys)))))

    def _ask(self, aws: Aws, now: datetime, kept: Kept) -> None:
        since = now - HISTORY if kept.read_to is None else max(now - HISTORY, kept.read_to - LATE)
        try:
            found = trail.read_trail(aws, since, self.pace)
        except KennelError as problem:
            self._problem = problem
            return
        self._problem = None
        more = kept.with_more(found, now)
        if more.happenings != kept.happenings or kept.read_to is None or now - kept.read_to > LATE:
            self._keep(more)

    def _keep(self, kept: Kept) -> None:
        self._kept = kept
        if self.path is not None:
            try:
                trail_kept.write(self.path, kept)
            except OSError:
                return  # a full disk: it is known until Kennel ends, and asked for again then
