"""Take a change of a role back: by the record that was written before it, whatever became of it in between.

Used at once when a step of a change fails, and later by one click. What others changed since stays, and is said; what
the role had not before the change it does not get by undoing it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call, code, send
from dashboard.core.errors import AccessDenied, KennelError, NotFound, ReadOnly, Refused
from dashboard.core.iam import effective
from dashboard.core.iam.replace import made, moves, restore, standing
from dashboard.core.iam.replace.records import Outcome, Record, Records, What
from dashboard.core.iam.replace.restore import Back
from dashboard.core.iam.replace.standing import RETIRED, Standing, canonical
from dashboard.core.iam.replace.step import State, Step

T = TypeVar("T")

ATTEMPTS = 3
"""So often a request is sent while undoing: what failed once may work, and half an undo helps nobody."""
PAUSE = 1.0
Sleep = Callable[[float], None]


@dataclass(frozen=True)
class UndoPlan:
    """calls: what is sent, () when nothing is left to undo. stays: what others changed since, a sentence each."""

    record: Record
    calls: tuple[Call, ...] = ()
    stays: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.calls

    @property
    def title(self) -> str:
        return f"Undo the change of {self.record.name}"

    @property
    def button(self) -> str:
        return "Undo"

    def code(self, account: Account) -> str:
        """The same as Python."""
        return code(self.calls, account)


def plan(aws: Aws, record: Record) -> UndoPlan:
    """What undoing would send now. Raises Refused for what cannot be undone, and the errors of `Aws.call`."""
    if record.what is What.DELETE:
        raise Refused(
            f"the deletion of {record.name} cannot be undone",
            "a role that is made anew is another one to whatever named it",
            "its record can be downloaded; make a role from that",
        )
    if record.what is What.SPLIT:
        return UndoPlan(record, tuple(_split_calls(aws, record)), warnings=_warnings(aws))
    if record.before is None or record.after is None:
        raise Refused(f"the change of {record.name} cannot be undone here", "it is of a policy", "see its own record")
    present, undone = _looked(aws, record.before, record.after)
    calls = (*undone.calls, *_untag(record, present), *_delete_calls(aws, record))
    return UndoPlan(record, calls, undone.stays, _warnings(aws))


def apply(
    aws: Aws,
    planned: UndoPlan,
    *,
    records: Records | None = None,
    sleep: Sleep = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Step]:
    """Undo it, and tell of it step by step. Done twice it changes nothing more.

    The role is read again first; each request is tried a few times. A failure is told in a step, and leaves the record
    open, so that it can be undone once more.
    """
    kept = records or Records.kept()
    yield from back(aws, planned.record, kept, sleep=sleep, now=now)


def back(
    aws: Aws, record: Record, records: Records, *, sleep: Sleep, now: Callable[[], datetime], first: int = 1
) -> Iterator[Step]:
    """As `apply`, for whoever has no plan of it: a change that failed. first: the number of the first step."""
    title = f"Give {record.name} back what it was"
    yield Step(first, title, State.RUNNING, undoes=True)
    try:
        told = take_back(aws, record, sleep=sleep)
    except KennelError as error:
        records.save(replace(record, outcome=Outcome.UNDO_FAILED, detail=str(error)), now())
        yield Step(
            first, title, State.FAILED, f"{error} · undo it again: what was undone already stays so", undoes=True
        )
        return
    records.save(replace(record, outcome=Outcome.UNDONE, detail="; ".join(told)), now())
    evidence = ("its policies and its trust are those of the record, as read once more",)
    said = f"All of it is as it was, but {'; '.join(told)}" if told else "All of it is as it was"
    yield Step(first, title, State.DONE, said, evidence, undoes=True)


def take_back(aws: Aws, record: Record, *, sleep: Sleep) -> tuple[str, ...]:
    """Undo a change and look whether it is undone; what stays, a sentence each.

    Raises the errors of `Aws.call`, and Refused where it would give the role more than it had.
    """
    if record.what is What.SPLIT:
        return _split_back(aws, record, sleep)
    if record.before is None or record.after is None:
        return ()
    look = partial(_looked, aws, record.before, record.after)
    present, undone = trying(look, sleep)
    for call in (*undone.calls, *_untag(record, present)):
        trying(partial(send, aws, call), sleep)
    stays = (*undone.stays, *trying(lambda: made.delete_policies(aws, record.made, record.mark), sleep))
    _, left = trying(look, sleep)
    if left.calls:
        what = f"what “{left.calls[0].does}” was to do is not to be seen yet"
        raise Refused(f"{record.name} is not as it was", what, "undo it again in a minute")
    return stays


def trying(work: Callable[[], T], sleep: Sleep) -> T:
    """What `work` returns. It is done again a few times: half an undo helps nobody. Raises what it raised last."""
    for attempt in range(1, ATTEMPTS):
        try:
            return work()
        except (AccessDenied, ReadOnly, Refused):
            raise  # the same answer would come again
        except KennelError:
            sleep(PAUSE * attempt)
    return work()


def _looked(aws: Aws, before: Standing, after: Standing) -> tuple[Standing, Back]:
    """The role as it is, and what brings it back. Raises Refused where the role is another one by now."""
    present = standing.read(aws, before.name)
    if present.role_id != before.role_id:
        raise Refused(
            f"{before.name} cannot be given back what it had",
            "the role was deleted since and made anew",
            "its record can be downloaded",
        )
    undone = restore.back(before, after, present)
    calls, stays = [], list(undone.stays)
    for call in undone.calls:
        why = _not_given(aws, before, present, call) if call.operation == "AttachRolePolicy" else ""
        if why:
            stays.append(why)
        else:
            calls.append(call)
    return present, replace(undone, calls=tuple(calls), stays=tuple(stays))


def _not_given(aws: Aws, before: Standing, present: Standing, call: Call) -> str:
    """Why a policy is not attached again, "" when it is. It may have been deleted, or may say more than it did."""
    arn = call.parameters["PolicyArn"]
    old = next(one for one in before.attached if one.arn == arn)
    try:
        now = standing.policy(aws, old.name, arn)
    except NotFound:
        return f"the policy {old.name} was deleted since and cannot be attached again; the record has its text"
    if canonical(now.document) == canonical(old.document):
        return ""
    more = effective.widens((*before.documents, *present.documents), None, (now.document,), None, ())
    if more:
        return f"the policy {old.name} allows more by now than it did ({more[0]}), and is not attached again"
    return ""


def _untag(record: Record, present: Standing) -> tuple[Call, ...]:
    """The mark of a role that was switched off."""
    if record.what is not What.SWITCH_OFF or RETIRED not in present.tags:
        return ()
    asked = {"RoleName": present.name, "TagKeys": [RETIRED]}
    return (Call("iam", "UntagRole", asked, "takes the mark off that it is switched off"),)


def _delete_calls(aws: Aws, record: Record) -> tuple[Call, ...]:
    """The policies that the change made and that go when nothing has them any more."""
    return tuple(
        Call("iam", "DeletePolicy", {"PolicyArn": arn}, f"deletes the policy {arn.rpartition('/')[2]} made for it")
        for arn in record.made
        if made.is_of(aws, arn, record.mark)
    )


def _split_calls(aws: Aws, record: Record) -> tuple[Call, ...]:
    """The last requests of undoing a split, for its dialog: each is sent only as far as it is still to be done."""
    try:
        standing.read(aws, record.new_role)
    except NotFound:
        return _delete_calls(aws, record)
    moved = [one.get("function") or one.get("endpoint") for one in record.more.get("moves", ())]
    said = f"; {', '.join(moved)} work as {record.name} again before" if moved else ""
    asked = {"RoleName": record.new_role}
    gone = Call("iam", "DeleteRole", asked, f"deletes the role {record.new_role} with its policies{said}")
    return (gone, *_delete_calls(aws, record))


def _split_back(aws: Aws, record: Record, sleep: Sleep) -> tuple[str, ...]:
    """What was moved goes back first; the new role goes when nothing of ours works as it."""
    old, new = record.target, record.more["new_arn"]
    stays = [
        trying(partial(moves.back, aws, one, old, new, sleep=sleep), sleep) for one in record.more.get("moves", ())
    ]
    trying(lambda: made.delete_role(aws, record.new_role, record.mark), sleep)
    stays += trying(lambda: made.delete_policies(aws, record.made, record.mark), sleep)
    return tuple(one for one in stays if one)


def _warnings(aws: Aws) -> tuple[str, ...]:
    if aws.account.writable:
        return ()
    return ("this account is connected read-only: it will be refused",)
