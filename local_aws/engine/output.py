"""A process's output, from its pipe into CloudWatch Logs: line by line, while it runs, in bounded memory."""

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

LONGEST_EVENT = 256 * 1024 - 26  # bytes of one event's message; CloudWatch counts 26 more for each event
READ_SIZE = 64 * 1024
BATCH_SECONDS = 0.2  # a commit for every line would cost more than the line
QUIET_SECONDS = 1.0  # a line without its end ("Downloading…") is shown after this
TAIL_LINES = 20
TAIL_WIDTH = 1_000  # characters

Event = tuple[int, str]  # milliseconds since the epoch, one line


class LogSink(Protocol):
    """Where events go; the embedded CloudWatch Logs is one."""

    def append(self, group: str, stream: str, events: Sequence[Event]) -> object: ...


class Lines:
    """Bytes in, lines out. A carriage return alone ends a line too: progress bars show as they move.

    Bytes that are not UTF-8 are replaced, NUL too; a line longer than `longest` bytes becomes several.
    """

    def __init__(self, longest: int = LONGEST_EVENT) -> None:
        self._longest = longest
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes, empty ones left out."""
        data = self._rest + data
        held = b""
        if data.endswith(b"\r"):  # perhaps the first half of \r\n
            data, held = data[:-1], b"\r"
        *whole, rest = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        while len(rest) > self._longest:
            whole.append(rest[: self._longest])
            rest = rest[self._longest :]
        self._rest = rest + held
        return [text for line in whole for text in self._texts(line)]

    def flush(self) -> list[str]:
        """The line begun and not ended, as it stands."""
        rest, self._rest = self._rest.removesuffix(b"\r"), b""
        return [*self._texts(rest)]

    def _texts(self, line: bytes) -> Iterator[str]:
        for start in range(0, len(line), self._longest):
            text = line[start : start + self._longest].decode("utf-8", "replace")
            text = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
            if len(text.encode()) <= self._longest:
                yield text
            else:  # each replaced byte takes three
                third = self._longest // 3
                yield from (text[at : at + third] for at in range(0, len(text), third))


class LogPump:
    """A thread that carries what comes out of `source` (a descriptor, closed at its end) to `sink`.

    `tail` holds the last lines, for failure messages. `observe` gets every batch as well (metrics are read from it).
    What the sink cannot take is lost, said in `lost`, and never stops the process that writes.
    """

    def __init__(
        self,
        source: int,
        sink: LogSink,
        group: str,
        stream: str,
        *,
        observe: Callable[[Sequence[Event]], None] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._sink = sink
        self._group = group
        self._stream = stream
        self._observe = observe
        self._now = now
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self.lost = ""
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"log {stream}", daemon=True)
        self._thread.start()

    def finish(self, patience: float = 30.0) -> None:
        """Wait until everything written has been carried over; the process must have ended."""
        self._thread.join(patience)
        self._abandoned.set()
        self._thread.join()

    def _run(self) -> None:
        lines = Lines()
        waiting: list[Event] = []
        waiting_bytes = 0
        due = 0.0
        quiet_at = 0.0
        source = select.poll()  # select() knows only the first 1,024 descriptors
        source.register(self._source, select.POLLIN)
        try:
            while not self._abandoned.is_set():
                clock = time.monotonic()
                wait = min(QUIET_SECONDS, max(0.0, due - clock)) if waiting else QUIET_SECONDS
                ready = bool(source.poll(wait * 1000))
                clock = time.monotonic()
                data = os.read(self._source, READ_SIZE) if ready else b""
                if ready and not data:
                    break
                stamp = int(self._now() * 1000)
                if ready:
                    quiet_at = clock + QUIET_SECONDS
                    new = lines.feed(data)
                else:
                    new = lines.flush() if clock >= quiet_at else []
                waiting += [(stamp, line) for line in new]
                waiting_bytes += len(data)
                if waiting and (clock >= due or waiting_bytes > 1024 * 1024):
                    self._carry(waiting)
                    waiting, waiting_bytes, due = [], 0, clock + BATCH_SECONDS
            waiting += [(int(self._now() * 1000), line) for line in lines.flush()]
            if waiting:
                self._carry(waiting)
        finally:
            os.close(self._source)

    def _carry(self, events: list[Event]) -> None:
        self.tail.extend(line[:TAIL_WIDTH] for _, line in events[-TAIL_LINES:])
        if self._observe:
            self._observe(events)
        try:
            self._sink.append(self._group, self._stream, events)
        except Exception as error:  # noqa: BLE001 (a full disk must not block the process on its own output)
            self.lost = f"{len(events)} log lines could not be stored: {error}"
