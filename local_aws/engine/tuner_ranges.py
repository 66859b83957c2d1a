"""The ranges a tuning job searches, and how a value in one is written as a hyperparameter.

Scaling follows SageMaker's documentation: Logarithmic searches orders of magnitude (of values above 0),
ReverseLogarithmic does so towards 1 (of values in 0 ≤ x < 1, continuous ranges only), Auto lets the tuner choose.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

AUTO_LOGARITHMIC = 1000.0  # Auto is logarithmic from this ratio of highest to lowest on: three orders of magnitude
LARGEST_INTEGER = 2**53  # the search counts in floating point


class Kind(StrEnum):
    CONTINUOUS = "Continuous"
    INTEGER = "Integer"
    CATEGORICAL = "Categorical"


class Scaling(StrEnum):
    AUTO = "Auto"
    LINEAR = "Linear"
    LOGARITHMIC = "Logarithmic"
    REVERSE_LOGARITHMIC = "ReverseLogarithmic"


class RangeError(ValueError):
    """A range that cannot be searched; the message says why."""


@dataclass(frozen=True)
class Range:
    """One hyperparameter's range: low to high, both included, or one of `values`."""

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    scaling: Scaling = Scaling.LINEAR
    values: tuple[str, ...] = ()

    @property
    def is_reversed(self) -> bool:
        """Whether it is searched as 1 − value."""
        return self.scaling is Scaling.REVERSE_LOGARITHMIC

    @property
    def is_logarithmic(self) -> bool:
        return self.scaling in (Scaling.LOGARITHMIC, Scaling.REVERSE_LOGARITHMIC)

    def searched(self, text: str) -> float | int | str:
        """The coordinate a hyperparameter's value is searched by, within the bounds."""
        match self.kind:
            case Kind.CATEGORICAL:
                return text
            case Kind.INTEGER:
                return int(text)
            case _:
                value = 1 - float(text) if self.is_reversed else float(text)
                low, high = self.bounds
                return min(max(value, low), high)

    def text(self, coordinate: float | int | str) -> str:
        """A coordinate as the hyperparameter's value."""
        if self.kind is Kind.CATEGORICAL or isinstance(coordinate, str):
            return str(coordinate)
        if self.kind is Kind.INTEGER:
            return str(int(coordinate))
        value = 1 - coordinate if self.is_reversed else float(coordinate)
        return repr(min(max(value, self.low), self.high))

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest coordinate."""
        return (1 - self.high, 1 - self.low) if self.is_reversed else (self.low, self.high)


def read_ranges(request: Mapping[str, Any]) -> tuple[Range, ...]:
    """From ParameterRanges. Raises RangeError."""
    found = [
        *(_numbers(item, Kind.CONTINUOUS) for item in request.get("ContinuousParameterRanges", ())),
        *(_numbers(item, Kind.INTEGER) for item in request.get("IntegerParameterRanges", ())),
        *(
            Range(item["Name"], Kind.CATEGORICAL, values=tuple(dict.fromkeys(item["Values"])))
            for item in request.get("CategoricalParameterRanges", ())
        ),
    ]
    names = [one.name for one in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise RangeError(f"The hyperparameter {min(twice)} has two ranges.")
    return tuple(found)


def combinations(ranges: Sequence[Range]) -> int:
    """How many points a grid over categorical ranges has."""
    return math.prod(len(one.values) for one in ranges)


def combination(ranges: Sequence[Range], number: int) -> dict[str, str]:
    """The point of that number (0 ≤ number < combinations) of the grid; the last range changes fastest."""

    def digits() -> Iterator[tuple[str, str]]:
        left = number
        for one in reversed(ranges):
            left, index = divmod(left, len(one.values))
            yield one.name, one.values[index]

    return dict(reversed(list(digits())))


def _numbers(item: Mapping[str, Any], kind: Kind) -> Range:
    name = item["Name"]
    try:
        low, high = (float(item[end]) for end in ("MinValue", "MaxValue"))
        whole = kind is not Kind.INTEGER or (int(item["MinValue"]), int(item["MaxValue"]))
    except ValueError as wrong:
        what = "an integer" if kind is Kind.INTEGER else "a number"
        raise RangeError(f"MinValue and MaxValue of the range of {name} must each be {what}.") from wrong
    if not (math.isfinite(low) and math.isfinite(high) and whole):
        raise RangeError(f"MinValue and MaxValue of the range of {name} must be finite.")
    if kind is Kind.INTEGER and max(abs(low), abs(high)) > LARGEST_INTEGER:
        raise RangeError(f"The range of {name} must be within ±{LARGEST_INTEGER}: larger integers are not exact here.")
    if not math.isfinite(high - low):
        raise RangeError(f"The range of {name} is wider than a number can be ({low:g} to {high:g}).")
    if low > high:
        raise RangeError(f"MinValue of the range of {name} ({low:g}) must not be greater than MaxValue ({high:g}).")
    scaling = Scaling(item.get("ScalingType", Scaling.AUTO))
    if scaling is Scaling.AUTO:
        scaling = Scaling.LOGARITHMIC if low > 0 and low * AUTO_LOGARITHMIC <= high else Scaling.LINEAR
    if scaling is Scaling.LOGARITHMIC and low <= 0:
        raise RangeError(f"Logarithmic scaling of {name} needs a MinValue greater than 0.")
    if scaling is Scaling.REVERSE_LOGARITHMIC and (kind is Kind.INTEGER or low < 0 or high >= 1):
        raise RangeError(f"ReverseLogarithmic scaling of {name} needs a continuous range within 0 <= x < 1.")
    return Range(name, kind, low, high, scaling)
