"""How a month stands against its budget: a share, the share of the month that has passed, and a warning in words. Pure.

What is spent comes from Kennel's receipts, what is expected from its forecast; AWS's own bill is another matter.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from dashboard.core.costs.budgets.budgets import Budget
from dashboard.core.costs.selection import Period
from dashboard.core.costs.spend.forecast import Forecast
from dashboard.core.format import money, percent

MOST_PERCENT = 10
"""Up to this many times the limit is told in percent."""
NEARLY = Decimal("0.8")
"""The share from which a budget counts as nearly spent: the first of the alerts that Kennel proposes."""


class Level(StrEnum):
    """How a month stands; OVER and AHEAD and NEARLY are warnings."""

    OVER = "over the limit"
    AHEAD = "heading over the limit"
    NEARLY = "nearly spent"
    WITHIN = "within the limit"

    @property
    def is_warning(self) -> bool:
        return self is not Level.WITHIN


@dataclass(frozen=True, slots=True)
class Standing:
    """One month against a budget's limit. `spent` and `expected` (by its end, None if unknown) are in USD.

    `is_least`: there is no forecast, and `expected` is what is spent and what stands will add if nothing is stopped.
    """

    budget: Budget
    spent: Decimal
    elapsed: float  # the share of the month that has passed, 0 to 1
    expected: Decimal | None = None
    is_least: bool = False

    @property
    def share(self) -> float:
        """The share of the limit that is spent; above 1 when it is over. A limit of 0 is over with the first cent."""
        if self.budget.limit:
            return float(self.spent / self.budget.limit)
        return float("inf") if self.spent else 0.0

    @property
    def left(self) -> Decimal:
        """What is left of the limit; negative when it is over."""
        return self.budget.limit - self.spent

    @property
    def level(self) -> Level:
        limit = self.budget.limit
        if self.spent > limit:
            return Level.OVER
        if self.expected is not None and self.expected > limit:
            return Level.AHEAD
        if self.spent and self.spent >= NEARLY * limit and self.share > self.elapsed:
            return Level.NEARLY
        return Level.WITHIN

    @property
    def sentence(self) -> str:
        """ "62 % of $500, 71 % of the month has passed"."""
        passed = f"{percent(self.elapsed)} of the month has passed" if self.elapsed else "the month has not begun"
        spent = money(self.spent) if self.share > MOST_PERCENT else percent(self.share)
        return f"{spent} of {money(self.budget.limit)}, {passed}"

    @property
    def warning(self) -> str:
        """What to know, in a sentence; "" while all is well."""
        limit = money(self.budget.limit)
        match self.level:
            case Level.OVER:
                return f"{money(-self.left)} over the limit of {limit}"
            case Level.AHEAD:
                more = money((self.expected or Decimal(0)) - self.budget.limit)
                least = "at least " if self.is_least else ""
                return f"the month is heading for {least}{money(self.expected)}, {more} over the limit of {limit}"
            case Level.NEARLY:
                left = percent(1 - self.elapsed)
                return f"{percent(self.share)} of {limit} is spent, and {left} of the month is still to come"
            case _:
                return ""


def standing(
    budget: Budget,
    spent: Decimal,
    now: datetime,
    expected: Decimal | None = None,
    month: Period | None = None,
    *,
    is_least: bool = False,
) -> Standing:
    """A month of UTC days, as AWS bills, against a budget; that of `now` unless another one is named."""
    elapsed = elapsed_of(month or Period.month(now.astimezone(UTC).date()), now)
    return Standing(budget, spent, elapsed, expected, is_least)


def against(budget: Budget, spent: Decimal, now: datetime, coming: Forecast | None) -> Standing:
    """The month that goes on against a budget, with what is to come of it: the forecast, or at least what stands."""
    if coming is None:
        return standing(budget, spent, now)
    return standing(budget, spent, now, coming.expected, coming.period, is_least=not coming.is_known)


def elapsed_of(month: Period, now: datetime) -> float:
    """The share of a period that has passed, 0 to 1."""
    start = datetime(month.first.year, month.first.month, month.first.day, tzinfo=UTC)
    return min(max((now - start) / timedelta(days=month.days), 0.0), 1.0)
