"""Telling AWS to break its bill down by project and owner: planned, confirmed, and the same when done twice."""

from dataclasses import dataclass
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, NotFound, Refused

KEYS = (tags.PROJECT, tags.OWNER)


@dataclass(frozen=True)
class ActivationPlan:
    """One call. `request` is UpdateCostAllocationTagsStatus' parameters."""

    keys: tuple[str, ...] = KEYS

    @property
    def request(self) -> dict[str, Any]:
        return {"CostAllocationTagsStatus": [{"TagKey": key, "Status": "Active"} for key in self.keys]}


def activate(aws: Aws, plan: ActivationPlan) -> str:
    """Carry it out; what was done, in a sentence. Raises Refused where AWS does not know a key, and `Aws.call`'s."""
    named = " and ".join(plan.keys)
    try:
        answer = aws.call("ce", "UpdateCostAllocationTagsStatus", **plan.request)
    except (InvalidInput, NotFound) as error:
        raise _unknown(named, error.why or error.what) from error
    wrong = [f"{one.get('TagKey')}: {one.get('Message') or one.get('Code')}" for one in answer.get("Errors", ())]
    if wrong:
        raise _unknown(named, "; ".join(wrong))
    return f"{named} are activated: AWS's bill knows them from now on, at AWS within a day"


def _unknown(named: str, why: str) -> Refused:
    return Refused(
        f"{named} were not activated",
        why,
        "AWS knows a tag key up to a day after something that is billed first carried it: try again then",
    )
