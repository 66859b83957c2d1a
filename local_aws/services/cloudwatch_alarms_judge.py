"""What state an alarm is in, from the data points of its evaluation range. Pure.

Source: CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data". CloudWatch
looks a little further back than the evaluation periods; where enough points are there, the newest of them decide, and
missing ones count for nothing. Otherwise what is missing is filled in as the alarm says. An alarm that treats missing
data as missing still goes off when all points that are there breach and the oldest of them is old enough: a metric
with gaps does not hide a breach, and a single new point behind a gap is no alarm yet.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

EXTRA = 2
"""Periods before the evaluation periods that are looked at too. AWS's example has 5 for 3 and says that the number
varies; two is taken for all."""

SHOWN = 5  # data points that a reason lists


class State(StrEnum):
    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


COMPARISONS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", lambda value, edge: value >= edge),
    "GreaterThanThreshold": ("greater than", lambda value, edge: value > edge),
    "LessThanThreshold": ("less than", lambda value, edge: value < edge),
    "LessThanOrEqualToThreshold": ("less than or equal to", lambda value, edge: value <= edge),
}
MISSING = ("missing", "ignore", "breaching", "notBreaching")


@dataclass(frozen=True)
class Rule:
    """`needed` of the last `periods` data points breach: an alarm. missing: one of MISSING."""

    comparison: str
    threshold: float
    periods: int
    needed: int
    missing: str = "missing"

    @classmethod
    def of(cls, alarm: Mapping[str, Any]) -> "Rule":
        """The rule of an alarm as PutMetricAlarm has it."""
        periods = alarm["EvaluationPeriods"]
        return cls(
            alarm["ComparisonOperator"],
            alarm["Threshold"],
            periods,
            alarm.get("DatapointsToAlarm") or periods,
            alarm.get("TreatMissingData") or "missing",
        )

    def shorter(self, share: float) -> "Rule":
        """The same with a share of its periods, at least one; itself for a share of 1 or more, or nearly 1."""
        if share > 0.9:
            return self
        periods = max(1, round(self.periods * share))
        return replace(self, periods=periods, needed=min(periods, max(1, round(self.needed * share))))

    @property
    def range(self) -> int:
        """How many periods are looked at."""
        return self.periods + EXTRA

    def breaches(self, value: float) -> bool:
        return COMPARISONS[self.comparison][1](value, self.threshold)


@dataclass(frozen=True)
class Point:
    """A data point: the beginning of its period (epoch seconds) and its value."""

    at: int
    value: float


@dataclass(frozen=True)
class Verdict:
    """points: the real ones that were evaluated, newest first; newest: the value of the newest period, None without.

    known: whether the state follows from the data; False where it is only kept as it was.
    """

    state: State
    reason: str
    points: tuple[Point, ...] = ()
    newest: float | None = None
    known: bool = True


def judge(rule: Rule, periods: Sequence[Point | None], before: State) -> Verdict:
    """periods: the last `rule.range` ones, newest first, None where nothing was measured."""
    real = [point for point in periods if point is not None]
    newest = periods[0].value if periods and periods[0] is not None else None
    points = tuple(real[: rule.periods])
    if len(real) >= rule.periods:
        breaching = sum(rule.breaches(point.value) for point in points)
        state = State.ALARM if breaching >= rule.needed else State.OK
        return Verdict(state, _crossed(rule, points, state, 0), points, newest)
    missing = rule.periods - len(real)
    breaching = sum(rule.breaches(point.value) for point in real)
    all_breach = breaching == len(real)
    if breaching >= rule.needed:
        state = State.ALARM
    elif rule.missing == "breaching":
        state = State.ALARM if breaching + missing >= rule.needed else State.OK
    elif rule.missing == "notBreaching":
        state = State.OK
    elif rule.missing == "ignore":
        if all_breach:
            return Verdict(before, _unknown(missing), points, newest, known=False)
        state = State.OK
    elif not real:
        return Verdict(State.INSUFFICIENT_DATA, _unknown(rule.periods), (), None)
    else:
        oldest = max(number for number, point in enumerate(periods, 1) if point is not None)
        state = State.ALARM if all_breach and oldest >= rule.needed else State.OK
    return Verdict(state, _crossed(rule, points, state, missing), points, newest)


def _unknown(number: int) -> str:
    return f"Insufficient Data: {number} datapoint{'s were' if number > 1 else ' was'} unknown."


_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


def _crossed(rule: Rule, points: Sequence[Point], state: State, missing: int) -> str:
    """AWS's sentence for a state that data decided."""
    treated = _TREATED.get(rule.missing, "")
    if not points:
        return (
            f"Threshold Crossed: no datapoints were received for {missing} period{'s' * (missing > 1)} and {missing} "
            f"missing datapoint{'s were' if missing > 1 else ' was'} treated as [{treated}]."
        )
    told = [point for point in points if rule.breaches(point.value) == (state is State.ALARM)] or points
    values = ", ".join(
        f"{float(point.value)} ({datetime.fromtimestamp(point.at, UTC):%d/%m/%y %H:%M:%S})" for point in told[:SHOWN]
    )
    words, _ = COMPARISONS[rule.comparison]
    was = ("was" if len(told) == 1 else "were") + ("" if state is State.ALARM else " not")
    least = rule.needed if state is State.ALARM else rule.periods - rule.needed + 1
    way = "OK -> ALARM" if state is State.ALARM else "ALARM -> OK"
    filled = (
        f" {missing} missing datapoint{'s were' if missing > 1 else ' was'} treated as [{treated}]"
        if missing and treated
        else ""
    )
    ends = f"(minimum {least} datapoint{'s' * (least > 1)} for {way} transition)"
    if len(told) > SHOWN:
        return (
            f"Threshold Crossed: {len(told)} out of the last {rule.periods} datapoints {was} {words} the threshold "
            f"({float(rule.threshold)}){filled}. The most recent datapoints which crossed the threshold: [{values}] "
            f"{ends}."
        )
    return (
        f"Threshold Crossed: {len(told)} out of the last {rule.periods} datapoints [{values}] {was} {words} the "
        f"threshold ({float(rule.threshold)}){filled} {ends}."
    )
