"""The signature of a plain request, worked out in some microseconds; what is not plain is for sigv4's botocore way.

Plain: signed in its headers, no query, a path that no encoding changes, each signed header once. Only a "yes" counts:
whoever gets a "no" asks sigv4, which knows every form. The day's signing key is kept, as clients do: deriving it
takes four HMACs. Source: AWS General Reference, "Create a signed AWS API request".
"""

import hashlib
import hmac
import re
from functools import lru_cache

_PLAIN = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+/?|/")
_PAYLOAD = "x-amz-content-sha256"


@lru_cache(maxsize=64)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def signature(
    method: str,
    path: str,
    headers: list[tuple[str, str]],
    signed: tuple[str, ...],
    payload: str,
    timestamp: str,
    scope: str,
    secret: str,
) -> str | None:
    """The hex signature; None for a request that is not plain.

    headers: names lower case; signed: their names in order; payload: hex SHA-256 of the body; scope: DAY/REGION/
    SERVICE/aws4_request.
    """
    if not _PLAIN.fullmatch(path):
        return None
    found: dict[str, str] = {}
    for name, value in headers:
        if name in found and name in signed:
            return None
        found[name] = value
    lines = []
    for name in signed:
        if name not in found:
            return None
        value = payload if name == _PAYLOAD else " ".join(found[name].split())
        lines.append(f"{name}:{value}")
    listed = ";".join(signed)
    canonical = f"{method}\n{path}\n\n" + "\n".join(lines) + f"\n\n{listed}\n{payload}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{digest}"
    day, region, service, _ = scope.split("/", 3)
    return hmac.digest(_signing_key(secret, day, region, service), text.encode(), "sha256").hex()
