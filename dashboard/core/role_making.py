"""What of making a role for one thing, and handing it over, an identity may not do: Kennel's own operator none of it.

Whoever makes a role and hands it over can do all that the role may, so that a right to make roles is a right to all.
"""

import json
from collections.abc import Sequence
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.runs.permissions import Need, caller_may

MAKES = ("iam:CreateRole", "iam:PutRolePolicy")


def lacking(aws: Aws, role: str, service: str) -> tuple[str, ...]:
    """The actions that IAM's simulator denies; () where it denies none, or cannot be asked. role: a name, with a * for
    whatever comes there; service: the one that acts as it. Raises Unreachable and CredentialsProblem.
    """
    arn = aws.account.role_arn(role)
    needs = (*(Need(one, arn) for one in MAKES), Need("iam:PassRole", arn, {"iam:PassedToService": service}))
    return tuple(one.action for one in caller_may(aws, needs) if one.allowed is False)


def statement(arn: str, actions: Sequence[str]) -> str:
    """What would allow them, as JSON of a policy's statement."""
    told: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": arn}
    return json.dumps(told, indent=2)
