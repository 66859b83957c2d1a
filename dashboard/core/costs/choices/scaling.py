"""What more instances gained: scaling efficiency T1 / (N × TN) of the same work. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from dashboard.core.costs.choices.groups import Spread
from dashboard.core.costs.choices.outcomes import Outcome, Work
from dashboard.core.format import duration, percent
from dashboard.core.runs.model import Capacity, Platform


@dataclass(frozen=True, slots=True)
class Step:
    """So many instances at once: the median seconds of training, of how many runs, and what one such run cost."""

    count: int
    seconds: float
    n: int
    amount: Decimal | None
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Scaling:
    """The same work on several numbers of instances of one type. `base` is the least number, 1 where that was run.

    `is_mixed`: the base was paid otherwise (on demand against spot), which changes its cost and not its speed.
    """

    work: Work
    platform: Platform
    instance_type: str
    capacity: Capacity
    base: Step
    steps: tuple[Step, ...]  # those with more instances than the base
    is_mixed: bool = False

    def speedup(self, step: Step) -> float | None:
        """How many times as fast as the base; None when it took no time."""
        return self.base.seconds / step.seconds if step.seconds else None

    def efficiency(self, step: Step) -> float | None:
        """T1 / (N × TN): 1 when N instances take an Nth of the time. The base counts as fully efficient."""
        gained = self.speedup(step)
        return None if gained is None else gained * self.base.count / step.count

    def dearer(self, step: Step) -> float | None:
        """The step's cost as a share of the base's, less 1; None when one of them is unknown or nothing."""
        if not self.base.amount or step.amount is None:
            return None
        return float(step.amount / self.base.amount) - 1

    def sentence(self, step: Step) -> str:
        """ "2 × ml.c5.2xlarge took 22 min 33 s, one 11 min 3 s: 25 % efficient, slower than one"."""
        efficiency, gained = self.efficiency(step), self.speedup(step)
        one = "one" if self.base.count == 1 else str(self.base.count)
        took = f"{step.count} × {self.instance_type} took {duration(step.seconds)}, {one} {duration(self.base.seconds)}"
        if efficiency is None or gained is None:
            return took
        guessed = any(one.is_guessed for one in (*self.base.outcomes, *step.outcomes))
        took += " (durations estimated)" if guessed else ""
        how = f"{gained:.2g} times as fast" if gained >= 1 else f"slower than {one}"
        other = self.otherwise(step)
        read = "" if other is None else f"; {percent(self.efficiency(other))} if that time is all {step.count} added up"
        return f"{took}: {percent(efficiency)} efficient, {how}{read}"

    def otherwise(self, step: Step) -> Step | None:
        """A step with its times read in the other way; None where there is none."""
        if all(one.share_if_summed == 1 for one in step.outcomes):
            return None
        return step_of([one.otherwise for one in step.outcomes])


def scalings(works: Mapping[Work, Sequence[Outcome]]) -> tuple[Scaling, ...]:
    """Every work that was done on more than one number of instances of one type, with its steps."""
    found: list[Scaling | None] = []
    for work, members in works.items():
        trainings = [one for one in members if one.trained]
        for platform, kind in sorted({(one.way.platform, one.way.instance_type) for one in trainings}):
            alike = [one for one in trainings if (one.way.platform, one.way.instance_type) == (platform, kind)]
            found += [_scaling(work, platform, kind, capacity, alike) for capacity in Capacity]
    return tuple(one for one in found if one is not None)


def _scaling(work: Work, platform: Platform, kind: str, capacity: Capacity, alike: Sequence[Outcome]) -> Scaling | None:
    same = [one for one in alike if one.way.capacity is capacity]
    counts = {one.way.count for one in same}
    if not counts or max(counts) == 1:
        return None
    base = [one for one in same if one.way.count == 1]
    is_mixed = not base
    if is_mixed:  # how fast an instance is does not hang on how it is paid
        base = [one for one in alike if one.way.count == 1]
    if not base:
        if len(counts) == 1:
            return None
        base, is_mixed = [one for one in same if one.way.count == min(counts)], False
    first = step_of(base)
    more = sorted(count for count in counts if count > first.count)
    if not more:
        return None
    steps = tuple(step_of([one for one in same if one.way.count == count]) for count in more)
    return Scaling(work, platform, kind, capacity, first, steps, is_mixed)


def step_of(members: Sequence[Outcome]) -> Step:
    """The runs of one number of instances."""
    cost = Spread.of(one.amount for one in members if one.amount is not None)
    return Step(
        members[0].way.count,
        median(one.trained or 0.0 for one in members),
        len(members),
        cost.median if cost else None,
        tuple(members),
    )
