"""One thread that takes tuning jobs a step further: when one of their training jobs changed, or when time is up."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0  # after a step that this machine could not do, for lack of disk


class Tuner:
    """Calls `step(arn)` in its own thread for each tuning job that was woken; never two steps at once.

    step: returns the seconds after which it wants to look again without being woken, or None. The thread starts with
    the first tuning job, and so does whatever a step needs.
    """

    def __init__(self, step: Callable[[str], float | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._step = step
        self._clock = clock
        self._due: dict[str, float] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def wake(self, arn: str) -> None:
        with self._changed:
            if self._closed:
                return
            self._due[arn] = self._clock()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="tuning", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Take no further step; returns when the one that is being taken has ended."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while (arn := self._next()) is not None:
            try:
                again = self._step(arn)
            except Exception:  # one tuning job must not end the others; this one is tried again
                log.exception("tuning job %s", arn)
                again = RETRY_SECONDS
            if again is not None:
                with self._changed:  # a wake that came meanwhile is earlier and stays
                    self._due[arn] = min(self._due.get(arn, float("inf")), self._clock() + again)

    def _next(self) -> str | None:
        """The tuning job whose turn it is, once there is one; None when closed."""
        with self._changed:
            while not self._closed:
                arn = min(self._due, key=self._due.__getitem__, default=None)
                wait = None if arn is None else self._due[arn] - self._clock()
                if arn is not None and wait is not None and wait <= 0:
                    del self._due[arn]
                    return arn
                self._changed.wait(wait)
            return None
