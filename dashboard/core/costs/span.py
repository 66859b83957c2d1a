"""The time and the place that charges accrue over, and the lines that are made there. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from dashboard.core.costs import quantities
from dashboard.core.costs.prices import Extra, Kind, Price, PriceBook
from dashboard.core.costs.quantities import Number, Quantity, exact
from dashboard.core.costs.receipt import Line
from dashboard.core.format import count as counted
from dashboard.core.format import plain


@dataclass(frozen=True, slots=True)
class Span:
    """From `started` to `ended` in a region, at the prices in force then. ValueError when it ends before its start."""

    book: PriceBook
    region: str
    started: datetime
    ended: datetime

    def __post_init__(self) -> None:
        if self.ended.astimezone(UTC) < self.started.astimezone(UTC):
            raise ValueError(f"it ended at {self.ended}, before it started at {self.started}: time is not negative")

    @property
    def seconds(self) -> Decimal:
        """How long it is, to the microsecond; in UTC, because two times of one zone differ by what its clocks say."""
        length = self.ended.astimezone(UTC) - self.started.astimezone(UTC)
        return Decimal(length // timedelta(microseconds=1)) / 1_000_000

    def cut(self, days: Iterable[date]) -> tuple["Span", ...]:
        """In parts that begin at these UTC days, as far as they lie inside: each part at the price of its own time."""
        edges = {datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days}
        inside = sorted(one for one in edges if self.started < one < self.ended)
        return tuple(
            replace(self, started=begin, ended=end) for begin, end in pairwise([self.started, *inside, self.ended])
        )

    def each(self, kind: Kind, instance_type: str, use: str, *, count: int = 1) -> tuple[Line, ...]:
        """`count` instances over all of it; a line for each price that they had."""
        parts = self.cut(self.book.changes(kind, instance_type, self.region))
        return tuple(part.instances(kind, instance_type, use, count=count) for part in parts)

    def instances(
        self,
        kind: Kind,
        instance_type: str,
        use: str,
        *,
        seconds: Number | None = None,
        count: int = 1,
        how: str = "",
        spot: Price | None = None,
    ) -> Line:
        """`count` instances over `seconds` each, over all of the span when not told; at `spot` when there is one."""
        each = self.seconds if seconds is None else seconds
        return self.line(
            f"{instance_type}, {use}",
            quantities.instance_hours(each, count),
            spot or self.book.price(kind, instance_type, self.region, self.started),
            how=how or f"{in_seconds(each)} × {counted(count, 'instance')}",
            why=self.book.why_unknown(kind, instance_type, self.region),
        )

    def beside(self, what: Extra, quantity: Quantity, how: str = "", name: str = "", *, essential: bool = True) -> Line:
        """What is charged for beside instance-hours."""
        price, why = self.book.beside(what, self.region, self.started), self.book.why_missing(what, self.region)
        return self.line(name or what.word, quantity, price, how=how, why=why, essential=essential)

    def kept(
        self,
        what: Extra,
        gb: Number,
        month_hours: Number,
        *,
        seconds: Number | None = None,
        count: int = 1,
        name: str = "",
        essential: bool = True,
    ) -> Line:
        """`count` times `gb` GB kept over `seconds`, over all of the span when not told."""
        each = self.seconds if seconds is None else seconds
        times = f" × {counted(count, 'instance')}" if count != 1 else ""
        how = f"{in_digits(gb)} GB{times} × {in_seconds(each)}, a month of {in_digits(month_hours)} h"
        whole = exact(gb, "the size") * exact(count, "the number of instances")
        return self.beside(what, quantities.gb_months(whole, each, month_hours), how, name, essential=essential)

    def line(
        self,
        what: str,
        quantity: Quantity,
        price: Price | None,
        *,
        how: str = "",
        why: str = "",
        essential: bool = True,
    ) -> Line:
        """A quantity at a price; of unknown amount, with `why`, where there is no price."""
        return Line(
            what=what,
            quantity=quantity.value,
            unit=quantity.unit,
            price=price,
            amount=None if price is None else quantity.cost(price.amount),
            started=self.started,
            ended=self.ended,
            how=how,
            why_unknown="" if price is not None else why,
            essential=essential,
        )


def in_digits(number: Number) -> str:
    return plain(float(number))


def in_seconds(seconds: Number) -> str:
    """ "663 s": as AWS counts it, so that whoever multiplies along has the number."""
    return f"{plain(round(float(seconds), 3))} s"
