"""Log groups, streams and their events, in a database of their own.

Events are many and come while things run, so a commit does not wait for the disk: it survives this process being
killed, and a power cut costs at most the last seconds of log.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_aws.errors import ServiceError
from local_aws.store import Store

_TABLES = """
CREATE TABLE IF NOT EXISTS log_groups (name TEXT PRIMARY KEY, created INTEGER, retention INTEGER, tags TEXT);
CREATE TABLE IF NOT EXISTS log_streams (
    id INTEGER PRIMARY KEY AUTOINCREMENT, log_group TEXT, name TEXT, created INTEGER, first INTEGER, last INTEGER,
    ingested INTEGER, bytes INTEGER, events INTEGER, UNIQUE (log_group, name)
);
CREATE TABLE IF NOT EXISTS log_events (
    stream INTEGER, timestamp INTEGER, number INTEGER, ingested INTEGER, message TEXT,
    PRIMARY KEY (stream, timestamp, number)
) WITHOUT ROWID;
"""
_OVERHEAD = 26  # bytes AWS counts for an event besides its message


@dataclass(frozen=True)
class LogGroup:
    """created: epoch milliseconds; retention: days, None for ever; bytes: of all its streams."""

    name: str
    created: int
    retention: int | None
    tags: dict[str, str]
    bytes: int


@dataclass(frozen=True)
class LogStream:
    """Times are epoch milliseconds, None while there is no event."""

    id: int
    group: str
    name: str
    created: int
    first: int | None
    last: int | None
    ingested: int | None
    bytes: int


@dataclass(frozen=True, order=True)
class Position:
    """Where an event stands in its stream: by time, then in the order they came."""

    timestamp: int
    number: int


@dataclass(frozen=True)
class Event:
    at: Position
    ingested: int
    message: str

    @property
    def size(self) -> int:
        return len(self.message.encode("utf-8", "surrogatepass")) + _OVERHEAD


def no_such(what: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"The specified {what} does not exist.")


def _exists(what: str) -> ServiceError:
    return ServiceError("ResourceAlreadyExistsException", f"The specified {what} already exists")


class LogStore:
    """All reads and writes. Times are epoch milliseconds."""

    def __init__(self, directory: Path) -> None:
        self._store = Store(directory, name="logs.sqlite", power_cut_safe=False)
        self._store.connection().executescript(_TABLES)

    def close(self) -> None:
        self._store.close()

    # groups

    def create_group(self, name: str, tags: dict[str, str], now: int) -> None:
        """Raises ResourceAlreadyExistsException."""
        row = (name, now, None, json.dumps(tags))
        if not self._store.write("INSERT OR IGNORE INTO log_groups VALUES (?, ?, ?, ?)", *row):
            raise _exists("log group")

    def groups(self, prefix: str) -> list[LogGroup]:
        """By name."""
        rows = self._store.read(
            "SELECT g.*, (SELECT SUM(bytes) FROM log_streams WHERE log_group = g.name) AS bytes FROM log_groups g "
            "WHERE substr(g.name, 1, ?) = ? ORDER BY g.name",
            len(prefix),
            prefix,
        )
        return [
            LogGroup(row["name"], row["created"], row["retention"], json.loads(row["tags"]), row["bytes"] or 0)
            for row in rows
        ]

    def group(self, name: str) -> LogGroup:
        """Raises ResourceNotFoundException."""
        found = [one for one in self.groups(name) if one.name == name]
        if not found:
            raise no_such("log group")
        return found[0]

    def has(self, group: str, stream: str = "") -> bool:
        """Whether a group is there, or a stream of it."""
        if stream:
            return bool(self._store.read("SELECT 1 FROM log_streams WHERE log_group = ? AND name = ?", group, stream))
        return bool(self._store.read("SELECT 1 FROM log_groups WHERE name = ?", group))

    def delete_group(self, name: str) -> None:
        with self._store.transaction() as connection:
            self.group(name)
            connection.execute(
                "DELETE FROM log_events WHERE stream IN (SELECT id FROM log_streams WHERE log_group = ?)", (name,)
            )
            connection.execute("DELETE FROM log_streams WHERE log_group = ?", (name,))
            connection.execute("DELETE FROM log_groups WHERE name = ?", (name,))

    def set_retention(self, name: str, days: int | None) -> None:
        if not self._store.write("UPDATE log_groups SET retention = ? WHERE name = ?", days, name):
            raise no_such("log group")

    def set_tags(self, name: str, tags: dict[str, str]) -> None:
        if not self._store.write("UPDATE log_groups SET tags = ? WHERE name = ?", json.dumps(tags), name):
            raise no_such("log group")

    def expire(self, now: int) -> None:
        """Delete what is older than the retention of its group."""
        with self._store.transaction() as connection:
            for group in self.groups(""):
                if group.retention is not None:
                    connection.execute(
                        "DELETE FROM log_events WHERE timestamp < ? AND stream IN "
                        "(SELECT id FROM log_streams WHERE log_group = ?)",
                        (now - group.retention * 86_400_000, group.name),
                    )

    # streams

    def create_stream(self, group: str, name: str, now: int) -> None:
        """Raises ResourceNotFoundException, ResourceAlreadyExistsException."""
        with self._store.transaction() as connection:
            self.group(group)
            if not self._add_stream(connection, group, name, now):
                raise _exists("log stream")

    @staticmethod
    def _add_stream(connection: sqlite3.Connection, group: str, name: str, now: int) -> bool:
        sql = "INSERT OR IGNORE INTO log_streams (log_group, name, created, bytes, events) VALUES (?, ?, ?, 0, 0)"
        return connection.execute(sql, (group, name, now)).rowcount > 0

    def streams(self, group: str, prefix: str = "") -> list[LogStream]:
        """By name. Raises ResourceNotFoundException when there is no such group."""
        self.group(group)
        rows = self._store.read(
            "SELECT * FROM log_streams WHERE log_group = ? AND substr(name, 1, ?) = ? ORDER BY name",
            group,
            len(prefix),
            prefix,
        )
        return [_stream(row) for row in rows]

    def stream(self, group: str, name: str) -> LogStream:
        """Raises ResourceNotFoundException."""
        rows = self._store.read("SELECT * FROM log_streams WHERE log_group = ? AND name = ?", group, name)
        if not rows:
            self.group(group)
            raise no_such("log stream")
        return _stream(rows[0])

    def delete_stream(self, group: str, name: str) -> None:
        with self._store.transaction() as connection:
            stream = self.stream(group, name)
            connection.execute("DELETE FROM log_events WHERE stream = ?", (stream.id,))
            connection.execute("DELETE FROM log_streams WHERE id = ?", (stream.id,))

    # events

    def put(self, group: str, name: str, events: Sequence[tuple[int, str]], now: int, *, create: bool = False) -> None:
        """Add events (epoch milliseconds, message), in one transaction.

        create: make group and stream when they are not there, and keep events in the order they come: one that claims
        to be older than the last is given the last one's time, so that who follows the stream misses none.
        """
        with self._store.transaction() as connection:
            if create:
                connection.execute("INSERT OR IGNORE INTO log_groups VALUES (?, ?, NULL, '{}')", (group, now))
                self._add_stream(connection, group, name, now)
            row = connection.execute(
                "SELECT id, first, last, bytes, events FROM log_streams WHERE log_group = ? AND name = ?", (group, name)
            ).fetchone()
            if row is None:
                self.stream(group, name)  # raises the right one of two
            if not events:
                return
            last = row["last"] or 0
            rows = []
            for number, (timestamp, message) in enumerate(events, row["events"]):
                last = max(last, timestamp)
                rows.append((row["id"], last if create else timestamp, number, now, message))
            connection.executemany("INSERT INTO log_events VALUES (?, ?, ?, ?, ?)", rows)
            first = min(row[1] for row in rows)
            size = sum(len(message.encode("utf-8", "surrogatepass")) + _OVERHEAD for _, message in events)
            connection.execute(
                "UPDATE log_streams SET first = ?, last = ?, ingested = ?, bytes = ?, events = ? WHERE id = ?",
                (
                    first if row["first"] is None else min(first, row["first"]),
                    last,
                    now,
                    row["bytes"] + size,
                    row["events"] + len(rows),
                    row["id"],
                ),
            )

    def events(self, stream: int, *, start: int, end: int, bound: Position | None, forward: bool) -> Iterator[Event]:
        """Events with start ≤ time < end, from the bound on (forward) or before it; read as they are taken."""
        order, beyond = ("ASC", ">=") if forward else ("DESC", "<")
        sql = "SELECT timestamp, number, ingested, message FROM log_events WHERE stream = ?"
        sql += " AND timestamp >= ? AND timestamp < ?"
        values = [stream, start, end]
        if bound is not None:
            sql += f" AND (timestamp, number) {beyond} (?, ?)"
            values += [bound.timestamp, bound.number]
        cursor = self._store.connection().execute(f"{sql} ORDER BY timestamp {order}, number {order}", values)
        for timestamp, number, ingested, message in cursor:
            yield Event(Position(timestamp, number), ingested, message)


def _stream(row: sqlite3.Row) -> LogStream:
    return LogStream(
        row["id"],
        row["log_group"],
        row["name"],
        row["created"],
        row["first"],
        row["last"],
        row["ingested"],
        row["bytes"],
    )
