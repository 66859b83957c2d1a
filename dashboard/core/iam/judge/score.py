"""One figure for how safe an account's roles are, with the arithmetic that it comes from.

Every role, and everything else that has a finding, starts with 100 points and loses some for each finding, down to
none. The score is the mean of what is left, and no more than a ceiling while something grave is open: one administrator
among a hundred good roles is no 99. The weights are a choice of this product, not a standard.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from dashboard.core.iam.finding import Finding, Severity

FULL = 100
WEIGHTS = {Severity.CRITICAL: 60, Severity.HIGH: 25, Severity.MEDIUM: 8, Severity.LOW: 2}
CEILINGS = {Severity.CRITICAL: 59, Severity.HIGH: 79, Severity.MEDIUM: 94, Severity.LOW: 99}
"""The most that an account can have with a finding of this severity."""


@dataclass(frozen=True)
class Line:
    """Findings of one severity: how many, and the points that each takes."""

    severity: Severity
    count: int
    weight: int

    @property
    def points(self) -> int:
        return self.count * self.weight


@dataclass(frozen=True)
class Score:
    """value: 0 to 100. lines: what was taken away, the worst first. judged: roles and other things that were judged.

    kept: points that findings would have taken from what had none left. mean: before the ceiling, 0 to 100.
    ceiling: what holds the value down, None where nothing does.
    """

    value: int
    lines: tuple[Line, ...]
    judged: int
    kept: int
    mean: Fraction
    ceiling: int | None = None

    @property
    def arithmetic(self) -> str:
        """How the value comes about, in one line."""
        if not self.judged:
            return "there is nothing to judge"
        if not self.lines:
            return f"nothing was found in {self.judged} roles"
        taken = " + ".join(f"{line.count} {line.severity} × {line.weight}" for line in self.lines)
        kept = f" − {self.kept} of those that have no points left" if self.kept else ""
        told = f"{FULL} − ({taken}{kept}) ÷ {self.judged} = {float(self.mean):.1f}"
        if self.ceiling is not None and self.ceiling == self.value:
            told += f", at most {self.ceiling} with a {self.lines[0].severity} finding"
        return told


def score(findings: Iterable[Finding], roles: int) -> Score:
    """The score of an account with so many roles. What is accepted as a risk is left out by the caller."""
    found = list(findings)
    by_thing: dict[tuple[str, str], list[Finding]] = {}
    for one in found:
        by_thing.setdefault((one.role, "" if one.role else one.arn or one.policy), []).append(one)
    with_role = sum(1 for role, _ in by_thing if role)
    judged = max(roles, with_role) + len(by_thing) - with_role
    lines = tuple(
        Line(severity, count, weight)
        for severity, weight in WEIGHTS.items()
        if (count := sum(1 for one in found if one.severity is severity))
    )
    taken = sum(min(FULL, _points(of_one)) for of_one in by_thing.values())
    mean = FULL - Fraction(taken, judged) if judged else Fraction(FULL)
    ceiling = CEILINGS[lines[0].severity] if lines else None
    value = int(mean) if ceiling is None else min(int(mean), ceiling)
    return Score(value, lines, judged, sum(line.points for line in lines) - taken, mean, ceiling)


def _points(findings: Sequence[Finding]) -> int:
    return sum(WEIGHTS[one.severity] for one in findings)
