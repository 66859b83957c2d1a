"""What environments print, on its way into CloudWatch Logs: gathered for a moment, so that a line costs no write."""

import logging
import threading
from collections.abc import Callable, Sequence

from local_aws.engine.lambda_request import Writer
from local_aws.engine.output import Event, LogSink
from local_aws.engine.soon import Soon

log = logging.getLogger(__name__)

WRITE_SECONDS = 0.2
MOST_WRITERS = 1_000
MOST_WAITING = 200_000
"""Lines that wait to be written; what a function prints beyond that, faster than the disk takes it, is lost."""


class Log:
    """Used from one event loop. now: epoch seconds. as_writer: the sink as a writer finds it, None: as it is."""

    def __init__(
        self, sink: LogSink, now: Callable[[], float], as_writer: Callable[[Writer], LogSink] | None = None
    ) -> None:
        self.now = now
        self._sink = sink
        self._as_writer = as_writer
        self._sinks: dict[Writer, LogSink] = {}
        self._waiting: dict[tuple[str, str, Writer | None], list[Event]] = {}
        self._count = 0
        self._lost = 0
        self._lock = threading.Lock()  # over what waits
        self._soon = Soon("what functions print", WRITE_SECONDS, self._write, lambda: bool(self._waiting))

    def add(self, group: str, stream: str, lines: Sequence[str], writer: Writer | None = None) -> None:
        if not lines:
            return
        with self._lock:
            if self._count >= MOST_WAITING:
                self._lost += len(lines)
                return
            self._count += len(lines)
            stamp = int(self.now() * 1000)
            self._waiting.setdefault((group, stream, writer), []).extend((stamp, line) for line in lines)
        self._soon.wake()

    async def close(self) -> None:
        """Write what is left."""
        await self._soon.close()

    def _write(self) -> None:
        with self._lock:
            taken, lost = self._waiting, self._lost
            self._waiting, self._count, self._lost = {}, 0, 0
        if lost:
            log.warning("%d log lines of functions are lost: more than %d waited", lost, MOST_WAITING)
        for (group, stream, writer), events in taken.items():
            try:
                self._of(writer).append(group, stream, events)
            except Exception:  # a full disk must not end what prints
                log.exception("%d log lines of %s are lost", len(events), group)

    def _of(self, writer: Writer | None) -> LogSink:
        if self._as_writer is None or writer is None:
            return self._sink
        if writer not in self._sinks:
            if len(self._sinks) >= MOST_WRITERS:
                self._sinks.clear()
            self._sinks[writer] = self._as_writer(writer)
        return self._sinks[writer]
