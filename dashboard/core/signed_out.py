"""Sign-ins that ended before their time: who signed out is out in every tab, and a copied cookie is worth nothing."""

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dashboard.core.errors import KennelError, ServiceFault
from dashboard.core.kept import transaction

TABLES = "CREATE TABLE IF NOT EXISTS ended (sign_in TEXT PRIMARY KEY, until REAL NOT NULL)"


def sign_in_of(claims: Mapping[str, Any]) -> str:
    """Tells one sign-in of a person from every other, also from another of the same person."""
    told = [str(claims.get(name, "")) for name in ("provider", "iss", "sub", "iat", "nonce")]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


class SignedOut:
    """The sign-ins that were ended, kept in a file so that a restart does not bring them back. Safe between threads."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._ended: set[str] = set()
        self._read_at = 0  # the file's own time, in ns: another process of the same home may have written it

    def end(self, sign_in: str, until: float) -> None:
        """End it. until: seconds since 1970 from when on it would have ended by itself. Raises ServiceFault."""
        with transaction(self._file, TABLES, _fault) as database:
            database.execute("DELETE FROM ended WHERE until < ?", (self._clock(),))
            database.execute("INSERT OR REPLACE INTO ended VALUES (?, ?)", (sign_in, until))

    def has(self, sign_in: str) -> bool:
        """Whether it was ended. Raises ServiceFault where the file cannot be read."""
        with self._lock:
            try:
                written = self._file.stat().st_mtime_ns
            except FileNotFoundError:
                return False
            if written != self._read_at:
                with transaction(self._file, TABLES, _fault) as database:
                    self._ended = {row[0] for row in database.execute("SELECT sign_in FROM ended")}
                self._read_at = written
            return sign_in in self._ended


def _fault(error: Exception) -> KennelError:
    return ServiceFault("who signed out cannot be kept", str(error), "look at the disk under Kennel's home")
