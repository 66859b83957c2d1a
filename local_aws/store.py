"""What must survive a restart: one SQLite file and plain files beside it.

A write is on disk when `transaction()` has ended (WAL, synchronous=FULL), so an answer sent afterwards stays true
after `kill -9` or a power cut. Writers queue on one lock in this process; readers never wait.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any


class Store:
    """A directory with a SQLite database; each thread has its own connection.

    power_cut_safe: False skips the fsync of each commit. A commit still survives the death of this process, and
    after a power cut the database is whole but may lack the last seconds: right for logs, wrong for the rest.
    """

    def __init__(self, directory: Path, *, name: str = "kennel.sqlite", power_cut_safe: bool = True) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.database = directory / name
        self._synchronous = "FULL" if power_cut_safe else "NORMAL"
        self._local = threading.local()
        self._writing = threading.RLock()
        self._opening = threading.Lock()
        self._open: list[tuple[threading.Thread, sqlite3.Connection]] = []
        with self.transaction() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS documents (kind TEXT, name TEXT, body TEXT, PRIMARY KEY (kind, name))"
            )

    def connection(self) -> sqlite3.Connection:
        """This thread's connection (rows by name, no implicit transactions)."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            # closed by close(), from another thread, hence check_same_thread
            found = sqlite3.connect(self.database, timeout=30, isolation_level=None, check_same_thread=False)
            found.row_factory = sqlite3.Row
            found.execute("PRAGMA journal_mode = WAL")
            found.execute(f"PRAGMA synchronous = {self._synchronous}")
            self._local.connection = found
            self._keep(found)
        return found

    def _keep(self, connection: sqlite3.Connection) -> None:
        """Remember a connection for close(), and close those of threads that have ended: worker threads come and go."""
        with self._opening:
            ended = [one for one in self._open if not one[0].is_alive()]
            self._open = [one for one in self._open if one[0].is_alive()]
            self._open.append((threading.current_thread(), connection))
        for _, one in ended:
            one.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; nested calls in one thread belong to the outermost."""
        connection = self.connection()
        with self._writing:
            nested = connection.in_transaction
            if nested:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite itself rolls back on a full disk
                    connection.execute("ROLLBACK")
                raise

    def write(self, sql: str, *args: Any) -> int:
        """Run one statement in a transaction; how many rows it changed."""
        with self.transaction() as connection:
            return connection.execute(sql, args).rowcount

    def read(self, sql: str, *args: Any) -> list[sqlite3.Row]:
        return self.connection().execute(sql, args).fetchall()

    def close(self) -> None:
        """Close every thread's connection; the store is of no use afterwards."""
        with self._opening:
            while self._open:
                self._open.pop()[1].close()


def _plain(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} cannot be kept in a document")


class Documents:
    """JSON documents of one kind by name, in a store. Datetimes (aware ones) are kept as epoch seconds."""

    def __init__(self, store: Store, kind: str) -> None:
        self._store = store
        self._kind = kind

    def get(self, name: str) -> dict[str, Any] | None:
        rows = self._store.read("SELECT body FROM documents WHERE kind = ? AND name = ?", self._kind, name)
        return json.loads(rows[0]["body"]) if rows else None

    def put(self, name: str, document: dict[str, Any]) -> None:
        body = json.dumps(document, default=_plain)
        self._store.write("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", self._kind, name, body)

    def delete(self, name: str) -> bool:
        """True when it was there."""
        return self._store.write("DELETE FROM documents WHERE kind = ? AND name = ?", self._kind, name) > 0

    def all(self) -> list[dict[str, Any]]:
        """Every document of this kind, by name."""
        rows = self._store.read("SELECT body FROM documents WHERE kind = ? ORDER BY name", self._kind)
        # read as one text: the parser then shares each name among all documents, which takes half the memory
        found: list[dict[str, Any]] = json.loads(f"[{','.join(row['body'] for row in rows)}]")
        return found
