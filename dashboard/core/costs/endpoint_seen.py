"""What CloudTrail does not tell of endpoints, and AWS still does while they are there: learnt, so that it stays known.

Pure: whoever asks AWS keeps what this gives.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboard.core.costs.lifetimes import SEEN, Fleet, Present
from dashboard.core.costs.trail import LATE, Happening


def seen(present: Sequence[Present], happenings: Sequence[Happening], now: datetime) -> list[Happening]:
    """The making of endpoints that CloudTrail does not tell of (any more): kept as happenings, for when they are gone.

    A young one is left out: CloudTrail may be late.
    """
    told = {str(one.asked.get("endpointName", "")) for one in happenings}
    found: list[Happening] = []
    for one in present:
        if one.name in told or not one.is_billed or now - one.created < LATE:
            continue
        name = f"{SEEN}{one.name}@{int(one.created.timestamp())}"
        asked = {"endpointName": one.name, "endpointConfigName": name}
        variants = tuple(variant_of(fleet) for fleet in one.fleets)
        config = {"endpointConfigName": name}
        found.append(Happening(f"{name} config", one.created, "CreateEndpointConfig", config, variants))
        found.append(Happening(name, one.created, "CreateEndpoint", asked, tags=one.tags))
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
