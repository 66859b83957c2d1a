"""What a tuning job is to search: the ranges, the strategy and the objective."""

import math
from dataclasses import dataclass
from enum import StrEnum

from dashboard.core.format import plain


class RangeKind(StrEnum):
    """What values a range holds."""

    CONTINUOUS = "continuous"
    INTEGER = "integer"
    CATEGORICAL = "categorical"


@dataclass(frozen=True)
class Range:
    """The values one hyperparameter may take: `low` to `high`, or the `values` of a categorical one."""

    name: str
    kind: RangeKind
    low: float = 0.0
    high: float = 0.0
    scaling: str = "Auto"
    values: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The range as a person reads it: "0.001 to 0.1, logarithmic" or "32, 64 or 128"."""
        if self.kind is RangeKind.CATEGORICAL:
            *first, last = self.values or ("nothing",)
            return f"{', '.join(first)} or {last}" if first else last
        scaled = "" if self.scaling == "Auto" else f", {self.scaling.lower()}"
        return f"{plain(self.low)} to {plain(self.high)}{scaled}"


@dataclass(frozen=True)
class Tuning:
    """A search over `ranges`. A seed makes it repeatable; Grid tries every combination of categorical values."""

    ranges: tuple[Range, ...]
    strategy: str = "Bayesian"
    objective: str = "valid:loss"
    goal: str = "Minimize"
    max_jobs: int = 4
    parallel: int = 2
    early_stopping: bool = True
    seed: int | None = None

    @property
    def tuned(self) -> frozenset[str]:
        """The hyperparameters that are searched, which the job must not be given as well."""
        return frozenset(one.name for one in self.ranges)

    @property
    def jobs(self) -> int:
        """The most trainings that it starts: Grid tries each combination once, whatever `max_jobs` says."""
        if self.strategy != "Grid":
            return self.max_jobs
        return math.prod(max(1, len(one.values)) for one in self.ranges)


DEFAULT_RANGES = (
    Range("learning_rate", RangeKind.CONTINUOUS, 0.001, 0.1, "Logarithmic"),
    Range("batch_size", RangeKind.CATEGORICAL, values=("32", "64", "128", "256", "512")),
)
"""What a tuning of this training looks at first."""


def number(value: float) -> str:
    """A bound as SageMaker takes it: text with all of its digits, whole numbers without a point."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
