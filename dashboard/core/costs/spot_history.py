"""What EC2's spot instances cost over the last days: DescribeSpotPriceHistory, made into a range for each day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.costs.price_cache import SpotDay
from dashboard.core.format import count

SPOT_DAYS = 30
MOST_PAGES = 40
"""Pages that are read at most, each of up to 1,000 changes."""
PRODUCT = "Linux/UNIX"


def spot_days(aws: Aws, instance_types: Sequence[str], now: datetime) -> tuple[tuple[SpotDay, ...], tuple[str, ...]]:
    """What spot cost on each of the last 30 UTC days, by type, and what was left out. Raises as `Aws.call` does."""
    start = datetime.combine(now.astimezone(UTC).date() - timedelta(days=SPOT_DAYS - 1), datetime.min.time(), UTC)
    changes: dict[tuple[str, str], list[tuple[datetime, Decimal]]] = {}
    strange, pages, more = 0, 0, ""
    for page in aws.pages(
        "ec2",
        "DescribeSpotPriceHistory",
        limit=MOST_PAGES,
        InstanceTypes=list(instance_types),
        ProductDescriptions=[PRODUCT],
        StartTime=start,
        EndTime=now,
    ):
        pages, more = pages + 1, page.get("NextToken") or ""
        for one in page["SpotPriceHistory"]:
            amount = _amount(one)
            if amount is None:
                strange += 1
                continue
            changes.setdefault((one["InstanceType"], one["AvailabilityZone"]), []).append((one["Timestamp"], amount))
    left_out = []
    if strange:
        left_out.append(f"spot prices: {count(strange, 'entry', 'entries')} of no sensible amount")
    if more and pages >= MOST_PAGES:
        left_out.append(f"spot prices: only the newest {MOST_PAGES} pages were read, older days are missing")
    days: dict[tuple[str, date], list[Decimal]] = {}
    for (kind, _), of_zone in changes.items():
        for day, amounts in _by_day(sorted(of_zone), start, now):
            days.setdefault((kind, day), []).extend(amounts)
    found = (SpotDay(kind, day, min(amounts), max(amounts)) for (kind, day), amounts in days.items())
    return tuple(sorted(found, key=lambda one: (one.day, one.instance_type))), tuple(left_out)


def _by_day(
    changes: Sequence[tuple[datetime, Decimal]], start: datetime, now: datetime
) -> list[tuple[date, list[Decimal]]]:
    """A zone's prices in force on each day: what changed on it, and what held when it began."""
    found: list[tuple[date, list[Decimal]]] = []
    place, before = 0, None
    midnight = start
    while midnight <= now:
        amounts = []
        end = midnight + timedelta(days=1)
        while place < len(changes) and changes[place][0] <= midnight:
            before = changes[place][1]
            place += 1
        if before is not None:
            amounts.append(before)
        while place < len(changes) and changes[place][0] < end:
            before = changes[place][1]
            amounts.append(before)
            place += 1
        if amounts:
            found.append((midnight.date(), amounts))
        midnight = end
    return found


def _amount(told: dict[str, Any]) -> Decimal | None:
    try:
        amount = Decimal(told["SpotPrice"])
    except (InvalidOperation, KeyError, TypeError):
        return None
    return amount if amount.is_finite() and amount > 0 else None
