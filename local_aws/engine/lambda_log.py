"""What environments print, on its way into CloudWatch Logs: gathered for a moment, so that a line costs no write."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from local_aws.engine.output import Event, LogSink

log = logging.getLogger(__name__)

WRITE_SECONDS = 0.2
MOST_WAITING = 200_000
"""Lines that wait to be written; what a function prints beyond that, faster than the disk takes it, is lost."""


class Log:
    """Used from one event loop. now: epoch seconds."""

    def __init__(self, sink: LogSink, now: Callable[[], float]) -> None:
        self.now = now
        self._sink = sink
        self._waiting: dict[tuple[str, str], list[Event]] = {}
        self._count = 0
        self._writing: asyncio.Task[None] | None = None
        self._lock = threading.Lock()  # one batch after the other, in the order they were taken

    def add(self, group: str, stream: str, lines: Sequence[str]) -> None:
        if not lines:
            return
        if self._count >= MOST_WAITING:
            log.warning("%d log lines of %s are lost: more than %d wait", len(lines), group, MOST_WAITING)
            return
        self._count += len(lines)
        stamp = int(self.now() * 1000)
        self._waiting.setdefault((group, stream), []).extend((stamp, line) for line in lines)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write_soon())

    async def close(self) -> None:
        """Write what is left."""
        if self._writing is not None:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing
        await asyncio.to_thread(self.write)

    async def _write_soon(self) -> None:
        await asyncio.sleep(WRITE_SECONDS)
        while self._waiting:  # what comes while this writes starts no second task
            await asyncio.to_thread(self.write)

    def write(self) -> None:
        with self._lock:
            taken, self._waiting, self._count = self._waiting, {}, 0
            for (group, stream), events in taken.items():
                try:
                    self._sink.append(group, stream, events)
                except Exception:  # a full disk must not end what prints
                    log.exception("%d log lines of %s are lost", len(events), group)
