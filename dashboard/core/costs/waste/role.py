"""The role that Kennel's schedules act as: looked for, and made with no more rights than they need."""

import json
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs.waste.schedule import POLICY, ROLE, policy, trust
from dashboard.core.errors import AccessDenied, NotFound


def missing(aws: Aws) -> tuple[tuple[str, dict[str, Any]], ...]:
    """IAM's operations, with their parameters, that make the role what a schedule needs; none when it is that.

    Whoever may not look at the role is taken to have one: CreateSchedule says so when that is wrong.
    """
    grant = {"RoleName": ROLE, "PolicyName": POLICY, "PolicyDocument": json.dumps(policy(aws.account))}
    try:
        aws.call("iam", "GetRole", RoleName=ROLE)
    except AccessDenied:
        return ()
    except NotFound:
        made = {
            "RoleName": ROLE,
            "AssumeRolePolicyDocument": json.dumps(trust(aws.account)),
            "Description": "EventBridge Scheduler deletes Kennel's endpoints as this role",
            "Tags": tags.listed({tags.MADE_BY: tags.KENNEL}),
        }
        return (("CreateRole", made), ("PutRolePolicy", grant))
    try:
        found = aws.call("iam", "GetRolePolicy", RoleName=ROLE, PolicyName=POLICY)["PolicyDocument"]
    except AccessDenied:
        return ()
    except NotFound:
        return (("PutRolePolicy", grant),)
    return () if found == policy(aws.account) else (("PutRolePolicy", grant),)
