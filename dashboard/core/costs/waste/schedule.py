"""Schedules that delete endpoints at a time: their names, what they say, and the role that they act as. Mostly pure.

EventBridge Scheduler calls sagemaker:DeleteEndpoint by itself; Kennel need not run then.
"""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.errors import NotFound
from dashboard.core.parallel import gather

ROLE = "KennelScheduler"
POLICY = "delete-kennels-endpoints"
PREFIX = "kennel-delete-"
TARGET = "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint"
LONGEST_NAME = 64
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")


def name_of(endpoint: str) -> str:
    """The schedule that deletes an endpoint: one at most, found by its name."""
    name = f"{PREFIX}{endpoint}"
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}-{hashlib.sha256(endpoint.encode()).hexdigest()[:8]}"


def request(endpoint: str, when: datetime, account: Account) -> dict[str, Any]:
    """CreateSchedule's parameters. It goes by itself once it has fired."""
    return {
        "Name": name_of(endpoint),
        "ScheduleExpression": f"at({when.astimezone(UTC):%Y-%m-%dT%H:%M:%S})",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Description": f"Kennel deletes the endpoint {endpoint} then",
        "Target": {
            "Arn": TARGET,
            "RoleArn": account.role_arn(ROLE),
            "Input": json.dumps({"EndpointName": endpoint}),
        },
    }


def trust(account: Account) -> dict[str, Any]:
    """Lets EventBridge Scheduler assume the role, for schedules of this account only."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account.account_id}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def policy(account: Account) -> dict[str, Any]:
    """Deleting endpoints of this account and region that carry Kennel's mark, and nothing else."""
    resource = f"arn:{account.partition}:sagemaker:{account.region}:{account.account_id}:endpoint/*"
    marks = {tags.MADE_BY: tags.KENNEL, tags.SAMPLE: "true"}
    statements = [
        {
            "Effect": "Allow",
            "Action": "sagemaker:DeleteEndpoint",
            "Resource": resource,
            "Condition": {"StringEquals": {f"aws:ResourceTag/{key}": value}},
        }
        for key, value in marks.items()
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def due(schedule: dict[str, Any]) -> datetime | None:
    """When a schedule (GetSchedule's answer) fires; None for one that does not."""
    at = _AT.fullmatch(schedule.get("ScheduleExpression", ""))
    if at is None or schedule.get("State") != "ENABLED":
        return None
    return datetime.fromisoformat(at[1]).replace(tzinfo=UTC)


def scheduled(aws: Aws) -> dict[str, datetime]:
    """When which endpoint is deleted by a schedule. Raises the errors of `Aws.call`."""
    pages = aws.pages("scheduler", "ListSchedules", NamePrefix=PREFIX)
    names = [one["Name"] for page in pages for one in page["Schedules"]]

    def look(name: str) -> tuple[str, datetime] | None:
        found = find(aws, name)
        when = due(found) if found else None
        if found is None or when is None:
            return None
        endpoint = json.loads(found["Target"].get("Input") or "{}").get("EndpointName", "")
        return (endpoint, when) if name_of(endpoint) == name else None

    return dict(one for one in gather(look, names) if one)


def find(aws: Aws, name: str) -> dict[str, Any] | None:
    """A schedule by its name, None when there is none. Raises the errors of `Aws.call`."""
    try:
        return aws.call("scheduler", "GetSchedule", Name=name)
    except NotFound:
        return None
