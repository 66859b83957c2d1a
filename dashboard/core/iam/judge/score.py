"""One figure for how safe an account's roles are, with the arithmetic that it comes from.

Every finding weighs something, and the score falls by as much each time the weight doubles: one more finding never
raises it, and neither do more roles, and it still moves where there are hundreds. One critical finding alone makes it
60, one high 80, one medium 90. The weights are a choice of this product, not a standard.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import log2

from dashboard.core.iam.finding import Finding, Severity

FULL = 100
STEP = 10
"""What the score falls by when the weight doubles."""
UNIT = 10
"""The weight that is the first such step."""
WEIGHTS = {Severity.CRITICAL: 150, Severity.HIGH: 30, Severity.MEDIUM: 10, Severity.LOW: 2}


@dataclass(frozen=True)
class Line:
    """Findings of one severity: how many, and what each weighs."""

    severity: Severity
    count: int
    weight: int

    @property
    def total(self) -> int:
        return self.count * self.weight


@dataclass(frozen=True)
class Score:
    """value: 0 to 100. lines: what weighs, the worst first. roles: so many were judged."""

    value: int
    lines: tuple[Line, ...]
    roles: int

    @property
    def weight(self) -> int:
        return sum(line.total for line in self.lines)

    @property
    def arithmetic(self) -> str:
        """How the value comes about, in one line."""
        if not self.lines:
            return f"nothing was found in {self.roles} roles" if self.roles else "there is nothing to judge"
        weighed = " + ".join(f"{line.count} {line.severity} × {line.weight}" for line in self.lines)
        total = f" = {self.weight:,}" if len(self.lines) > 1 or self.lines[0].count > 1 else ""
        exact = _value(self.weight)
        told = f"{exact:.1f}, which is {self.value} rounded down" if exact >= 0 else f"{exact:.1f}, and 0 is the least"
        return (
            f"the findings weigh {weighed}{total}; "
            f"{FULL} − {STEP} × log₂(1 + {self.weight:,} ÷ {UNIT}) = {told}. "
            f"Twice the weight takes {STEP} away"
        )


def score(findings: Iterable[Finding], roles: int) -> Score:
    """The score of an account with so many roles. What is accepted as a risk is left out by the caller."""
    counts = Counter(one.severity for one in findings)
    lines = tuple(Line(one, counts[one], weight) for one, weight in WEIGHTS.items() if counts[one])
    return Score(max(0, int(_value(sum(line.total for line in lines)))), lines, roles)


def _value(weight: int) -> float:
    return FULL - STEP * log2(1 + weight / UNIT)
