"""The log of a run, sent to CloudWatch Logs while it is printed."""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

EVERY_SECONDS = 1.0
MOST_WAITING = 50_000
"""Lines that wait to be sent; a training that prints faster than CloudWatch takes loses the oldest, and is told."""
_MOST_EVENTS = 1_000
_MOST_BYTES = 900_000  # of a batch; CloudWatch takes 1 MiB, 26 bytes of overhead an event included
_LONGEST = 16 * 1024  # bytes of one line


class LogShipper:
    """Sends lines in batches from a thread of its own. `clock` gives epoch seconds."""

    def __init__(self, client: Any, group: str, stream: str, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._group = group
        self._stream = stream
        self._clock = clock
        self._waiting: deque[tuple[int, str]] = deque()
        self._lost = 0
        self._changed = threading.Condition()
        self._closed = False
        self._complained = False
        self._thread = threading.Thread(target=self._work, name="log shipper", daemon=True)
        self._thread.start()

    def add(self, line: str) -> None:
        """One line, without its end. Never waits."""
        text = line.encode("utf-8", "replace")[:_LONGEST].decode("utf-8", "ignore") or " "  # an empty one is refused
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self._lost += 1
            self._waiting.append((int(self._clock() * 1000), text))

    def close(self) -> None:
        """Send what is left."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed, EVERY_SECONDS)
                closed = self._closed
            while batch := self._batch():
                self._send(batch)
            if closed:
                return

    def _batch(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        size = 0
        with self._changed:
            if self._lost:
                # As old as the line that follows: CloudWatch wants a batch in the order of its times.
                at = self._waiting[0][0] if self._waiting else int(self._clock() * 1000)
                events.append({"timestamp": at, "message": f"[{self._lost:,} lines are not shown here]"})
                self._lost = 0
            while self._waiting and len(events) < _MOST_EVENTS and size < _MOST_BYTES:
                at, text = self._waiting.popleft()
                size += len(text.encode()) + 26
                events.append({"timestamp": at, "message": text})
        return events

    def _send(self, events: list[dict[str, Any]]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        where = {"logGroupName": self._group, "logStreamName": self._stream}
        events.sort(key=lambda event: event["timestamp"])
        try:
            try:
                self._client.put_log_events(**where, logEvents=events)
            except self._client.exceptions.ResourceNotFoundException:
                self._create()
                self._client.put_log_events(**where, logEvents=events)
        except (BotoCoreError, ClientError) as error:
            if not self._complained:  # the training matters more than its log, which the console has as well
                self._complained = True
                print(f"The log cannot be sent to CloudWatch: {error}", file=sys.stderr, flush=True)

    def _create(self) -> None:
        for call, names in (
            (self._client.create_log_group, {"logGroupName": self._group}),
            (self._client.create_log_stream, {"logGroupName": self._group, "logStreamName": self._stream}),
        ):
            try:
                call(**names)
            except self._client.exceptions.ResourceAlreadyExistsException:
                continue
