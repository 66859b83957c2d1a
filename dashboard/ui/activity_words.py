"""What the Activity page says in words and rows. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.format import ago, count, duration, money
from dashboard.core.trail.model import Deed, Noted, Result
from dashboard.core.trail.undo import UndoPlan
from dashboard.core.trail.undo_cost import Cost
from dashboard.ui.table import local
from dashboard.ui.tones import label
from dashboard.ui.words import simulated

SINCE = {
    "today": timedelta(days=1),
    "7 days": timedelta(days=7),
    "30 days": timedelta(days=30),
    "all": None,
}
USUAL = "7 days"


def sentence(deeds: Sequence[Deed], now: datetime) -> str:
    """ "4 actions in the last 24 hours by 2 people, 1 failed"."""
    if not deeds:
        return "nothing was done with Kennel in this time"
    day = [one for one in deeds if now - one.at < timedelta(days=1)]
    if not day:
        return f"nothing in the last 24 hours; the last action was {ago(deeds[0].at, now)}"
    people = {one.who for one in day}
    failed, refused = (sum(one.result is result for one in day) for result in (Result.FAILED, Result.REFUSED))
    by = f" by {count(len(people), 'person', 'people')}" if len(people) > 1 else ""
    wrong = f", {failed:,} failed" if failed else ""
    tried = f", {refused:,} refused" if refused else ""
    return f"{count(len(day), 'action')} in the last 24 hours{by}{wrong}{tried}"


def result(one: Deed) -> str:
    """How a deed stands, with its shape: "✓ done", "■ undone"."""
    if one.is_undone:
        return label("stopped", "undone")
    return label(one.result.tone, one.result.value)


def look(one: Deed) -> tuple[str, str]:
    """Its tone and that text, for a column of states."""
    return ("stopped" if one.is_undone else one.result.tone), result(one)


def took(one: Deed) -> str:
    """How long it took; "" while it is not over."""
    return "" if one.seconds is None else duration(max(one.seconds, 0.1))


def rows(deeds: Sequence[Deed], timezone: str | None) -> list[dict[str, Any]]:
    """The table."""
    return [
        {
            "Action": one.what,
            "Result": [result(one)],
            "When": local(one.at, timezone),
            "Who": one.who,
            "What came of it": one.said,
            "Calls": len(one.calls) + sum(one.more.values()),
            "Took": took(one),
            "Account": one.place.words if one.place else "this machine",
        }
        for one in deeds
    ]


def plain(deeds: Sequence[Deed]) -> list[dict[str, Any]]:
    """The same as a file: one row a deed, times in UTC."""
    return [
        {
            "id": one.id,
            "when": one.at.isoformat(),
            "ended": one.ended.isoformat() if one.ended else "",
            "who": one.who,
            "signed in as": one.key,
            "action": one.what,
            "result": one.result.value,
            "undone by": ", ".join(one.undone_by),
            "undoes": one.undoes,
            "account": one.place.account_id if one.place else "",
            "region": one.place.region if one.place else "",
            "profile": one.place.name if one.place else "",
            "identity": one.place.identity if one.place else "",
            "what came of it": one.said,
            "why": one.why,
            "plan": " | ".join(one.plan),
            "calls": " | ".join(f"{call.service} {call.operation}: {call.outcome}" for call in one.calls),
            "request ids": " | ".join(call.request_id for call in one.calls if call.request_id),
        }
        for one in deeds
    ]


def exported(one: Deed) -> dict[str, Any]:
    """All that the trail holds of a deed, as JSON can hold it."""
    return {
        "id": one.id,
        "at": one.at.isoformat(),
        "ended": one.ended.isoformat() if one.ended else None,
        "who": one.who,
        "signed_in_as": one.key,
        "what": one.what,
        "place": vars(one.place) if one.place else None,
        "plan": list(one.plan),
        "result": one.result.value,
        "said": one.said,
        "why": one.why,
        "next": one.next_step,
        "problem": one.kind,
        "undoes": one.undoes,
        "undone_by": list(one.undone_by),
        "calls": [_exported(call) for call in one.calls],
        "more": dict(one.more),
    }


def _exported(one: Noted) -> dict[str, Any]:
    return {
        "number": one.number,
        "at": one.at.isoformat(),
        "service": one.service,
        "operation": one.operation,
        "region": one.region,
        "parameters": dict(one.parameters),
        "status": one.status,
        "request_id": one.request_id,
        "attempts": one.attempts,
        "code": one.code,
        "message": one.message,
        "before": one.before,
        "left": one.left,
    }


def outcome(one: Noted) -> str:
    """ "request 5f2e…, 2 attempts"."""
    request = f"request {one.request_id}" if one.request_id else "no request id"
    return f"{request}, {count(one.attempts, 'attempt')}" if one.attempts > 1 else request


def undo_costs(plan: UndoPlan, paid: Cost | None, account: Account) -> str:
    """What taking a deed back costs by the hour, beside what the same costs now."""
    if paid is None or paid.now == paid.then == 0:
        return "; ".join(plan.costs) or "nothing more than before that action"
    if paid.then is None:
        said = "a price per hour that Kennel does not know"
    elif paid.then == paid.now:
        said = f"{money(paid.then)} an hour, as now"
    else:
        said = f"{money(paid.then)} an hour, now {'an unknown sum' if paid.now is None else money(paid.now)}"
    return "; ".join([f"{said}{simulated(account)}", *plan.costs])


def undo_price(paid: Cost | None, account: Account) -> str:
    """The same behind the button's words; "" where it costs no more than now."""
    if paid is None or (paid.then is not None and paid.now is not None and paid.then <= paid.now):
        return ""
    return ", cost unknown" if paid.then is None else f" for {money(paid.then)}/h{simulated(account)}"


def kept(rows: int, size: str) -> str:
    """What is kept of it, for how long."""
    return (
        f"Kept in activity.sqlite in Kennel's home: {count(rows, 'row')}, {size}. Rows are only ever added, each with "
        "the hash of the one before; nothing is removed. An action usually takes 2 to 10 KB: of its calls the first "
        "200 are written down, 50 of one kind. To begin a new file, stop Kennel and move this one and those whose "
        "names begin like it away. Secrets and contents of photos and files are never in it. Photos that are "
        "classified are no actions and are not listed."
    )
