"""Presigned S3 addresses of the older kind (AWSAccessKeyId, Expires, Signature), verified.

boto3's `generate_presigned_url` still makes these when no signature version is chosen. As with sigv4, botocore's own
signer says what the signature must be.
"""

import hmac
from datetime import UTC, datetime
from http.client import HTTPMessage
from urllib.parse import SplitResult, parse_qsl, quote, urlencode

from botocore.auth import HmacV1QueryAuth
from botocore.credentials import Credentials

from local_aws.errors import ServiceError
from local_aws.sigv4 import Key, Wire, check_session_token, unknown_key

_OWN = frozenset({"AWSAccessKeyId", "Signature", "Expires"})


class _Signer(HmacV1QueryAuth):  # type: ignore[misc]
    """botocore's signer, told when the address expires instead of asking the clock."""

    expires = ""

    def _get_date(self) -> str:
        return self.expires


def is_one(wire: Wire) -> bool:
    return _query(wire).keys() >= _OWN


def key_id(wire: Wire) -> str:
    return _query(wire)["AWSAccessKeyId"]


def _query(wire: Wire) -> dict[str, str]:
    return dict(parse_qsl(wire.query.replace("+", "%2B"), keep_blank_values=True))


def verify(wire: Wire, path: str, key: Key | None, now: datetime) -> Key:
    """The key that signed the address. path: as path-style S3 has it, percent-encoded. key: what key_id() names.

    Raises ServiceError InvalidAccessKeyId, InvalidToken, SignatureDoesNotMatch or AccessDenied (expired).
    """
    query = _query(wire)
    if key is None:
        raise unknown_key("s3")
    check_session_token(key, query.get("x-amz-security-token"), "s3")
    signer = _Signer(Credentials(key.access_key_id, key.secret))
    signer.expires = query["Expires"]
    given = HTTPMessage()
    for name, value in (*query.items(), *wire.headers):
        if name.startswith("x-amz-") or name in ("content-type", "content-md5"):
            given[name] = value
    signed = urlencode({name: value for name, value in query.items() if name not in _OWN}, quote_via=quote)
    expected = signer.get_signature(wire.method, SplitResult("http", "", path, signed, ""), given)
    if not hmac.compare_digest(expected.encode(), query["Signature"].encode()):
        raise ServiceError(
            "SignatureDoesNotMatch", "The signature of this address is not the one its secret key gives.", 403
        )
    try:
        until = datetime.fromtimestamp(int(query["Expires"]), UTC)
    except (ValueError, OverflowError, OSError):
        raise ServiceError("AccessDenied", "Expires is not a time", 403) from None
    if now > until:
        raise ServiceError("AccessDenied", "Request has expired", 403)
    if key.expires is not None and now >= key.expires:
        raise ServiceError("ExpiredToken", "The temporary credentials of this address have expired.", 403)
    return key
