"""Calls as they came, or as a service of AWS made them, and the events that they become."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.model import OperationModel
from botocore.parsers import ResponseParserError, create_parser
from starlette.requests import Request
from starlette.responses import Response

from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.services import cloudtrail_data
from local_aws.services.cloudtrail_event import Event, event
from local_aws.services.cloudtrail_kinds import CallKind

Failure = tuple[str, str]
"""An error's code and message."""
RoleArn = Callable[[str], str]


@dataclass(frozen=True)
class Seen:
    """One call as it came and was answered. body: empty for S3, whose settings are not kept, and for a call whose
    body is somebody's data. answer: None where it is not told."""

    at: datetime
    service: Service
    operation: OperationModel
    kind: CallKind
    caller: Caller
    request: Request
    body: bytes
    answer: Response | None
    error: Failure | None


@dataclass(frozen=True)
class Done:
    """One deed of a service of AWS for somebody. service: botocore's name; source: the one in addresses."""

    at: datetime
    service: str
    source: str
    operation: OperationModel
    kind: CallKind
    caller: Caller
    params: Mapping[str, Any]
    invoked_by: str
    error: Failure | None


def event_of(seen: Seen | Done, role_arn: RoleArn | None) -> Event:
    """role_arn: as in `event`."""
    return _of_request(seen, role_arn) if isinstance(seen, Seen) else _of_deed(seen, role_arn)


def _of_request(seen: Seen, role_arn: RoleArn | None) -> Event:
    request, answer, error = seen.request, None, seen.error
    if error is None and seen.answer is not None:
        answer, error = _answered(seen.service.protocol, seen.operation, seen.answer)
    client = request.client.host if request.client else "127.0.0.1"
    asked = _asked(seen)
    return event(
        at=seen.at,
        service=seen.service.name,
        source=seen.service.signing_name,
        operation=seen.operation,
        kind=seen.kind,
        caller=seen.caller,
        request_id=str(request.scope.get("aws_request_id", "")),
        user_agent=request.headers.get("user-agent", ""),
        address=client,
        request=asked,
        answer=answer,
        error=error,
        about=cloudtrail_data.resources_of(seen.kind, asked, seen.caller),
        role_arn=role_arn,
    )


def _of_deed(done: Done, role_arn: RoleArn | None) -> Event:
    return event(
        at=done.at,
        service=done.service,
        source=done.source,
        operation=done.operation,
        kind=done.kind,
        caller=done.caller,
        request_id=str(uuid.uuid4()),
        user_agent=done.invoked_by,
        address=done.invoked_by,
        request=cloudtrail_data.s3_request(done.params) if done.service == "s3" else done.params,
        answer=None,
        error=done.error,
        about=cloudtrail_data.resources_of(done.kind, done.params, done.caller),
        role_arn=role_arn,
    )


def _asked(seen: Seen) -> Mapping[str, Any] | None:
    """The request's parameters; None for one that has not its form, as AWS has it."""
    if seen.service.name == "s3" or seen.kind.is_data:
        return cloudtrail_data.request_of(seen.service, seen.operation, seen.request, seen.body)
    try:
        # what a service refused is worth knowing too
        return seen.service.as_sent(seen.request, seen.operation, seen.body)
    except ServiceError:
        return None


def outcome_of(outcome: Response | ServiceError) -> tuple[Failure | None, Response | None]:
    if isinstance(outcome, ServiceError):
        return (outcome.code, outcome.message), None
    if outcome.status_code >= 400 and not getattr(outcome, "body", b""):
        return (str(outcome.status_code), ""), None
    return None, outcome


def _answered(
    protocol: str, operation: OperationModel, outcome: Response
) -> tuple[Mapping[str, Any] | None, Failure | None]:
    """What was answered, and the error where it was one."""
    if protocol not in ("json", "rest-json", "query", "ec2", "rest-xml"):
        return None, None
    raw = {
        "status_code": outcome.status_code,
        "headers": dict(outcome.headers),
        "body": bytes(getattr(outcome, "body", b"")),
    }
    try:
        told = create_parser(protocol).parse(raw, operation.output_shape)
    except ResponseParserError:
        return None, None
    if outcome.status_code >= 400:
        error = told.get("Error", {})
        return None, (str(error.get("Code", outcome.status_code)), str(error.get("Message", "")))
    return told, None
