"""The three protocols of CloudWatch: CBOR (newer clients), JSON and the query form (older ones); gzipped bodies too."""

import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import OperationModel, Shape
from botocore.validate import ParamValidator
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.serialize import SerializationContext, get_serializer_class
from starlette.requests import Request
from starlette.responses import Response
from werkzeug.datastructures import MultiDict

from local_aws import rpc_cbor
from local_aws.errors import ServiceError
from local_aws.protocol import Operation, Service

CBOR, JSON, QUERY = "smithy-rpc-v2-cbor", "json", "query"
LARGEST_UNPACKED = 10 * 1024 * 1024  # bytes


class ManyProtocols(Service):
    """A service whose requests come in any of the three; each is answered as it was asked."""

    def match(
        self, method: str, raw_path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Operation | None:
        match _protocol(headers):
            case "smithy-rpc-v2-cbor":
                prefix = f"/service/{self.model.metadata['targetPrefix']}/operation/"
                name = raw_path.removeprefix(prefix) if raw_path.startswith(prefix) and method == "POST" else ""
            case "json":
                prefix, _, name = headers.get("x-amz-target", "").partition(".")
                name = name if prefix == self.model.metadata["targetPrefix"] else ""
            case _:
                name = dict(parse_qsl(query)).get("Action", "")
                name = name or dict(parse_qsl(_unpacked(headers, body).decode("utf-8", "replace"))).get("Action", "")
        return Operation(self.model.operation_model(name), {}) if name in self.model.operation_names else None

    def parse(self, request: Request, operation: OperationModel, body: bytes) -> dict[str, Any]:
        body = _unpacked(request.headers, body)
        protocol = _protocol(request.headers)
        if protocol == CBOR:
            params = self._parse_cbor(operation, body)
        else:
            params = self._parse_text(protocol, request, operation, body)
        if operation.input_shape is not None:
            report = ParamValidator().validate(params, operation.input_shape)
            if report.has_errors():
                raise ServiceError(self.invalid_code, " ".join(report.generate_report().split()))
        return params

    def as_sent(self, request: Request, operation: OperationModel, body: bytes) -> dict[str, Any]:
        return ManyProtocols.parse(self, request, operation, body)

    def _parse_cbor(self, operation: OperationModel, body: bytes) -> dict[str, Any]:
        try:
            given = rpc_cbor.decode(body) if body else {}
        except rpc_cbor.NotCborError as wrong:
            raise ServiceError("SerializationException", f"The request body is not CBOR: {wrong}.") from wrong
        if not isinstance(given, dict):
            raise ServiceError("SerializationException", "The request body is not a map.")
        return dict(_shaped(operation.input_shape, given)) if operation.input_shape is not None else {}

    def _parse_text(self, protocol: str, request: Request, operation: OperationModel, body: bytes) -> dict[str, Any]:
        values = MultiDict(parse_qsl(request.url.query, keep_blank_values=True))
        if protocol == QUERY:
            values.update(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        try:
            params: dict[str, Any] = PROTOCOL_PARSERS[protocol](operation).parse(
                {
                    "body": body or b"{}",
                    "headers": request.headers,
                    "method": request.method,
                    "url_params": {},
                    "url_path": request.url.path,
                    "values": values,
                }
            )
        except (RequestParserError, ValueError, TypeError, AttributeError, KeyError, IndexError) as wrong:
            raise ServiceError(
                "SerializationException", f"The request does not have the form of {operation.name}: {wrong}"
            ) from wrong
        return params

    def respond(self, request: Request, operation: OperationModel, result: Mapping[str, Any]) -> Response:
        request_id: str = request.scope.get("aws_request_id", "")
        protocol = _protocol(request.headers)
        if protocol == CBOR:
            headers = {"smithy-protocol": "rpc-v2-cbor", "x-amzn-RequestId": request_id}
            return Response(rpc_cbor.encode(result), 200, headers, "application/cbor")
        if protocol == JSON:  # thousands of figures: written without looking at the shape of each
            body = json.dumps(_without_none(result), default=_epoch, separators=(",", ":"))
            return Response(body, 200, {"x-amzn-RequestId": request_id}, "application/x-amz-json-1.0")
        answer = get_serializer_class(self.name, QUERY)(operation, SerializationContext(request_id)).serialize(result)
        return Response(
            answer["body"], answer["status_code"], {**dict(answer["headers"]), "x-amzn-RequestId": request_id}
        )


def _protocol(headers: Mapping[str, str]) -> str:
    if headers.get("smithy-protocol") == "rpc-v2-cbor":
        return CBOR
    return JSON if headers.get("x-amz-target") else QUERY


def _unpacked(headers: Mapping[str, str], body: bytes) -> bytes:
    """The body without its gzip: clients compress a PutMetricData above 10 KB."""
    encoding = headers.get("content-encoding", "")
    if "gzip" not in encoding:
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, LARGEST_UNPACKED)
    except zlib.error as wrong:
        raise ServiceError("SerializationException", "The request body is not gzip, as its header says.") from wrong
    if unpacker.unconsumed_tail:
        raise ServiceError("RequestEntityTooLarge", f"At most {LARGEST_UNPACKED} bytes, unpacked.", 413)
    if not unpacker.eof:
        raise ServiceError("SerializationException", "The compressed request body ends early.")
    return plain


def _without_none(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_none(member) for key, member in value.items() if member is not None}
        case list() if value and isinstance(value[0], dict):
            return [_without_none(item) for item in value]
    return value


def _epoch(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _shaped(shape: Shape, value: Any) -> Any:
    """The members that the model knows and that are given; AWS ignores the others."""
    if shape.type_name == "structure" and isinstance(value, dict):
        return {
            name: _shaped(member, value[name]) for name, member in shape.members.items() if value.get(name) is not None
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_shaped(shape.member, item) for item in value]
    return value
