"""Work that is done again every so often, in a thread of its own."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Rounds:
    """work(): called every `seconds` from `start` to `stop`, the first time after as many.

    What it raises is logged as `failed`: a round that went wrong must not end all later ones.
    """

    def __init__(self, name: str, seconds: float, work: Callable[[], None], failed: str) -> None:
        self._name = name
        self._seconds = seconds
        self._work = work
        self._failed = failed
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._ended.clear()
        self._thread = threading.Thread(target=self._go_on, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No round is going on when this returns. Nothing where none was started."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _go_on(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                self._work()
            except Exception:
                log.exception(self._failed)
