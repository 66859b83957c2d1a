"""Prove a proposal before it is applied: what was recorded is replayed, something small runs again, what goes is tried.

A proof by replay and rerun needs an account in which nothing costs anything: the embedded AWS, whose front holds every
role to its policies. On a real account nothing is made: IAM's simulator is asked, and that is called what it is.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, Refused, ServiceFault
from dashboard.core.format import count
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.recorded import Recorded
from dashboard.core.iam.replace import (
    needed,
    probes,
    refusals,
    rerun_endpoint,
    rerun_function,
    rerun_instance,
    rerun_training,
    simulate,
    trial,
)
from dashboard.core.iam.replace.change_plan import used
from dashboard.core.iam.replace.proof import Nature, Proof, ProofPlan
from dashboard.core.iam.replace.rerun import NotRunError, Rerun, Running, StoppedError, Told
from dashboard.core.iam.replace.standing import Standing
from dashboard.core.iam.replace.step import State, Step
from dashboard.core.iam.replace.trial import Trial
from dashboard.core.iam.rights import Right
from dashboard.core.iam.seen import observed, trail_files
from dashboard.core.iam.usage import Duty, Use

__all__ = ["Nature", "Proof", "ProofPlan", "plan", "run"]

MOST_EVIDENCE = 20
SETTLE_SECONDS, PAUSE = 20.0, 1.0
"""So long a role that was just made is waited for."""
RECORD_SECONDS = 90.0
"""So long what the trial role did is looked for in CloudTrail, by AWS's clock."""
RERUNS: dict[Duty, Rerun] = {
    Duty.TRAINING: rerun_training.run,
    Duty.ENDPOINT: rerun_endpoint.run,
    Duty.FUNCTION: rerun_function.run,
    Duty.INSTANCE: rerun_instance.run,
}


def plan(aws: Aws, proposal: Proposal, *, recorded: Recorded | None = None, uses: Sequence[Use] = ()) -> ProofPlan:
    """What a proof would do. recorded: the role's calls; uses: of the role. Changes nothing.

    Raises Refused for a role that is not Kennel's to change and where a policy cannot be judged, and the errors of
    `Aws.call`.
    """
    return refusals.planned(aws, proposal, lambda before: _planned(aws, proposal, before, recorded, uses))


def _planned(
    aws: Aws, proposal: Proposal, before: Standing, recorded: Recorded | None, uses: Sequence[Use]
) -> ProofPlan:
    # only where nothing costs anything and the roles are the account's own to try
    nature = Nature.RERUN if aws.account.is_embedded else Nature.SIMULATION
    after = list(proposal.documents.values())
    mine = sorted((one for one in uses if one.duty is proposal.duty), key=lambda one: _moment(one.last), reverse=True)
    telling = probes.telling(probes.harmless(aws.account), before.documents, after)
    warnings = []
    if recorded is None or not recorded.calls:
        warnings.append("no call of this role is on record: what is replayed is what its duty is known to need")
    planned = ProofPlan(
        proposal,
        before,
        nature,
        needed.of_policy(after),
        used(recorded, proposal),
        needed.dropped(proposal, before.documents),
        telling,
        tuple(mine),
        (),
        tuple(warnings),
    )
    return replace(planned, does=tuple(title for title, _ in _stages(planned)))


def run(
    aws: Aws,
    planned: ProofPlan,
    *,
    tell: Callable[[Step], None] = lambda _: None,
    is_stopped: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    token: str = "",
) -> Proof:
    """Carry the proof out; `tell` hears of each step as it begins and as it ends. What was made for it is deleted,
    whatever became of it. A step that fails ends the proof; what could not be tried here is left out and said.
    """
    began = now()
    made = trial.planned(planned.before, planned.proposal, token or secrets.token_hex(4))
    if planned.proposal.duty is Duty.FUNCTION and planned.uses:
        made = trial.renamed(made, rerun_function.names(planned.uses, made))
    proving = _Proving(aws, planned, made, is_stopped, sleep, now, began)
    steps: list[Step] = []
    was_stopped = False
    try:
        for number, (title, name) in enumerate(_stages(planned), 1):
            tell(Step(number, title, State.RUNNING))
            if is_stopped():
                raise StoppedError
            step = proving.step(number, title, name)
            steps.append(step)
            tell(step)
            if step.state.is_failed:
                if is_stopped():  # what it was about may be the stopping
                    raise StoppedError
                break
    except StoppedError:
        was_stopped = True
        steps.append(Step(len(steps) + 1, "Stopped", State.SKIPPED, "what was made for it is deleted"))
        tell(steps[-1])
    finally:
        left = proving.clear()
    if not planned.is_simulation:
        step = Step(
            len(steps) + 1,
            "Delete what was made for it",
            State.FAILED if left else State.DONE,
            "; ".join(left) or "the trial role, its policies and what worked as it are gone",
        )
        steps.append(step)
        tell(step)
    return Proof(planned.role, planned.proposal.duty, planned.nature, tuple(steps), began, now(), was_stopped)


def _stages(planned: ProofPlan) -> Iterator[tuple[str, str]]:
    """Each step's title, and the method that does it."""
    duty = planned.proposal.duty
    if planned.is_simulation:
        yield "Simulate what is needed", "simulate"
        yield "Simulate what was recorded", "simulate_recorded"
        yield "Simulate what goes", "simulate_dropped"
        return
    yield f"Make a trial role like {planned.role} with the proposed policies", "make"
    recorded = f" and {count(len(planned.recorded), 'recorded right')}" if planned.recorded else ""
    yield f"Replay what is needed{recorded}", "replay"
    yield f"Run a small {'model deployment' if duty is Duty.ENDPOINT else duty} once more as the trial role", "rerun"
    yield "See that nothing it called was denied", "see"
    yield f"Try {count(len(planned.probes), 'right')} that would go", "probe"


@dataclass
class _Proving:
    """A proof under way."""

    aws: Aws
    plan: ProofPlan
    trial: Trial
    is_stopped: Callable[[], bool]
    sleep: Callable[[float], None]
    now: Callable[[], datetime]
    began: datetime

    def __post_init__(self) -> None:
        self.later: list[Callable[[Aws], tuple[str, ...]]] = []

    def step(self, number: int, title: str, name: str) -> Step:
        """Do one step. Raises StoppedError."""
        try:
            told: Told = getattr(self, f"_{name}")()
        except NotRunError as why:
            return Step(number, title, State.SKIPPED, str(why))
        except KennelError as error:
            return Step(number, title, State.FAILED, str(error))
        return Step(number, title, State.DONE, told.said, told.evidence)

    def clear(self) -> tuple[str, ...]:
        """Delete everything of the trial; what is left over."""
        left: list[str] = []
        for one in reversed(self.later):
            left += one(self.aws)
        return tuple(left)

    def _make(self) -> Told:
        swept = trial.sweep(self.aws, self.now())
        self.later.append(lambda aws: trial.clear(aws, self.trial))
        trial.make(self.aws, self.trial, self.plan.before, self.plan.proposal)
        limit = self.plan.before.boundary
        more = (f"within the boundary {limit.name}",) if limit else ()
        old = (f"left over by an earlier proof and deleted: {', '.join(swept)}",) if swept else ()
        return Told(
            f"the role {self.trial.name} has the proposed policies and trust", (*self.trial.policies, *more, *old)
        )

    def _replay(self) -> Told:
        rights = tuple(dict.fromkeys((*needed.of_policy(self.trial.documents), *self._renamed(self.plan.recorded))))
        left = SETTLE_SECONDS
        while True:
            found = simulate.of_role(self.aws, self.trial.arn, rights)
            wrong = [one for one in found if not one.is_allowed or one.missing]
            if not wrong or left <= 0:
                break
            self.sleep(PAUSE)
            left -= PAUSE
        if wrong:
            raise Refused(
                f"{len(wrong):,} of {count(len(rights), 'right')} would be denied",
                wrong[0].sentence,
                "add it to the proposal",
            )
        noted = f"; {len(self.plan.recorded):,} of them on record" if self.plan.recorded else "; none is on record"
        said = f"the trial role is allowed {count(len(rights), 'different right')}{noted}"
        return Told(said, _lines(one.sentence for one in found))

    def _rerun(self) -> Told:
        again = RERUNS.get(self.plan.proposal.duty)
        if again is None:
            raise NotRunError(f"a {self.plan.proposal.duty} cannot be run here")
        if not self.plan.uses:
            raise NotRunError(f"nothing is known that works as {self.plan.role}")
        running = Running(
            self.aws, self.trial, self.plan.before.arn, self.plan.uses, self.sleep, self.is_stopped, self.later
        )
        return again(running)

    def _see(self) -> Told:
        """What the trial role called, as recorded. What it was denied it lacks, whether or not its work went on."""
        found = self._observed()
        denied = [one for one in found.calls if one.denied]
        lacks = [one.right for one in denied if self._has_today(one.right)]
        if lacks:
            named = [f"{one.action} on {one.resource}" for one in lacks]
            rest = f" and {len(named) - MOST_EVIDENCE} more" if len(named) > MOST_EVIDENCE else ""
            raise Refused(
                f"{count(len(lacks), 'right')} that its work asked for and {self.plan.role} has today: denied",
                f"{'; '.join(named[:MOST_EVIDENCE])}{rest}",
                f"let the work run once more as {self.plan.role}: what it uses then is on record, and in the proposal",
            )
        if not found.calls:
            return Told("CloudTrail has no call of the trial role on record yet: only its work's own end speaks for it")
        calls = count(sum(one.count for one in found.calls), "call")
        none = f"{len(denied)} denied, as they are to {self.plan.role} today" if denied else "none denied"
        said = f"{calls} of {count(len(found.calls), 'right')}, {none}"
        return Told(said, _lines(f"{one.right.action} on {one.right.resource}: {one.count}×" for one in found.calls))

    def _has_today(self, right: Right) -> bool:
        """Whether the role that the trial stands for may do it: what it may not do either, is no loss."""
        resource = right.resource
        if self.plan.proposal.duty is Duty.FUNCTION and self.plan.uses:
            for old, new in rerun_function.names(self.plan.uses[:1], self.trial).items():
                resource = resource.replace(new, old)
        before = self.plan.before
        return evaluate(before.documents, right.action, resource, right.context, before.boundary_document).allowed

    def _observed(self) -> Recorded:
        """The trial role's calls, waited for as long as a trail takes to write them down, where there is one."""
        left = RECORD_SECONDS / self.aws.account.time_scale if trail_files.trails_of(self.aws) else 0.0
        while True:
            found = observed.read(self.aws, self.trial.arn, self.began - timedelta(seconds=1), now=self.now)
            if found.calls or left <= 0:
                return found
            if self.is_stopped():
                raise StoppedError
            self.sleep(PAUSE)
            left -= PAUSE

    def _probe(self) -> Told:
        if not self.plan.probes and not self.plan.dropped:
            return Told("nothing goes: the proposal is as wide as what the role has")
        if not self.plan.probes:
            raise NotRunError("none of the rights that go can be tried without harm")
        role = trial.acting(self.aws, self.trial)
        found = []
        for one in self.plan.probes:
            if self.is_stopped():
                raise StoppedError
            try:
                found.append(probes.probe(role, one))
            except ServiceFault:
                continue  # a service that is not here can be asked nothing
        still = [one for one in found if not one.is_gone]
        if still:
            raise Refused(f"{still[0].probe.right.action} still works", still[0].said, "look at its other policies")
        return Told(f"{count(len(found), 'request')} that {self.plan.role} may send today: denied", _lines(
            one.sentence for one in found))  # fmt: skip

    def _simulate(self) -> Told:
        return self._simulated(self.plan.needed, "needed", allowed=True)

    def _simulate_recorded(self) -> Told:
        if not self.plan.recorded:
            raise NotRunError("no call of this role is on record")
        return self._simulated(self.plan.recorded, "recorded", allowed=True)

    def _simulate_dropped(self) -> Told:
        wanted = tuple(dict.fromkeys((*self.plan.dropped, *(one.right for one in self.plan.probes))))
        return self._simulated(wanted, "dropped", allowed=False)

    def _simulated(self, rights: tuple[Right, ...], what: str, *, allowed: bool) -> Told:
        documents = self.plan.proposal.documents.values()
        found = simulate.of_documents(self.aws, documents, rights, self.plan.before.boundary_document)
        wrong = [one for one in found if one.is_allowed is not allowed or (allowed and one.missing)]
        word = "allowed" if allowed else "denied"
        if wrong:
            raise Refused(
                f"{len(wrong):,} of {count(len(rights), f'{what} right')} are not {word}", wrong[0].sentence, "mend it"
            )
        return Told(f"IAM's simulator: {count(len(rights), f'{what} right')}, all {word}", _lines(
            one.sentence for one in found))  # fmt: skip

    def _renamed(self, rights: Iterable[Right]) -> tuple[Right, ...]:
        """Rights on what is the role's own by name, as the trial's policies have it."""
        if self.plan.proposal.duty is not Duty.FUNCTION or not self.plan.uses:
            return tuple(rights)
        names = rerun_function.names(self.plan.uses, self.trial)
        found = []
        for one in rights:
            resource = one.resource
            for old, new in names.items():
                resource = resource.replace(old, new)
            found.append(replace(one, resource=resource))
        return tuple(found)


def _lines(said: Iterable[str]) -> tuple[str, ...]:
    found = list(said)
    more = [f"and {len(found) - MOST_EVIDENCE} more"] if len(found) > MOST_EVIDENCE else []
    return (*found[:MOST_EVIDENCE], *more)


def _moment(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0
