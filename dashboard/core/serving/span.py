"""How far back a page of what serves looks, and CloudWatch's metrics over such a span: as a whole, and over time."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from dashboard.core import metrics
from dashboard.core.aws import Aws
from dashboard.core.metrics import Points, Statistic

MOST_POINTS = 180
SHORT = (1, 5, 10, 30)
LONGEST = 86_400
"""Seconds of CloudWatch's longest period: of more days the worst day's percentiles stand for the whole."""
KEPT_SHORT = timedelta(hours=3)
Dimensions = tuple[tuple[str, str], ...]
Of = TypeVar("Of", bound=Hashable)


class Span(StrEnum):
    """How far back a page looks, as the address has it."""

    QUARTER = "15 min"
    HOUR = "1 h"
    HOURS = "3 h"
    DAY = "24 h"
    WEEK = "7 d"

    @property
    def length(self) -> timedelta:
        return _LENGTHS[self]

    @property
    def word(self) -> str:
        return _WORDS[self]


_LENGTHS = {
    Span.QUARTER: timedelta(minutes=15),
    Span.HOUR: timedelta(hours=1),
    Span.HOURS: timedelta(hours=3),
    Span.DAY: timedelta(days=1),
    Span.WEEK: timedelta(days=7),
}
_WORDS = {
    Span.QUARTER: "15 minutes",
    Span.HOUR: "hour",
    Span.HOURS: "3 hours",
    Span.DAY: "24 hours",
    Span.WEEK: "7 days",
}


@dataclass(frozen=True)
class Metric:
    """One statistic of one metric. `key` names it in `Measured`; values are multiplied by `scale`."""

    key: str
    name: str
    statistic: str
    namespace: str
    scale: float = 1.0


@dataclass(frozen=True)
class Measured:
    """Metrics by their key: `series` in order of time; `whole`: one value for all of the span."""

    series: Mapping[str, Points]
    whole: Mapping[str, float]


def period(length: timedelta, time_scale: float = 1.0) -> int:
    """Seconds of one point: at most MOST_POINTS in a span, minutes as AWS keeps them.

    An embedded AWS that waits `time_scale` times less keeps these metrics by the second, for three hours.
    """
    least = length.total_seconds() / MOST_POINTS
    wanted = max(60 / time_scale, least)
    if time_scale > 1 and length <= KEPT_SHORT:
        found = next((one for one in SHORT if one >= wanted), None)
        if found:
            return found
    return max(60, -int(-least // 60) * 60)


def begin(length: timedelta, now: datetime) -> datetime:
    """When a span begins that ends with the minute that goes on."""
    return now.replace(second=0, microsecond=0) - length + timedelta(minutes=1)


def filled(points: Points, first: datetime, last: datetime, period: int) -> Points:
    """Counts with a 0 for each period in which CloudWatch has none, because nobody asked then."""
    known = dict(points)
    number = int((last - first).total_seconds() // period)
    moments = [first + timedelta(seconds=period * place) for place in range(number + 1)]
    return tuple((at, known.get(at, 0.0)) for at in moments) if points else ()


def step(period: int) -> int:
    """Seconds for which counts are told: a minute, or less where they are known for less. None is made up so."""
    return min(period, 60)


def counts(points: Points, period: int) -> Points:
    """Counts of a period each as counts of a `step` each: of longer periods the average."""
    return tuple((at, value * step(period) / period) for at, value in points)


def whole_period(length: timedelta) -> int:
    """Seconds of the period that stands for a whole span."""
    return min(int(length.total_seconds()), LONGEST)


def measure(
    aws: Aws,
    asked: Sequence[tuple[Of, Metric, Dimensions]],
    length: timedelta,
    every: int | None,
    now: datetime,
) -> dict[Of, Measured]:
    """Metrics of several things over a span: all of it in one value each, with `every` also a series of that period.

    Sums are added up; of the others the highest stands for the whole. Raises the errors of `Aws.call`.
    """
    first, whole = begin(length, now), whole_period(length)
    each = [(*one, seconds) for one in asked for seconds in ((whole, every) if every else (whole,))]
    wanted = [
        Statistic(metric.namespace, metric.name, dimensions, metric.statistic, seconds)
        for _, metric, dimensions, seconds in each
    ]
    series: dict[Of, dict[str, Points]] = {of: {} for of, _, _ in asked}
    wholes: dict[Of, dict[str, float]] = {of: {} for of, _, _ in asked}
    for (of, metric, _, seconds), found in zip(each, metrics.read(aws, wanted, first, first + length), strict=True):
        points = tuple((at, value * metric.scale) for at, value in found)
        if points and seconds == whole:
            values = [value for _, value in points]
            wholes[of][metric.key] = sum(values) if metric.statistic == "Sum" else max(values)
        elif points:
            series[of][metric.key] = points
    return {of: Measured(series[of], wholes[of]) for of in series}
