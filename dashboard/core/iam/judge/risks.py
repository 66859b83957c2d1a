"""Risks that somebody has accepted, and how the score went: kept in KENNEL_HOME/risks.sqlite, by account.

A risk is accepted with a reason, a name and a day on which it counts again. It is kept by its finding's key, which
changes with whatever is wrong: a policy that was widened since is a new finding.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dashboard.core import kept
from dashboard.core.errors import InvalidInput, ServiceFault
from dashboard.core.home import home
from dashboard.core.iam.finding import Finding, Severity

FILE = "risks.sqlite"
LONGEST = timedelta(days=365)
SHORTEST_REASON, LONGEST_TEXT = 10, 500
KEPT_POINTS = 2_000
_TABLES = """
    CREATE TABLE IF NOT EXISTS accepted (
        account TEXT NOT NULL, key TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL,
        until TEXT NOT NULL, subject TEXT NOT NULL, told TEXT NOT NULL, PRIMARY KEY (account, key)
    );
    CREATE TABLE IF NOT EXISTS scores (
        account TEXT NOT NULL, at TEXT NOT NULL, score INTEGER NOT NULL, critical INTEGER NOT NULL,
        high INTEGER NOT NULL, medium INTEGER NOT NULL, low INTEGER NOT NULL, roles INTEGER NOT NULL,
        PRIMARY KEY (account, at)
    );
"""


@dataclass(frozen=True)
class Accepted:
    """A risk that is accepted until a moment. subject: the role, policy or function; told: what was found."""

    key: str
    reason: str
    by: str
    at: datetime
    until: datetime
    subject: str
    told: str

    def is_over(self, now: datetime) -> bool:
        """Whether it counts again."""
        return now >= self.until


@dataclass(frozen=True)
class Point:
    """The score (0 to 100) at a moment, with what it was made of."""

    at: datetime
    score: int
    counts: Mapping[Severity, int]
    roles: int


class Risks:
    """The file of an account's accepted risks and scores. Safe to share between threads and processes."""

    def __init__(self, account: str, file: Path | None = None) -> None:
        self.account = account
        self.file = file or home() / FILE

    def accept(self, finding: Finding, *, reason: str, by: str, until: datetime, now: datetime) -> Accepted:
        """Accept a finding's risk; one that is accepted already gets the new reason and end.

        Raises InvalidInput for a reason of fewer than ten letters, no name, or an end that is past or more than a
        year away.
        """
        reason, by = reason.strip(), by.strip()
        _check(reason, by, until, now)
        subject = finding.role or finding.arn.rpartition(":")[2]
        made = Accepted(finding.key, reason, by, now, until, subject, finding.reason)
        row = (self.account, made.key, reason, by, _written(now), _written(until), subject, made.told)
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO accepted VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return made

    def take_back(self, key: str) -> None:
        """Accept it no longer; nothing where it is not accepted."""
        with self._open() as database:
            database.execute("DELETE FROM accepted WHERE account = ? AND key = ?", (self.account, key))

    def accepted(self) -> dict[str, Accepted]:
        """By the findings' keys; those that are over among them, so that a page can say so."""
        if not self.file.exists():
            return {}
        with self._open() as database:
            asked = "SELECT key, reason, by, at, until, subject, told FROM accepted WHERE account = ?"
            rows = database.execute(asked, (self.account,)).fetchall()
        return {row[0]: Accepted(row[0], row[1], row[2], _read(row[3]), _read(row[4]), row[5], row[6]) for row in rows}

    def note(self, score: int, counts: Mapping[Severity, int], roles: int, now: datetime) -> None:
        """Write the score down, if it or what it is made of has changed since, or a new day (UTC) has begun."""
        values = (score, *(counts.get(one, 0) for one in Severity), roles)
        with self._open() as database:
            asked = "SELECT at, score, critical, high, medium, low, roles FROM scores WHERE account = ?"
            last = database.execute(f"{asked} ORDER BY at DESC LIMIT 1", (self.account,)).fetchone()
            if last is not None and last[1:] == values and _read(last[0]).date() == now.astimezone(UTC).date():
                return
            row = (self.account, _written(now), *values)
            database.execute("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            # the oldest go first
            database.execute(
                "DELETE FROM scores WHERE account = ? AND at NOT IN "
                "(SELECT at FROM scores WHERE account = ? ORDER BY at DESC LIMIT ?)",
                (self.account, self.account, KEPT_POINTS),
            )

    def trend(self, since: datetime | None = None) -> tuple[Point, ...]:
        """The scores that were written down, the oldest first."""
        if not self.file.exists():
            return ()
        with self._open() as database:
            rows = database.execute(
                "SELECT at, score, critical, high, medium, low, roles FROM scores "
                "WHERE account = ? AND at >= ? ORDER BY at",
                (self.account, _written(since) if since is not None else ""),
            ).fetchall()
        return tuple(
            Point(_read(at), score, dict(zip(Severity, counts, strict=True)), roles)
            for at, score, *counts, roles in rows
        )

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return kept.transaction(self.file, _TABLES, self._fault)

    def _fault(self, error: Exception) -> ServiceFault:
        return ServiceFault(
            "accepted risks and the score's trend cannot be read or written",
            f"{self.file}: {error}",
            "mend that, or move the file away: it is made anew, without what was accepted",
        )


def held_at(accepted: Mapping[str, Accepted], now: datetime) -> tuple[str, ...]:
    """The keys of the findings whose risk is accepted at the moment, in order."""
    return tuple(sorted(key for key, one in accepted.items() if not one.is_over(now)))


def _check(reason: str, by: str, until: datetime, now: datetime) -> None:
    if len(reason) < SHORTEST_REASON:
        raise InvalidInput(
            "the risk was not accepted",
            f"the reason has fewer than {SHORTEST_REASON} letters: whoever reads it in a year has to understand it",
            "say why the risk may stay, and what keeps it small",
            field="reason",
        )
    if not by:
        raise InvalidInput(
            "the risk was not accepted", "nobody is named who accepts it", "name who answers for it", field="by"
        )
    if max(len(reason), len(by)) > LONGEST_TEXT:
        raise InvalidInput(
            "the risk was not accepted", f"a text is longer than {LONGEST_TEXT} letters", "shorten it", field="reason"
        )
    if not now < until <= now + LONGEST:
        raise InvalidInput(
            "the risk was not accepted",
            "it has to end after today and within a year: what nobody looks at again is forgotten",
            "choose a day within a year",
            field="until",
        )


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)
