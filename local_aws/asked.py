"""What a request asks for, as far as the rights that it needs depend on it, before any service looks at it.

Of a REST request that is what its path, query and headers say: bodies that are data stay where they are.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from botocore.model import OperationModel
from starlette.requests import Request

from local_aws.authenticate import read_body
from local_aws.protocol import Service
from local_aws.services.s3_base import LARGEST_XML

_REST = ("rest-json", "rest-xml")
_PLACES = ("uri", "querystring", "header")
_READ_IN_S3 = ("DeleteObjects",)
"""Of S3's bodies, those that say what is asked for."""


async def parameters(service: Service, operation: OperationModel, request: Request, body: bytes) -> Mapping[str, Any]:
    """As boto3 was given them, or the part of them that matters. Raises ServiceError for what has not its form."""
    if service.name == "s3":
        if operation.name not in _READ_IN_S3:
            return _located(request, operation)
        body = await read_body(request, LARGEST_XML)
    elif service.protocol in _REST and not _says_more(operation):
        return _located(request, operation)
    return service.as_sent(request, operation, body)


def _located(request: Request, operation: OperationModel) -> dict[str, Any]:
    places: dict[str, Mapping[str, str]] = {
        "uri": request.path_params,
        "querystring": request.query_params,
        "header": request.headers,
    }
    told = ((name, places[place].get(wire)) for name, place, wire in _places(operation))
    return {name: value for name, value in told if value is not None}


@lru_cache(maxsize=1024)
def _places(operation: OperationModel) -> tuple[tuple[str, str, str], ...]:
    """Member, where it stands, and by what name there. Models of operations are made once, so they can be kept by."""
    shape = operation.input_shape
    return tuple(
        (name, told["location"], told.get("name", name))
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
