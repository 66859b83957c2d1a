"""Signature Version 4, the verifying side.

Canonical forms and signatures come from botocore's own signers, so both ends agree to the letter. A request names its
key, region, service and time either in the Authorization header or, presigned, in its query. Nothing here logs
a secret.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPMessage
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local_aws import sigv4_quick
from local_aws.errors import ServiceError
from local_aws.principal import Principal

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
CLOCK_SKEW = timedelta(minutes=15)
LONGEST_PRESIGNED = 7 * 24 * 3600  # seconds
_TIMESTAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Key:
    """An access key this server knows. session_token and expires: only temporary credentials have them.

    principal: whose it is, when its ARN does not say all of that.
    """

    access_key_id: str
    secret: str
    arn: str
    session_token: str | None = None
    expires: datetime | None = None
    principal: Principal | None = None

    @property
    def who(self) -> Principal:
        return self.principal or Principal(self.arn, self.arn)

    def __repr__(self) -> str:
        return f"Key({self.access_key_id})"


@dataclass(frozen=True)
class Wire:
    """A request as it came over the wire: path and query still percent-encoded, header names lower case."""

    method: str
    raw_path: str
    query: str
    headers: Sequence[tuple[str, str]]

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True)
class Claim:
    """What a request says about its own signature, not yet verified.

    payload: the X-Amz-Content-Sha256 it was signed with, when it has one; S3 always does.
    """

    access_key_id: str
    day: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    session_token: str | None
    payload: str | None
    expires_in: int | None = None  # seconds; only presigned requests expire

    @property
    def is_presigned(self) -> bool:
        return self.expires_in is not None

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def read_claim(wire: Wire) -> Claim:
    """The claim of a request; raises MissingAuthenticationToken or IncompleteSignature (S3: AccessDenied)."""
    query = parse_qsl(wire.query, keep_blank_values=True)
    presigned = dict(query)
    try:
        if wire.header("authorization"):
            return _from_header(wire)
        if "X-Amz-Signature" in presigned:
            return _from_query(presigned)
    except KeyError as missing:
        raise ServiceError("IncompleteSignature", f"The signature of this request lacks {missing.args[0]}.") from None
    except ValueError as wrong:
        raise ServiceError("IncompleteSignature", f"The signature of this request cannot be read: {wrong}.") from wrong
    raise ServiceError(
        "MissingAuthenticationToken",
        "This request is not signed. Sign it with the keys in client.json of the server's state folder.",
        403,
    )


def _from_header(wire: Wire) -> Claim:
    algorithm, _, rest = (wire.header("authorization") or "").partition(" ")
    if algorithm != ALGORITHM:
        raise ValueError(f"only {ALGORITHM} is accepted, not {algorithm[:40]!r}")
    parts = {name: value for name, _, value in (part.strip().partition("=") for part in rest.split(","))}
    access_key_id, day, region, service, end = parts["Credential"].rsplit("/", 4)
    if end != "aws4_request":
        raise ValueError("the credential scope does not end in aws4_request")
    timestamp = wire.header("x-amz-date")
    if timestamp is None:
        date = wire.header("date")
        if date is None:
            raise ValueError("it has neither X-Amz-Date nor Date")
        timestamp = parsedate_to_datetime(date).astimezone(UTC).strftime(_TIMESTAMP)
    return Claim(
        access_key_id,
        day,
        region,
        service,
        tuple(parts["SignedHeaders"].lower().split(";")),
        parts["Signature"],
        timestamp,
        wire.header("x-amz-security-token"),
        wire.header("x-amz-content-sha256"),
    )


def _from_query(query: dict[str, str]) -> Claim:
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise ValueError(f"only {ALGORITHM} is accepted")
    access_key_id, day, region, service, end = query["X-Amz-Credential"].rsplit("/", 4)
    expires_in = int(query["X-Amz-Expires"])
    if end != "aws4_request" or not 0 < expires_in <= LONGEST_PRESIGNED:
        raise ValueError("X-Amz-Expires must be between one second and seven days")
    return Claim(
        access_key_id,
        day,
        region,
        service,
        tuple(query["X-Amz-SignedHeaders"].lower().split(";")),
        query["X-Amz-Signature"],
        query["X-Amz-Date"],
        query.get("X-Amz-Security-Token"),
        UNSIGNED_PAYLOAD if service == "s3" else None,
        expires_in,
    )


class _Signer(SigV4Auth):  # type: ignore[misc]
    """botocore's signer, told which headers the client signed."""

    signed: tuple[str, ...] = ()

    def headers_to_sign(self, request: AWSRequest) -> HTTPMessage:
        message = HTTPMessage()
        for name in self.signed:
            for value in request.headers.get_all(name, [""]):
                message[name] = value
        return message


class _S3Signer(_Signer, S3SigV4Auth):  # type: ignore[misc]
    """The same for S3, whose paths are signed as they are."""


def verify(wire: Wire, claim: Claim, key: Key | None, payload_hash: str, now: datetime) -> Key:
    """The key that signed the request. key: the one that claim.access_key_id names, None when there is none.

    payload_hash: what stands for the body in the canonical request (hex SHA-256, or the claim's own marker).
    Raises ServiceError InvalidClientTokenId, InvalidAccessKeyId (S3), ExpiredToken, SignatureDoesNotMatch,
    RequestTimeTooSkewed or RequestExpired.
    """
    if key is None:
        raise unknown_key(claim.service)
    _check_headers(wire, claim)
    check_session_token(key, claim.session_token, claim.service)
    given = claim.signature.encode()
    quick = _quick(wire, claim, key.secret, payload_hash)
    if not hmac.compare_digest(quick.encode(), given) and not hmac.compare_digest(
        _signature(wire, claim, key.secret, payload_hash).encode(), given
    ):
        raise ServiceError(
            "SignatureDoesNotMatch",
            "The signature of this request is not the one its secret key gives. Check the secret key and that nothing "
            "between client and server changes the request.",
            403,
        )
    if key.expires is not None and now >= key.expires:
        raise ServiceError("ExpiredToken", "The temporary credentials of this request have expired.", 403)
    _check_time(claim, now)
    return key


def unknown_key(service: str) -> ServiceError:
    return ServiceError(
        "InvalidAccessKeyId" if service == "s3" else "InvalidClientTokenId",
        "The access key of this request is not known here. Use the keys in client.json of the server's state folder, "
        "or one that IAM or STS of this account handed out.",
        403,
    )


def check_session_token(key: Key, given: str | None, service: str) -> None:
    """Temporary credentials are a key, a secret and a token: raises InvalidToken (S3) or InvalidClientTokenId."""
    expected = key.session_token or ""
    if not hmac.compare_digest(expected.encode(), (given or "").encode()):
        code = "InvalidToken" if service == "s3" else "InvalidClientTokenId"
        raise ServiceError(code, "The session token of this request is not the one of its access key.", 403)


def _check_headers(wire: Wire, claim: Claim) -> None:
    unsigned = {name for name, _ in wire.headers if name.startswith("x-amz-")} - set(claim.signed_headers)
    if claim.is_presigned:
        unsigned -= {"x-amz-content-sha256"}  # means nothing on a presigned request, and is not read
    if "host" not in claim.signed_headers or unsigned:
        names = ", ".join(sorted(unsigned)) or "host"
        raise ServiceError(
            "AccessDenied" if claim.service == "s3" else "SignatureDoesNotMatch",
            f"These headers are present but not signed: {names}.",
            403,
        )


def _check_time(claim: Claim, now: datetime) -> None:
    try:
        signed_at = datetime.strptime(claim.timestamp, _TIMESTAMP).replace(tzinfo=UTC)
    except ValueError:
        raise ServiceError("IncompleteSignature", "The time of the signature is not a time.") from None
    if claim.day != claim.timestamp[:8]:
        raise ServiceError("SignatureDoesNotMatch", "The credential scope has another day than the request.", 403)
    s3 = claim.service == "s3"
    if claim.expires_in is not None:
        if now > signed_at + timedelta(seconds=claim.expires_in):
            raise ServiceError("AccessDenied" if s3 else "RequestExpired", "Request has expired", 403)
        if signed_at > now + CLOCK_SKEW:
            raise ServiceError("AccessDenied" if s3 else "RequestExpired", "Request is not yet valid", 403)
    elif abs(now - signed_at) > CLOCK_SKEW:
        raise ServiceError(
            "RequestTimeTooSkewed" if s3 else "RequestExpired",
            f"The request was signed at {signed_at:%H:%M:%S} UTC and it is now {now:%H:%M:%S} UTC: more than 15 "
            "minutes apart. Set the clock right.",
            403,
        )


def _signer(claim: Claim, secret: str) -> _Signer:
    kind = _S3Signer if claim.service == "s3" else _Signer
    signer = kind(Credentials(claim.access_key_id, secret), claim.service, claim.region)
    signer.signed = claim.signed_headers
    return signer


def _quick(wire: Wire, claim: Claim, secret: str, payload_hash: str) -> str:
    """The signature of a request that is plain, "" for another one."""
    if claim.is_presigned or claim.service == "s3" or wire.query:
        return ""
    of = (wire.method, wire.raw_path, list(wire.headers), claim.signed_headers, payload_hash)
    return sigv4_quick.signature(*of, claim.timestamp, claim.scope, secret) or ""


def _signature(wire: Wire, claim: Claim, secret: str, payload_hash: str) -> str:
    signer = _signer(claim, secret)
    query = [
        (name, value)
        for name, value in parse_qsl(wire.query.replace("+", "%2B"), keep_blank_values=True)
        if not (claim.is_presigned and name == "X-Amz-Signature")
    ]
    request: Any = AWSRequest(wire.method, "http://host" + wire.raw_path, params=query)
    for name, value in wire.headers:
        if name != "x-amz-content-sha256" or name in claim.signed_headers:
            request.headers.add_header(name, value)
    if "x-amz-content-sha256" in request.headers:
        request.headers.replace_header("x-amz-content-sha256", payload_hash)
    else:
        request.headers.add_header("X-Amz-Content-SHA256", payload_hash)
    request.context["timestamp"] = claim.timestamp
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(text, request))


def chunk_signer(claim: Claim, key: Key) -> Callable[[str], str]:
    """Signs the chunks of a streamed body: string to sign → hex signature."""
    signer = _signer(claim, key.secret)
    request: Any = AWSRequest("PUT", "http://host/")
    request.context["timestamp"] = claim.timestamp
    return lambda text: str(signer.signature(text, request))
