"""Deeds as they are read out of the trail: the newest, one, those that fit a filter."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from dashboard.core.trail.book import Book, Row
from dashboard.core.trail.model import Deed, Noted, Place, Result
from dashboard.core.trail.scribe import OPEN, PROCESS, Kind

MOST = 2_000
"""Deeds that a page looks through: the newest."""
REFUSALS = frozenset({"AccessDenied", "ReadOnly"})
"""Errors by which whoever did something may not do it."""
LOOK = 20
"""For one deed of an account so many are looked at: those of other accounts may be newer."""


@dataclass(frozen=True)
class Asked:
    """What a filter says; what is empty leaves everything in."""

    text: str = ""
    who: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()
    accounts: tuple[str, ...] = ()

    def fits(self, deed: Deed) -> bool:
        """Whether a deed is left in."""
        return (
            (not self.who or deed.who in self.who)
            and (not self.results or deed.result in self.results)
            and (not self.accounts or (deed.place.words if deed.place else "") in self.accounts)
            and deed.reads(self.text)
        )


def recent(account_id: str, most: int, book: Book | None = None) -> tuple[Deed, ...]:
    """The newest deeds in an account, and on this machine alone, the newest first. Raises ServiceFault."""
    book = book or Book.kept()
    begun = [row for row in book.newest(Kind.BEGUN, LOOK * most) if _is_in(account_id, row.told.get("place"))]
    return _in_order(book, begun[:most], {})


def deeds(
    book: Book, most: int = MOST, since: datetime | None = None, known: dict[str, Deed] | None = None
) -> tuple[Deed, ...]:
    """The newest deeds, the newest first. known: those of this book that were read before; what is over is not read
    again, and is kept there. Raises ServiceFault.
    """
    return _in_order(book, book.newest(Kind.BEGUN, most, since), {} if known is None else known)


def _in_order(book: Book, begun: Sequence[Row], known: dict[str, Deed]) -> tuple[Deed, ...]:
    names = [row.deed for row in begun]
    read = {one.id: one for one in _deeds(book.of(name for name in names if name not in known))}
    known |= {name: one for name, one in read.items() if one.result.is_over}
    found = [read.get(name) or known[name] for name in names]
    back: dict[str, list[str]] = {}
    for one in found:  # the newest first: an undo that was taken back itself undoes nothing any more
        if one.undoes and one.result is Result.DONE and one.id not in back:
            back.setdefault(one.undoes, []).insert(0, one.id)
    return tuple(replace(one, undone_by=tuple(back[one.id])) if one.id in back else one for one in found)


def _is_in(account_id: str, place: dict[str, Any] | None) -> bool:
    return place is None or place.get("account_id") == account_id


def deed(book: Book, name: str) -> Deed | None:
    """One deed; None where there is none of this name. Raises ServiceFault."""
    found = next(_deeds(book.of([name])), None)
    if found is None:
        return None
    return replace(found, undone_by=_undone_by(book, name))


def _undone_by(book: Book, name: str) -> tuple[str, ...]:
    """The deeds that took this one back and were not taken back themselves."""
    begun = book.undoing(name)
    done = {one.id for one in _deeds(book.of(begun)) if one.result is Result.DONE}
    return tuple(one for one in begun if one in done and not _undone_by(book, one))


def _deeds(rows: Sequence[Row]) -> Iterator[Deed]:
    in_order = sorted(rows, key=lambda row: (row.deed, row.number))
    return iter([_deed(name, list(own)) for name, own in groupby(in_order, key=lambda row: row.deed)])


def _deed(name: str, rows: Sequence[Row], is_alive: Callable[[int], bool] | None = None) -> Deed:
    # all at once: of thousands of deeds, most of the time would go into beginning to read each row
    first, *rest = json.loads(f"[{','.join(row.body for row in rows)}]")
    begun, calls = rows[0], dict[int, Noted]()
    ended: Row | None = None
    end: dict[str, Any] = {}
    for row, told in zip(rows[1:], rest, strict=True):
        if row.kind == Kind.ENDED:
            ended, end = row, told
        elif row.kind == Kind.CALL:
            calls[told["number"]] = _noted(row, told)
        elif told.get("number") in calls:
            calls[told["number"]] = _answered(calls[told["number"]], row.kind, told)
    return Deed(
        id=name,
        at=begun.moment,
        what=str(first.get("what", "")),
        who=str(first.get("who", "")),
        place=Place(**first["place"]) if first.get("place") else None,
        result=_result(name, first, end, any(one.is_accepted for one in calls.values()), is_alive or _is_alive),
        plan=tuple(first.get("plan", ())),
        calls=tuple(calls[number] for number in sorted(calls)),
        said=str(end.get("what") or end.get("said", "")),
        why=str(end.get("why", "")),
        next_step=str(end.get("next", "")),
        kind=str(end.get("problem", "")),
        ended=ended.moment if ended else None,
        more=end.get("more", {}),
        undoes=str(first.get("undoes", "")),
        key=str(first.get("key", "")),
    )


def _noted(row: Row, told: dict[str, Any]) -> Noted:
    return Noted(
        told["number"],
        told["service"],
        told["operation"],
        told["parameters"],
        row.moment,
        region=told.get("region", ""),
        account_id=told.get("account", ""),
        before=told.get("before"),
        unread=told.get("unread", ""),
    )


def _answered(one: Noted, kind: str, told: dict[str, Any]) -> Noted:
    if kind == Kind.LEFT:
        return replace(one, left=told.get("left"), unread=told.get("unread", ""))
    return replace(
        one,
        is_answered=True,
        status=told.get("status"),
        request_id=told.get("request", ""),
        attempts=told.get("attempts", 1),
        code=told.get("code", ""),
        message=told.get("message", ""),
    )


def _result(
    name: str, begun: dict[str, Any], end: dict[str, Any], has_changed: bool, is_alive: Callable[[int], bool]
) -> Result:
    if end:
        if begun.get("refused") or (end.get("problem") in REFUSALS and not has_changed):
            return Result.REFUSED
        return Result.FAILED if "problem" in end else Result.DONE
    if begun.get("start") == PROCESS:
        return Result.UNDER_WAY if name in OPEN else Result.UNKNOWN
    process = int(begun.get("process", 0))
    return Result.UNDER_WAY if process != os.getpid() and is_alive(process) else Result.UNKNOWN


def _is_alive(process: int) -> bool:
    """Whether another process of this machine is still there; one that is not ours to ask is."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return process > 0
