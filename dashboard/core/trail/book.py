"""The file that the trail is written into: rows are added and never changed, and each holds the hash of the one before.

SQLite itself refuses to change or remove a row. Whoever does so beside SQLite breaks the chain, which `check` tells;
only rows taken away at the very end leave no gap, so whoever wants to be sure of these keeps the last hash elsewhere.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboard.core import kept
from dashboard.core.errors import ServiceFault
from dashboard.core.home import home

FILE = "activity.sqlite"
FIRST = "0" * 64
"""What stands for the hash of the row before the first one."""
TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY, deed TEXT NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL,
    before TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of_a_deed ON events (deed, number);
CREATE INDEX IF NOT EXISTS events_of_a_kind ON events (kind, number);
CREATE INDEX IF NOT EXISTS events_that_undo ON events (json_extract(body, '$.undoes')) WHERE kind = 'begun';
CREATE TRIGGER IF NOT EXISTS never_changed BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'what is written in the trail is never changed'); END;
CREATE TRIGGER IF NOT EXISTS never_removed BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'what is written in the trail is never removed'); END;
"""


@dataclass(frozen=True)
class Row:
    """One row. number: 1, 2, 3 … without a gap. body: what the row tells, as JSON."""

    number: int
    deed: str
    kind: str
    at: str
    body: str
    before: str
    hash: str

    @property
    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)


@dataclass(frozen=True)
class Checked:
    """What came of reading the whole chain. broken: what is wrong at which row; "" for nothing. last: its last hash."""

    rows: int
    last: str
    broken: str = ""


class Book:
    """The trail's file. Safe to share between threads and processes: each row is a transaction of its own."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @classmethod
    def kept(cls) -> "Book":
        """That of this machine."""
        return cls(home() / FILE)

    def add(self, deed: str, kind: str, at: datetime, told: Mapping[str, Any]) -> None:
        """Write a row; it is on disk when this returns. Raises ServiceFault where it cannot be written."""
        # half a letter, as in the name of a file of another encoding, is no UTF-8: neither file nor page takes it
        body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace").decode()
        moment = at.astimezone(UTC).isoformat(timespec="milliseconds")
        self._make()
        with kept.transaction(self.file, TABLES, self._not_written) as database:
            found = database.execute("SELECT number, hash FROM events ORDER BY number DESC LIMIT 1").fetchone()
            number, before = (found[0] + 1, found[1]) if found else (1, FIRST)
            row = (number, deed, kind, moment, body, before, chained(before, number, deed, kind, moment, body))
            database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def newest(self, kind: str, most: int, since: datetime | None = None) -> list[Row]:
        """The newest rows of a kind, the newest first. Raises ServiceFault."""
        after = "" if since is None else since.astimezone(UTC).isoformat(timespec="milliseconds")
        asked = "SELECT * FROM events WHERE kind = ? AND at >= ? ORDER BY number DESC LIMIT ?"
        return self._read(asked, (kind, after, most))

    def of(self, deeds: Iterable[str]) -> list[Row]:
        """All rows of some deeds in their order. Raises ServiceFault."""
        names = list(deeds)
        rows: list[Row] = []
        for first in range(0, len(names), 500):
            some = names[first : first + 500]
            marks = ", ".join("?" * len(some))
            asked = f"SELECT * FROM events WHERE deed IN ({marks}) ORDER BY number"  # noqa: S608 - only question marks
            rows += self._read(asked, some)
        return rows

    def undoing(self, deed: str) -> list[str]:
        """The deeds that began to take this one back, the oldest first. Raises ServiceFault."""
        asked = "SELECT * FROM events WHERE kind = 'begun' AND json_extract(body, '$.undoes') = ? ORDER BY number"
        return [row.deed for row in self._read(asked, (deed,))]

    def last(self) -> int:
        """The number of the newest row, 0 without any: what was read up to there holds still. Raises ServiceFault."""
        with self._opened() as database:
            return int(database.execute("SELECT coalesce(max(number), 0) FROM events").fetchone()[0]) if database else 0

    def check(self, known: str = "") -> Checked:
        """Read every row and say whether one was changed, taken away or put in. Raises ServiceFault.

        known: a hash that was the last one once, and has to be among them.
        """
        before, number, is_known = FIRST, 0, not known
        with self._opened() as database:
            for told in database.execute("SELECT * FROM events ORDER BY number") if database else ():
                row, number = Row(*told), number + 1
                if row.number != number:
                    return Checked(number - 1, before, f"row {number} is missing")
                if row.before != before:
                    return Checked(number - 1, before, f"row {number} does not follow the row before it")
                before = chained(row.before, row.number, row.deed, row.kind, row.at, row.body)
                if before != row.hash:
                    return Checked(number - 1, row.before, f"row {number} is not what was written")
                is_known = is_known or before == known
        return Checked(number, before, "" if is_known else "the known hash is not in it: its end was taken away")

    def _make(self) -> None:
        """The file, for its owner alone. Raises ServiceFault."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise self._not_written(error) from error

    def _read(self, asked: str, given: Iterable[Any]) -> list[Row]:
        with self._opened() as database:
            return [Row(*one) for one in database.execute(asked, tuple(given))] if database else []

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection | None]:
        """To be read; None while nothing was written. Raises ServiceFault."""
        if not self.file.exists() or not self.file.stat().st_size:
            yield None
            return
        try:
            with closing(sqlite3.connect(self.file, timeout=kept.SECONDS, isolation_level=None)) as database:
                yield database
        except sqlite3.Error as error:
            raise ServiceFault(
                "what was done cannot be read",
                f"{self.file}: {error}",
                "put the file aside and a copy of it in its place, or none to begin a new one",
            ) from error

    def _not_written(self, error: Exception) -> ServiceFault:
        why = getattr(error, "strerror", None) or str(error)
        return ServiceFault(
            "nothing was done",
            f"what is done is written down first, and {self.file} cannot be written ({why})",
            "free some space or mend the rights of this file, then do it again",
        )


def chained(before: str, number: int, deed: str, kind: str, at: str, body: str) -> str:
    """The hash of a row: SHA-256, in hexadecimal, of the hash before it and all that it holds."""
    return hashlib.sha256(json.dumps([before, number, deed, kind, at, body]).encode()).hexdigest()
