"""Spot prices and spot requests, simulated: what a spot instance costs, and how its request is described.

A zone's price moves a few times a day within the range that was observed (see engine/spot.py) around the list price of
the instance on demand; a type without a known list price has no spot price here, as a price nobody knows is not made
up. The same moment always gives the same price.
"""

import hashlib
import random
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from dashboard.core.costs.prices import Kind, PriceBook
from local_aws.engine import spot
from local_aws.errors import ServiceError
from local_aws.services import ec2_describe

Document = dict[str, Any]
HISTORY = timedelta(days=90)
PRODUCT = "Linux/UNIX"
_PRODUCTS = (PRODUCT, "Linux/UNIX (Amazon VPC)")
_STEP = timedelta(hours=6)
_SWING = 0.07  # the observed ranges are some 4 to 14 percent around their middle
_MOST = 1000
_FULFILLED = "Your spot request is fulfilled."


@cache
def _book() -> PriceBook:
    return PriceBook.load()


def on_demand(instance_type: str, region: str) -> Decimal | None:
    """USD an hour, None where the price book has none."""
    found = _book().price(Kind.EC2, instance_type, region)
    return found.amount if found else None


def price(instance_type: str, zone: str, at: datetime) -> Decimal | None:
    """USD an hour of a spot instance in an Availability Zone, to four decimals; None where nobody knows."""
    return next((amount for *_, amount in history([instance_type], [zone], at, at)), None)


def history(
    types: Sequence[str], zones: Sequence[str], start: datetime, end: datetime
) -> list[tuple[datetime, str, str, Decimal]]:
    """Every change from start to end and the price in force at the start, newest first: (since, type, zone, price)."""
    found = []
    for instance_type in types:
        for zone in zones:
            full = on_demand(instance_type, zone[:-1])
            if full is None:
                continue
            for step in range(_step(end), _step(start) - 2, -1):
                since = _since(instance_type, zone, step)
                if since <= end:
                    found.append((since, instance_type, zone, _at(instance_type, zone, step, full)))
                if since <= start:
                    break
    return sorted(found, key=lambda one: one[0], reverse=True)


def _step(at: datetime) -> int:
    return int(at.timestamp() // _STEP.total_seconds())


def _since(instance_type: str, zone: str, step: int) -> datetime:
    """Zones do not change all at the same minute."""
    return datetime.fromtimestamp(step * _STEP.total_seconds() + _draw(instance_type, zone, "minute") * 3000, UTC)


def _at(instance_type: str, zone: str, step: int, full: Decimal) -> Decimal:
    middle = full * spot.price_ratio(instance_type)
    drift = 0.6 * (_draw(instance_type, zone) - 0.5) + 0.4 * (_draw(instance_type, zone, step) - 0.5)
    return (middle * Decimal(1 + 2 * _SWING * drift)).quantize(Decimal("0.0001"))


@lru_cache(maxsize=1 << 16)
def _draw(*seed: object) -> float:
    return random.Random(hashlib.sha256(repr(seed).encode()).digest()).random()  # noqa: S311 (a simulation)


def describe_history(params: Mapping[str, Any], zones: Mapping[str, str], now: datetime) -> Document:
    """DescribeSpotPriceHistory. zones: those of the region, name by id. Raises ServiceError."""
    filters = params.get("Filters") or ()
    passes = ec2_describe.matcher(filters, ec2_describe.PRICE_FILTERS)
    products = params.get("ProductDescriptions") or ()
    zone = params.get("AvailabilityZone") or zones.get(params.get("AvailabilityZoneId") or "")
    if (zone or params.get("AvailabilityZoneId")) and zone not in zones.values():
        raise ServiceError("InvalidParameterValue", f"Invalid availability zone: [{zone}]")
    named = [value for one in filters if one.get("Name") == "instance-type" for value in one.get("Values") or ()]
    plain = named if not any(sign in value for value in named for sign in "*?") else []
    types = params.get("InstanceTypes") or plain or _priced()
    start, end = params.get("StartTime") or now - HISTORY, params.get("EndTime") or now
    start, end = max(_aware(start), now - HISTORY), min(_aware(end), now)
    most = min(params.get("MaxResults") or _MOST, _MOST)
    at = _offset(params.get("NextToken"))
    if products and not set(products) & set(_PRODUCTS):
        return {"SpotPriceHistory": [], "NextToken": ""}
    rows = [
        {
            "AvailabilityZone": where,
            "InstanceType": kind,
            "ProductDescription": PRODUCT,
            "SpotPrice": f"{amount:.6f}",
            "Timestamp": since,
        }
        for since, kind, where, amount in history(types, [zone] if zone else sorted(zones.values()), start, end)
    ]
    rows = [row for row in rows if passes(row)]
    return {"SpotPriceHistory": rows[at : at + most], "NextToken": str(at + most) if len(rows) > at + most else ""}


def _priced() -> list[str]:
    return sorted({kind for what, kind, _ in _book().prices if what is Kind.EC2})


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _offset(token: str | None) -> int:
    if not token:
        return 0
    if not token.isdigit():
        raise ServiceError("InvalidNextToken", "The token is not one of this operation.")
    return int(token)


def check_price(max_price: str | None, instance_type: str, zone: str, now: datetime) -> None:
    """Raises ServiceError when the most that is to be paid is below the price of now."""
    asked = price(instance_type, zone, now)
    if max_price and asked and Decimal(max_price) < asked:
        raise ServiceError(
            "SpotMaxPriceTooLow",
            f"Your Spot request price of {max_price} is lower than the minimum required Spot request fulfillment price "
            f"of {asked}.",
        )


def new_request(max_price: str | None, tags: Mapping[str, str], now: datetime) -> Document:
    """What is kept of a request that is fulfilled at once."""
    return {
        "id": f"sir-{secrets.token_hex(4)}",
        "max_price": max_price,
        "created": now,
        "state": "active",
        "code": "fulfilled",
        "message": _FULFILLED,
        "updated": now,
        "tags": dict(tags),
        "reclaimed_at": None,
    }


ENDS = {
    "instance-terminated-by-user": "Spot Instance terminated due to user-initiated termination.",
    "instance-terminated-no-capacity": "There is no Spot capacity available that matches your request.",
    "marked-for-termination": "Your Spot instance is marked for termination. It may be terminated at any time.",
    "request-canceled-and-instance-running": "Your spot request is canceled, but your instance is still running.",
}


def changed(request: Document, code: str, now: datetime, state: str | None = None) -> None:
    """Write down what became of a request."""
    request.update(code=code, message=ENDS[code], updated=now, state=state or request["state"])


def describe_request(found: Any) -> Document:
    """DescribeSpotInstanceRequests' record of the request of moto's instance."""
    kept = found.kennel["spot"]
    document: Document = {
        "CreateTime": kept["created"],
        "InstanceId": found.id,
        "InstanceInterruptionBehavior": "terminate",
        "LaunchSpecification": {
            "ImageId": found.image_id,
            "InstanceType": found.instance_type,
            "Placement": {"AvailabilityZone": found.availability_zone},
            "SecurityGroups": [{"GroupId": one.id, "GroupName": one.name} for one in found.security_groups],
            "Monitoring": {"Enabled": found.monitored},
        },
        "LaunchedAvailabilityZone": found.availability_zone,
        "ProductDescription": PRODUCT,
        "SpotInstanceRequestId": kept["id"],
        "State": kept["state"],
        "Status": {"Code": kept["code"], "Message": kept["message"], "UpdateTime": kept["updated"]},
        "Tags": [{"Key": key, "Value": value} for key, value in kept["tags"].items()],
        "Type": "one-time",
    }
    limit = kept["max_price"] or on_demand(found.instance_type, found.availability_zone[:-1])
    if limit is not None:
        document["SpotPrice"] = f"{Decimal(limit):.6f}"
    return document


def requests(instances: Iterable[Any]) -> list[Any]:
    """The instances that a spot request made."""
    return [one for one in instances if one.kennel["spot"]]
