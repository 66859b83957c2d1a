"""How a run is asked to stop: SIGTERM from SageMaker, a spot instance or the embedded AWS, or Ctrl-C."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from training.errors import Stopped

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Remembers that somebody asked the run to stop."""

    def __init__(self) -> None:
        self.requested = False

    def request(self, number: int = signal.SIGTERM, frame: object = None) -> None:
        self.requested = True
        if number == signal.SIGINT:
            # Whoever presses Ctrl-C a second time means at once.
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def check(self) -> None:
        """Raises Stopped when it was asked for."""
        if self.requested:
            raise Stopped("The run was stopped before there was a model to keep.")


@contextmanager
def listening(stop: Stop, to_the_end: bool = False) -> Iterator[None]:
    """While inside, the signals ask `stop`; afterwards they mean what they meant before.

    With `to_the_end` they mean nothing afterwards: the process has its result, and only has to end.
    """
    before = {number: signal.signal(number, stop.request) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if to_the_end else handler)
