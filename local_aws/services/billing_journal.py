"""The billing journal: what was used, from when to when, as it happens; what the bill is made of.

It outlives what it tells of: a deleted endpoint and a terminated instance stay billed. An interval that was open when
the server died is closed at the last moment it was seen alive. What is tagged as a sample is an example, used by
nobody: it is not in the journal, and so not on the bill.
"""

import json
import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from local_aws.store import Store

SAMPLE = "kennel:sample"
BORROWED = "/address"
"""Ends the name of an address that an instance has while it runs."""
LEAST_SECONDS = 60.0
"""EC2 bills Linux instances, volumes and addresses by the second, a minute at least (AWS's EC2 and EBS pricing)."""
PROVISIONED_SECONDS = 300.0
"""Provisioned concurrency is billed in whole five minutes, from when it is enabled on (AWS's Lambda pricing)."""


class Used(StrEnum):
    """What kind of thing was used."""

    TRAINING = "training"
    ENDPOINT = "endpoint"
    SERVERLESS = "serverless"  # a serverless variant of one, while it answers
    INSTANCE = "instance"
    VOLUME = "volume"
    NOTEBOOK = "notebook"  # a notebook instance, while it is in service
    NOTEBOOK_VOLUME = "notebook-volume"  # its volume, for as long as it is there
    ADDRESS = "address"
    REQUEST = "request"  # of Cost Explorer
    FUNCTION_REQUESTS = "function-requests"  # Lambda's
    FUNCTION_SECONDS = "function-seconds"
    PROVISIONED = "provisioned"  # environments of a function that are kept ready
    PROVISIONED_SECONDS = "provisioned-seconds"  # what ran in those


@dataclass(frozen=True)
class Usage:
    """One interval in which one thing was used, as it was then.

    thing: its ARN or id; kind: an instance or volume type, or MB of memory; size: instances, GB, requests or
    environments; began: when an instance was started, of which this may be a part; seconds: those that are billed, None
    for all from started to ended.
    """

    used: Used
    thing: str
    region: str
    started: float
    kind: str = ""
    size: int = 1
    ended: float | None = None
    seconds: float | None = None
    began: float | None = None
    spot_zone: str = ""  # of a spot instance
    detail: str = ""  # of an address: whether it is in use; of a function: its architecture
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.thing} {self.started:.6f}"

    @property
    def needs_server(self) -> bool:
        """Whether it is only used while the embedded AWS runs: a disk is kept, a process is not."""
        return self.used in (Used.ENDPOINT, Used.INSTANCE) or self.thing.endswith(BORROWED)

    @property
    def is_sample(self) -> bool:
        return self.tags.get(SAMPLE) == "true"

    def like(self, other: "Usage") -> bool:
        """Whether it is the same use of the same thing: what is open need not be closed for it."""
        same = replace(self, started=0.0, ended=None, seconds=None, began=None)
        return same == replace(other, started=0.0, ended=None, seconds=None, began=None)


class Journal:
    """The intervals, in the store. Open ones are also kept in memory, so that looking costs no reading."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.RLock()
        store.write(
            "CREATE TABLE IF NOT EXISTS billed_usage (key TEXT PRIMARY KEY, used TEXT, scope TEXT, started REAL, "
            "ended REAL, body TEXT)"
        )
        store.write("CREATE TABLE IF NOT EXISTS billed_until (one INTEGER PRIMARY KEY, seen REAL)")
        rows = store.read("SELECT scope, body FROM billed_usage WHERE ended IS NULL")
        self._open: dict[str, dict[str, Usage]] = {}
        for row in rows:
            usage = _usage(row["body"])
            self._open.setdefault(row["scope"], {})[usage.thing] = usage

    def add(self, *ended: Usage) -> None:
        """Write down what has ended, in one go; written twice it is there once."""
        rows = [("", one) for one in ended if not one.is_sample]
        if rows:
            self._put(rows)

    def has(self, used: Used) -> set[str]:
        """The things of one kind that are in it."""
        rows = self._store.read("SELECT key FROM billed_usage WHERE used = ?", used)
        return {str(row["key"]).rpartition(" ")[0] for row in rows}

    def there(self, scope: str, things: Iterable[Usage], now: float) -> None:
        """What is used at this moment within a scope: a thing that came is opened, one that went is closed.

        A thing that is another than it was (a new tag, more instances) goes on as a second interval.
        """
        coming = {one.thing: one for one in things if not one.is_sample}
        with self._lock:
            before = self._open.get(scope, {})
            changed: list[tuple[str, Usage]] = []
            after: dict[str, Usage] = {}
            for thing, old in before.items():
                new = coming.get(thing)
                if new is not None and old.like(new):
                    after[thing] = old
                elif new is None:
                    changed.append((scope, _ended(old, now)))
                else:
                    # the start goes on, so that its minimum is looked at when it ends
                    changed.append((scope, replace(old, ended=max(now, old.started))))
                    after[thing] = replace(new, started=max(now, old.started), began=old.began)
                    changed.append((scope, after[thing]))
            for thing, new in coming.items():
                if thing not in before:
                    after[thing] = replace(new, started=now, began=now)
                    changed.append((scope, after[thing]))
            if changed:
                self._put(changed)
                self._open[scope] = after

    def seen(self, now: float) -> None:
        """The server is alive: open intervals go on until now at least."""
        with self._lock:
            goes_on = any(one.needs_server for things in self._open.values() for one in things.values())
        if goes_on:
            self._store.write("INSERT OR REPLACE INTO billed_until VALUES (1, ?)", now)

    def recover(self) -> None:
        """Close what needed the server that died, at the last moment that is known of it."""
        rows = self._store.read("SELECT seen FROM billed_until")
        self.pause(float(rows[0]["seen"]) if rows else 0.0)

    def pause(self, now: float) -> None:
        """The server ends: so does what needs it. Disks and addresses are kept, and billed."""
        with self._lock:
            changed = []
            for scope, things in self._open.items():
                for one in [one for one in things.values() if one.needs_server]:
                    changed.append((scope, _ended(one, now)))
                    del things[one.thing]
            if changed:
                self._put(changed)

    def between(self, since: float, until: float) -> list[Usage]:
        """Every interval that reaches into this time."""
        rows = self._store.read(
            "SELECT body FROM billed_usage WHERE started < ? AND (ended IS NULL OR ended >= ?) ORDER BY started, key",
            until,
            since,
        )
        return [_usage(row["body"]) for row in rows]

    def tag_keys(self) -> dict[str, float]:
        """Every tag key that something on the bill has carried, and when it was last used."""
        rows = self._store.read(
            "SELECT tag.key AS key, max(ifnull(usage.ended, usage.started)) AS used "
            "FROM billed_usage AS usage, json_each(usage.body, '$.tags') AS tag GROUP BY tag.key"
        )
        return {str(row["key"]): float(row["used"]) for row in rows}

    def _put(self, rows: Iterable[tuple[str, Usage]]) -> None:
        with self._store.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO billed_usage VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (one.key, one.used, scope, one.started, one.ended, json.dumps(vars(one) | {"tags": dict(one.tags)}))
                    for scope, one in rows
                ],
            )


def _ended(usage: Usage, now: float) -> Usage:
    ended = max(now, usage.started)
    seconds = ended - usage.started
    if usage.used in (Used.INSTANCE, Used.VOLUME, Used.ADDRESS):
        before = usage.started - (usage.began if usage.began is not None else usage.started)
        seconds = max(seconds, LEAST_SECONDS - before)
    if usage.used is Used.PROVISIONED:
        before = usage.started - (usage.began if usage.began is not None else usage.started)
        seconds = math.ceil((before + seconds) / PROVISIONED_SECONDS) * PROVISIONED_SECONDS - before
    return replace(usage, ended=ended, seconds=seconds)


def _usage(body: str) -> Usage:
    found: dict[str, Any] = json.loads(body)
    return Usage(**{**found, "used": Used(found["used"])})
