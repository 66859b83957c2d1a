"""The event history: management events of the last 90 days, the newest MOST of them, in a SQLite file of their own."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local_aws.services.cloudtrail_event import Event
from local_aws.store import Store

KEPT = timedelta(days=90)
"""CloudTrail's event history holds 90 days."""
MOST = 50_000
MOST_READS = 20_000
"""Of these, the reads of sessions and users: a page that polls as a role must not push out what was changed."""
PRUNE_EACH = 1_000

Row = tuple[int, float, str]  # its number, epoch seconds, the event's document
COLUMNS = {
    "EventId": "id = ?",
    "EventName": "name = ?",
    "Username": "username = ?",
    "EventSource": "source = ?",
    "AccessKeyId": "access_key = ?",
    "ResourceName": "number IN (SELECT event FROM resources WHERE resource = ?)",
    "ReadOnly": "read_only = (? = 'true')",
    "ResourceType": "number IN (SELECT event FROM resources WHERE type = ?)",
}


class EventStore:
    """Events by region. A power cut may cost the last seconds, as CloudTrail's delay would."""

    def __init__(self, directory: Path) -> None:
        self.store = self._store = Store(directory, name="cloudtrail.sqlite", power_cut_safe=False)
        self._since_pruned = 0
        with self._store.transaction() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, region TEXT,"
                " id TEXT, name TEXT, source TEXT, username TEXT, access_key TEXT, document TEXT,"
                " read_only INTEGER NOT NULL DEFAULT 0)"
            )
            if "read_only" not in {row["name"] for row in connection.execute("PRAGMA table_info(events)")}:
                # a history from before it held reads
                connection.execute("ALTER TABLE events ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0")
            connection.execute("CREATE INDEX IF NOT EXISTS events_at ON events (region, at)")
            connection.execute("CREATE INDEX IF NOT EXISTS events_name ON events (region, name, at)")
            connection.execute("CREATE TABLE IF NOT EXISTS resources (event INTEGER, type TEXT, resource TEXT)")
            connection.execute("CREATE INDEX IF NOT EXISTS resources_name ON resources (resource)")
            connection.execute("CREATE INDEX IF NOT EXISTS resources_event ON resources (event)")

    def add(self, events: Sequence[Event], now: datetime) -> None:
        """Keep them; now and then the oldest go."""
        with self._store.transaction() as connection:
            for one in events:
                row = connection.execute(
                    "INSERT INTO events (at, region, id, name, source, username, access_key, document, read_only)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        one.at.timestamp(),
                        one.region,
                        one.id,
                        one.name,
                        one.source,
                        one.username,
                        one.access_key,
                        json.dumps({**one.document, "resources": one.resources}),
                        one.is_read,
                    ),
                )
                connection.executemany(
                    "INSERT INTO resources VALUES (?, ?, ?)", [(row.lastrowid, *named) for named in one.resources]
                )
        self._since_pruned += len(events)
        if self._since_pruned >= PRUNE_EACH:
            self.prune(now)

    def prune(self, now: datetime) -> None:
        """Forget what is older than 90 days, and what is more than MOST."""
        self._since_pruned = 0
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM events WHERE at < ?", ((now - KEPT).timestamp(),))
            connection.execute(
                "DELETE FROM events WHERE number <= (SELECT COALESCE(MAX(number), 0) FROM events) - ?", (MOST,)
            )
            connection.execute(
                "DELETE FROM events WHERE read_only AND number <= COALESCE((SELECT number FROM events WHERE read_only"
                " ORDER BY number DESC LIMIT 1 OFFSET ?), 0)",
                (MOST_READS,),
            )
            connection.execute("DELETE FROM resources WHERE event NOT IN (SELECT number FROM events)")

    def find(
        self,
        region: str,
        attribute: tuple[str, str] | None,
        since: datetime,
        until: datetime,
        before: tuple[float, int] | None,
        most: int,
    ) -> list[Row]:
        """The newest `most` events of a span, those `before` a place among them (its time and number)."""
        where, values = ["region = ?", "at >= ?", "at <= ?"], [region, since.timestamp(), until.timestamp()]
        if attribute is not None:
            where.append(COLUMNS[attribute[0]])
            values.append(attribute[1])
        if before is not None:
            where.append("(at < ? OR (at = ? AND number < ?))")
            values += [before[0], before[0], before[1]]
        sql = f"SELECT number, at, document FROM events WHERE {' AND '.join(where)}"  # noqa: S608 - of our own texts
        rows = self._store.read(f"{sql} ORDER BY at DESC, number DESC LIMIT ?", *values, most)
        return [(row["number"], row["at"], row["document"]) for row in rows]

    def close(self) -> None:
        self._store.close()


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
