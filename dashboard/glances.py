"""What a page shows of a slow reading without ever waiting for it: the last one that there is, and a newer one soon."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Generic, TypeVar

from dashboard.readings import Reading, now

T = TypeVar("T")


class Glance(Generic[T]):
    """The last reading of one thing of one account, and the one thread that makes another."""

    def __init__(self, every: timedelta) -> None:
        """every: how old a reading gets before another one is made, when somebody looks."""
        self._every = every
        self._lock = threading.Lock()
        self._seen: Reading[T] | None = None
        self._is_stale = True
        self._worker: threading.Thread | None = None
        self._failed: BaseException | None = None

    def look(self, read: Callable[[], T]) -> Reading[T] | None:
        """The last reading, None until there is one. Raises what `read` raised since the last look."""
        with self._lock:
            failed, self._failed = self._failed, None
            if failed is not None:
                raise failed
            is_old = self._is_stale or self._seen is None or now() - self._seen.at >= self._every
            if is_old and self._worker is None:
                self._is_stale = False
                self._worker = threading.Thread(target=self._work, args=(read,), name="glance", daemon=True)
                self._worker.start()
            return self._seen

    def value(self, read: Callable[[], T]) -> T | None:
        """The same without when it was read."""
        seen = self.look(read)
        return seen.value if seen is not None else None

    def stale(self) -> None:
        """Something was changed: whoever looks next has it read again."""
        with self._lock:
            self._is_stale = True

    def doubt(self, is_doubtful: Callable[[T], bool]) -> None:
        """The same; and a reading of which that is true is shown to nobody any more."""
        with self._lock:
            self._is_stale = True
            if self._seen is not None and is_doubtful(self._seen.value):
                self._seen = None

    def newest(self, within: timedelta) -> T | None:
        """The reading that is being made, waited for, or one that is no older than that; None without."""
        worker = self._worker
        if worker is not None:
            worker.join()
        with self._lock:
            is_new = self._seen is not None and not self._is_stale and now() - self._seen.at < within
            return self._seen.value if self._seen is not None and is_new else None

    def keep(self, found: Reading[T]) -> None:
        """A page has waited for a newer one."""
        with self._lock:
            if self._seen is None or found.at > self._seen.at:
                self._seen, self._is_stale = found, False

    def _work(self, read: Callable[[], T]) -> None:
        found: Reading[T] | None = None
        failed: BaseException | None = None
        try:
            at = now()
            found = Reading(read(), at)
        except BaseException as error:  # noqa: BLE001 - raised to whoever looks next
            failed = error
        with self._lock:
            self._worker, self._failed = None, failed
            if self._seen is None and self._is_stale and found is not None:
                return  # what changed while it was read may have made it untrue, and nothing is shown instead of it
            self._seen = found or self._seen
