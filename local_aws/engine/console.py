"""What an instance prints: the end of it, in a file, for it outlives the instance and the server."""

import threading
from collections import deque
from contextlib import suppress
from pathlib import Path

LARGEST = 64 * 1024  # bytes that GetConsoleOutput gives, as on AWS


class Console:
    """Bounded memory, whatever an instance prints. path: the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._lock = threading.Lock()
        self._unsaved = False
        if path.is_file():
            self._add(path.read_bytes())

    def write(self, data: bytes) -> None:
        self._add(data)
        self._unsaved = True

    def save(self) -> None:
        """Bring the file up to date."""
        if self._unsaved:
            self._unsaved = False
            with suppress(FileNotFoundError):  # the instance is forgotten
                self._path.write_bytes(self.read())

    def read(self) -> bytes:
        """At most LARGEST."""
        with self._lock:
            return b"".join(self._parts)[-LARGEST:]

    def _add(self, data: bytes) -> None:
        with self._lock:
            self._parts.append(data)
            self._size += len(data)
            while self._size - len(self._parts[0]) >= LARGEST:
                self._size -= len(self._parts.popleft())
