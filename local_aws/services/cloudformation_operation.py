"""What a stack's document says of the work on it: its operation, its resources and what happened to each."""

import uuid
from typing import Any

from local_aws.errors import ServiceError
from local_aws.services.cloudformation_plan import Wanted
from local_aws.services.cloudformation_template import invalid

STACK = "AWS::CloudFormation::Stack"

Params = dict[str, Any]


def resource(wanted: Wanted, properties: Params, order: int) -> Params:
    """A resource that is not made yet. properties: worked out, {} where they could not be; order: of its making."""
    return {
        "type": wanted.kind.type,
        "physical": "",
        "properties": properties,
        "attributes": {},
        "needs": list(wanted.needs),
        "deletion_policy": wanted.deletion_policy,
        "replace_policy": wanted.replace_policy,
        "order": order,
        "is_ours": False,
    }


def begin(kind: str, target: Params, caller: Params, stack: Params, *, keep: bool = False) -> Params:
    """An operation that makes a stack what `target` says: its template, parameters, tags and capabilities.

    kind: "create" or "update". keep: leave what was made when something fails.
    """
    if stack.get("operation"):
        raise invalid(f"Stack:{stack['id']} is in {stack['status']} state and can not be updated.")
    return {
        "kind": kind,
        "phase": "apply",
        "target": target,
        "caller": caller,
        "keep": keep,
        "old": stack["resources"],
        "begun": "",
        "done": [],
        "touched": [],
        "undone": [],
        "replaced": {},
    }


def event(stack: Params, name: str, physical: str, kind: str, status: str, reason: str, at: float) -> Params:
    """As DescribeStackEvents tells it, with its time in epoch seconds."""
    number = uuid.uuid4()
    return {
        "StackId": stack["id"],
        "StackName": stack["name"],
        "EventId": str(number) if kind == STACK else f"{name}-{status}-{number}",
        "LogicalResourceId": name,
        "PhysicalResourceId": physical,
        "ResourceType": kind,
        "Timestamp": at,
        "ResourceStatus": status,
        **({"ResourceStatusReason": reason} if reason else {}),
        **({"ClientRequestToken": stack["token"]} if stack.get("token") else {}),
    }


def told(error: ServiceError) -> str:
    """Why a resource failed, as a resource handler of AWS says it."""
    codes = {"AlreadyExists": "AlreadyExists", "NotImplemented": "InvalidRequest", "ValidationError": "InvalidRequest"}
    code = codes.get(error.code)
    if code is None:
        denied = "AccessDenied" in error.code or "Unauthorized" in error.code
        code = "AccessDenied" if denied else "GeneralServiceException"
    return f'Resource handler returned message: "{error.message}" (HandlerErrorCode: {code})'
