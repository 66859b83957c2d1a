"""What an endpoint has cost, line by line: one for each span of time with the same instances. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from dashboard.core import tags as tag
from dashboard.core.costs import charges
from dashboard.core.costs.ledger.lifetimes import GONE, Fleet, Lifetime, Span
from dashboard.core.costs.ledger.trail import IN_SERVICE
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Fact, Line, Nature, Receipt, Service
from dashboard.core.costs.waste import expiry

DESCRIBED = "DescribeEndpoint"
NO_TYPE = "CloudTrail does not tell what it ran on then"
SERVERLESS = "a serverless endpoint is billed by the time that it answers, which CloudTrail does not tell"


def endpoint_receipt(
    life: Lifetime,
    prices: PriceBook,
    region: str,
    now: datetime,
    *,
    is_embedded: bool,
    ends: datetime | None = None,
) -> Receipt:
    """Of an endpoint that is there, or was; so far (at `now`) or in the end. `ends`: when a schedule deletes it."""
    lines = _settled([line for span in life.spans for line in _lines(life, span, prices, region, now)])
    latest = next((span.fleets[0] for span in reversed(life.spans) if span.fleets), None)
    begun = min(life.created, now)
    ended = life.ended or (life.last_seen if life.is_lost else None)
    return Receipt(
        key=life.key,
        name=life.name,
        service=Service.ENDPOINTS,
        nature=Nature.of(life.tags, is_embedded=is_embedded),
        started=begun,
        ended=max(begun, ended) if ended else None,
        lines=lines or (_nothing(begun, now if life.ended is None else life.ended),),
        status=_status(life),
        project=life.tags.get(tag.PROJECT, ""),
        owner=life.tags.get(tag.OWNER, ""),
        instance_type=latest.instance_type if latest else "",
        count=latest.count if latest else 0,
        facts=tuple(_facts(life)),
        notes=tuple(_notes(life, None if ended else ends)),
        ends=None if ended else ends,
        wanted=None if ended else expiry.expires(life.tags),
    )


def _lines(life: Lifetime, span: Span, prices: PriceBook, region: str, now: datetime) -> Iterator[Line]:
    started = min(span.started, now)
    ended = max(started, min(span.ended or now, now))
    if life.is_lost and span.ended is None:
        since = started if life.last_seen is None else max(started, min(life.last_seen, now))
        if since > started:
            yield from _lines(life, replace(span, ended=since), prices, region, now)
        # It ends with the reading, so that what it cost before is not taken for something that goes on.
        yield Line("serving until it was deleted", None, "instance-hours", None, None, since, now, "", GONE)
        return
    if not span.fleets:
        yield Line("serving before", None, "instance-hours", None, None, started, ended, "", NO_TYPE)
    for fleet in span.fleets:
        if fleet.is_serverless:
            yield Line("serverless endpoint", None, "seconds", None, None, started, ended, "", SERVERLESS)
        elif not fleet.instance_type:
            yield Line("serving", None, "instance-hours", None, None, started, ended, "", NO_TYPE)
        else:
            yield from charges.endpoint(
                prices, fleet.instance_type, region, started=started, ended=ended, count=fleet.count
            )


def _settled(lines: list[Line]) -> tuple[Line, ...]:
    """A time of which nobody knows what it cost does not make the known ones unknown: it is named as missing."""
    if not any(line.amount is not None for line in lines):
        return tuple(lines)
    return tuple(line if line.quantity is not None else replace(line, essential=False) for line in lines)


def _status(life: Lifetime) -> str:
    if not life.is_lost:
        return life.status
    return "deleted, it is not known when" if life.last_seen is None else f"gone, last seen {_at(life.last_seen)}"


def _notes(life: Lifetime, ends: datetime | None) -> Iterator[str]:
    for one in life.notes:
        is_counted = one == GONE and life.last_seen is not None
        yield f"its sum is as of {_at(life.last_seen)}, when it was last seen: {GONE}" if is_counted else one
    if ends is not None:
        yield f"a schedule deletes it on {_at(ends)}"


def _at(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%-d %b %Y, %H:%M} UTC" if moment else ""


def _nothing(started: datetime, ended: datetime) -> Line:
    """Of an endpoint that was never in service: nothing × no price, which needs none."""
    return Line("not in service", Decimal(0), "instance-hours", None, Decimal(0), started, max(started, ended))


def _facts(life: Lifetime) -> Iterator[Fact]:
    for span in life.spans:
        if span.told_by == IN_SERVICE:
            yield Fact(DESCRIBED, "LastModifiedTime, in service", span.started.isoformat(timespec="seconds"))
        elif span.told_by and span.told_by != DESCRIBED:
            yield Fact(f"CloudTrail {span.told_by}", "eventTime", span.started.isoformat(timespec="seconds"))
        elif span.told_by:
            yield Fact(DESCRIBED, "CreationTime", span.started.isoformat(timespec="seconds"))
        for fleet in span.fleets:
            yield Fact(_of_fleets(span.told_by), fleet.variant or "variant", _said(fleet))
    if life.ended is not None:
        yield Fact("CloudTrail DeleteEndpoint", "eventTime", life.ended.isoformat(timespec="seconds"))


def _of_fleets(told_by: str) -> str:
    """What tells the instances: a configuration, unless they were only scaled or seen as they are."""
    is_of_config = told_by in ("CreateEndpoint", "UpdateEndpoint", IN_SERVICE)
    return "CreateEndpointConfig" if is_of_config else told_by or DESCRIBED


def _said(fleet: Fleet) -> str:
    return "serverless" if fleet.is_serverless else f"{fleet.instance_type} × {fleet.count}"
