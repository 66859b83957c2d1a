"""What Application Auto Scaling keeps, on disk when a call returns: targets, policies, schedules and activities."""

import json
import threading
from collections.abc import Mapping
from typing import Any

from local_aws.services.application_autoscaling_request import DIMENSIONS, Resource
from local_aws.services.cloudwatch_store import DAY
from local_aws.store import Documents, Store

KEPT = 42 * DAY  # of activities: six weeks, as AWS keeps them

_TABLE = """
CREATE TABLE IF NOT EXISTS scaling_activities (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, region TEXT, namespace TEXT, target TEXT, at REAL, open INTEGER,
    scaled INTEGER, body TEXT
);
CREATE INDEX IF NOT EXISTS scaling_activities_by_target ON scaling_activities (target, number);
"""

Document = dict[str, Any]


class Kept:
    """Documents of one kind, each under its target's key and a name of its own; in memory too."""

    def __init__(self, store: Store, kind: str, name: str) -> None:
        self._documents = Documents(store, kind)
        self._name = name
        self._lock = threading.RLock()
        self._found: dict[str, Document] = {self._key(one): one for one in self._documents.all()}

    def _key(self, one: Mapping[str, Any]) -> str:
        return f"{key_of(one)}#{one.get(self._name, '')}"

    def get(self, resource: Resource, name: str = "") -> Document | None:
        with self._lock:
            return self._found.get(f"{resource.key}#{name}")

    def put(self, one: Document) -> None:
        with self._lock:
            self._documents.put(self._key(one), one)
            self._found[self._key(one)] = one

    def delete(self, one: Mapping[str, Any]) -> None:
        with self._lock:
            self._documents.delete(self._key(one))
            self._found.pop(self._key(one), None)

    def all(self) -> list[Document]:
        with self._lock:
            return [self._found[key] for key in sorted(self._found)]

    def of(self, resource: Resource) -> list[Document]:
        """Those of one target, by name."""
        return [one for one in self.all() if key_of(one) == resource.key]


def key_of(one: Mapping[str, Any]) -> str:
    return f"{one['Region']}/{one['ScalableDimension']}/{one['ResourceId']}"


def resource_of_document(one: Mapping[str, Any]) -> Resource:
    return Resource(one["Region"], DIMENSIONS[one["ScalableDimension"]], one["ResourceId"])


class ScalingStore:
    """targets by resource; policies and scheduled actions by resource and name; activities by time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.transaction() as connection:
            for statement in _TABLE.split(";"):
                connection.execute(statement)
        self.targets = Kept(store, "scalable-target", "")
        self.policies = Kept(store, "scaling-policy", "PolicyName")
        self.scheduled = Kept(store, "scheduled-action", "ScheduledActionName")

    def begin(self, activity: Document) -> None:
        """Keep a new activity; it is open for as long as it has no EndTime. Those of more than six weeks ago go."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO scaling_activities (id, region, namespace, target, at, open, scaled, body) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    activity["ActivityId"],
                    activity["Region"],
                    activity["ServiceNamespace"],
                    key_of(activity),
                    activity["StartTime"],
                    "EndTime" not in activity,
                    "NotScaledReasons" not in activity,
                    json.dumps(activity),
                ),
            )
            connection.execute("DELETE FROM scaling_activities WHERE at < ?", (activity["StartTime"] - KEPT,))

    def update(self, activity: Document) -> None:
        self._store.write(
            "UPDATE scaling_activities SET open = ?, body = ? WHERE id = ?",
            "EndTime" not in activity,
            json.dumps(activity),
            activity["ActivityId"],
        )

    def drop(self, activity: Document) -> None:
        """One that came to nothing: what it was to change is being changed."""
        self._store.write("DELETE FROM scaling_activities WHERE id = ?", activity["ActivityId"])

    def open(self) -> list[Document]:
        """The activities that go on, oldest first."""
        rows = self._store.read("SELECT body FROM scaling_activities WHERE open ORDER BY number")
        return [json.loads(row["body"]) for row in rows]

    def last(self, resource: Resource) -> Document | None:
        rows = self._store.read(
            "SELECT body FROM scaling_activities WHERE target = ? ORDER BY number DESC LIMIT 1", resource.key
        )
        return json.loads(rows[0]["body"]) if rows else None

    def activities(
        self,
        region: str,
        namespace: str,
        *,
        resource_id: str | None,
        dimension: str | None,
        not_scaled: bool,
        before: int,
        most: int,
    ) -> list[tuple[int, Document]]:
        """Newest first, at most `most`, with their numbers; before: only lower numbers (0: all)."""
        sql = "SELECT number, body FROM scaling_activities WHERE region = ? AND namespace = ?"
        args: list[Any] = [region, namespace]
        if not not_scaled:
            sql += " AND scaled"
        if before:
            sql += " AND number < ?"
            args.append(before)
        found: list[tuple[int, Document]] = []
        for row in self._store.connection().execute(sql + " ORDER BY number DESC", args):
            one = json.loads(row["body"])
            if resource_id in (None, one["ResourceId"]) and dimension in (None, one["ScalableDimension"]):
                found.append((row["number"], one))
            if len(found) == most:
                break
        return found
