"""Delete a role in two steps: switch it off first, and delete it when nobody has missed it for a while.

Switched off it keeps its name, its inline policies and its instance profiles, and can do nothing: a Deny of everything,
its managed policies detached, and a tag since when. That step is undone by one click. Deleting is not: a role that is
made anew is another one to whatever named it; its record is kept and can be exported.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call, code
from dashboard.core.errors import KennelError, NotFound, Refused
from dashboard.core.format import count
from dashboard.core.iam.documents import PolicyError
from dashboard.core.iam.replace import made, needed, refusals, restore, simulate, standing, undo
from dashboard.core.iam.replace.records import Outcome, Record, Records, What
from dashboard.core.iam.replace.standing import RETIRED, Standing, canonical
from dashboard.core.iam.replace.step import State, Step
from dashboard.core.iam.rights import Right
from dashboard.core.iam.usage import Duty, Use

WAIT_DAYS = 30
"""So long a role stays switched off before it is deleted: a monthly job has missed it by then."""
DENY = "kennel-switched-off"
"""The name of the inline policy that denies everything."""
NOTHING: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "SwitchedOff", "Effect": "Deny", "Action": "*", "Resource": "*"}],
}
PROBES = (Right("s3:ListAllMyBuckets"), Right("iam:ListRoles"), Right("sagemaker:ListTrainingJobs"))
"""Asked of the simulator once a role is switched off, besides what its policies allowed."""
MOST_PROBES = 5
SETTLE_SECONDS, PAUSE = 30.0, 2.0
Sleep = Callable[[float], None]


class Stage(StrEnum):
    """What comes next for a role that is to go."""

    SWITCH_OFF = "switch off"
    DELETE = "delete"


@dataclass(frozen=True)
class RetirePlan:
    """since: when it was switched off, None while it is not. due: from when on it may be deleted without more ado.

    used_since: when AWS last saw it used after that. uses: what works as it, as far as that was looked at.
    """

    before: Standing
    stage: Stage
    calls: tuple[Call, ...]
    order: str
    since: datetime | None = None
    due: datetime | None = None
    used_since: datetime | None = None
    uses: tuple[Use, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def role(self) -> str:
        """The name that is typed to confirm it."""
        return self.before.name

    @property
    def title(self) -> str:
        return f"{'Switch off' if self.stage is Stage.SWITCH_OFF else 'Delete'} {self.role}"

    @property
    def button(self) -> str:
        return "Switch the role off" if self.stage is Stage.SWITCH_OFF else "Delete the role"

    def is_early(self, now: datetime) -> bool:
        """Whether it is deleted before its time, or although it was used: then `early` has to be said."""
        return self.stage is Stage.DELETE and ((self.due is not None and now < self.due) or self.used_since is not None)

    def code(self, account: Account) -> str:
        """The same as Python."""
        return code(self.calls, account)


def plan(
    aws: Aws, role: str, *, uses: Sequence[Use] = (), now: datetime | None = None, wait_days: int = WAIT_DAYS
) -> RetirePlan:
    """The next step of letting a role go. uses: what is known to work as it.

    Raises Refused for a role that is not Kennel's to change or that something would miss at once, and the errors of
    `Aws.call`.
    """
    before = standing.read(aws, role)
    refusals.check(aws, before)
    now = now or datetime.now(UTC)
    since = switched_off(before)
    at_work = [one for one in uses if one.duty is not Duty.TRAINING]
    if since is None and at_work:
        raise Refused(
            f"{role} is not switched off",
            f"the {at_work[0].duty} {at_work[0].name} works as it"
            + (f", and {len(at_work) - 1} more" if len(at_work) > 1 else ""),
            "give them another role, or delete them first",
        )
    warnings = list(_warnings(aws, before, uses))
    if since is None:
        calls = _switch_off_calls(before, now)
        order = tags.order(before.digest, Stage.SWITCH_OFF)
        return RetirePlan(before, Stage.SWITCH_OFF, calls, order, uses=tuple(uses), warnings=tuple(warnings))
    used = before.last_used if before.last_used and before.last_used > since else None
    if used:
        warnings.insert(0, f"it was used since it was switched off, at {used:%Y-%m-%d %H:%M} UTC: somebody may miss it")
    order = tags.order(before.digest, Stage.DELETE)
    due = since + timedelta(days=wait_days)
    calls = _delete_calls(before)
    return RetirePlan(before, Stage.DELETE, calls, order, since, due, used, tuple(uses), tuple(warnings))


def switched_off(role: Standing) -> datetime | None:
    """Since when a role is switched off by Kennel, None when it is not. A tag alone is not enough."""
    if canonical(role.inline.get(DENY)) != canonical(NOTHING):
        return None
    try:
        found = datetime.fromisoformat(role.tags.get(RETIRED, ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def apply(
    aws: Aws,
    planned: RetirePlan,
    *,
    early: bool = False,
    records: Records | None = None,
    sleep: Sleep = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Step]:
    """Do the step, and tell of it. Should one of its requests fail, the role gets back what it had.

    early: delete it before its time, or although it was used since; the page has that typed.
    """
    kept = records or Records.kept()
    work = _Retirement(aws, planned, kept, sleep, now, early)
    number, settled = 0, False
    try:
        for number, (title, do) in enumerate(work.stages(), 1):
            yield Step(number, title, State.RUNNING)
            failed, said = "", ""
            try:
                said = do()
            except KennelError as error:
                failed = str(error)
            if failed:
                yield Step(number, title, State.FAILED, failed)
                settled = True
                yield from work.take_back(number + 1, failed)
                return
            yield Step(number, title, State.DONE, said)
        settled = True
    finally:
        if not settled:
            for _ in work.take_back(number + 1, "it was broken off"):
                pass


@dataclass
class _Retirement:
    aws: Aws
    plan: RetirePlan
    records: Records
    sleep: Sleep
    now: Callable[[], datetime]
    early: bool
    record: Record | None = None

    def stages(self) -> list[tuple[str, Callable[[], str]]]:
        start = [(f"See that {self.plan.role} is as planned", self._look), ("Write down how it is", self._write_down)]
        if self.plan.stage is Stage.DELETE:
            return [*start, (f"Delete {self.plan.role}", self._delete)]
        return [
            *start,
            ("Deny it everything and detach its policies", self._send),
            ("Simulate that it can do nothing", self._simulate),
        ]

    def take_back(self, first: int, why: str) -> Iterator[Step]:
        if self.record is None or self.record.outcome is not Outcome.UNDER_WAY:
            return
        self.record = replace(self.record, detail=why)
        yield from undo.back(self.aws, self.record, self.records, sleep=self.sleep, now=self.now, first=first)
        if self.plan.stage is Stage.DELETE:
            for profile in self.plan.before.profiles:
                asked = {"InstanceProfileName": profile, "RoleName": self.plan.role}
                made.make(self.aws, Call("iam", "AddRoleToInstanceProfile", asked, "puts it back"))

    def _look(self) -> str:
        present = standing.read(self.aws, self.plan.role)
        refusals.check(self.aws, present)
        if present.digest != self.plan.before.digest:
            raise Refused(f"{self.plan.role} has changed since this was planned", "somebody changed it", "look again")
        if self.plan.is_early(self.now()) and not self.early:
            due = f"it is due on {self.plan.due:%Y-%m-%d}" if self.plan.due else "it is not due"
            used = ", and it was used since" if self.plan.used_since else ""
            raise Refused(f"{self.plan.role} is not deleted yet", f"{due}{used}", "wait, or say that it goes at once")
        return f"It is as it was when this was planned (hash {present.digest[:12]})"

    def _write_down(self) -> str:
        before, off = self.plan.before, self.plan.stage is Stage.SWITCH_OFF
        record = Record(
            id="",
            account=self.aws.account.account_id,
            target=before.arn,
            what=What.SWITCH_OFF if off else What.DELETE,
            outcome=Outcome.UNDER_WAY,
            at=self.now(),
            before=before,
            after=replace(before, attached=(), inline={**before.inline, DENY: NOTHING} if off else {}),
            mark=self.plan.order,
        )
        self.record = self.records.begin(record)
        return f"Kept as record {self.record.id}: its policies, its trust, its tags"

    def _send(self) -> str:
        for call in self.plan.calls:
            try:
                self.aws.call(call.service, call.operation, **call.parameters)
            except NotFound:
                if call.operation != "DetachRolePolicy":
                    raise
        detached = count(len(self.plan.before.attached), "policy", "policies")
        inline = f"; {count(len(self.plan.before.inline), 'inline policy', 'inline policies')} beside the Deny"
        return f"{detached} detached{f'{inline}, counting for nothing' if self.plan.before.inline else ''}"

    def _simulate(self) -> str:
        asked = (*_could(self.plan.before), *PROBES)
        left = SETTLE_SECONDS
        while True:
            found = simulate.of_role(self.aws, self.plan.before.arn, asked)
            open_still = [one for one in found if not one.is_explicit]
            if not open_still:
                break
            if left <= 0:
                raise Refused(f"{self.plan.role} is not switched off", open_still[0].sentence, "try again in a minute")
            self.sleep(PAUSE)
            left -= PAUSE
        self._finish()
        return f"IAM's simulator denies all {len(asked)} rights that it was asked about"

    def _delete(self) -> str:
        try:
            made.delete_role(self.aws, self.plan.role)
        except KennelError:
            if self._is_there():
                raise
        self._finish()
        return "It is gone; its record stays and can be downloaded"

    def _is_there(self) -> bool:
        try:
            self.aws.call("iam", "GetRole", RoleName=self.plan.role)
        except NotFound:
            return False
        return True

    def _finish(self) -> None:
        if self.record is not None:
            self.record = self.records.save(replace(self.record, outcome=Outcome.DONE), self.now())


def _could(before: Standing) -> tuple[Right, ...]:
    """Some of what it could do, as far as its policies can be judged."""
    try:
        return needed.of_policy(before.documents)[:MOST_PROBES]
    except PolicyError:
        return ()


def _switch_off_calls(before: Standing, now: datetime) -> tuple[Call, ...]:
    """The Deny first, so that nothing is half allowed; then the tag, then the detaching."""
    name = before.name
    deny = {"RoleName": name, "PolicyName": DENY, "PolicyDocument": canonical(NOTHING)}
    mark = {"RoleName": name, "Tags": tags.listed({RETIRED: f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S+00:00}"})}
    after = replace(before, attached=(), inline=before.inline)
    return (
        Call("iam", "PutRolePolicy", deny, "denies it everything"),
        Call("iam", "TagRole", mark, "marks it as switched off, and since when"),
        *restore.forward(before, after),
    )


def _delete_calls(before: Standing) -> tuple[Call, ...]:
    name = before.name
    found = [
        Call(
            "iam",
            "RemoveRoleFromInstanceProfile",
            {"InstanceProfileName": one, "RoleName": name},
            f"takes it from {one}",
        )
        for one in before.profiles
    ]
    nothing = replace(before, attached=(), inline={})
    gone = Call("iam", "DeleteRole", {"RoleName": name}, f"deletes the role {name}")
    return (*found, *restore.forward(before, nothing), gone)


def _warnings(aws: Aws, before: Standing, uses: Sequence[Use]) -> Iterator[str]:
    if not aws.account.writable:
        yield "this account is connected read-only: it will be refused"
    jobs = [one for one in uses if one.duty is Duty.TRAINING]
    if jobs:
        last = max((one.last for one in jobs if one.last), default=None)
        when = f", the last at {last:%Y-%m-%d %H:%M} UTC" if last else ""
        yield f"{len(jobs):,} training jobs worked as it{when}; one that runs loses its rights at once"
    if before.profiles:
        yield f"it is in the instance profile {', '.join(before.profiles)}"
