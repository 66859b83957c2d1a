"""All receipts of an account, and the sums that pages show of them. Pure, and quick with ten thousand of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property

from dashboard.core.costs.receipt import Nature, Receipt
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.errors import KennelError


@dataclass(frozen=True)
class Unread:
    """A part of the account whose costs could not be read: "Lambda functions", and why."""

    what: str
    problem: KennelError


@dataclass(frozen=True)
class Share:
    """What one group has in a sum: what is known. `unknown` receipts are missing from `amount`, `lacking` ones are in
    it in part: an essential charge of theirs is not.
    """

    group: str
    amount: Decimal
    receipts: int
    unknown: int = 0
    lacking: int = 0

    @property
    def known(self) -> Decimal | None:
        """The amount to show: None where there are receipts and the cost of none is known."""
        return None if self.unknown and self.unknown == self.receipts else self.amount

    @property
    def is_least(self) -> bool:
        """Whether it came to at least its amount: something is missing from it."""
        return self.known is not None and bool(self.unknown or self.lacking)


@dataclass(frozen=True)
class Ledger:
    """Every receipt that could be made at a moment, in no order; what could not be read; whether more is coming.

    `counted`, by key, is what ledgers of one account share, so that a receipt's days are counted once.
    """

    receipts: tuple[Receipt, ...]
    at: datetime
    unread: tuple[Unread, ...] = ()
    is_complete: bool = True
    counted: dict[str, tuple[Receipt, dict[date, Decimal]]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def _by_day(self) -> dict[str, dict[date, Decimal]]:
        found: dict[str, dict[date, Decimal]] = {}
        for receipt in self.receipts:
            known = self.counted.get(receipt.key)
            if known is None or known[0] is not receipt:
                known = self.counted[receipt.key] = receipt, receipt.by_day()
            found[receipt.key] = known[1]
        return found

    @cached_property
    def _of_nature(self) -> dict[Nature, list[tuple[Receipt, Decimal | None, dict[date, Decimal]]]]:
        """The receipts of each nature with their amount and their days, worked out once for all sums of them."""
        found: dict[Nature, list[tuple[Receipt, Decimal | None, dict[date, Decimal]]]] = {}
        for receipt in self.receipts:
            found.setdefault(receipt.nature, []).append((receipt, receipt.amount, self._by_day[receipt.key]))
        return found

    @cached_property
    def natures(self) -> tuple[Nature, ...]:
        """The natures that there are receipts of, in Nature's order."""
        there = {receipt.nature for receipt in self.receipts}
        return tuple(nature for nature in Nature if nature in there)

    def usual(self, *, is_embedded: bool) -> Nature:
        """The nature that a page shows unless it is told another: the account's own, else the samples'."""
        own = Nature.of({}, is_embedded=is_embedded)
        return Nature.SAMPLE if own not in self.natures and Nature.SAMPLE in self.natures else own

    def find(self, key: str) -> Receipt | None:
        """A receipt by its key."""
        return self._by_key.get(key)

    def days(self, receipt: Receipt) -> dict[date, Decimal]:
        """A receipt's amount by day, worked out once."""
        return self._by_day[receipt.key]

    @cached_property
    def _by_key(self) -> dict[str, Receipt]:
        return {receipt.key: receipt for receipt in self.receipts}

    def of(self, selection: Selection) -> list[tuple[Receipt, Decimal | None]]:
        """The receipts of a selection with what is known of each within its days, dearest first, unknown ones last."""
        found: list[tuple[Receipt, Decimal | None]] = []
        first, last = selection.period.first, selection.period.last
        for receipt, amount, days in self._of_nature.get(selection.nature, ()):
            if selection.only and not selection.holds(receipt):
                continue
            if amount is None:
                if touches(receipt, selection.period, self.at):
                    found.append((receipt, None))
                continue
            inside = [part for day, part in days.items() if first <= day <= last]
            if inside:
                found.append((receipt, amount if len(inside) == len(days) else sum(inside, Decimal(0))))
            elif receipt.lacks(first, last):
                found.append((receipt, None))
        return sorted(found, key=lambda pair: (pair[1] is None, -(pair[1] or 0), pair[0].key))

    def total(self, selection: Selection) -> Share:
        """The sum of a selection."""
        return together("", self.of(selection), selection.period)

    def shares(self, selection: Selection) -> list[Share]:
        """The sums of its groups, dearest first. They add up to `total` exactly."""
        return shares(self.of(selection), selection.by, selection.period)

    def daily(self, selection: Selection) -> dict[str, dict[date, Decimal]]:
        """Each group's amount by day, days without money left out. Over all days it adds up to `shares`."""
        groups: dict[str, dict[date, Decimal]] = {}
        first, last = selection.period.first, selection.period.last
        for receipt, _, amounts in self._of_nature.get(selection.nature, ()):
            if selection.only and not selection.holds(receipt):
                continue
            days = groups.setdefault(selection.by.group(receipt), {})
            for day, amount in amounts.items():
                if first <= day <= last:
                    days[day] = days.get(day, Decimal(0)) + amount
        return {group: days for group, days in groups.items() if days}


def touches(receipt: Receipt, period: Period, now: datetime) -> bool:
    """Whether it was there on one of these days, which are UTC's."""
    ended = (receipt.ended or now).astimezone(UTC)
    return receipt.started.astimezone(UTC).date() <= period.last and ended.date() >= period.first


def groups(receipts: Sequence[Receipt], by: By) -> list[str]:
    """The groups that there are, in order; "" for receipts without such a mark."""
    return sorted({by.group(receipt) for receipt in receipts})


def together(group: str, found: Sequence[tuple[Receipt, Decimal | None]], period: Period) -> Share:
    """The sum of receipts with their amounts in a period, as `Ledger.of` gives them."""
    known = [amount for _, amount in found if amount is not None]
    lacking = sum(receipt.lacks(period.first, period.last) for receipt, amount in found if amount is not None)
    return Share(group, sum(known, Decimal(0)), len(found), len(found) - len(known), lacking)


def shares(found: Iterable[tuple[Receipt, Decimal | None]], by: By, period: Period) -> list[Share]:
    """The sums of their groups, dearest first. They add up to the sum of all exactly."""
    of: dict[str, list[tuple[Receipt, Decimal | None]]] = {}
    for receipt, amount in found:
        of.setdefault(by.group(receipt), []).append((receipt, amount))
    return sorted((together(group, one, period) for group, one in of.items()), key=lambda s: (-s.amount, s.group))
