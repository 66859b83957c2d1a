"""What CloudTrail does not tell of endpoints, and AWS still does while they are there: learnt, so that it stays known.

Pure: whoever asks AWS keeps what this gives.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from dashboard.core.costs.ledger.lifetimes import SEEN, Fleet, Present
from dashboard.core.costs.ledger.trail import IN_SERVICE, LAST_SEEN, LATE, Happening

COMING = timedelta(minutes=30)
"""No endpoint takes longer to come into service: one that was modified later was changed since."""


def seen(
    present: Sequence[Present], happenings: Sequence[Happening], now: datetime, *, is_gone: bool = False
) -> list[Happening]:
    """The making of endpoints that CloudTrail does not tell of (any more): kept as happenings, for when they are gone.

    A young one is left out, as CloudTrail may be late, unless it `is_gone` already and so cannot be seen later.
    """
    told = {str(one.asked.get("endpointName", "")) for one in happenings}
    found: list[Happening] = []
    for one in present:
        if one.name in told or not (is_gone or (one.is_billed and now - one.created >= LATE)):
            continue
        name = f"{SEEN}{one.name}@{int(one.created.timestamp())}"
        asked = {"endpointName": one.name, "endpointConfigName": name}
        variants = tuple(variant_of(fleet) for fleet in one.fleets)
        config = {"endpointConfigName": name}
        found.append(Happening(f"{name} config", one.created, "CreateEndpointConfig", config, variants))
        found.append(Happening(name, one.created, "CreateEndpoint", asked, tags=one.tags))
    return found


def came_into_service(present: Sequence[Present], happenings: Sequence[Happening]) -> list[Happening]:
    """When endpoints came into service: LastModifiedTime tells it for as long as nothing changes them afterwards.

    AWS bills from then on, and CloudTrail knows only when they were asked for.
    """
    known = {one.id for one in happenings}
    found: list[Happening] = []
    for one in present:
        name = f"{SEEN}{IN_SERVICE} {one.name}@{int(one.created.timestamp())}"
        is_first = timedelta(0) < one.modified - one.created <= COMING
        if name not in known and is_first and one.is_billed and not one.is_changing:
            found.append(Happening(name, one.modified, IN_SERVICE, {"endpointName": one.name}))
    return found


def last_seen(gone: Sequence[Present], happenings: Sequence[Happening], at: datetime) -> list[Happening]:
    """Endpoints that were there `at` the last look and are gone: until then they cost what they did.

    CloudTrail tells minutes later when each was deleted, which is then its end; until it does the sum is as of `at`.
    """
    billed = [one for one in gone if one.is_billed or not (one.is_coming or one.has_failed)]
    found = seen(billed, happenings, at, is_gone=True)
    for one in billed:
        until = at if one.is_billed else one.modified  # on its way out it was not billed any more
        name = f"{SEEN}{LAST_SEEN} {one.name}@{int(one.created.timestamp())}"
        found.append(Happening(name, max(until, one.created), LAST_SEEN, {"endpointName": one.name}))
    return found


def untold_configs(happenings: Sequence[Happening]) -> list[str]:
    """The configurations that endpoints were made from, and whose own making CloudTrail does not tell."""
    used: dict[str, None] = {}
    for one in happenings:
        if one.name in ("CreateEndpoint", "UpdateEndpoint"):
            used[str(one.asked.get("endpointConfigName", ""))] = None
    told = {str(one.asked.get("endpointConfigName", "")) for one in happenings if one.name == "CreateEndpointConfig"}
    return [name for name in used if name and name not in told]


def variant_of(fleet: Fleet) -> Mapping[str, Any]:
    """As a happening tells it."""
    if fleet.is_serverless:
        return {"variantName": fleet.variant, "serverless": True}
    return {"variantName": fleet.variant, "instanceType": fleet.instance_type, "initialInstanceCount": fleet.count}
