"""Quotes: seconds × instances × price per hour, with where the price comes from, or why it is unknown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dashboard.core.costs.prices import Kind, Price, PriceBook
from dashboard.core.costs.quantities import instance_hours


@dataclass(frozen=True)
class Quote:
    """An amount of money and everything needed to defend it. `amount` is None when unknown; `why_unknown` says why."""

    amount: Decimal | None
    unit_price: Decimal | None  # per instance-hour
    seconds: float | None
    count: int
    currency: str
    source: str
    date: date | None
    why_unknown: str = ""
    is_estimate: bool = False  # the price itself is an estimate
    basis: str = ""  # what the seconds are based on
    instances: Decimal | None = None  # of a run's amount: its instances alone, without volumes and addresses
    least: Decimal | None = None  # where a part of the cost is unknown: the rest; None where none is, or all

    @property
    def is_known(self) -> bool:
        return self.amount is not None


def training_cost(seconds: float | Decimal, count: int, price: Decimal) -> Decimal:
    """SageMaker training: billable seconds (of each instance) × instances × price per instance-hour.

    Exact, not rounded. Source of the rule: SageMaker bills from TrainingStartTime to TrainingEndTime, download and
    upload included; DescribeTrainingJob's BillableTimeInSeconds is per instance. Raises ValueError for what is no time.
    """
    return instance_hours(seconds, count).cost(price)


def quote(
    prices: PriceBook,
    kind: Kind | str,
    instance_type: str,
    region: str,
    *,
    seconds: float | None,
    count: int = 1,
    basis: str = "",
    why_unknown: str = "",
) -> Quote:
    """A quote for `count` instances over `seconds`; `seconds=None` is an unknown time, with its reason."""
    price = prices.price(kind, instance_type, region)
    if price is None:
        return unknown(prices.why_unknown(kind, instance_type, region), seconds=seconds, count=count, basis=basis)
    return priced(price, seconds, count, basis, why_unknown)


def priced(price: Price, seconds: float | None, count: int, basis: str = "", why_unknown: str = "") -> Quote:
    """A quote at a price that is known; `seconds=None` is an unknown time, with its reason."""
    return Quote(
        amount=None if seconds is None else training_cost(seconds, count, price.amount),
        unit_price=price.amount,
        seconds=seconds,
        count=count,
        currency=price.currency,
        source=price.source,
        date=price.date,
        why_unknown="" if seconds is not None else why_unknown or "the time is unknown",
        is_estimate=price.is_estimate,
        basis=basis,
    )


def hourly(prices: PriceBook, kind: Kind | str, instance_type: str, region: str, count: int = 1) -> Quote:
    """What `count` instances cost for each hour that they are there."""
    return quote(prices, kind, instance_type, region, seconds=3600, count=count, basis="one hour")


def unknown(why: str, *, seconds: float | None = None, count: int = 1, basis: str = "") -> Quote:
    """A quote that could not be made."""
    return Quote(None, None, seconds, count, "USD", "", None, why_unknown=why, basis=basis)


def total(quotes: Sequence[Quote]) -> tuple[Decimal, int]:
    """The sum of the known amounts, and how many were unknown (and so are missing from it)."""
    known = [q.amount for q in quotes if q.amount is not None]
    return sum(known, Decimal(0)), len(quotes) - len(known)
