"""Sums over time as a chart draws them: by day or by month, the dearest groups apart and the rest together. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dashboard.core.costs.selection import DAY, Period

MOST_DAYS = 92
"""A period of more days than a quarter has is drawn by month."""
OTHERS = "others"

Daily = Mapping[str, Mapping[date, Decimal]]


@dataclass(frozen=True)
class Step:
    """One bar of a chart: its days, and each group's amount in the order of `Series.groups`."""

    period: Period
    amounts: tuple[Decimal, ...]

    @property
    def total(self) -> Decimal:
        return sum(self.amounts, Decimal(0))


@dataclass(frozen=True)
class Series:
    """What groups cost over time, the dearest first; all steps and groups together are the selection's total."""

    groups: tuple[str, ...]
    steps: tuple[Step, ...]
    is_monthly: bool
    together: int = 0  # groups behind OTHERS, which is then the last

    def adding_up(self) -> "Series":
        """The same, each step with everything before it."""
        sums = [Decimal(0)] * len(self.groups)
        steps = []
        for step in self.steps:
            sums = [so_far + amount for so_far, amount in zip(sums, step.amounts, strict=True)]
            steps.append(Step(step.period, tuple(sums)))
        return Series(self.groups, tuple(steps), self.is_monthly, self.together)


def series(daily: Daily, period: Period, until: date, most: int = 6) -> Series:
    """What `Ledger.daily` says as steps from the period's first day to its last, or to `until` while it goes on.

    At most `most` groups are apart; where there are more, the cheapest of them are one.
    """
    totals = {group: sum(days.values(), Decimal(0)) for group, days in daily.items()}
    ordered = sorted(totals, key=lambda group: (-totals[group], group))
    apart = ordered if len(ordered) <= most else ordered[: most - 1]
    place = {group: number for number, group in enumerate(apart)}
    groups = (*apart, OTHERS) if len(apart) < len(ordered) else tuple(apart)
    is_monthly = period.days > MOST_DAYS
    spans = steps(period, until, is_monthly=is_monthly)
    rows = {span.first: [Decimal(0)] * len(groups) for span in spans}
    starts = {span.first + number * DAY: span.first for span in spans for number in range(span.days)}
    for group, days in daily.items():
        column = place.get(group, len(groups) - 1)
        for day, amount in days.items():
            if day in starts:
                rows[starts[day]][column] += amount
    made = tuple(Step(span, tuple(rows[span.first])) for span in spans)
    return Series(groups, made, is_monthly, len(ordered) - len(apart))


def steps(period: Period, until: date, *, is_monthly: bool) -> list[Period]:
    """The days, or the calendar months, of a period up to a day; a month at its edge is cut there."""
    last = max(period.first, min(period.last, until))
    found: list[Period] = []
    first = period.first
    while first <= last:
        end = min(Period.month(first).last, last) if is_monthly else first
        found.append(Period(first, end))
        first = end + DAY
    return found
