"""Take a deed back: a plan of its own, offered only while everything is still as the deed left it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call, code, send
from dashboard.core.errors import KennelError, Refused
from dashboard.core.parallel import gather
from dashboard.core.trail import redact
from dashboard.core.trail.inverse import INVERSES, STAYS
from dashboard.core.trail.model import Deed, Noted
from dashboard.core.trail.way_scaling import SCALING


@dataclass(frozen=True)
class Step:
    """One call of the deed, and what takes it back."""

    noted: Noted
    calls: tuple[Call, ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.noted.service, self.noted.operation


@dataclass(frozen=True)
class UndoPlan:
    """What undoing sends, the last call of the deed first. stays, costs: what it leaves, and what is paid again."""

    deed: Deed
    steps: tuple[Step, ...]
    stays: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()

    @property
    def calls(self) -> tuple[Call, ...]:
        return tuple(call for step in self.steps for call in step.calls)

    def code(self, account: Account) -> str:
        """The same as Python."""
        return code(self.calls, account)


def why_not(deed: Deed) -> str:
    """Why a deed can never be taken back, "" where it may be: as far as the trail alone tells. Pure."""
    if not deed.result.is_over:
        return "it is not over, or nobody knows how it ended"
    if deed.more:
        return "it sent more calls than are written down one by one"
    done = [one for one in deed.calls if one.is_accepted]
    if not done:
        return "it changed nothing in an account"
    for one in done:
        key = (one.service, one.operation)
        if key in STAYS:
            continue
        if key not in INVERSES:
            if one.operation.startswith("Create"):
                return f"it made something ({one.service} {one.operation}), and an undo deletes nothing"
            return f"what {one.service} {one.operation} did cannot be taken back"
        if one.before is None or one.left is None:
            why = f" ({one.unread})" if one.unread else ""
            return f"how it was before {one.operation}, or was left, is not known{why}"
        if one.before == one.left:
            continue
        back = INVERSES[key].back(one.parameters, one.before)
        if not back:
            return f"what {one.service} {one.operation} did does not come back by itself"
        if not all(redact.is_whole(dict(call.parameters)) for call in back):
            return f"what takes {one.service} {one.operation} back is not written down whole"
    if not _changed(deed):
        return "it changed nothing that an undo brings back"
    return ""


def plan(aws: Aws, deed: Deed) -> UndoPlan:
    """What undoing it would send now.

    Raises Refused for what cannot be undone or was changed since, and the errors of `Aws.call`.
    """
    if why := why_not(deed):
        raise _refused(deed, why, "do the opposite by hand")
    if deed.place is None or (deed.place.account_id, deed.place.region) != (
        aws.account.account_id,
        aws.account.region,
    ):
        where = deed.place.words if deed.place else "no account"
        raise _refused(deed, f"it was done in {where}", "choose that account and region, then undo it")
    steps = [
        Step(one, tuple(INVERSES[one.service, one.operation].back(one.parameters, one.before or {})))
        for one in reversed(_changed(deed))
    ]
    for one, present in zip(steps, gather(lambda step: _present(aws, step.noted), steps), strict=True):
        if present != one.noted.left:
            what = f"what {one.noted.operation} changed is not as it was left"
            raise _refused(deed, f"{what}: somebody changed it since", "look at how it is now, and change that")
    accepted = [one for one in deed.calls if one.is_accepted]
    stays = dict.fromkeys(
        STAYS[one.service, one.operation] for one in accepted if (one.service, one.operation) in STAYS
    )
    costs = dict.fromkeys(INVERSES[step.key].costs for step in steps if _costs(step))
    return UndoPlan(deed, tuple(steps), tuple(stays), tuple(costs))


def apply(aws: Aws, planned: UndoPlan) -> str:
    """Undo it, and say so. Sent again, or after half of it, it changes nothing more.

    Each part is looked at once more: what is as before is left alone. Raises Refused for what somebody changed in the
    meantime, and the errors of `Aws.call`.
    """
    for step in planned.steps:
        present = _present(aws, step.noted)
        if _is_back(present, step.noted.before or {}):
            continue
        if present != step.noted.left and not _is_touched(planned, step):
            raise _refused(planned.deed, f"what {step.noted.operation} changed is another by now", "look at it again")
        for call in step.calls:
            send(aws, call)
    return f"Undone: {planned.deed.what}"


def _is_back(present: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether a thing is as it was. A target whose policies were removed first had none when it went, and has them
    again by a later part of the undo.
    """
    if not before or not present:
        return present == before
    parts = ("policies", "scheduled")
    return all(
        value.items() <= present.get(name, {}).items() if name in parts else present.get(name) == value
        for name, value in before.items()
    ) and all(name in before or name in parts for name in present)


def _is_touched(planned: UndoPlan, step: Step) -> bool:
    """Whether an earlier part of this undo may have changed the same: a scalable target takes its policies along."""
    earlier = planned.steps[: planned.steps.index(step)]
    return any(one.key[0] == step.key[0] == SCALING for one in earlier)


def _changed(deed: Deed) -> list[Noted]:
    """What it changed that can be brought back, each thing once: by the first call that changed it."""
    found: dict[str, Noted] = {}
    for one in deed.calls:
        if one.is_accepted and (one.service, one.operation) in INVERSES and one.before != one.left:
            found.setdefault(INVERSES[one.service, one.operation].thing(one.parameters), one)
    return list(found.values())


def _present(aws: Aws, one: Noted) -> Mapping[str, Any]:
    found = INVERSES[one.service, one.operation].read(aws, one.parameters)
    return redact.parameters(found)


def _costs(step: Step) -> bool:
    """Whether taking it back begins to cost something: to start it, or to have more of it than now."""
    inverse = INVERSES[step.key]
    return bool(inverse.costs) and bool(step.noted.before) and (step.noted.before or {}).get("runs", True) is not False


def _refused(deed: Deed, why: str, next_step: str) -> Refused:
    return Refused(f"“{deed.what}” cannot be undone", why, next_step)


def offered(aws: Aws, deed: Deed) -> tuple[UndoPlan | None, str]:
    """The plan where an undo can be offered now, else why not."""
    try:
        return plan(aws, deed), ""
    except KennelError as error:
        return None, ". ".join(part for part in (error.why or error.what, error.next_step) if part)
