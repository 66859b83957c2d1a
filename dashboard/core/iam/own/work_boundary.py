"""The permissions boundary of the roles that a remediator changes and of those that it makes. Pure.

Who may write the policies of a role, or make roles, can do all that such a role can: without a boundary that is
everything. Within this one it is the services in which these roles have rights today, and none of the ways from there
to other roles: no IAM beyond reading it and passing these very roles, no other role to become, and no code of what
works as another role, unless they may change that today.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.iam.documents import CURRENT
from dashboard.core.iam.judge.escalations import WAYS
from dashboard.core.iam.own.mended import Mended
from dashboard.core.iam.replace.refusals import PATH

NAME = "kennel-work-boundary"
NEVER = frozenset({"account", "iam", "identitystore", "organizations", "sso", "sso-directory", "sts"})
"""Services that decide who may do what."""
MOST_SERVICES = 150
"""More would not fit into a policy: all but those of NEVER then."""


def arn(account: Account) -> str:
    """Of the policy."""
    return f"arn:{account.where.partition}:iam::{account.account_id}:policy{PATH}{NAME}"


def document_for(account: Account, roles: Sequence[Mended], passed: Iterable[str] = ()) -> dict[str, Any]:
    """The most that these roles, and those made in their place, may do. passed: names of others that they may pass."""
    here = f"arn:{account.where.partition}:iam::{account.account_id}"
    held = {action for one in roles for action in one.actions}
    services = sorted({action.partition(":")[0] for action in held} - NEVER)
    work = {"Action": [f"{one}:*" for one in services]}
    if len(services) > MOST_SERVICES:
        work = {"NotAction": [f"{one}:*" for one in sorted(NEVER)]}
    passes = [f"{here}:role{PATH}*", *(one.arn for one in roles), *(f"{here}:role/{name}" for name in passed)]
    linked = f"{here}:role/aws-service-role/*"
    ways = _ways(services) - {action.lower() for action in held}
    closed = {"Sid": "NoOtherRole", "Effect": "Deny", "Action": sorted(ways), "Resource": "*"}
    return {
        "Version": CURRENT,
        "Statement": [
            *([{"Sid": "Work", "Effect": "Allow", **work, "Resource": "*"}] if services else []),
            {"Sid": "SeeRoles", "Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"},
            {"Sid": "PassThese", "Effect": "Allow", "Action": "iam:PassRole", "Resource": passes},
            {"Sid": "Linked", "Effect": "Allow", "Action": "iam:CreateServiceLinkedRole", "Resource": linked},
            *([closed] if ways else []),
        ],
    }


def _ways(services: Iterable[str]) -> set[str]:
    """What lets somebody work as the role of what is there already, in these services; in lower case."""
    given = set(services)
    direct = {way.needs[0].lower() for way in WAYS if not way.passes_to}
    return {action for action in direct if action.partition(":")[0] in given}
