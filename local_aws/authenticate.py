"""Who sent a request: verifies its signature, of whichever kind, and hands on a request whose body is checked."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.types import Message

from local_aws import access, presigned_v2, sigv4
from local_aws.errors import NotThereError, ServiceError
from local_aws.payload import Body, ChunkedBody, ChunkSigner, HashedBody

FindKey = Callable[[str], Awaitable[sigv4.Key | None]]


@dataclass(frozen=True)
class Signed:
    """A verified request. body: its bytes; empty for S3, whose bodies are checked as they stream.

    path: percent-encoded, with the bucket in front whichever style of S3 address was used.
    """

    key: sigv4.Key
    service: str
    region: str
    path: str
    request: Request
    body: bytes


def read_wire(request: Request) -> sigv4.Wire:
    """The request as it came over the wire."""
    headers = tuple((name.decode("latin-1").lower(), _text(value)) for name, value in request.headers.raw)
    raw_path = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope["query_string"]
    return sigv4.Wire(request.method, raw_path.decode("latin-1"), query.decode("latin-1"), headers)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def authenticate(
    wire: sigv4.Wire, request: Request, find_key: FindKey, limit_of: Callable[[str], int], region: str, now: datetime
) -> Signed:
    """Verify a request.

    limit_of: the most bytes of body that a service reads. region: what an address that names none means.
    Raises ServiceError as sigv4 and presigned_v2 do, and RequestEntityTooLargeException.
    """
    bucket = access.bucket_of_host(wire.header("host") or "")
    if presigned_v2.is_one(wire) and not wire.header("authorization"):
        path = f"/{bucket}{wire.raw_path}" if bucket else wire.raw_path
        key = presigned_v2.verify(wire, path, await find_key(presigned_v2.key_id(wire)), now)
        return Signed(key, "s3", region, path, _checked(request, Body()), b"")
    claim = sigv4.read_claim(wire)
    path = f"/{bucket}{wire.raw_path}" if bucket and claim.service == "s3" else wire.raw_path
    found = await find_key(claim.access_key_id)
    if found is None:
        raise sigv4.unknown_key(claim.service)  # before its body is read
    if claim.service != "s3":
        body = await read_body(request, limit_of(claim.service))
        key = sigv4.verify(wire, claim, found, hashlib.sha256(body).hexdigest(), now)
        return Signed(key, claim.service, claim.region, path, request, body)
    if claim.payload is None:
        raise ServiceError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    key = sigv4.verify(wire, claim, found, claim.payload, now)
    return Signed(key, claim.service, claim.region, path, _checked(request, _body(wire, claim, key)), b"")


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body; request.body() returns it again. Raises RequestEntityTooLargeException above `limit` bytes."""
    parts: list[bytes] = []
    size = int(request.headers.get("content-length") or 0)
    if size <= limit:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > limit:
                break
            parts.append(part)
    if size > limit:
        raise ServiceError("RequestEntityTooLargeException", f"The request body is larger than {limit} bytes.", 413)
    request._body = b"".join(parts)  # what Request.body() itself does
    return request._body


def _body(wire: sigv4.Wire, claim: sigv4.Claim, key: sigv4.Key) -> Body:
    payload = claim.payload or ""
    if not payload.startswith("STREAMING-"):
        return Body() if payload == sigv4.UNSIGNED_PAYLOAD else HashedBody(payload)
    given = wire.header("x-amz-decoded-content-length")
    if given is not None and not given.isdigit():
        raise ServiceError("InvalidArgument", "x-amz-decoded-content-length is not a number.")
    length = int(given) if given is not None else None
    match payload:
        case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
            return ChunkedBody(None, length)
        case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
            signer = ChunkSigner(sigv4.chunk_signer(claim, key), claim.timestamp, claim.scope, claim.signature)
            return ChunkedBody(signer, length)
    raise NotThereError(f"The payload form {payload}")


def trusted(request: Request) -> Request:
    """A request that was made within this server: nobody signed it, and nobody could have changed it."""
    return _checked(request, Body())


def _checked(request: Request, body: Body) -> Request:
    """The request with a body verified and unwrapped as it is read; `request.state.body` is the Body."""
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
