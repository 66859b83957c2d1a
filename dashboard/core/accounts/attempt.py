"""Connecting as something that goes on: STS, a sign-in or a program that hands out keys may take long, or never end."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from dashboard.core.accounts.choice import Choice
from dashboard.core.errors import Unreachable

T = TypeVar("T")


class Attempt(Generic[T]):
    """Something that is being tried in a thread of its own, for whoever looks."""

    def __init__(self, choice: Choice, do: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self.choice = choice
        self._do = do
        self._clock = clock
        self._begun = clock()
        self._over = threading.Event()
        self._found: T | None = None
        self._failed: BaseException | None = None
        threading.Thread(target=self._try, name="connecting", daemon=True).start()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    @property
    def has_failed(self) -> bool:
        return self.is_over and self._failed is not None

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self._clock() - self._begun

    def wait(self, patience: float) -> T:
        """What came of it, waited for until it has gone on for that many seconds: whoever looks later does not wait
        again. Raises what it raised, and Unreachable while it goes on.
        """
        if not self._over.wait(max(patience - self.seconds, 0.0)):
            raise Unreachable(
                f"{self.choice.name} has not answered yet",
                f"who it is has been asked for {self.seconds:.0f} s: the network, a sign-in or a program that hands "
                "out keys is slow",
                "try again in a moment: the question goes on meanwhile",
            )
        if self._failed is not None:
            raise self._failed
        assert self._found is not None  # noqa: S101 - it is over, and has not failed
        return self._found

    def _try(self) -> None:
        try:
            self._found = self._do()
        except BaseException as error:  # noqa: BLE001 - raised to whoever waits
            self._failed = error
        self._over.set()
