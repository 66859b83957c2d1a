"""What an EC2 instance costs: seconds × price, a minute at least, with its volume and its address where priced."""

from decimal import Decimal

from dashboard.core.costs.prices import Extra, Kind, Price, PriceBook
from dashboard.core.costs.quote import HOUR, Quote, unknown

LEAST_SECONDS = 60
"""EC2 bills Linux instances by the second, a minute at least (AWS's EC2 on-demand pricing page)."""
MONTH_HOURS = 730
"""Hours of the month that a price per GB-month is divided by, as most of AWS's own calculators do."""


def ec2_quote(
    prices: PriceBook,
    instance_type: str,
    region: str,
    *,
    seconds: float | None,
    volume_gb: int = 0,
    spot: Price | None = None,
    basis: str = "",
    why_unknown: str = "",
) -> Quote:
    """A quote for one instance over `seconds`, None for an unknown time with its reason.

    `spot` is the price to count with instead of the list price. The volume (gp3) and a public IPv4 address are counted
    where the price book has them; `basis` says what is in the sum and what is missing from it.
    """
    price = spot or prices.price(Kind.EC2, instance_type, region)
    if price is None:
        return unknown(prices.why_unknown(Kind.EC2, instance_type, region), seconds=seconds, basis=basis)
    # What has not run yet is not billed; what has, for a minute at least.
    billed = None if seconds is None else max(float(LEAST_SECONDS), seconds) if seconds > 0 else 0.0
    extras = _extras(prices, region, volume_gb)
    amount = None
    if billed is not None:
        amount = (price.amount + sum((one for _, one in extras if one is not None), Decimal(0))) * Decimal(str(billed))
        amount /= HOUR
    return Quote(
        amount=amount,
        unit_price=price.amount,
        seconds=billed,
        count=1,
        currency=price.currency,
        source=price.source,
        date=price.date,
        why_unknown="" if billed is not None else why_unknown or "the time is unknown",
        is_estimate=price.is_estimate,
        basis=", ".join(part for part in (basis, _said(extras, region)) if part),
    )


def _extras(prices: PriceBook, region: str, volume_gb: int) -> list[tuple[str, Decimal | None]]:
    """What is charged beside the instance: its name, and USD an hour or None when unknown."""
    disk, address = prices.beside(Extra.GP3, region), prices.beside(Extra.PUBLIC_IPV4, region)
    found: list[tuple[str, Decimal | None]] = []
    if volume_gb:
        found.append((f"{volume_gb} GB gp3", disk.amount * volume_gb / MONTH_HOURS if disk else None))
    found.append(("a public address", address.amount if address else None))
    return found


def _said(extras: list[tuple[str, Decimal | None]], region: str) -> str:
    known = [name for name, price in extras if price is not None]
    missing = [name for name, price in extras if price is None]
    return ", ".join(
        part
        for part in (
            f"with {' and '.join(known)}" if known else "",
            f"without {' and '.join(missing)} (no price in {region})" if missing else "",
        )
        if part
    )
