"""What the trail tells of one deed: who did what where, which calls AWS got, how it ended, how things were before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.calls import Call, code

HIDDEN = "(not written down)"
"""Stands in the trail where a secret was."""


class Result(StrEnum):
    """How a deed stands. REFUSED: who tried it may not, and nothing of it was done. UNKNOWN: it was begun, and whoever
    did it was gone before its end was written down."""

    UNDER_WAY = "under way"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "end unknown"

    @property
    def is_over(self) -> bool:
        return self in (Result.DONE, Result.FAILED, Result.REFUSED)

    @property
    def tone(self) -> str:
        """As ui/tones.py names it."""
        return _TONES[self]


_TONES = {
    Result.UNDER_WAY: "running",
    Result.DONE: "done",
    Result.FAILED: "failed",
    Result.REFUSED: "stopped",
    Result.UNKNOWN: "waiting",
}


@dataclass(frozen=True)
class Place:
    """The account in which a deed was done, and as whom, as far as that was known then."""

    name: str
    account_id: str
    region: str
    identity: str = ""
    is_embedded: bool = False
    client_file: str = ""

    @classmethod
    def of(cls, account: Account, identity: str = "") -> "Place":
        return cls(account.name, account.account_id, account.region, identity, account.is_embedded, account.client_file)

    @property
    def words(self) -> str:
        """ "123456789012 in us-east-1 (embedded)"."""
        return f"{self.account_id} in {self.region} ({self.name})"

    def account(self) -> Account:
        """The account for code that is shown: nothing can be asked of it."""
        return Account(
            self.name, self.region, self.account_id, self.is_embedded, writable=False, client_file=self.client_file
        )


@dataclass(frozen=True)
class Noted:
    """One call that was sent: what came of it, and how what it changes was before and afterwards, where that is known.

    status: None where no answer came (yet). before, left: as trail/inverse.py reads them, None for not known.
    """

    number: int
    service: str
    operation: str
    parameters: Mapping[str, Any]
    at: datetime
    region: str = ""
    account_id: str = ""
    status: int | None = None
    request_id: str = ""
    attempts: int = 1
    code: str = ""
    message: str = ""
    is_answered: bool = False
    before: Mapping[str, Any] | None = None
    left: Mapping[str, Any] | None = None
    unread: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether AWS did it."""
        return self.status is not None and self.status < 300

    @property
    def outcome(self) -> str:
        """ "200", "400 ValidationException", "no answer (ReadTimeoutError)", "no answer was written down"."""
        if not self.is_answered:
            return "no answer was written down"
        if self.status is None:
            return f"no answer ({self.code})"
        return f"{self.status} {self.code}".strip()


@dataclass(frozen=True)
class Deed:
    """One thing that somebody did. plan: the dialog that was confirmed, line by line. said: what came of it.

    more: calls beyond those written down, by operation. undoes: the deed that this one takes back. undone_by: those
    that took this one back. key: what tells who did it from everybody else, "" where nobody signs in.
    """

    id: str
    at: datetime
    what: str
    who: str
    place: Place | None
    result: Result
    plan: tuple[str, ...] = ()
    calls: tuple[Noted, ...] = ()
    said: str = ""
    why: str = ""
    next_step: str = ""
    kind: str = ""
    ended: datetime | None = None
    more: Mapping[str, int] = field(default_factory=dict)
    undoes: str = ""
    undone_by: tuple[str, ...] = ()
    key: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it is not over."""
        return (self.ended - self.at).total_seconds() if self.ended else None

    @property
    def is_undone(self) -> bool:
        return bool(self.undone_by)

    @property
    def code(self) -> str:
        """Its calls as a program, with a gap wherever a secret was; "" without any call or account."""
        if not self.calls or self.place is None:
            return ""
        return code([Call(one.service, one.operation, one.parameters, "") for one in self.calls], self.place.account())

    def reads(self, text: str) -> bool:
        """Whether every word of a search is in it."""
        told = [self.what, self.who, self.place.words if self.place else "", self.said, *self.plan]
        for one in self.calls:
            told += [one.service, one.operation, *map(str, one.parameters.values())]
        read = " ".join(told).lower()
        return all(word in read for word in text.lower().split())
