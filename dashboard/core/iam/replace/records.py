"""Rollback records: what a role or policy was before Kennel changed it, written down before the first request is sent.

They lie in KENNEL_HOME/role_changes.sqlite, by account, and are never deleted: what was undone stays as what happened.
"""

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from dashboard.core import kept, noting
from dashboard.core.errors import Refused, ServiceFault
from dashboard.core.home import home
from dashboard.core.iam.replace.standing import Standing

FILE = "role_changes.sqlite"
STALE = timedelta(minutes=15)
"""A change of which nobody knows the process was cut off when it says nothing for so long."""
_TABLE = """
    CREATE TABLE IF NOT EXISTS changes (
        id TEXT PRIMARY KEY, account TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL, at TEXT NOT NULL,
        told TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS of_target ON changes (account, target, at);
"""


class What(StrEnum):
    """What was done."""

    CHANGE = "rights changed"
    SPLIT = "a role of its own made for one duty"
    SWITCH_OFF = "switched off"
    DELETE = "deleted"
    MARK_POLICY = "policy marked for deletion"
    DELETE_POLICY = "policy deleted"


class Outcome(StrEnum):
    """How it stands with a change."""

    UNDER_WAY = "under way"
    DONE = "done"
    UNDONE = "undone"
    UNDO_FAILED = "not undone wholly"

    @property
    def is_open(self) -> bool:
        """Whether something of it may be in force, so that there is something to undo."""
        return self is not Outcome.UNDONE


@dataclass(frozen=True)
class Record:
    """One change. target: the ARN of the role or policy. before: the role as it was; after: as it was to become.

    new_role: of a SPLIT, the name of the role that was made. made: ARNs of policies that this change is to make; mark:
    the tag by which they are known. more: what else undoing needs, as JSON. at, changed: when it was begun, and when it
    was last told of. process: which one began it. deed: its name in the trail.
    """

    id: str
    account: str
    target: str
    what: What
    outcome: Outcome
    at: datetime
    before: Standing | None = None
    after: Standing | None = None
    new_role: str = ""
    made: tuple[str, ...] = ()
    mark: str = ""
    detail: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    changed: datetime | None = None
    process: str = ""
    deed: str = ""

    @property
    def name(self) -> str:
        """Of the role or policy."""
        return self.target.rpartition("/")[2]

    def is_cut_off(self, now: datetime) -> bool:
        """Whether it was begun and nobody is at it any more: its process ended, or nobody knows which that was."""
        if self.outcome is not Outcome.UNDER_WAY:
            return False
        return not _runs(self.process) if self.process else now - (self.changed or self.at) > STALE

    def as_export(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {
            "id": self.id,
            "account": self.account,
            "target": self.target,
            "what": self.what.value,
            "outcome": self.outcome.value,
            "at": self.at.isoformat(),
            "before": self.before.as_record() if self.before else None,
            "after": self.after.as_record() if self.after else None,
            "new_role": self.new_role,
            "made": list(self.made),
            "mark": self.mark,
            "detail": self.detail,
            "more": dict(self.more),
            "changed": self.changed.isoformat() if self.changed else None,
            "process": self.process,
            "deed": self.deed,
        }

    @classmethod
    def of_export(cls, told: Mapping[str, Any]) -> "Record":
        """Back from `as_export`. Raises KeyError, TypeError or ValueError for what is none."""
        return cls(
            **{
                **told,
                "what": What(told["what"]),
                "outcome": Outcome(told["outcome"]),
                "at": datetime.fromisoformat(told["at"]),
                "before": Standing.of_record(told["before"]) if told["before"] else None,
                "after": Standing.of_record(told["after"]) if told["after"] else None,
                "made": tuple(told["made"]),
                "changed": datetime.fromisoformat(told["changed"]) if told["changed"] else None,
            }
        )


class Records:
    """The file of them. Safe from several threads and processes: every call is a transaction of its own."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @classmethod
    def kept(cls) -> "Records":
        """Those of this Kennel's home."""
        return cls(home() / FILE)

    def begin(self, record: Record) -> Record:
        """Write a change down before it begins; the record with its number.

        Raises Refused while another change of the same role or policy is under way, ServiceFault when the file cannot
        be written: then nothing may be changed.
        """
        number = record.id or secrets.token_hex(6)
        begun = replace(record, id=number, outcome=Outcome.UNDER_WAY, changed=record.at)
        made = replace(begun, process=_this_process(), deed=noting.deed())
        with self._open() as database:
            for one in self._read(database, "account = ? AND target = ? AND state = ?", made.account, made.target,
                                  Outcome.UNDER_WAY.value):  # fmt: skip
                if not one.is_cut_off(record.at):
                    raise Refused(
                        f"{made.name} is being changed already",
                        f"a change of it was begun at {one.at:%H:%M} UTC and is not through",
                        "wait for it, or undo it on the role's page",
                    )
                raise Refused(
                    f"an earlier change of {made.name} was cut off",
                    f"it was begun at {one.at:%Y-%m-%d %H:%M} UTC and neither finished nor undone",
                    "undo that one first",
                )
            self._write(database, made)
        return made

    def save(self, record: Record, now: datetime | None = None) -> Record:
        """Tell how it stands now. Raises ServiceFault when the file cannot be written."""
        told = replace(record, changed=now or datetime.now(UTC))
        with self._open() as database:
            self._write(database, told)
        return told

    def get(self, account: str, record_id: str) -> Record | None:
        with self._open() as database:
            return next(iter(self._read(database, "account = ? AND id = ?", account, record_id)), None)

    def of(self, account: str, target: str) -> tuple[Record, ...]:
        """The changes of one role or policy (its ARN), the newest first."""
        with self._open() as database:
            return tuple(self._read(database, "account = ? AND target = ?", account, target))

    def all(self, account: str) -> tuple[Record, ...]:
        """The changes in an account, the newest first."""
        with self._open() as database:
            return tuple(self._read(database, "account = ?", account))

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return kept.transaction(self.file, _TABLE, self._fault)

    def _fault(self, error: Exception) -> ServiceFault:
        return ServiceFault(
            "the record of changes to roles cannot be read or written",
            f"{self.file}: {error}",
            "mend that, or move the file away; without a record nothing is changed",
        )

    def _read(self, database: sqlite3.Connection, where: str, *values: str) -> Iterator[Record]:
        # `where` is one of this module's own texts
        rows = database.execute(f"SELECT told FROM changes WHERE {where} ORDER BY at DESC, rowid DESC", values)  # noqa: S608
        for (told,) in rows.fetchall():
            try:
                yield Record.of_export(json.loads(told))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise self._fault(error) from error

    def _write(self, database: sqlite3.Connection, record: Record) -> None:
        told = json.dumps(record.as_export(), ensure_ascii=False)
        database.execute(
            "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET state = excluded.state, told = excluded.told",
            (record.id, record.account, record.target, record.outcome.value, record.at.isoformat(), told),
        )


@cache
def _this_process() -> str:
    """Its number, and what no other process of that number has: numbers are given again."""
    return f"{os.getpid()}-{secrets.token_hex(4)}"


def _runs(process: str) -> bool:
    """Whether the process that began something is there. One of this machine: the file is nobody else's."""
    number = int(process.partition("-")[0])
    if process == _this_process() or number == os.getpid():
        return process == _this_process()
    try:
        os.kill(number, 0)  # asks only
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
