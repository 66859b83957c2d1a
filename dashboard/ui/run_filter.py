"""Which runs a table shows, and in which order. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from dashboard.core.runs.model import Run
from dashboard.ui.run import accuracy


class Kind(StrEnum):
    """What a person tells apart: where a training runs, and what tuning starts. Each run is of one kind."""

    SAGEMAKER = "sagemaker"
    EC2 = "ec2"
    TUNING = "tuning"
    TRIAL = "trial"

    @classmethod
    def of(cls, run: Run) -> "Kind":
        if run.is_tuning:
            return cls.TUNING
        if run.parent:
            return cls.TRIAL
        return cls.EC2 if run.is_on_ec2 else cls.SAGEMAKER


class Order(StrEnum):
    """How the table is sorted."""

    NEWEST = "newest"
    LONGEST = "longest"
    COSTLIEST = "costliest"
    BEST = "most accurate"
    NAME = "name"


UNASKED = frozenset(Kind) - {Kind.TRIAL}


@dataclass(frozen=True)
class Asked:
    """What the filter says. Nothing chosen leaves everything in, but trials: they stand on their tuning job's page."""

    text: str = ""
    tones: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    order: Order = Order.NEWEST

    def fits(self, run: Run) -> bool:
        """Whether a run is left in."""
        return (
            (not self.tones or run.status.tone in self.tones)
            and (Kind.of(run) in (self.kinds or UNASKED) or bool(self.text and not self.kinds))
            and (not self.text or self._reads(run))
        )

    def _reads(self, run: Run) -> bool:
        told = " ".join((run.key, run.dataset, run.instance_type, run.parent, run.project, run.owner)).lower()
        return all(word in told for word in self.text.lower().split())


def matching(
    runs: Sequence[Run],
    asked: Asked,
    now: datetime,
    cost: Callable[[Run], Decimal | None] = lambda run: None,
    right: Callable[[Run], float | None] = accuracy,
) -> list[Run]:
    """The runs that fit, in the order asked for; `runs` are the newest first. What is unknown comes last."""
    left = [run for run in runs if asked.fits(run)]
    if asked.order is Order.LONGEST:
        left.sort(key=lambda run: -run.elapsed(now))
    elif asked.order is Order.COSTLIEST:
        amounts = {run.key: cost(run) for run in left}
        left.sort(key=lambda run: (amounts[run.key] is None, -(amounts[run.key] or 0)))
    elif asked.order is Order.BEST:
        left.sort(key=lambda run: ((share := right(run)) is None, -(share or 0)))
    elif asked.order is Order.NAME:
        left.sort(key=lambda run: run.name.lower())
    return left
