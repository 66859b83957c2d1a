"""A proof of a proposal: what it would do, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.replace.probes import Probe
from dashboard.core.iam.replace.standing import Standing
from dashboard.core.iam.replace.step import State, Step
from dashboard.core.iam.rights import Right
from dashboard.core.iam.usage import Duty, Use


class Nature(StrEnum):
    """What a proof rests on."""

    RERUN = "replay and rerun"
    SIMULATION = "simulation only"


@dataclass(frozen=True)
class ProofPlan:
    """needed: what must work; recorded: what was used, of that. dropped: what must not, as the simulator is asked.
    probes: what is tried for it. uses: of the role and duty, the newest first. does: each step in words.
    """

    proposal: Proposal
    before: Standing
    nature: Nature
    needed: tuple[Right, ...]
    recorded: tuple[Right, ...]
    dropped: tuple[Right, ...]
    probes: tuple[Probe, ...]
    uses: tuple[Use, ...]
    does: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def role(self) -> str:
        return self.before.name

    @property
    def is_simulation(self) -> bool:
        return self.nature is Nature.SIMULATION


@dataclass(frozen=True)
class Proof:
    """What came of it. steps: each as it ended. was_stopped: somebody ended it before its time."""

    role: str
    duty: Duty
    nature: Nature
    steps: tuple[Step, ...]
    began: datetime
    ended: datetime
    was_stopped: bool = False

    @property
    def holds(self) -> bool:
        """Whether nothing failed, all was done, and on an account that can be tried something did run again."""
        failed = any(one.state.is_failed for one in self.steps)
        return not failed and not self.was_stopped and not self.is_partial

    @property
    def is_partial(self) -> bool:
        """Whether a part could not be tried here; it is told in that step."""
        return any(one.state is State.SKIPPED for one in self.steps)

    @property
    def sentence(self) -> str:
        if self.was_stopped:
            return "Stopped: nothing is proven"
        wrong = next((one for one in self.steps if one.state.is_failed), None)
        if wrong is not None:
            return f"Not proven: {wrong.title[0].lower()}{wrong.title[1:]} failed"
        if self.nature is Nature.SIMULATION:
            return "Simulated only: IAM's simulator allows what is needed and none of what goes; nothing was run"
        left = [one for one in self.steps if one.state is State.SKIPPED]
        if left:
            return f"Replayed, but not all of it could be tried: {left[0].detail}"
        return "Proven: it works as recorded, runs again, and what goes is denied"
