"""Statistics of the points of one bin, by the names CloudWatch gives them.

Percentiles are interpolated linearly between the two nearest measurements. CloudWatch does not say how it finds its
own, which come from a sketch; on measurements that lie close together both agree.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from local_aws.errors import ServiceError

SIMPLE = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENT = re.compile(r"(p|tm)(\d{1,3}(?:\.\d{1,10})?)")
_TRIMMED = re.compile(r"TM\((\d{1,3}(?:\.\d{1,10})?)%:(\d{1,3}(?:\.\d{1,10})?)%\)")
_NOT_DONE = re.compile(r"(wm|tc|ts)\d{1,3}(\.\d{1,10})?|(TM|WM|PR|TC|TS)\([^()]{1,80}\)")

Weighted = Sequence[tuple[float, float]]
"""Measurements as (value, how often), by value."""


@dataclass(frozen=True)
class Bin:
    """What was measured of one unit in the period from `at` (epoch seconds) on; values: None when some are unknown."""

    at: int
    unit: str
    count: float
    total: float
    low: float
    high: float
    values: Weighted | None = None


@dataclass(frozen=True)
class Statistic:
    """One of SIMPLE, or what lies between two shares (0–1) of the sorted measurements: pNN, tmNN, IQM, TM(a%:b%)."""

    name: str
    low: float = 0.0
    high: float = 1.0

    @property
    def needs_values(self) -> bool:
        return self.name not in SIMPLE

    @classmethod
    def named(cls, name: str, refused: str = "ValidationError") -> "Statistic":
        """Raises ServiceError (code `refused`) for a name that is none, or one that is not part of this."""
        if name in SIMPLE:
            return cls(name)
        if name == "IQM":
            return cls(name, 0.25, 0.75)
        shares: tuple[float, float] | None = None
        if found := _PERCENT.fullmatch(name):
            share = float(found[2]) / 100
            shares = (share, share) if found[1] == "p" else (0.0, share)
        elif found := _TRIMMED.fullmatch(name):
            shares = (float(found[1]) / 100, float(found[2]) / 100)
        if shares and 0 <= shares[0] <= shares[1] <= 1:
            return cls(name, *shares)
        if shares is None and _NOT_DONE.fullmatch(name):
            raise ServiceError(
                refused,
                f"The embedded AWS cannot work out the statistic {name} yet. Use one of {', '.join(SIMPLE)}, a "
                "percentile (p95), a trimmed mean (tm90, TM(5%:95%)) or IQM, or use a real AWS account for it.",
            )
        raise ServiceError(refused, f"The value {name} for parameter Stat is not supported.")

    def of(self, bin: Bin) -> float | None:
        """The figure, None where it cannot be known."""
        match self.name:
            case "SampleCount":
                return bin.count
            case "Sum":
                return bin.total
            case "Average":
                return bin.total / bin.count if bin.count else None
            case "Minimum":
                return bin.low
            case "Maximum":
                return bin.high
        if not bin.values:
            return None
        return percentile(bin.values, self.low) if self.low == self.high else trimmed(bin.values, self.low, self.high)


def percentile(values: Weighted, share: float) -> float:
    """The value at `share` (0–1) of the sorted measurements, between two of them where it falls between."""
    total = sum(count for _, count in values)
    position = share * (total - 1) if total > 1 else 0.0
    seen, before = 0.0, values[0][0]
    for value, count in values:
        first = seen  # the places of this value's measurements are first … first + count - 1
        if position < first:  # between the last of the value before and the first of this one
            return before + (value - before) * (position - (first - 1))
        if position <= first + count - 1:
            return value
        seen, before = first + count, value
    return values[-1][0]


def trimmed(values: Weighted, low: float, high: float) -> float | None:
    """The mean of the measurements between two shares; a measurement on the edge counts for the part inside."""
    total = sum(count for _, count in values)
    start, end = low * total, high * total
    seen = summed = weight = 0.0
    for value, count in values:
        inside = min(seen + count, end) - max(seen, start)
        if inside > 0:
            summed += value * inside
            weight += inside
        seen += count
    return summed / weight if weight else None
