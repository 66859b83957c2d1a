"""Writes one deed into the trail as it goes on: that it begins, each call before it is sent, what came back, its end.

Nothing is done that could not be written down first. What could not be written down afterwards has happened all the
same: it is logged, and the trail says that its end is unknown.
"""

import logging
import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import KennelError
from dashboard.core.noting import Answered, Sent, under
from dashboard.core.trail import redact
from dashboard.core.trail.book import Book
from dashboard.core.trail.inverse import INVERSES
from dashboard.core.trail.model import Place
from dashboard.core.trail.way import Inverse

logger = logging.getLogger(__name__)
MOST_CALLS, MOST_ALIKE = 200, 50
"""Calls of one deed, and of one operation, that are written down one by one; of more only how many there were."""
LINES = 60
"""Lines of a plan."""
OPEN: set[str] = set()
"""The deeds of this process that are not over."""
PROCESS = secrets.token_hex(8)
"""Tells this process from another one that had its number before."""


class Kind(StrEnum):
    """What a row of the trail tells."""

    BEGUN = "begun"
    CALL = "call"
    ANSWER = "answer"
    LEFT = "left"
    ENDED = "ended"


class Scribe:
    """A deed that goes on. Safe to share between the threads that carry it out; a `noting.Witness`."""

    def __init__(self, book: Book, deed: str, now: Callable[[], datetime]) -> None:
        self.deed = deed
        self.is_lost = False  # whether something that happened could not be written down
        self._book = book
        self._now = now
        self._lock = threading.Lock()
        self._sent = 0
        self._of: Counter[str] = Counter()
        self._more: Counter[str] = Counter()
        self._counted: dict[int, str] = {}
        self._changed: dict[int, tuple[Aws, Sent, Inverse]] = {}
        self._held = 1
        self._said, self._came = "", ""
        self._problem: KennelError | None = None

    def sending(self, aws: Aws, sent: Sent) -> int:
        """Write a call down before it is sent. Raises ServiceFault where that cannot be done: it is not sent then."""
        with self._lock:
            self._sent += 1
            number, name = self._sent, f"{sent.service} {sent.operation}"
            self._of[name] += 1
            if number > MOST_CALLS or self._of[name] > MOST_ALIKE:
                self._more[name] += 1
                self._counted[number] = name
                return number
        inverse = INVERSES.get((sent.service, sent.operation))
        told: dict[str, Any] = {
            "number": number,
            "service": sent.service,
            "operation": sent.operation,
            "parameters": redact.parameters(sent.parameters, sent.shape),
            "region": aws.account.region,
            "account": aws.account.account_id,
        }
        if inverse is not None:
            told |= self._look("before", aws, sent, inverse)
        self._book.add(self.deed, Kind.CALL, self._now(), told)
        if inverse is not None and "before" in told:
            with self._lock:
                self._changed[number] = (aws, sent, inverse)
        return number

    def answered(self, number: int, came: Answered) -> None:
        """What came of that call."""
        with self._lock:
            if came.status is None or came.status >= 300:
                self._changed.pop(number, None)
            name = self._counted.pop(number, "")
            if name and came.code:
                self._more[f"{name} answered {came.code}"] += 1
        if name:
            return
        told = {"number": number, "status": came.status, "request": came.request_id, "attempts": came.attempts}
        said = {"code": came.code, "message": redact.text(came.message)} if came.code else {}
        self._write(Kind.ANSWER, told | said)

    def hold(self) -> None:
        """Something of it goes on in the background."""
        with self._lock:
            self._held += 1

    def release(self, problem: KennelError | None = None) -> None:
        """That came to its end; with the last of it the deed is over."""
        with self._lock:
            self._held -= 1
            self._problem = self._problem or problem
            is_over = not self._held
        if is_over:
            self._end()

    def said(self, sentence: str) -> None:
        """What the person was told came of it."""
        with self._lock:
            self._said = redact.text(sentence)

    def came(self, sentence: str) -> None:
        """What came of it in the end, where it went on in the background."""
        with self._lock:
            self._came = redact.text(sentence)

    def _end(self) -> None:
        with under(None):
            for number, (aws, sent, inverse) in self._changed.items():
                self._write(Kind.LEFT, {"number": number} | self._look("left", aws, sent, inverse))
        told: dict[str, Any] = {"said": self._came or self._said, "sent": self._sent, "more": dict(self._more)}
        if (problem := self._problem) is not None:
            told |= {
                "problem": type(problem).__name__,
                "what": redact.text(problem.what),
                "why": redact.text(problem.why),
                "next": redact.text(problem.next_step),
            }
        self._write(Kind.ENDED, told)
        OPEN.discard(self.deed)

    def _look(self, name: str, aws: Aws, sent: Sent, inverse: Inverse) -> dict[str, Any]:
        """How what a call changes is; why that is not known, where it could not be read."""
        try:
            with under(None):
                found = inverse.read(aws, sent.parameters)
        except KennelError as error:
            return {"unread": redact.text(error.what)}
        return {name: redact.parameters(found)}

    def _write(self, kind: Kind, told: dict[str, Any]) -> None:
        try:
            self._book.add(self.deed, kind, self._now(), told)
        except KennelError:
            self.is_lost = True
            logger.exception("deed %s: %s could not be written down: %s", self.deed, kind, told)


def begin(
    book: Book,
    what: str,
    who: str,
    account: Account | None,
    *,
    key: str = "",
    identity: str = "",
    plan: Sequence[str] = (),
    undoes: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    token: Callable[[], str] = lambda: secrets.token_hex(6),
    is_refused: bool = False,
) -> Scribe:
    """Write down that a deed begins; before anything of it is done. Raises ServiceFault: then it must not be done.

    who, key: what somebody is called, and what tells them from everybody else, whatever they call themselves.
    identity: the ARN as which AWS is asked. plan: what they agreed to. undoes: the deed that this one takes back.
    is_refused: it is not let begin.
    """
    lines = [redact.text(one) for one in plan[:LINES]]
    place = None if account is None else Place.of(account, identity)
    told: dict[str, Any] = {
        "what": redact.text(what),
        "who": redact.text(who),
        "key": key,
        "plan": lines,
        "place": None if place is None else vars(place),
        "process": os.getpid(),
        "start": PROCESS,
    }
    scribe = Scribe(book, token(), now)
    OPEN.add(scribe.deed)
    try:
        more: dict[str, Any] = ({"undoes": undoes} if undoes else {}) | ({"refused": True} if is_refused else {})
        book.add(scribe.deed, Kind.BEGUN, now(), told | more)
    except KennelError:
        OPEN.discard(scribe.deed)
        raise
    return scribe


def refused(
    book: Book,
    what: str,
    who: str,
    account: Account | None,
    why: KennelError,
    *,
    key: str = "",
    identity: str = "",
    plan: Sequence[str] = (),
) -> None:
    """Write down what somebody tried and was not let begin, and why. Raises ServiceFault where it cannot be."""
    begin(book, what, who, account, key=key, identity=identity, plan=plan, is_refused=True).release(why)
