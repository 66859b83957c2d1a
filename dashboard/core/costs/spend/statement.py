"""Everything a page of spending says about one selection, worked out once. Pure.

Each sum in it is a sum of receipts that `Ledger.of` gives for a selection of its own, so that every figure opens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal

from dashboard.core.costs.ledger.ledger import Ledger, Share, shares, together
from dashboard.core.costs.ledger.tuning_receipt import folded
from dashboard.core.costs.receipt import Receipt
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.costs.spend.change import Change, change, compared
from dashboard.core.costs.spend.forecast import Forecast, forecast
from dashboard.core.costs.spend.over_time import Series, series


@dataclass(frozen=True)
class Statement:
    """One selection: its receipts with their amounts in its days, their sums, and what they say about time.

    `forecast` is of the calendar month that goes on, None where the selection has none of its days. `platforms` are
    the trainings alone, on SageMaker and on EC2.
    """

    selection: Selection
    ledger: Ledger
    rows: tuple[tuple[Receipt, Decimal | None], ...]
    total: Share
    shares: tuple[Share, ...]
    daily: Mapping[str, Mapping[date, Decimal]]
    series: Series
    change: Change
    forecast: Forecast | None
    platforms: tuple[Share, ...]

    @property
    def is_unknown(self) -> bool:
        """Whether there are receipts and the cost of none is known."""
        return self.total.known is None

    @property
    def today(self) -> date:
        return self.ledger.at.astimezone(UTC).date()

    @property
    def goes_on(self) -> bool:
        """Whether the selection's days are not over."""
        return self.selection.period.last >= self.today

    @property
    def ahead(self) -> Forecast | None:
        """The forecast where it is of the very days that are shown; None where it is of others."""
        return self.forecast if self.forecast and self.forecast.period == self.selection.period else None

    @property
    def dearest(self) -> tuple[tuple[Receipt, Decimal], ...]:
        """The three receipts that cost most; a tuning job is one."""
        return tuple((receipt, amount) for receipt, amount in folded(self.rows)[:3] if amount)


def statement(ledger: Ledger, selection: Selection) -> Statement:
    """Work it all out."""
    today = ledger.at.astimezone(UTC).date()
    rows = tuple(ledger.of(selection))
    groups = tuple(shares(rows, selection.by, selection.period))
    daily = ledger.daily(selection)
    now, before = compared(selection.period, today)
    return Statement(
        selection,
        ledger,
        rows,
        together("", rows, selection.period),
        groups,
        daily,
        series(daily, selection.period, today),
        change(now, before, groups, ledger.shares(selection.over(before))),
        month_forecast(ledger, selection, today),
        tuple(share for share in shares(rows, By.PLATFORM, selection.period) if share.group),
    )


def month_forecast(ledger: Ledger, selection: Selection, today: date) -> Forecast | None:
    """What the month that goes on will come to; None for a selection that has none of its days."""
    if today not in selection.period:
        return None
    held = ((receipt, ledger.days(receipt)) for receipt in ledger.receipts if selection.holds(receipt))
    return forecast(held, Period.month(today), ledger.at)
