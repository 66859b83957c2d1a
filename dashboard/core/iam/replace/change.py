"""Replace a role's rights by a proposal in seven steps, or take all of it back.

1 may it be changed · 2 write down how it is · 3 compare the rights · 4 simulate the new policies alone · 5 attach them
beside the old ones · 6 simulate the role as if the old ones were gone · 7 take the old ones off and simulate once more.
Whatever fails, at whichever request, the role gets back what it had, and the record says how it ended.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, NotFound, Refused
from dashboard.core.format import count
from dashboard.core.iam.documents import PolicyError
from dashboard.core.iam.replace import made, moves, refusals, restore, simulate, standing, undo
from dashboard.core.iam.replace.change_plan import ChangePlan, plan
from dashboard.core.iam.replace.records import Outcome, Record, Records, What
from dashboard.core.iam.replace.simulate import Simulated
from dashboard.core.iam.replace.step import State, Step
from dashboard.core.iam.rights import Right

__all__ = ["ChangePlan", "apply", "plan"]

T = TypeVar("T")
SETTLE_SECONDS = 30.0
"""IAM tells all of its servers of a change within seconds; so long what was just done is looked for again."""
PAUSE = 2.0
MOST_EVIDENCE = 12
Sleep = Callable[[float], None]
Told = tuple[str, tuple[str, ...]]
"""What a step says in the end: a sentence, and its evidence."""


def apply(
    aws: Aws,
    planned: ChangePlan,
    *,
    records: Records | None = None,
    sleep: Sleep = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Step]:
    """Carry a plan out and tell of it: each step as it begins and as it ends.

    A step that fails is followed by one that undoes everything; nothing is raised then. Whoever stops listening half
    way (`close`) has it undone as well. What is as planned already is left so.
    """
    change = _Change(aws, planned, records or Records.kept(), sleep, now)
    number, settled = 0, False
    try:
        for number, (title, work) in enumerate(change.stages(), 1):
            yield Step(number, title, State.RUNNING)
            failed: str | None = None
            try:
                said, evidence = work()
            except (KennelError, PolicyError) as error:
                failed = str(error)
            if failed is not None:
                yield Step(number, title, State.FAILED, failed)
                settled = True
                yield from change.take_back(number + 1, failed)
                return
            yield Step(number, title, State.DONE, said, evidence)
            if change.is_done_already:
                break
        settled = True
    finally:
        if not settled:  # the page went away, or a fault of our own: nothing stays half done
            for _ in change.take_back(number + 1, "it was broken off"):
                pass


@dataclass
class _Change:
    """A change under way. record: None until it is written down."""

    aws: Aws
    plan: ChangePlan
    records: Records
    sleep: Sleep
    now: Callable[[], datetime]
    record: Record | None = None
    is_done_already: bool = False

    def stages(self) -> Iterable[tuple[str, Callable[[], Told]]]:
        role, new = self.plan.role, self.plan.after.name
        start = [
            (f"See that {role} may be changed and is as planned", self._look),
            ("Write down how it is", self._write_down),
            ("Compare its rights before and after", self._compare),
            ("Simulate the new policies alone", self._simulate_alone),
        ]
        if self.plan.is_split:
            return [
                *start,
                (f"Make the role {new} with its policies", self._make_role),
                (f"Simulate {new}", self._simulate_new),
                (f"Move what works as {role} for this", self._move),
            ]
        return [
            *start,
            ("Attach the new policies beside the old ones", self._attach),
            ("Simulate the role as if the old ones were gone", self._simulate_without),
            ("Take the old ones off, and simulate again", self._take_off),
        ]

    def take_back(self, first: int, why: str) -> Iterator[Step]:
        """Undo what was done, if anything can have been."""
        if self.record is None or self.record.outcome is not Outcome.UNDER_WAY:
            return
        self.record = replace(self.record, detail=why)
        yield from undo.back(self.aws, self.record, self.records, sleep=self.sleep, now=self.now, first=first)

    def _look(self) -> Told:
        present = standing.read(self.aws, self.plan.role)
        refusals.check(self.aws, present)
        if present.digest == self.plan.before.digest:
            return f"It is as it was when this was planned (hash {present.digest[:12]})", ()
        if not self.plan.is_split and present.digest == self.plan.after.digest:
            self.is_done_already = True
            return "It is as proposed already: an earlier click did it", ()
        raise Refused(
            f"the role {self.plan.role} has changed since this was planned",
            "its policies, its trust or its boundary are others",
            "look at its policies and at the proposal again",
        )

    def _write_down(self) -> Told:
        split = self.plan.is_split
        made_arns = tuple(one.arn for one in self.plan.policies)
        record = Record(
            id="",
            account=self.aws.account.account_id,
            target=self.plan.before.arn,
            what=What.SPLIT if split else What.CHANGE,
            outcome=Outcome.UNDER_WAY,
            at=self.now(),
            before=self.plan.before,
            after=self.plan.after,
            new_role=self.plan.after.name if split else "",
            made=made_arns,
            mark=self.plan.order,
            more={"new_arn": self.plan.after.arn, "moves": [dict(one) for one in self.plan.moved]} if split else {},
        )
        self.record = self.records.begin(record)
        before = self.plan.before
        kept = [f"{one.name} {one.version}" for one in before.attached] + [f"{one} (inline)" for one in before.inline]
        limit = f"boundary {before.boundary.name}" if before.boundary else "no boundary"
        return f"Kept as record {self.record.id}, to go back to", (*kept, "its trust policy", limit)

    def _compare(self) -> Told:
        found = self.plan.difference
        if found.gained and not self.plan.is_split:
            raise Refused("the new policies give more than the old ones", found.gained[0], "plan it anew")
        said = f"{count(len(found.lost), 'action')} gone, {len(found.changed):,} on less than before, none added"
        return said, tuple(found.lost[:MOST_EVIDENCE])

    def _simulate_alone(self) -> Told:
        after = self.plan.after
        found = simulate.of_documents(self.aws, after.documents, self.plan.needed, after.boundary_document)
        denied = simulate.of_documents(self.aws, after.documents, self.plan.dropped, after.boundary_document)
        return self._judged(found, denied)

    def _attach(self) -> Told:
        present = standing.read(self.aws, self.plan.role)
        if present.digest != self.plan.before.digest:
            raise Refused(f"the role {self.plan.role} was changed meanwhile", "somebody else did", "look at it again")
        self._make_and_attach(self.plan.role)
        return f"{_names(self.plan.policies)} beside {_names(self.plan.before.attached) or 'what it has inline'}", ()

    def _make_role(self) -> Told:
        for call in self.plan.calls:
            if call.operation == "CreateRole":
                made.make(self.aws, call)
        self._make_and_attach(self.plan.after.name)
        return f"{self.plan.after.name} has {_names(self.plan.policies)}", ()

    def _make_and_attach(self, role: str) -> None:
        for call in self.plan.calls:
            if call.operation in ("CreatePolicy", "CreateInstanceProfile"):
                made.make(self.aws, call)
        for call in self.plan.calls:
            new = {one.arn for one in self.plan.policies}
            if call.operation == "AttachRolePolicy" and call.parameters["PolicyArn"] in new:
                self._patiently(partial(self.aws.call, call.service, call.operation, **call.parameters))
            if call.operation == "AddRoleToInstanceProfile":
                made.make(self.aws, call)

    def _simulate_without(self) -> Told:
        old = [one.arn for one in self.plan.before.attached if one not in self.plan.after.attached]
        inline = list(self.plan.before.inline)

        def ask(rights: tuple[Right, ...]) -> tuple[Simulated, ...]:
            return simulate.of_role(self.aws, self.plan.before.arn, rights, without=old, without_inline=inline)

        return self._settling(ask)

    def _simulate_new(self) -> Told:
        arn = self.plan.after.arn
        return self._settling(lambda rights: simulate.of_role(self.aws, arn, rights))

    def _take_off(self) -> Told:
        for call in restore.forward(self.plan.before, self.plan.after):
            try:
                self.aws.call(call.service, call.operation, **call.parameters)
            except NotFound:
                if not call.operation.startswith(("Detach", "Delete")):
                    raise
        said, evidence = self._settling(lambda rights: simulate.of_role(self.aws, self.plan.before.arn, rights))
        present = standing.read(self.aws, self.plan.role)
        if present.digest != self.plan.after.digest:
            raise Refused(
                f"the role {self.plan.role} is not as planned", "somebody else changed it", "look at it again"
            )
        self._finish()
        return f"{said}; the role has {_names(present.attached)} alone", evidence

    def _move(self) -> Told:
        old, new = self.plan.before.arn, self.plan.after.arn
        for one in self.plan.moved:
            self._patiently(partial(moves.do, self.aws, one, old, new, self.plan.order, sleep=self.sleep))
        self._finish()
        done = tuple(one.says for one in self.plan.moves if one.by_kennel)
        left = tuple(f"still to do: {one.says}" for one in self.plan.moves if not one.by_kennel)
        moved = (
            f"{count(len(done), 'thing')} of {self.plan.role} moved to it" if done else "nothing had to be moved to it"
        )
        rest = f"; {count(len(left), 'thing')} to do by people, told below" if left else ""
        said = f"the role {self.plan.after.name} is ready, {moved}{rest}. {self.plan.role} keeps all that it has"
        return said, (*done, *left)

    def _finish(self) -> None:
        if self.record is not None:
            self.record = self.records.save(replace(self.record, outcome=Outcome.DONE), self.now())

    def _settling(self, ask: Callable[[tuple[Right, ...]], tuple[Simulated, ...]]) -> Told:
        """Simulate until what was just done is to be seen."""
        return self._patiently(lambda: self._judged(ask(self.plan.needed), ask(self.plan.dropped)))

    def _patiently(self, work: Callable[[], T]) -> T:
        """What `work` returns; done again while IAM may not know everywhere yet what was just made."""
        left = SETTLE_SECONDS
        while True:
            try:
                return work()
            except (NotFound, Refused):
                if left <= 0:
                    raise
            self.sleep(PAUSE)
            left -= PAUSE

    def _judged(self, needed: tuple[Simulated, ...], dropped: tuple[Simulated, ...]) -> Told:
        """What a simulation says. Raises Refused where something needed is missing, or something dropped is left."""
        wrong = [one for one in needed if not one.is_allowed or one.missing]
        if wrong:
            raise Refused(
                "what the role needs would not work",
                "; ".join(one.sentence for one in wrong[:3]),
                "nothing is taken off it; mend the proposal",
            )
        left = [one for one in dropped if one.is_allowed]
        if left:
            what = "; ".join(one.sentence for one in left[:3])
            raise Refused("what was to go is still allowed", what, "nothing stays changed; look at its other policies")
        said = f"IAM's simulator allows all {len(needed)} rights that are needed and none of {len(dropped)} that go"
        return said, tuple(one.sentence for one in (*needed, *dropped)[:MOST_EVIDENCE])


def _names(policies: Iterable[standing.Attached]) -> str:
    return ", ".join(one.name for one in policies)
