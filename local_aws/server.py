"""The front of the embedded AWS: who may call, which service is meant, and errors in that service's own form.

A web page must not reach it, so Host and Origin are checked first, then the signature; only then is anything done.
"""

import errno
import hashlib
import logging
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl

from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from local_aws import ACCOUNT, DEFAULT_REGION, access, sigv4
from local_aws.errors import NotThereError, ServiceError, error_response, internal
from local_aws.keys import KeyRing, install_key
from local_aws.payload import Body, ChunkedBody, ChunkSigner, HashedBody
from local_aws.protocol import Caller, Service
from local_aws.store import Store

log = logging.getLogger(__name__)

LONGEST_UNREAD = 1024 * 1024  # bytes of a refused body that are read to keep the connection


class Front:
    """The ASGI application: one request in, one answer out."""

    def __init__(self, services: Sequence[Service], keys: KeyRing, now: Callable[[], datetime]) -> None:
        self._services: dict[str, list[Service]] = {}
        for service in services:
            self._services.setdefault(service.model.signing_name, []).append(service)
        self._keys = keys
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = str(uuid.uuid4())
        scope["aws_request_id"] = request_id
        request = Request(scope, receive)
        why_not = access.refusal(request.headers, request.url.path)
        if why_not:
            await PlainTextResponse(why_not + "\n", 403)(scope, receive, send)
            return
        wire = _wire(request)
        protocol = "rest-json"
        try:
            protocol = _protocol(wire)
            response = await self._answer(wire, request)
        except ServiceError as error:
            response = error_response(protocol, error, request_id, head=request.method == "HEAD")
        except ClientDisconnect:
            return
        except (OSError, sqlite3.Error) as error:
            log.exception("request %s failed", request_id)
            response = error_response(protocol, _failure(error), request_id, head=request.method == "HEAD")
        except Exception:  # the client must get an answer in its protocol, the log the traceback
            log.exception("request %s failed", request_id)
            failure = internal("The embedded AWS failed on this request; its log has the details.")
            response = error_response(protocol, failure, request_id, head=request.method == "HEAD")
        await response(scope, receive, send)

    async def _answer(self, wire: sigv4.Wire, request: Request) -> Response:
        claim = sigv4.read_claim(wire)
        services = self._services.get(claim.service)
        if services is None:
            raise NotThereError(f"The service {claim.service}")
        body = b""
        if claim.payload is None:
            body = await _read(request, max(service.max_body or 0 for service in services))
        payload_hash = claim.payload or hashlib.sha256(body).hexdigest()
        key = sigv4.verify(wire, claim, self._keys.find, payload_hash, self._now())
        if claim.payload is not None:
            request = _checked(request, _body(wire, claim, key))
        for service in services:
            operation = service.match(wire.method, _path(wire, claim), wire.query, request.headers, body)
            if operation:
                request.scope["path_params"] = operation.path_params
                caller = Caller(ACCOUNT, claim.region, key.access_key_id, key.arn)
                return await service.handle(request, operation.model, caller)
        raise NotThereError(f"This operation of {claim.service}")


def _wire(request: Request) -> sigv4.Wire:
    headers = tuple((name.decode("latin-1").lower(), _text(value)) for name, value in request.headers.raw)
    raw_path = request.scope.get("raw_path") or request.url.path.encode()
    return sigv4.Wire(
        request.method, raw_path.decode("latin-1"), request.scope["query_string"].decode("latin-1"), headers
    )


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _path(wire: sigv4.Wire, claim: sigv4.Claim) -> str:
    """The path as path-style S3 has it, whichever style the client used."""
    bucket = access.bucket_of_host(wire.header("host") or "") if claim.service == "s3" else None
    return f"/{bucket}{wire.raw_path}" if bucket else wire.raw_path


async def _read(request: Request, limit: int) -> bytes:
    """The whole body; request.body() returns it again. Raises RequestEntityTooLarge."""
    if int(request.headers.get("content-length") or 0) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    request._body = b"".join(parts)  # what Request.body() itself does
    return request._body


def _too_large(limit: int) -> ServiceError:
    return ServiceError("RequestEntityTooLargeException", f"The request body is larger than {limit} bytes.", 413)


def _body(wire: sigv4.Wire, claim: sigv4.Claim, key: sigv4.Key) -> Body:
    payload = claim.payload or ""
    if not payload.startswith("STREAMING-"):
        return Body() if payload == sigv4.UNSIGNED_PAYLOAD else HashedBody(payload)
    length = wire.header("x-amz-decoded-content-length")
    trailer = payload.endswith("-TRAILER")
    if payload in ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"):
        signer = ChunkSigner(sigv4.chunk_signer(claim, key), claim.timestamp, claim.scope, claim.signature)
        return ChunkedBody(signer, int(length) if length else None, trailer=trailer)
    if payload == "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
        return ChunkedBody(None, int(length) if length else None, trailer=trailer)
    raise NotThereError(f"The payload form {payload}")


def _checked(request: Request, body: Body) -> Request:
    """The request with a body that is verified and unwrapped as it is read; `request.state.body` is the Body."""
    inner = request.receive

    async def receive() -> Message:
        message = await inner()
        if message["type"] == "http.request":
            message = {**message, "body": body.feed(message.get("body", b""))}
            if not message.get("more_body", False):
                body.finish()
        return message

    checked = Request(request.scope, receive)
    checked.state.body = body
    return checked


def _failure(error: Exception) -> ServiceError:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or "disk is full" in str(error):
        return internal("The disk of this machine is full; nothing was changed. Free some space and try again.")
    return internal("This machine could not store or read what the request needs; the server's log has the details.")


def _protocol(wire: sigv4.Wire) -> str:
    """The protocol the client will read an error in, as far as the request shows it."""
    if wire.header("smithy-protocol") == "rpc-v2-cbor":
        return "smithy-rpc-v2-cbor"
    if wire.header("x-amz-target"):
        return "json"
    authorization = wire.header("authorization") or dict(parse_qsl(wire.query)).get("X-Amz-Credential", "")
    scope = authorization.partition("/aws4_request")[0].split("/")
    return _protocol_of(scope[-1]) if len(scope) >= 4 else "rest-xml"


@lru_cache(maxsize=64)
def _protocol_of(signing_name: str) -> str:
    if not signing_name.replace("-", "").isalnum():
        return "rest-json"
    try:
        model = Loader().load_service_model(signing_name, "service-2")
    except BotoCoreError:
        return "rest-json"
    return str(model["metadata"]["protocol"])


async def _health(request: Request) -> Response:
    return JSONResponse({"ready": True})


def build(
    state: Path, *, region: str = DEFAULT_REGION, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Starlette:
    """The whole embedded AWS as one ASGI application over the state folder."""
    store = Store(state)
    services: list[Service] = []
    keys = KeyRing(install_key(state), lambda access_key_id: None)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        started: list[Service] = []
        try:
            for service in services:
                await service.start()
                started.append(service)
            yield
        finally:
            for service in reversed(started):
                await service.stop()
            store.close()

    front = Front(services, keys, now)
    return Starlette(routes=[Route("/_kennel/health", _health), Route("/{path:path}", front)], lifespan=lifespan)
