"""The roles and policies that Kennel leaves alone, and why."""

from collections.abc import Callable
from typing import TypeVar

from dashboard.core.aws import Aws
from dashboard.core.errors import Refused
from dashboard.core.iam.documents import PolicyError
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.replace import standing
from dashboard.core.iam.replace.standing import Standing

Plan = TypeVar("Plan")
LINKED, RESERVED = "/aws-service-role/", "/aws-reserved/"
PATH = "/kennel/"
"""Of the roles and policies that Kennel makes."""
TRIAL = "kennel-trial-"
OWN_ROLES = ("kennel-reader", "kennel-operator", "kennel-remediator")
"""The roles that Kennel itself may work as on an account: it does not change what limits it."""


def planned(aws: Aws, proposal: Proposal, make: Callable[[Standing], Plan]) -> Plan:
    """What is to be done with a proposal, planned for its role as it is now.

    Raises Refused for a role or a proposal that is left alone and where a policy cannot be judged, and the errors of
    `Aws.call`.
    """
    before = standing.read(aws, proposal.role_name)
    check(aws, before)
    check_proposal(proposal)
    try:
        return make(before)
    except PolicyError as wrong:
        raise unjudged(before, wrong) from wrong


def check(aws: Aws, role: Standing) -> None:
    """Raises Refused for a role whose rights are not Kennel's to change, and the errors of `Aws.call`."""
    why = reason(role)
    if not why and _works_as(aws, role):
        why = ("Kennel itself works as this role at this moment", "connect with another profile to change it")
    if why:
        raise Refused(f"Kennel does not change the role {role.name}", *why)


def reason(role: Standing) -> tuple[str, str] | None:
    """Why a role is left alone, and what to do instead; None where nothing speaks against it by its name and path."""
    if role.path.startswith(LINKED):
        return "it is linked to a service of AWS, which alone may change it", "change it through that service"
    if role.path.startswith(RESERVED):
        return "AWS reserves it (IAM Identity Center made it)", "change its permission set in IAM Identity Center"
    if role.name in OWN_ROLES:
        return "it is one of Kennel's own roles, and Kennel never changes what limits it", "change it in IAM"
    if role.name.startswith(TRIAL):
        return "it is the trial of a proof, and goes with it", "prove it once more: what is left over is deleted then"
    return None


def check_proposal(proposal: Proposal) -> None:
    """Raises Refused for a proposal that allows nothing: IAM takes no empty policy, and the role is not needed."""
    if not any(document.get("Statement") for document in proposal.documents.values()):
        raise Refused(
            f"nothing is proposed for {proposal.new_role or proposal.role_name}",
            f"nothing is known that its work as {proposal.duty} role needs",
            "let it work for a while with its calls on record, or switch the role off if nothing needs it",
        )


def unjudged(role: Standing, wrong: PolicyError) -> Refused:
    """A policy of a role, or one proposed for it, cannot be judged: nobody could say what a change of it would do."""
    return Refused(f"{role.name} is not changed", str(wrong), "mend that policy first")


def _works_as(aws: Aws, role: Standing) -> bool:
    arn = aws.call("sts", "GetCallerIdentity")["Arn"]
    return ":assumed-role/" in arn and arn.split("/")[1] == role.name
