"""What an endpoint has cost, line by line: one line for each span of time with the same instances. Pure."""

from datetime import datetime
from decimal import Decimal

from dashboard.core import tags as tag
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.receipt import Fact, Line, Nature, Receipt, Service
from dashboard.core.serving.model import Endpoint

HOUR = Decimal(3600)
FROM_CREATION = "counted from its creation: AWS bills from when its instances are there, minutes later"
NO_TYPE = "its configuration is gone, and with it what it runs on"


def present_receipt(endpoint: Endpoint, prices: PriceBook, region: str, now: datetime, *, is_embedded: bool) -> Receipt:
    """Of an endpoint that is there, as if it had always had the instances that it has now."""
    ends = now if endpoint.status.is_billed else endpoint.created
    began = min(endpoint.created, now)
    quantity = Decimal(str(max(0.0, (ends - began).total_seconds()))) * endpoint.count / HOUR
    price = prices.price(Kind.ENDPOINT, endpoint.instance_type, region) if endpoint.instance_type else None
    why = NO_TYPE if not endpoint.instance_type else prices.why_unknown(Kind.ENDPOINT, endpoint.instance_type, region)
    line = Line(
        what=f"{endpoint.instance_type} × {endpoint.count}",
        quantity=quantity,
        unit="instance-hours",
        price=price,
        amount=None if price is None else price.amount * quantity,
        started=began,
        ended=max(began, ends),
        how=f"{(max(began, ends) - began).total_seconds():,.0f} s × {endpoint.count}",
        why_unknown=why,
    )
    return Receipt(
        key=endpoint_key(endpoint.name, endpoint.created),
        name=endpoint.name,
        service=Service.ENDPOINTS,
        nature=Nature.of(endpoint.tags, is_embedded=is_embedded),
        started=began,
        ended=None,
        lines=(line,),
        status=endpoint.status.word,
        project=endpoint.tags.get(tag.PROJECT, ""),
        owner=endpoint.tags.get(tag.OWNER, ""),
        instance_type=endpoint.instance_type,
        count=endpoint.count,
        facts=(
            Fact("DescribeEndpoint", "CreationTime", endpoint.created.isoformat(timespec="seconds")),
            Fact("DescribeEndpoint", "EndpointStatus", endpoint.status.value),
            Fact("DescribeEndpointConfig", "InstanceType", endpoint.instance_type),
            Fact("DescribeEndpoint", "CurrentInstanceCount", str(endpoint.count)),
        ),
        notes=(FROM_CREATION,),
    )


def endpoint_key(name: str, created: datetime) -> str:
    """The key of an endpoint's receipt: names are used again."""
    return f"endpoint:{name}@{int(created.timestamp())}"
