"""What an EC2 instance costs: seconds × price, a minute at least, with its volume and its address where priced."""

from decimal import Decimal

from dashboard.core.costs import quantities
from dashboard.core.costs.prices import Extra, Kind, Price, PriceBook
from dashboard.core.costs.quantities import HOUR, Quantity, ec2_seconds, instance_hours
from dashboard.core.costs.quote import Quote, unknown

LEAST_SECONDS = int(quantities.EC2_LEAST_SECONDS)
MONTH_HOURS = int(quantities.MONTH_HOURS)


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
    billed = None if seconds is None else ec2_seconds(seconds)
    extras = _extras(prices, region, volume_gb)
    amount = None
    if billed is not None:
        beside = sum((used.cost(each.amount) for _, used, each in extras if each is not None), Decimal(0))
        amount = instance_hours(billed).cost(price.amount + beside)
    return Quote(
        amount=amount,
        unit_price=price.amount,
        seconds=None if billed is None else float(billed),
        count=1,
        currency=price.currency,
        source=price.source,
        date=price.date,
        why_unknown="" if billed is not None else why_unknown or "the time is unknown",
        is_estimate=price.is_estimate,
        basis=", ".join(part for part in (basis, _said(extras, region)) if part),
    )


def _extras(prices: PriceBook, region: str, volume_gb: int) -> list[tuple[str, Quantity, Price | None]]:
    """What is charged beside the instance: its name, how much of it in an hour, and its price, None when unknown."""
    found: list[tuple[str, Quantity, Price | None]] = []
    if volume_gb:
        kept = quantities.gb_months(volume_gb, HOUR)
        found.append((f"{volume_gb} GB gp3", kept, prices.beside(Extra.GP3, region)))
    found.append(("a public address", quantities.hours(HOUR), prices.beside(Extra.PUBLIC_IPV4, region)))
    return found


def _said(extras: list[tuple[str, Quantity, Price | None]], region: str) -> str:
    known = [name for name, _, price in extras if price is not None]
    missing = [name for name, _, price in extras if price is None]
    return ", ".join(
        part
        for part in (
            f"with {' and '.join(known)}" if known else "",
            f"without {' and '.join(missing)} (no price in {region})" if missing else "",
        )
        if part
    )
