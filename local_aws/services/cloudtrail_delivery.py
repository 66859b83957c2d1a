"""Delivers the events of trails to S3, in AWS's files: what waits is on disk, and goes on after a restart.

Other than AWS's, it does not look whether the bucket's policy lets CloudTrail in: this S3 keeps no bucket policies.
"""

import gzip
import logging
import secrets
import string
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from local_aws.engine.rounds import Rounds
from local_aws.errors import ServiceError
from local_aws.services.cloudtrail_event import Event
from local_aws.services.cloudtrail_trails import Trail, Trails
from local_aws.store import Store

log = logging.getLogger(__name__)

DELIVERED_EACH = 300.0
"""Seconds between a trail's files, as long as it has little to tell. Source: CloudTrail User Guide, "How CloudTrail
works": about every five minutes."""
MANY, SOONER = 20, 5
"""So many events that wait are delivered so many times sooner: what a job did can be looked at when it has ended."""
LOOKS = 60
"""How often in that time it is looked whether something is to be delivered."""
SHORTEST = 0.5
MOST_IN_FILE = 5_000
MOST_WAITING = 100_000
"""Events that wait for a trail whose bucket is gone; the oldest are given up."""
_LETTERS = string.ascii_letters + string.digits


class Bucket(Protocol):
    """What a delivery needs of S3."""

    def add_bytes(self, bucket: str, key: str, data: bytes, content_type: str, content_encoding: str = "") -> None:
        """Raises ServiceError NoSuchBucket, OSError."""


class Pending:
    """Events that wait to be delivered, by trail and region."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.transaction() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS pending (number INTEGER PRIMARY KEY AUTOINCREMENT, trail TEXT, region TEXT,"
                " document TEXT)"
            )
            connection.execute("CREATE INDEX IF NOT EXISTS pending_trail ON pending (trail, region, number)")

    def add(self, events: Iterable[tuple[Trail, Event, str]]) -> None:
        """Each with its text."""
        rows = [(trail.arn, event.region, text) for trail, event, text in events]
        if rows:
            with self._store.transaction() as connection:
                connection.executemany("INSERT INTO pending (trail, region, document) VALUES (?, ?, ?)", rows)

    def waiting(self) -> list[tuple[str, str, int]]:
        """Trail, region and how many events wait."""
        rows = self._store.read("SELECT trail, region, COUNT(*) AS n FROM pending GROUP BY trail, region")
        return [(row["trail"], row["region"], row["n"]) for row in rows]

    def next(self, trail: str, region: str, most: int) -> tuple[int, list[str]]:
        """The oldest, and the number of the last of them."""
        rows = self._store.read(
            "SELECT number, document FROM pending WHERE trail = ? AND region = ? ORDER BY number LIMIT ?",
            trail,
            region,
            most,
        )
        return (rows[-1]["number"] if rows else 0), [row["document"] for row in rows]

    def done(self, trail: str, region: str, number: int) -> None:
        """All up to that number are delivered, or given up."""
        self._store.write("DELETE FROM pending WHERE trail = ? AND region = ? AND number <= ?", trail, region, number)

    def forget(self, trail: str) -> None:
        self._store.write("DELETE FROM pending WHERE trail = ?", trail)


class TrailFiles:
    """A thread that delivers what waits. every: seconds between files; unique: makes the last part of their names."""

    def __init__(
        self,
        pending: Pending,
        trails: Trails,
        s3: Bucket,
        account: str,
        now: Callable[[], datetime],
        *,
        every: float = DELIVERED_EACH,
        unique: Callable[[], str] = lambda: "".join(secrets.choice(_LETTERS) for _ in range(16)),
    ) -> None:
        self._pending, self._trails, self._s3, self._account = pending, trails, s3, account
        self._now, self._unique = now, unique
        self._every = every
        self._one_at_a_time = threading.Lock()
        pause = max(every / LOOKS, SHORTEST)
        self._rounds = Rounds("cloudtrail-delivery", pause, self.deliver, "CloudTrail: a delivery failed")

    def start(self) -> None:
        self._rounds.start()

    def stop(self) -> None:
        """What waits is kept for the next start: S3 is closed before this."""
        self._rounds.stop()

    def deliver(self) -> None:
        """Deliver what is due."""
        with self._one_at_a_time:
            trails, at = self._trails.current, self._now().timestamp()
            for arn, region, waiting in self._pending.waiting():
                trail = trails.get(arn)
                if trail is None:
                    self._pending.forget(arn)
                    continue
                if trail.tried is not None and at - trail.tried < self._every / (SOONER if waiting >= MANY else 1):
                    continue
                left = waiting
                while left > 0 and (sent := self._one_file(trail, region)):
                    left -= sent
                if left > MOST_WAITING:
                    self._give_up(arn, region, left - MOST_WAITING)

    def _one_file(self, trail: Trail, region: str) -> int:
        """How many events went into it; 0 where none could be delivered."""
        number, documents = self._pending.next(trail.arn, region, MOST_IN_FILE)
        if not documents:
            return 0
        at = self._now()
        content = gzip.compress(f'{{"Records":[{",".join(documents)}]}}'.encode(), 6, mtime=int(at.timestamp()))
        try:
            self._s3.add_bytes(trail.bucket, self.key(trail, region, at), content, "application/json", "gzip")
        except ServiceError as refused:
            self._trails.note_delivery(trail.arn, at.timestamp(), refused.code)
            return 0
        except OSError:
            log.exception("CloudTrail: a file could not be written")
            self._trails.note_delivery(trail.arn, at.timestamp(), "InternalError")
            return 0
        self._pending.done(trail.arn, region, number)
        self._trails.note_delivery(trail.arn, at.timestamp())
        return len(documents)

    def _give_up(self, arn: str, region: str, many: int) -> None:
        number, _ = self._pending.next(arn, region, many)
        log.warning("CloudTrail: %d events of %s are given up; its bucket does not take them", many, arn)
        self._pending.done(arn, region, number)

    def key(self, trail: Trail, region: str, at: datetime) -> str:
        """Source: CloudTrail User Guide, "CloudTrail log file names"."""
        before = f"{trail.prefix}/" if trail.prefix else ""
        name = f"{self._account}_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{self._unique()}.json.gz"
        return f"{before}AWSLogs/{self._account}/CloudTrail/{region}/{at:%Y/%m/%d}/{name}"
