"""What an endpoint was over time: which instances, how many, from when to when. From what CloudTrail tells of it, and
from what is there now. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from dashboard.core.costs.ledger.trail import IN_SERVICE, LAST_SEEN, Happening

SCALED = "UpdateEndpointWeightsAndCapacities"
SEEN = "seen:"
"""Begins the id of what Kennel saw itself."""
SAME = timedelta(minutes=2)
"""How far CreationTime may lie from the CreateEndpoint event of the same endpoint."""
FROM_CREATION = "counted from its creation: AWS bills from when its instances are there, minutes later"
NO_HISTORY = "CloudTrail tells nothing of its past: counted as if it always had the instances that it has now"
NO_BEGINNING = "its creation is not in CloudTrail's history: counted from the first change that is"
DRIFTED = "its instances now are not those that CloudTrail tells of: counted from its last change"
NEVER_SERVED = "it was never in service, which costs nothing"
FROM_CALL = "a change counts from when it was asked for: for some minutes old and new instances are both there"
GONE = "it is gone, and CloudTrail does not tell (yet) when it was deleted"


@dataclass(frozen=True)
class Fleet:
    """The instances of one variant; `instance_type` "" is unknown, `is_serverless` has none."""

    variant: str
    instance_type: str
    count: int
    is_serverless: bool = False


@dataclass(frozen=True)
class Span:
    """A time with the same instances; `ended` None goes on. `told_by` is the event that began it."""

    started: datetime
    ended: datetime | None
    fleets: tuple[Fleet, ...]
    told_by: str = ""


@dataclass(frozen=True)
class Present:
    """An endpoint that is there, as DescribeEndpoint and its configuration tell."""

    name: str
    created: datetime
    modified: datetime
    status: str  # a word for a person
    is_billed: bool
    is_coming: bool
    has_failed: bool
    fleets: tuple[Fleet, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    is_changing: bool = False  # its instances are about to be others


@dataclass(frozen=True)
class Lifetime:
    """One endpoint from its creation to its deletion; names are used again, `created` tells them apart.

    `is_lost`: it is gone, and when is not known; `last_seen` is until when it was seen being billed, where it was.
    """

    name: str
    created: datetime
    ended: datetime | None = None
    spans: tuple[Span, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    status: str = "deleted"
    notes: tuple[str, ...] = ()
    is_lost: bool = False
    last_seen: datetime | None = None

    @property
    def key(self) -> str:
        return f"endpoint:{self.name}@{int(self.created.timestamp())}"


def endpoint_lifetimes(
    happenings: Iterable[Happening], present: Sequence[Present], failed: Iterable[str] = ()
) -> list[Lifetime]:
    """Every endpoint that is known, those that are there and those that are gone. `happenings` are oldest first.

    `failed` are keys of endpoints that were seen never to come into service.
    """
    there = {one.name: one for one in present}
    never = set(failed)
    found: list[Lifetime] = []
    for name, told in _by_name(happenings).items():
        for one in told:
            now = there.get(name) if one.ended is None else None
            if now is not None and abs(now.created - one.created) > SAME and NO_BEGINNING not in one.notes:
                now = None  # another one of this name, whose creation is not told yet
            if now is not None:
                del there[name]
                one = _joined(one, now)
            elif one.ended is None:
                one = replace(one, is_lost=True, notes=(*one.notes, GONE))
            found.append(replace(one, spans=(), notes=(NEVER_SERVED,)) if one.key in never else one)
    # What is there is there, whatever else CloudTrail tells of one that was made in the same second.
    return list({one.key: one for one in (*found, *(_untold(one) for one in there.values()))}.values())


def _by_name(happenings: Iterable[Happening]) -> dict[str, list[Lifetime]]:
    """The lifetimes of each endpoint as CloudTrail alone tells them; the last one of a name may still be open."""
    configs: dict[str, tuple[Fleet, ...]] = {}
    found: dict[str, list[Lifetime]] = {}
    for one in happenings:
        config, name = str(one.asked.get("endpointConfigName", "")), str(one.asked.get("endpointName", ""))
        if one.name == "CreateEndpointConfig":
            configs[config] = tuple(map(_fleet, one.variants))
        if not name:
            continue
        lives = found.setdefault(name, [])
        is_open = bool(lives) and lives[-1].ended is None
        match one.name:
            case "CreateEndpoint":
                if is_open and _is_again(lives[-1], one):
                    lives[-1] = _both(lives[-1], one, configs.get(config, ()))
                    continue
                if is_open:
                    lives[-1] = replace(_ended(lives[-1], one.at), notes=(*lives[-1].notes, GONE))
                lives.append(_begun(name, one, configs.get(config, ())))
            case _ if one.name == IN_SERVICE:
                if is_open:
                    lives[-1] = _in_service(lives[-1], one.at)
            case _ if one.name == LAST_SEEN:
                if is_open:
                    lives[-1] = replace(lives[-1], last_seen=one.at)
            case "DeleteEndpoint":
                if is_open:
                    lives[-1] = _ended(lives[-1], one.at)
                elif not lives:  # nothing of it is known but its end: it costs nothing that could be told
                    del found[name]
            case "UpdateEndpoint":
                after = configs.get(config, ())
                if is_open and one.asked.get("retainAllVariantProperties"):
                    counts = {fleet.variant: fleet.count for fleet in lives[-1].spans[-1].fleets}
                    after = tuple(replace(fleet, count=counts.get(fleet.variant, fleet.count)) for fleet in after)
                _change(lives, name, one, after)
            case "UpdateEndpointWeightsAndCapacities":
                before = lives[-1].spans[-1].fleets if is_open else tuple(map(_fleet, one.variants))
                _change(lives, name, one, _resized(before, one.variants))
    return {name: lives for name, lives in found.items() if lives}


def _begun(name: str, one: Happening, fleets: tuple[Fleet, ...], *notes: str) -> Lifetime:
    if one.id.startswith(SEEN):
        notes = (NO_HISTORY, FROM_CREATION)
    return Lifetime(
        name, one.at, spans=(Span(one.at, None, fleets, one.name),), tags=one.tags, notes=notes or (FROM_CREATION,)
    )


def _is_again(life: Lifetime, one: Happening) -> bool:
    """Whether it is the making that is known already: Kennel saw the endpoint, and CloudTrail told of it later."""
    is_seen = NO_HISTORY in life.notes
    return is_seen is not one.id.startswith(SEEN) and abs(one.at - life.created) <= SAME


def _both(life: Lifetime, one: Happening, fleets: tuple[Fleet, ...]) -> Lifetime:
    """One making that is told twice: CloudTrail's is the word, with what was seen where it tells no instances."""
    if one.id.startswith(SEEN):
        told = _is_told(life.spans[0])
        return life if told else replace(life, spans=(replace(life.spans[0], fleets=fleets), *life.spans[1:]))
    begun = _begun(life.name, one, fleets)
    return (
        begun
        if _is_told(begun.spans[0])
        else replace(begun, spans=(replace(begun.spans[0], fleets=life.spans[0].fleets),))
    )


def _in_service(life: Lifetime, at: datetime) -> Lifetime:
    """Its instances are billed from then on, unless it was changed before: then it was another moment that was seen."""
    if len(life.spans) != 1 or FROM_CREATION not in life.notes:
        return life
    notes = tuple(note for note in life.notes if note != FROM_CREATION)
    served = replace(life.spans[0], started=max(at, life.created), told_by=IN_SERVICE)
    return replace(life, spans=(served,), notes=notes)


def _change(lives: list[Lifetime], name: str, one: Happening, fleets: tuple[Fleet, ...]) -> None:
    """From this event on it has these instances; without a lifetime that is open, its beginning is not known."""
    if not lives or lives[-1].ended is not None:
        lives.append(_begun(name, one, fleets, NO_BEGINNING))
        return
    last = lives[-1]
    spans = (*_closed(last.spans, one.at), Span(one.at, None, fleets, one.name))
    notes = last.notes if FROM_CALL in last.notes else (*last.notes, FROM_CALL)
    lives[-1] = replace(last, spans=spans, notes=notes)


def _ended(life: Lifetime, at: datetime) -> Lifetime:
    return replace(life, ended=max(at, life.created), spans=_closed(life.spans, at))


def _closed(spans: tuple[Span, ...], at: datetime) -> tuple[Span, ...]:
    if not spans or spans[-1].ended is not None:
        return spans
    return (*spans[:-1], replace(spans[-1], ended=max(at, spans[-1].started)))


def _joined(life: Lifetime, now: Present) -> Lifetime:
    """What CloudTrail tells of an endpoint that is there, with what it is now."""
    created, notes, spans = life.created, life.notes, _with_types(life.spans, now.fleets)
    if NO_BEGINNING in notes:
        created = min(now.created, created)
        if now.created < spans[0].started:
            # What it was before is not told; that it had other instances then cannot be ruled out.
            spans = (Span(now.created, spans[0].started, (), ""), *spans)
    has_failed = now.has_failed and len(life.spans) == 1
    if has_failed:
        spans, notes = (), (NEVER_SERVED,)
    elif not now.is_billed:
        # On its way it has not been in service; on its way out, or out of service, it was until then.
        spans = () if now.is_coming and len(life.spans) == 1 else _closed(spans, now.modified)
    elif now.fleets and spans and not now.is_changing and not _same(spans[-1].fleets, now.fleets):
        since = max(now.modified, spans[-1].started)
        is_told = _is_told(spans[-1])
        begun = Span(since if is_told else spans[-1].started, None, now.fleets, "DescribeEndpoint")
        spans = (*_closed(spans, since), begun) if is_told else (*spans[:-1], begun)
        notes = (*notes, DRIFTED) if is_told else notes
    return replace(life, created=created, spans=spans, tags=now.tags or life.tags, status=now.status, notes=notes)


def _untold(now: Present) -> Lifetime:
    """An endpoint that CloudTrail tells nothing of."""
    spans: tuple[Span, ...] = (Span(now.created, None, now.fleets, "DescribeEndpoint"),)
    if now.is_coming or now.has_failed:
        spans = ()
    elif not now.is_billed:
        spans = _closed(spans, now.modified)
    notes = (NEVER_SERVED,) if now.has_failed else (NO_HISTORY, FROM_CREATION)
    return Lifetime(now.name, now.created, spans=spans, tags=now.tags, status=now.status, notes=notes)


def _with_types(spans: tuple[Span, ...], now: tuple[Fleet, ...]) -> tuple[Span, ...]:
    """Scaling tells how many, not of what: what it has now, it had before it was only scaled."""
    types = {one.variant: one.instance_type for one in now}
    found: list[Span] = []
    for place, span in enumerate(reversed(spans)):
        if all(later.told_by == SCALED for later in spans[len(spans) - place :]) and not _is_told(span):
            fleets = (
                replace(one, instance_type=one.instance_type or types.get(one.variant, "")) for one in span.fleets
            )
            span = replace(span, fleets=tuple(fleets))
        found.append(span)
    return tuple(reversed(found))


def _is_told(span: Span) -> bool:
    """Whether all that it has is known."""
    return bool(span.fleets) and all(one.instance_type or one.is_serverless for one in span.fleets)


def _same(told: tuple[Fleet, ...], now: tuple[Fleet, ...]) -> bool:
    return {(one.variant, one.instance_type, one.count) for one in told} == {
        (one.variant, one.instance_type, one.count) for one in now
    }


def _fleet(variant: Mapping[str, Any]) -> Fleet:
    is_serverless = bool(variant.get("serverless"))
    count = 0 if is_serverless else _whole(variant.get("initialInstanceCount"), 1)
    return Fleet(str(variant.get("variantName", "")), str(variant.get("instanceType", "")), count, is_serverless)


def _resized(fleets: tuple[Fleet, ...], wanted: Sequence[Mapping[str, Any]]) -> tuple[Fleet, ...]:
    counts = {str(one.get("variantName", "")): one.get("desiredInstanceCount") for one in wanted}
    return tuple(replace(one, count=_whole(counts.get(one.variant), one.count)) for one in fleets)


def _whole(told: Any, otherwise: int) -> int:
    try:
        return max(0, int(told))
    except (TypeError, ValueError):
        return otherwise
