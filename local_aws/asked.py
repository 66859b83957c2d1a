"""What a request asks for, as far as the rights that it needs depend on it, before any service looks at it.

Of a REST request that is what its path, query and headers say: bodies that are data stay where they are. What could be
read in two ways (a parameter given twice, or in the query and in the body) is refused: what is judged here must be what
the service does.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import OperationModel
from starlette.requests import Request

from local_aws.authenticate import read_body
from local_aws.errors import ServiceError
from local_aws.protocol import Service
from local_aws.services.s3_base import LARGEST_XML

_REST, _QUERY = ("rest-json", "rest-xml"), ("query", "ec2")
_PLACES = ("uri", "querystring", "header")
_READ_IN_S3 = ("DeleteObjects", "CreateBucket", "PutObjectTagging")
"""Of S3's bodies, those that say what policies may look at."""


async def parameters(service: Service, operation: OperationModel, request: Request, body: bytes) -> Mapping[str, Any]:
    """As boto3 was given them, or the part of them that matters. Raises ServiceError for what has not its form."""
    if len(request.headers.getlist("x-amz-target")) > 1:
        raise _twice("X-Amz-Target")
    if service.protocol in _QUERY:
        _check_once(request, body)
    if service.name == "s3":
        if operation.name not in _READ_IN_S3:
            return _located(request, operation)
        body = await read_body(request, LARGEST_XML)
    elif service.protocol in _REST and not _says_more(operation):
        return _located(request, operation)
    return service.as_sent(request, operation, body)


def _located(request: Request, operation: OperationModel) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, place, wire, is_list in _places(operation):
        if place == "uri":
            values = [request.path_params[wire]] if wire in request.path_params else []
        else:
            values = (request.query_params if place == "querystring" else request.headers).getlist(wire)
        if len(values) > 1 and not is_list:
            raise _twice(wire)
        if values:
            found[name] = values if is_list else values[0]
    return found


def _check_once(request: Request, body: bytes) -> None:
    """Raises ServiceError for a query request that says something twice, or in another form than AWS's clients."""
    kind = request.headers.get("content-type", "")
    if body and (request.url.query or not kind.startswith("application/x-www-form-urlencoded")):
        raise ServiceError(
            "MalformedQueryString", "Parameters come either in the query or, urlencoded as a form, in the body.", 400
        )
    names = [name for name, _ in parse_qsl(request.url.query or body.decode("utf-8", "replace"), True)]
    if len(set(names)) < len(names):
        raise _twice(next(name for name in names if names.count(name) > 1))


def _twice(name: str) -> ServiceError:
    return ServiceError("InvalidParameterCombination", f"{name[:100]} is given twice. Give it once.", 400)


@lru_cache(maxsize=1024)
def _places(operation: OperationModel) -> tuple[tuple[str, str, str, bool], ...]:
    """Member, where it stands, by what name there, and whether it has several values.

    Models of operations are made once, so that this can be kept by them.
    """
    shape = operation.input_shape
    return tuple(
        (name, told["location"], told.get("name", name), one.type_name == "list")
        for name, one in (shape.members.items() if shape is not None else ())
        for told in [one.serialization]
        if told.get("location") in _PLACES
    )


@lru_cache(maxsize=1024)
def _says_more(operation: OperationModel) -> bool:
    """Whether the body has members too, rather than data or nothing."""
    shape = operation.input_shape
    if shape is None:
        return False
    payload = shape.serialization.get("payload")
    if payload:
        return bool(shape.members[payload].type_name == "structure")
    return any("location" not in one.serialization for one in shape.members.values())
