"""Faults at the seam to AWS: between botocore's signed request and the network, on every client that Kennel makes.

What botocore and Kennel do with an answer is the real thing: its parsers, its retries, the translation of its errors.
"""

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from xml.sax.saxutils import escape

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from dashboard.core import aws
from dashboard.core.aws import Aws
from dashboard.core.aws_writes import changes

SLOW_SECONDS = 0.03
"""How late a slow answer is here. What is slow for a person waits for nothing else: a page has no time-out of its own
below that of a read."""


class Fault(StrEnum):
    """What may go wrong between Kennel and AWS."""

    THROTTLED = "throttled"
    DENIED = "access denied"
    EXPIRED = "expired token"
    FAILED = "500"
    TIMED_OUT = "time-out"
    SLOW = "slow"
    MALFORMED = "malformed answer"
    UNREACHABLE = "unreachable"

    @property
    def fails(self) -> bool:
        """Whether the call fails; a slow one is answered in the end."""
        return self is not Fault.SLOW

    @property
    def reaches_aws(self) -> bool:
        """Whether AWS may have acted although no answer, or no readable one, came back."""
        return self in (Fault.TIMED_OUT, Fault.FAILED, Fault.MALFORMED, Fault.UNREACHABLE)

    def is_told(self, said: str) -> bool:
        """Whether a page, in small letters, tells of it: in a card, or in few words beside what is missing."""
        return any(words in said for words in SAID[self])


SAID = {
    Fault.THROTTLED: ("is throttling", "asked to slow down"),
    Fault.DENIED: ("not allowed",),
    Fault.EXPIRED: ("session has expired",),
    Fault.FAILED: ("failed inside aws",),
    Fault.TIMED_OUT: ("no answer in time",),
    Fault.SLOW: (),
    Fault.MALFORMED: ("what aws never answers",),
    Fault.UNREACHABLE: ("is not answering", "did not answer"),
}
ANSWERS = {  # status, code, message
    Fault.THROTTLED: (400, "ThrottlingException", "Rate exceeded"),
    Fault.DENIED: (403, "AccessDeniedException", "no identity-based policy allows it"),
    Fault.EXPIRED: (403, "ExpiredTokenException", "The security token included in the request is expired"),
    Fault.FAILED: (500, "InternalFailure", "We encountered an internal error. Please try again."),
}
WELCOME = b"<html><body><h1>Welcome to the hotel's network</h1></body></html>"

Hits = Callable[[str, str], bool]
"""Whether a fault meets this call: its service as boto3 names it, and its operation."""


def every(service: str, operation: str) -> bool:
    return True


def writing(service: str, operation: str) -> bool:
    return changes(operation)


@dataclass
class Seam:
    """The wire of all clients. `calls`: what was asked, in order; `met`: which of them a fault met."""

    fault: Fault | None = None
    hits: Hits = every
    acts_first: bool = False
    times: int = 0  # how many calls it meets at most; 0: all
    calls: list[tuple[str, str]] = field(default_factory=list)
    met: list[tuple[str, str]] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)

    @contextmanager
    def failing(self, fault: Fault, hits: Hits = every, *, acts_first: bool = False, times: int = 0) -> Iterator[None]:
        """Inside, the fault meets what `hits` says. acts_first: AWS does what it was asked, and its answer is lost."""
        self.met.clear()
        self.fault, self.hits, self.acts_first, self.times = fault, hits, acts_first, times
        try:
            yield
        finally:
            self.fault = None

    def forget(self) -> None:
        self.calls.clear()
        self.met.clear()
        self.changed.clear()

    def answer(self, client: Any, service: str, request: AWSPreparedRequest, operation: str) -> AWSResponse | None:
        """What botocore is given instead of the network's answer; None where it asks the network itself."""
        self.calls.append((service, operation))
        fault = self.fault
        if fault is None or not self.hits(service, operation):
            return self._sent(client, service, operation, request)
        if self.times and len(self.met) >= self.times:
            return self._sent(client, service, operation, request)
        self.met.append((service, operation))
        if fault is Fault.SLOW:
            time.sleep(SLOW_SECONDS)
            return self._sent(client, service, operation, request)
        if self.acts_first:
            self._sent(client, service, operation, request)
        return _broken(fault, client.meta.service_model, request.url)

    def _sent(self, client: Any, service: str, operation: str, request: AWSPreparedRequest) -> AWSResponse | None:
        if not changes(operation):
            return None
        response: AWSResponse = client._endpoint.http_session.send(request)
        if response.status_code < 300:
            self.changed.append((service, operation))
        return response


def install(patch: pytest.MonkeyPatch) -> Seam:
    """The seam of every client that Kennel makes from now on; a call is tried once, so that no test waits for retries.

    Clients are kept: making one takes longer than most pages.
    """
    seam, make = Seam(), Aws._make
    kept: dict[tuple[object, ...], Any] = {}

    def made(self: Aws, service: str) -> Any:
        keys = self._session.get_credentials()
        of = (self.account.name, self.account.region, self.account.endpoint_url, self.account.writable)
        key = (*of, keys.access_key, self._attempts, aws.EMBEDDED_ATTEMPTS, service)
        if key not in kept:
            client = make(self, service)

            def before_send(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse | None:
                return seam.answer(client, service, request, event_name.rsplit(".", 1)[1])

            client.meta.events.register_first("before-send", before_send)
            kept[key] = client
        return kept[key]

    patch.setattr(Aws, "_make", made)
    patch.setattr(aws, "EMBEDDED_ATTEMPTS", 1)
    return seam


class _Raw(io.BytesIO):
    """A body as urllib3 hands it to botocore."""

    def stream(self, size: int = 65_536, **_: Any) -> Iterator[bytes]:
        while part := self.read(size):
            yield part


def _broken(fault: Fault, model: Any, url: str) -> AWSResponse:
    if fault is Fault.TIMED_OUT:
        raise ReadTimeoutError(endpoint_url=url, error="no bytes came")
    if fault is Fault.UNREACHABLE:
        raise EndpointConnectionError(endpoint_url=url, error="connection refused")
    if fault is Fault.MALFORMED:
        return AWSResponse(url, 200, {"Content-Type": "text/html"}, _Raw(WELCOME))
    status, code, message = ANSWERS[fault]
    headers, body = _error(model.resolved_protocol, code, message)
    return AWSResponse(url, status, headers, _Raw(body))


def _error(protocol: str, code: str, message: str) -> tuple[dict[str, str], bytes]:
    """An error as the protocols of AWS write it. Source: Smithy's and botocore's protocol tests."""
    if protocol in ("json", "rest-json"):
        body = json.dumps({"__type": code, "message": message}).encode()
        return {"Content-Type": "application/json", "x-amzn-ErrorType": code}, body
    if protocol == "smithy-rpc-v2-cbor":
        texts = b"".join(_text(part) for part in ("__type", code, "message", message))
        return {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, b"\xa2" + texts
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if protocol == "rest-xml":
        return {"Content-Type": "application/xml"}, f"<Error>{inner}<RequestId>1</RequestId></Error>".encode()
    if protocol == "ec2":
        errors = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>1</RequestID></Response>"
        return {"Content-Type": "text/xml"}, errors.encode()
    told = f"<ErrorResponse><Error>{inner}</Error><RequestId>1</RequestId></ErrorResponse>"
    return {"Content-Type": "text/xml"}, told.encode()


def _text(told: str) -> bytes:
    """A CBOR text of less than 65,536 bytes (RFC 8949, major type 3)."""
    data = told.encode()
    return b"\x79" + len(data).to_bytes(2, "big") + data
