"""AWS's wire protocols for the services that are ours: a request becomes a dict, a dict becomes a response.

The shapes come from botocore's own service models; moto parses and serialises them. A service is a class with one
snake_case method per operation, `create_training_job(params, caller) -> dict`, run in a worker thread.
"""

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from botocore import xform_name
from botocore.model import OperationModel
from botocore.validate import ParamValidator
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request as RouterRequest
from moto.core.routing import RestRouter
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from local_aws.errors import NotThereError, ServiceError
from local_aws.principal import Principal

__all__ = ["DENIED_KEYS", "Caller", "NotThereError", "Operation", "Service", "ServiceError"]

# where it is not botocore's name
_SIGNING_NAMES = {
    "sagemaker-runtime": "sagemaker",
    "cloudwatch": "monitoring",
    "service-quotas": "servicequotas",
}


DENIED_KEYS = "aws_denied_keys"
"""Where in a request's scope S3 finds the keys that are not for its caller to delete, each with why."""
# what parsers raise for values of another form; RuntimeError is botocore's for times that no calendar has
_MISFITS = (ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError, RuntimeError)


@dataclass(frozen=True)
class Caller:
    """Who signed the request. principal: what its policies are found by, when its ARN does not say all of that."""

    account: str
    region: str
    access_key_id: str
    arn: str
    principal: Principal | None = None

    @property
    def who(self) -> Principal:
        return self.principal or Principal(self.arn, self.arn)


@dataclass(frozen=True)
class Operation:
    """What a request asks for: the operation of botocore's model, and what the path says (bucket, endpoint name …)."""

    model: OperationModel
    path_params: dict[str, str]


class Service:
    """One AWS service of ours. Subclasses set `name` (botocore's) and define operations as methods."""

    name: str
    invalid_code = "ValidationException"  # what the service calls parameters that do not fit its model
    max_body: int | None = 10 * 1024 * 1024  # bytes; None: the service streams and limits by itself

    @property
    def signing_name(self) -> str:
        """The service in the credential scope of requests to this one."""
        return _SIGNING_NAMES.get(self.name, self.name)

    async def start(self) -> None:
        """Called once before the first request."""

    async def stop(self) -> None:
        """Called once when the server stops."""

    @cached_property
    def model(self) -> Any:
        """botocore's model of this service (loading it takes some 50 ms, so the server does it early)."""
        return get_service_model(self.name)

    @cached_property
    def _router(self) -> Any:
        return RestRouter(self.model)

    @property
    def protocol(self) -> str:
        return str(self.model.protocol)

    def match(
        self, method: str, raw_path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Operation | None:
        """The operation a request means, or None when it means none of this service's.

        raw_path: as it came over the wire, still percent-encoded. body: only looked at by the query protocol.
        """
        name = ""
        match self.protocol:
            case "json":
                prefix, _, name = headers.get("x-amz-target", "").rpartition(".")
                if prefix != self.model.metadata.get("targetPrefix"):
                    return None
            case "query" | "ec2":
                name = dict(parse_qsl(query)).get("Action") or dict(parse_qsl(body.decode("utf-8", "replace"))).get(
                    "Action", ""
                )
            case _:
                return self._match_rest(method, raw_path, query, headers)
        return Operation(self.model.operation_model(name), {}) if name in self.model.operation_names else None

    def _match_rest(self, method: str, raw_path: str, query: str, headers: Mapping[str, str]) -> Operation | None:
        environ = {
            "REQUEST_METHOD": method,
            "RAW_URI": raw_path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
        }
        environ |= {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
        try:
            model, params = self._router.match(RouterRequest(environ))
        except HTTPException:
            return None
        return Operation(model, params)

    def method(self, operation: OperationModel) -> Callable[[dict[str, Any], Caller], Any] | None:
        """What answers an operation: the method of its name in snake_case."""
        found: Callable[[dict[str, Any], Caller], Any] | None = getattr(self, xform_name(operation.name), None)
        return found

    async def handle(self, request: Request, operation: OperationModel, caller: Caller) -> Response:
        """Answer one verified request. `request.path_params` holds what the path says."""
        method = self.method(operation)
        if method is None:
            raise NotThereError(f"{self.name}:{operation.name}")
        params = self.parse(request, operation, await request.body())
        if inspect.iscoroutinefunction(method):
            result = await method(params, caller)
        else:
            result = await run_in_threadpool(method, params, caller)
        return await run_in_threadpool(self.respond, request, operation, result or {})

    def parse(self, request: Request, operation: OperationModel, body: bytes) -> dict[str, Any]:
        """The request's parameters, validated against the model.

        Raises ServiceError SerializationException (not in the protocol's form) or ValidationException.
        """
        values = MultiDict(parse_qsl(request.url.query, keep_blank_values=True))
        if self.protocol in ("query", "ec2"):
            values.update(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        if self.protocol == "json" and body:
            try:
                if not isinstance(json.loads(body), dict):
                    raise ServiceError("SerializationException", "The request body is not a JSON object.")
            except (ValueError, RecursionError):
                raise ServiceError("SerializationException", "The request body is not JSON.") from None
        parser = PROTOCOL_PARSERS[self.protocol](operation)
        try:
            params: dict[str, Any] = parser.parse(
                {
                    "body": body,
                    "headers": request.headers,
                    "method": request.method,
                    "url_params": request.path_params,
                    "url_path": request.url.path,
                    "values": values,
                }
            )
        except (RequestParserError, *_MISFITS) as wrong:
            raise ServiceError(
                "MalformedXML" if self.protocol == "rest-xml" else "SerializationException",
                f"The request does not have the form of {operation.name}: {wrong}",
            ) from wrong
        if operation.input_shape is not None:
            report = ParamValidator().validate(params, operation.input_shape)
            if report.has_errors():
                raise ServiceError(self.invalid_code, re.sub(r"\s+", " ", report.generate_report()))
        return params

    def as_sent(self, request: Request, operation: OperationModel, body: bytes) -> dict[str, Any]:
        """The parameters of a request without the checks that a service adds, for whoever writes down what was asked.

        Raises ServiceError for one that has not its form.
        """
        return Service.parse(self, request, operation, body)

    def respond(self, request: Request, operation: OperationModel, result: Mapping[str, Any]) -> Response:
        """The operation's result as the service's protocol writes it."""
        request_id: str = request.scope.get("aws_request_id", "")
        serializer = get_serializer_class(self.name, self.protocol)
        answer = serializer(operation, SerializationContext(request_id)).serialize(result)
        headers = dict(answer["headers"])
        headers["x-amz-request-id" if self.name == "s3" else "x-amzn-RequestId"] = request_id
        return Response(answer["body"], answer["status_code"], headers)
