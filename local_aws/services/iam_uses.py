"""When each role and user last called what: what IAM tells as "last used" and "last accessed", kept over restarts.

A call is noted in memory and written a moment later, so that no request waits for it. AWS tells it hours later.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from local_aws.engine.rounds import Rounds
from local_aws.protocol import Caller
from local_aws.store import Store

KEPT = timedelta(days=400)
"""Source: IAM User Guide, "IAM last accessed data": the tracking period is 400 days."""
WRITTEN_EACH = 2.0  # seconds


@dataclass(frozen=True)
class Use:
    """The last call of an operation (botocore's names) by "role/NAME" or "user/NAME". at: epoch seconds."""

    principal: str
    service: str
    operation: str
    at: float
    region: str


class Uses:
    """One use a principal, service and operation. Safe to call from any thread."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        with store.transaction() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS uses (principal TEXT, service TEXT, operation TEXT, at REAL, region TEXT,"
                " PRIMARY KEY (principal, service, operation))"
            )
            connection.execute("DELETE FROM uses WHERE at < ?", ((now() - KEPT).timestamp(),))
        self._last = {(row[0], row[1], row[2]): (row[3], row[4]) for row in store.read("SELECT * FROM uses")}
        self._changed: set[tuple[str, str, str]] = set()
        self._writing, self._noting = threading.Lock(), threading.Lock()
        failed = "IAM: what was used last could not be written down"
        self._rounds = Rounds("iam-uses", WRITTEN_EACH, self.write, failed)

    def start(self) -> None:
        self._rounds.start()

    def stop(self) -> None:
        self._rounds.stop()
        self.write()

    def note(self, caller: Caller, service: str, operation: str) -> None:
        """Somebody called; nothing for the account's root, of which IAM tells nothing."""
        principal = principal_of(caller.arn)
        if principal:
            key, told = (principal, service, operation), (self._now().timestamp(), caller.region)
            with self._noting:
                self._last[key] = told
                self._changed.add(key)

    def of(self, principal: str) -> tuple[Use, ...]:
        """What a principal did, the last first."""
        found = [Use(*key, *told) for key, told in self._all().items() if key[0] == principal]
        return tuple(sorted(found, key=lambda one: -one.at))

    def last(self) -> dict[str, tuple[float, str]]:
        """When and where each principal last did anything."""
        found: dict[str, tuple[float, str]] = {}
        for (principal, _, _), told in self._all().items():
            if told > found.get(principal, (0.0, "")):
                found[principal] = told
        return found

    def write(self) -> None:
        """Put on disk what is not there yet."""
        with self._writing:
            with self._noting:
                rows = [(*key, *self._last[key]) for key in self._changed]
                self._changed.clear()
            if not rows:
                return
            with self._store.transaction() as connection:
                connection.executemany("INSERT OR REPLACE INTO uses VALUES (?, ?, ?, ?, ?)", rows)

    def _all(self) -> dict[tuple[str, str, str], tuple[float, str]]:
        with self._noting:
            return dict(self._last)


@lru_cache(maxsize=4096)
def principal_of(arn: str) -> str:
    """ "role/NAME" of a role or one of its sessions, "user/NAME" of a user, "" of anybody else."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    if kind == "assumed-role":
        return f"role/{rest.partition('/')[0]}"
    return f"{kind}/{rest.rpartition('/')[2]}" if kind in ("role", "user") else ""
