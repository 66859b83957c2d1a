"""The alarms of this account and what became of them: kept over restarts, and in memory for those who ask often."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from local_aws.services.cloudwatch_store import DAY
from local_aws.store import Documents, Store

KEPT = 30 * DAY  # of an alarm's history, as CloudWatch keeps it

_TABLE = """
CREATE TABLE IF NOT EXISTS alarm_history (
    number INTEGER PRIMARY KEY, region TEXT, alarm TEXT, at REAL, kind TEXT, summary TEXT, data TEXT
);
CREATE INDEX IF NOT EXISTS alarm_history_by_time ON alarm_history (region, at);
"""

Document = dict[str, Any]


class AlarmStore:
    """An alarm is what PutMetricAlarm was given and the members of its state, times as epoch seconds.

    `changed` is called after an alarm was put or deleted. A write is on disk when the call returns.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.transaction() as connection:
            for statement in _TABLE.split(";"):
                connection.execute(statement)
        self._documents = Documents(store, "alarm")
        self._lock = threading.RLock()
        self._found = {_key(one["Region"], one["AlarmName"]): one for one in self._documents.all()}
        self.changed: Callable[[], None] = lambda: None

    def get(self, region: str, name: str) -> Document | None:
        with self._lock:
            return self._found.get(_key(region, name))

    def all(self, region: str | None = None) -> list[Document]:
        """By name; of one region or of all."""
        with self._lock:
            found = [one for one in self._found.values() if region in (None, one["Region"])]
        return sorted(found, key=lambda one: (one["AlarmName"], one["Region"]))

    def state(self, region: str, name: str) -> str | None:
        """OK, ALARM or INSUFFICIENT_DATA; None for an alarm that is not there."""
        found = self.get(region, name)
        return None if found is None else str(found["StateValue"])

    def put(self, alarm: Document) -> None:
        with self._lock:
            key = _key(alarm["Region"], alarm["AlarmName"])
            self._documents.put(key, alarm)
            self._found[key] = alarm
        self.changed()

    def change(self, alarm: Mapping[str, Any], members: Mapping[str, Any]) -> Document | None:
        """Give an alarm other members; None when it was replaced or deleted since it was read."""
        with self._lock:
            key = _key(alarm["Region"], alarm["AlarmName"])
            if self._found.get(key) is not alarm:
                return None
            after = {**alarm, **members}
            self._documents.put(key, after)
            self._found[key] = after
            return after

    def delete(self, region: str, name: str) -> bool:
        with self._lock:
            key = _key(region, name)
            self._found.pop(key, None)
            gone = self._documents.delete(key)
        self.changed()
        return gone

    def note(self, region: str, alarm: str, at: float, kind: str, summary: str, data: Mapping[str, Any]) -> None:
        """Add to an alarm's history. kind: ConfigurationUpdate, StateUpdate or Action."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO alarm_history (region, alarm, at, kind, summary, data) VALUES (?, ?, ?, ?, ?, ?)",
                (region, alarm, at, kind, summary, json.dumps(data)),
            )
            connection.execute("DELETE FROM alarm_history WHERE region = ? AND at < ?", (region, at - KEPT))

    def history(
        self,
        region: str,
        *,
        alarm: str | None,
        kind: str | None,
        since: float,
        until: float,
        newest_first: bool,
        after: int,
        most: int,
    ) -> list[Document]:
        """At most `most` items of an alarm (or all), behind the one numbered `after` (0: from the beginning)."""
        sql = "SELECT * FROM alarm_history WHERE region = ? AND at >= ? AND at <= ?"
        args: list[Any] = [region, since, until]
        for column, wanted in (("alarm", alarm), ("kind", kind)):
            if wanted is not None:
                sql += f" AND {column} = ?"
                args.append(wanted)
        if after:
            sql += f" AND number {'<' if newest_first else '>'} ?"
            args.append(after)
        sql += f" ORDER BY number {'DESC' if newest_first else 'ASC'} LIMIT ?"
        return [dict(row) for row in self._store.read(sql, *args, most)]


def _key(region: str, name: str) -> str:
    return f"{region}/{name}"
