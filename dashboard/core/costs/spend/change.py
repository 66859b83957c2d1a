"""What changed since the period before, and which groups made the difference. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dashboard.core.costs.ledger.ledger import Share
from dashboard.core.costs.receipt import Receipt
from dashboard.core.costs.selection import DAY, Period


@dataclass(frozen=True)
class Item:
    """One group in both periods."""

    group: str
    now: Decimal
    before: Decimal

    @property
    def difference(self) -> Decimal:
        return self.now - self.before


@dataclass(frozen=True)
class Change:
    """Two periods side by side. The differences of `items`, the largest first, add up to `difference` exactly.

    `unknown` receipts of either period are missing from the sums, `lacking` ones are in them in part.
    """

    period: Period
    before: Period
    items: tuple[Item, ...]
    unknown: int = 0
    lacking: int = 0

    @property
    def is_part(self) -> bool:
        """Whether something is missing from one of the sums, or from both."""
        return bool(self.unknown or self.lacking)

    @property
    def now(self) -> Decimal:
        return sum((item.now for item in self.items), Decimal(0))

    @property
    def earlier(self) -> Decimal:
        return sum((item.before for item in self.items), Decimal(0))

    @property
    def difference(self) -> Decimal:
        return self.now - self.earlier

    @property
    def share(self) -> float | None:
        """The difference as a share of the earlier sum: 0.5 is half as much again; None when there was nothing."""
        return float(self.difference / self.earlier) if self.earlier else None


@dataclass(frozen=True)
class Move:
    """One receipt in both periods; None where it has no part in one, or its cost there is not known."""

    receipt: Receipt
    now: Decimal | None
    before: Decimal | None

    @property
    def difference(self) -> Decimal:
        return (self.now or Decimal(0)) - (self.before or Decimal(0))


def moves(
    now: Sequence[tuple[Receipt, Decimal | None]], before: Sequence[tuple[Receipt, Decimal | None]]
) -> list[Move]:
    """What each receipt has in the difference of two sums, the largest first; they add up to it exactly."""
    here, there = ({receipt.key: amount for receipt, amount in rows} for rows in (now, before))
    receipts = {receipt.key: receipt for receipt, _ in (*before, *now)}
    found = [Move(receipt, here.get(key), there.get(key)) for key, receipt in receipts.items()]
    return sorted(found, key=lambda one: (-abs(one.difference), one.receipt.key))


def compared(period: Period, today: date) -> tuple[Period, Period]:
    """The two periods that can be compared on a day: of one that goes on only its days so far, and as many before.

    On 21 November: 1 to 21 November, and 1 to 21 October.
    """
    before = period.before()
    if not period.first <= today < period.last:
        return period, before
    passed = (today - period.first).days
    return Period(period.first, today), Period(before.first, min(before.first + passed * DAY, before.last))


def change(period: Period, before: Period, now: Sequence[Share], earlier: Sequence[Share]) -> Change:
    """The difference between the sums of two periods, group by group."""
    here, there = _amounts(now), _amounts(earlier)
    items = [Item(group, here.get(group, Decimal(0)), there.get(group, Decimal(0))) for group in {**here, **there}]
    items.sort(key=lambda item: (-abs(item.difference), -item.now, item.group))
    both = (*now, *earlier)
    unknown, lacking = sum(share.unknown for share in both), sum(share.lacking for share in both)
    return Change(period, before, tuple(items), unknown, lacking)


def _amounts(shares: Sequence[Share]) -> Mapping[str, Decimal]:
    return {share.group: share.amount for share in shares}
