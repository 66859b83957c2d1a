"""Telling AWS to break its bill down by project and owner: planned, confirmed, and the same when done twice."""

from dataclasses import dataclass
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import InvalidInput, NotFound, Refused


@dataclass(frozen=True)
class ActivationPlan:
    """One call. `request` is UpdateCostAllocationTagsStatus' parameters."""

    keys: tuple[str, ...]

    @property
    def named(self) -> str:
        return " and ".join(self.keys)

    @property
    def request(self) -> dict[str, Any]:
        return {"CostAllocationTagsStatus": [{"TagKey": key, "Status": "Active"} for key in self.keys]}


def carried(ledger: Ledger, nature: Nature) -> tuple[str, ...]:
    """The keys worth activating: those that something with a receipt carries. AWS refuses one that nothing does."""
    mine = [receipt for receipt in ledger.receipts if receipt.nature is nature]
    found = {tags.PROJECT: any(one.project for one in mine), tags.OWNER: any(one.owner for one in mine)}
    return tuple(key for key, is_used in found.items() if is_used)


def activate(aws: Aws, plan: ActivationPlan) -> str:
    """Carry it out; what was done, in a sentence. Raises Refused where AWS does not know a key, and `Aws.call`'s."""
    named = plan.named
    are = "are" if len(plan.keys) > 1 else "is"
    try:
        answer = aws.call("ce", "UpdateCostAllocationTagsStatus", **plan.request)
    except (InvalidInput, NotFound) as error:
        raise _unknown(named, error.why or error.what) from error
    wrong = [f"{one.get('TagKey')}: {one.get('Message') or one.get('Code')}" for one in answer.get("Errors", ())]
    if wrong:
        raise _unknown(named, "; ".join(wrong))
    return f"{named} {are} activated: AWS's bill tells it apart from now on, at AWS within a day"


def _unknown(named: str, why: str) -> Refused:
    return Refused(
        f"{named} could not be activated",
        why,
        "AWS knows a tag key up to a day after something that is billed first carried it: try again then",
    )
