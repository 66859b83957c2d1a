"""The bill of the embedded AWS: what the journal tells was used, at list prices. Simulated; nobody is charged.

Cost Explorer and Budgets answer from it. It has no day's lag, no credits, no free tier, no discounts and no tax.
"""

import calendar
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from dashboard.core.costs.bill.names import REQUEST_PRICE, BilledService
from dashboard.core.costs.charges import SERVERLESS_MB
from dashboard.core.costs.prices import Extra, Kind, Price, PriceBook
from local_aws.services import ec2_spot
from local_aws.services.billing_journal import Journal, Usage, Used
from local_aws.services.billing_names import ARM, NO_INSTANCE, Purchase, usage_type
from local_aws.services.billing_tags import CostTags

HOUR = 3600
_BY_THE_HOUR = {
    Used.TRAINING: Kind.SAGEMAKER_TRAINING,
    Used.ENDPOINT: Kind.ENDPOINT,
    Used.NOTEBOOK: Kind.NOTEBOOK,
}
"""What SageMaker bills by the hour of an instance."""


@dataclass(frozen=True)
class Item:
    """One line of the bill: what one interval of use cost within one stretch of time.

    quantity in `unit`; amount in USD, None where the price book has no price; tags: those that counted then.
    """

    started: float
    service: BilledService
    usage_type: str
    region: str
    instance_type: str
    purchase: Purchase | None
    quantity: Decimal
    unit: str
    amount: Decimal | None
    tags: Mapping[str, str]


class Bill:
    """prices: the book to count with; now: epoch seconds, up to which what goes on is billed."""

    def __init__(
        self,
        journal: Journal,
        tags: CostTags,
        *,
        prices: Callable[[], PriceBook],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._tags = tags
        self._prices = prices
        self._now = now

    def items(self, since: float, until: float, cuts: Iterable[float] = ()) -> Iterator[Item]:
        """What was used between two moments, epoch seconds. `cuts`: moments that no item reaches over."""
        now = self._now()
        activations = self._tags.all()
        edges = sorted({*cuts, *(moment for one in activations.values() for moment in one.moments)})
        prices = self._prices()
        for usage in self._journal.between(since, until):
            for start, end in _pieces(usage, since, until, now, edges):
                tags = {
                    key: value
                    for key, value in usage.tags.items()
                    if key in activations and activations[key].covers(start)
                }
                yield _item(usage, start, end, now, tags, prices)

    def spent(self, since: datetime, until: datetime, wanted: Callable[[Item], bool] = lambda _: True) -> Decimal:
        """USD that was spent between two moments (aware) on the items that are `wanted`. Unpriced ones are left out."""
        return sum(
            (one.amount for one in self.items(since.timestamp(), until.timestamp()) if one.amount and wanted(one)),
            Decimal(0),
        )


def _pieces(
    usage: Usage, since: float, until: float, now: float, edges: Sequence[float]
) -> Iterator[tuple[float, float]]:
    """The interval within the time that is asked for, cut at the edges. A moment, a request, is one piece."""
    end = min(_end(usage, now), until)
    start = max(usage.started, since)
    if usage.started == _end(usage, now):
        if since <= usage.started < until:
            yield usage.started, usage.started
        return
    while start < end:
        number = bisect_right(edges, start)
        stop = min(end, edges[number]) if number < len(edges) else end
        yield start, stop
        start = stop


def _end(usage: Usage, now: float) -> float:
    """When it ended, or now; never before it started, whatever the clock did."""
    return max(usage.started, now if usage.ended is None else usage.ended)


def _item(usage: Usage, start: float, end: float, now: float, tags: Mapping[str, str], prices: PriceBook) -> Item:
    whole = _decimal(_end(usage, now) - usage.started)
    inside = _decimal(end - start)
    billed = whole if usage.seconds is None else _decimal(usage.seconds)
    seconds = billed * inside / whole if whole else billed
    purchase = None
    instance_type = NO_INSTANCE
    hours = seconds * usage.size / HOUR
    at = datetime.fromtimestamp(start, UTC)
    match usage.used:
        case Used.TRAINING | Used.ENDPOINT | Used.NOTEBOOK:
            price = prices.price(_BY_THE_HOUR[usage.used], usage.kind, usage.region, at)
            service, quantity, unit, instance_type = BilledService.SAGEMAKER, hours, "Hrs", usage.kind
            amount = price.amount * quantity if price else None
        case Used.SERVERLESS:
            service, quantity, unit = BilledService.SAGEMAKER, seconds, "Seconds"
            found = prices.beside(Extra.SERVERLESS_3GB, usage.region, at) if int(usage.kind) == SERVERLESS_MB else None
            amount = found.amount * quantity if found else None
        case Used.INSTANCE:
            service, quantity, unit, instance_type = BilledService.EC2, hours, "Hrs", usage.kind
            purchase = Purchase.SPOT if usage.spot_zone else Purchase.ON_DEMAND
            hourly = _spot(usage, start, end) if usage.spot_zone else _on_demand(prices, usage, at)
            amount = hourly * quantity if hourly is not None else None
        case Used.VOLUME:
            known = usage.kind in Extra._value2member_map_
            found = prices.beside(Extra(usage.kind), usage.region, at) if known else None
            service, unit = BilledService.EC2_OTHER, "GB-Mo"
            quantity = _months(start, end) * usage.size * (billed / whole if whole else 1)
            amount = found.amount * quantity if found else None
        case Used.NOTEBOOK_VOLUME:
            found = prices.beside(Extra.ML_STORAGE, usage.region, at)
            service, unit, quantity = BilledService.SAGEMAKER, "GB-Mo", _months(start, end) * usage.size
            amount = found.amount * quantity if found else None
        case Used.ADDRESS:
            found = prices.beside(Extra.PUBLIC_IPV4, usage.region, at)
            service, quantity, unit = BilledService.VPC, hours, "Hrs"
            amount = found.amount * quantity if found else None
        case Used.REQUEST:
            service, quantity, unit = BilledService.COST_EXPLORER, Decimal(usage.size), "Requests"
            amount = REQUEST_PRICE * quantity
        case Used.FUNCTION_REQUESTS:
            found = prices.beside(Extra.LAMBDA_REQUEST, usage.region, at)
            quantity = Decimal(usage.size) * inside / whole if whole else Decimal(usage.size)
            service, unit, amount = BilledService.LAMBDA, "Requests", found.amount * quantity if found else None
        case Used.FUNCTION_SECONDS | Used.PROVISIONED | Used.PROVISIONED_SECONDS:
            found = _function_price(usage, at, prices)
            quantity = seconds * Decimal(usage.kind) / 1024 * usage.size
            service, unit = BilledService.LAMBDA, "Lambda-GB-Second"
            amount = found.amount * quantity if found else None
    return Item(start, service, usage_type(usage), usage.region, instance_type, purchase, quantity, unit, amount, tags)


def _function_price(usage: Usage, at: datetime, prices: PriceBook) -> Price | None:
    """Of a GB-second of Lambda's; None for what is kept ready on ARM, of which the book has no price."""
    is_arm = usage.detail == ARM
    if usage.used is Used.FUNCTION_SECONDS:
        extra = Extra.LAMBDA_DURATION_ARM if is_arm else Extra.LAMBDA_DURATION_X86
        return prices.beside(extra, usage.region, at)
    if is_arm:
        return None
    kept = usage.used is Used.PROVISIONED
    return prices.beside(Extra.LAMBDA_PROVISIONED if kept else Extra.LAMBDA_PROVISIONED_DURATION, usage.region, at)


def _on_demand(prices: PriceBook, usage: Usage, at: datetime) -> Decimal | None:
    found = prices.price(Kind.EC2, usage.kind, usage.region, at)
    return found.amount if found else None


def _spot(usage: Usage, start: float, end: float) -> Decimal | None:
    """USD an hour, on average: each hour of an instance costs the spot price at that hour's beginning (AWS's rule)."""
    began = usage.began if usage.began is not None else usage.started
    total, at = Decimal(0), start
    while True:
        hour = int((at - began) // HOUR)
        price = _spot_price(usage.kind, usage.spot_zone, began + hour * HOUR)
        stop = min(end, began + (hour + 1) * HOUR)
        if price is None or end <= start:
            return price
        total += price * _decimal(stop - at)
        if stop >= end or stop <= at:
            return total / _decimal(end - start)
        at = stop


@lru_cache(maxsize=10_000)
def _spot_price(instance_type: str, zone: str, at: float) -> Decimal | None:
    return ec2_spot.price(instance_type, zone, datetime.fromtimestamp(at, UTC))


def _months(start: float, end: float) -> Decimal:
    """What part of a month it was, each by the hours that it has: a GB for all of February is one GB-month."""
    months, at = Decimal(0), start
    while at < end:
        day = datetime.fromtimestamp(at, UTC)
        length = calendar.monthrange(day.year, day.month)[1] * 24 * HOUR
        first = datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()
        stop = min(end, first + length)
        months += _decimal(stop - at) / length
        at = stop
    return months


def _decimal(seconds: float) -> Decimal:
    """Seconds to the microsecond, which is what a clock tells."""
    return Decimal(round(seconds * 1_000_000)) / 1_000_000
