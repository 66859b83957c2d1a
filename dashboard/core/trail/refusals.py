"""What somebody tried with Kennel and was refused before anything began: written down, and bounded.

Whoever is not let in may try as often as they like: the same attempt is written down once a minute, and of one person,
or of all who are not known, no more than so many an hour. How many were left out stands in the next one.
"""

import threading
from collections.abc import Callable, Sequence

from dashboard.core.aws import Account
from dashboard.core.errors import KennelError
from dashboard.core.format import count
from dashboard.core.trail import scribe
from dashboard.core.trail.book import Book

AGAIN, HOUR = 60.0, 3600.0
"""Seconds in which the same attempt is written down once; and over which attempts are counted."""
MOST = 60
"""Attempts of one person that are written down in an hour."""


class Refusals:
    """Which attempts are written down. clock: seconds. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._written: dict[str, list[tuple[float, str]]] = {}
        self._left_out: dict[str, int] = {}

    def write(
        self,
        book: Book,
        what: str,
        who: str,
        account: Account | None,
        why: KennelError,
        *,
        key: str = "",
        plan: Sequence[str] = (),
    ) -> None:
        """Write an attempt down, unless there are too many. Raises ServiceFault where that cannot be done."""
        before = self._taken(key, what)
        if before is None:
            return
        more = [f"Before it, {count(before, 'attempt was', 'attempts were')} refused and not written down"] * (
            before > 0
        )
        identity = account.identity if account else ""
        scribe.refused(book, what, who, account, why, key=key, identity=identity, plan=[*plan, *more])

    def _taken(self, key: str, what: str) -> int | None:
        """How many were left out before this one; None where this one is left out too."""
        with self._lock:
            now = self._clock()
            for known in [one for one, rows in self._written.items() if now - rows[-1][0] >= HOUR]:
                del self._written[known]
            mine = [one for one in self._written.get(key, []) if now - one[0] < HOUR]
            if len(mine) >= MOST or any(told == what and now - at < AGAIN for at, told in mine):
                self._left_out[key] = self._left_out.get(key, 0) + 1
                return None
            self._written[key] = [*mine, (now, what)]
            return self._left_out.pop(key, 0)
