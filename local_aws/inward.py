"""What a service of this server asks of another one for somebody: a call like any other, without a wire or a key.

It goes the way of every request: judged by the caller's own policies, written down by CloudTrail as what the asking
service did for the caller. AWS calls these forward access sessions (IAM User Guide).
"""

import asyncio
from typing import Any, Protocol

from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.model import OperationModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from local_aws.authenticate import trusted
from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service

PATIENCE = 120.0
"""Seconds that a call of this kind may take."""


class Front(Protocol):
    """What answers every request of this server."""

    def service(self, name: str) -> Service:
        """By botocore's name."""

    async def handled(
        self, service: Service, request: Request, operation: OperationModel, caller: Caller, body: bytes
    ) -> Response:
        """Raises ServiceError."""


class Inward:
    """Calls for one service. address: as which it is known to the services that it calls."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._front: Front | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def through(self, front: Front) -> None:
        """Before the first call: what answers."""
        self._front = front

    def begin(self) -> None:
        """Called in the server's event loop before the first call."""
        self._loop = asyncio.get_running_loop()

    def call(self, caller: Caller, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """One operation, from a worker thread. service: botocore's name. Raises ServiceError as the service does."""
        if self._front is None or self._loop is None:
            raise RuntimeError("nothing answers yet")
        asked = self._answer(self._front, caller, self._front.service(service), operation, params)
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(PATIENCE)

    async def _answer(
        self, front: Front, caller: Caller, service: Service, operation: str, params: dict[str, Any]
    ) -> dict[str, Any]:
        model = service.model.operation_model(operation)
        request, body = self._request(service, model, params)
        matched = service.match(
            request.method, request.scope["raw_path"].decode(), request.url.query, request.headers, body
        )
        request.scope["path_params"] = matched.path_params if matched else {}
        answer = await front.handled(service, request, model, caller, body)
        parsed = create_parser(service.protocol).parse(
            {"status_code": answer.status_code, "headers": dict(answer.headers), "body": bytes(answer.body)},
            model.output_shape,
        )
        if answer.status_code >= 400:
            error = parsed.get("Error", {})
            raise ServiceError(error.get("Code", "InternalError"), error.get("Message", ""), answer.status_code)
        return {name: value for name, value in parsed.items() if name != "ResponseMetadata"}

    def _request(self, service: Service, model: OperationModel, params: dict[str, Any]) -> tuple[Request, bytes]:
        asked = create_serializer(service.protocol, False).serialize_to_request(params, model)
        asked["context"] = {}
        prepare_request_dict(asked, "http://127.0.0.1", user_agent=self._address)
        ready = create_request_object(asked).prepare()
        path, _, query = ready.url.removeprefix("http://127.0.0.1").partition("?")
        body = ready.body or b""
        body = body.encode() if isinstance(body, str) else bytes(body)
        headers = [(name.lower().encode(), _bytes(value)) for name, value in ready.headers.items()]
        scope = {
            "type": "http",
            "method": ready.method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": headers,
            "client": (self._address, 0),
            "server": ("127.0.0.1", 80),
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        return trusted(Request(scope, receive)), body


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
