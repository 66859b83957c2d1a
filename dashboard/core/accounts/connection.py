"""One connection for all tabs: made once, and asked again who it is now and then."""

import threading
import time
from collections.abc import Callable
from functools import cached_property

from dashboard.core.accounts.attempt import Attempt
from dashboard.core.accounts.choice import Choice
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError

EVERY = 900.0
"""Seconds after which an account is asked again who is signed in: somebody else may be by now, or STS says it now."""


class Connected:
    """An account that answered: to read, and to change where a tab is allowed to."""

    def __init__(self, reading: Aws) -> None:
        self.reading = reading

    @cached_property
    def changing(self) -> Aws:
        return self.reading.changing(allowed=True)


class Connection:
    """What a choice leads to. Safe to share between threads."""

    def __init__(
        self, choice: Choice, connect: Callable[[Choice], Aws], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._choice = choice
        self._connect = connect
        self._clock = clock
        self._lock = threading.Lock()
        self._asked = clock()
        self._first = self._attempt()
        self._again: Attempt[Connected] | None = None

    @property
    def has_failed(self) -> bool:
        return self._first.has_failed

    def wait(self, patience: float) -> Connected:
        """The connection, waited for that many seconds. While it is asked again the old one serves; where that tells of
        somebody else, or of nobody any more, that is what counts. Raises as `Attempt.wait`.
        """
        with self._lock:
            if self._again is not None and self._again.is_over:
                if self._is_news(self._again):
                    self._first = self._again
                self._again = None
            is_old = self._clock() - self._asked >= EVERY and not self._first.has_failed
            if is_old and self._again is None and self._first.is_over:
                self._asked = self._clock()
                self._again = self._attempt()
            first = self._first
        return first.wait(patience)

    def _attempt(self) -> Attempt[Connected]:
        return Attempt(self._choice, lambda: Connected(self._connect(self._choice)), self._clock)

    def _is_news(self, again: Attempt[Connected]) -> bool:
        """Not that the network failed, nor that all is as it was: clients that are warm are kept."""
        try:
            found = again.wait(0).reading.account
        except KennelError as error:
            return not error.is_temporary
        before = self._first.wait(0).reading.account
        return not found.is_same(before) or bool(found.identity) > bool(before.identity)
