"""An event as it comes, read as one question about one photo.

    "https://…"                                      a bare address: the endpoint fetches it, under its own guards
    {"url": "https://…"}                             the same
    {"image": "<base64>"}                            the photo itself, also as a data: URL
    {"s3": "s3://bucket/key"} {"bucket", "key"}      an object that the function's role may read
    API Gateway (payload 1.0 and 2.0), function URL  one of these as JSON in the body, the bytes of a photo in it, or
                                                     ?url=… in the query

Beside one of the JSON forms `"overlay": true` asks for the picture of where the model looked.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LARGEST_PHOTO = 5 * 1024 * 1024
"""Bytes; base64 makes 6.7 MB of it, and SageMaker takes 6 MiB."""
LONGEST_ADDRESS = 2048
FORMS = 'send {"url": "https://…"}, {"image": "<base64>"} or {"s3": "s3://bucket/key"}'

_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)
_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.{1,1024})", re.DOTALL)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_JPEG, _PNG, _UNKNOWN = "image/jpeg", "image/png", "application/x-image"
_BEGINNINGS = ((b"\xff\xd8\xff", _JPEG), (b"\x89PNG\r\n\x1a\n", _PNG), (b"GIF8", "image/gif"))


class BadQuestion(Exception):  # noqa: N818 (it says what it is)
    """An event that cannot be answered; `str()` is a sentence for whoever sent it."""


@dataclass(frozen=True)
class Question:
    """One photo: its bytes, or where it lies. Exactly one of `photo`, `url` and `stored` (bucket, key) is set."""

    photo: bytes = b""
    url: str = ""
    stored: tuple[str, str] | None = None
    overlay: bool = False

    @property
    def content_type(self) -> str:
        return kind_of(self.photo) if self.photo else "application/json"

    @property
    def body(self) -> bytes:
        """What the endpoint is sent."""
        return self.photo or json.dumps({"url": self.url}).encode()


def is_proxied(event: Any) -> bool:
    """Whether it came through API Gateway or a function URL, which take no other answer than an HTTP response."""
    return isinstance(event, Mapping) and "requestContext" in event and ("body" in event or "rawPath" in event)


def method_of(event: Mapping[str, Any]) -> str:
    """The HTTP method of a proxied event, in capitals."""
    context = event.get("requestContext")
    http = context.get("http") if isinstance(context, Mapping) else None
    told = http.get("method") if isinstance(http, Mapping) else event.get("httpMethod")
    return str(told or "POST").upper()


def read(event: Any) -> Question:
    """Raises BadQuestion for what is none."""
    if is_proxied(event):
        return _proxied(event)
    if isinstance(event, str):
        return Question(url=_address(event))
    if not isinstance(event, Mapping):
        raise BadQuestion(f"The event is {_article(event)}, not a JSON object: {FORMS}.")
    return _named(event)


def photo(data: bytes) -> bytes:
    """The bytes of a photo, of a bearable size. Raises BadQuestion."""
    if not data:
        raise BadQuestion(f"The photo is empty: {FORMS}.")
    if len(data) > LARGEST_PHOTO:
        raise BadQuestion(
            f"The photo has {len(data) / 2**20:.1f} MiB, and {LARGEST_PHOTO // 2**20} MiB is the most: send a smaller "
            "version of it."
        )
    return data


def kind_of(data: bytes) -> str:
    """The content type of a photo by how it begins; what is not known here is for the endpoint to judge."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for beginning, kind in _BEGINNINGS if data.startswith(beginning)), _UNKNOWN)


def _named(event: Mapping[str, Any]) -> Question:
    given = [name for name in ("url", "image", "s3") if event.get(name) is not None]
    if event.get("bucket") is not None or event.get("key") is not None:
        given.append("bucket")
    if len(given) != 1:
        said = "none of them" if not given else " and ".join(given)
        raise BadQuestion(f"The event names {said}, and one photo is asked about at a time: {FORMS}.")
    overlay = event.get("overlay") is True
    match given[0]:
        case "url":
            return Question(url=_address(event["url"]), overlay=overlay)
        case "image":
            return Question(photo=photo(_decoded(event["image"])), overlay=overlay)
        case "s3":
            found = _S3.fullmatch(event["s3"]) if isinstance(event["s3"], str) else None
            if found is None:
                raise BadQuestion('"s3" is not an address of an object: write s3://bucket/key.')
            return Question(stored=(found[1], found[2]), overlay=overlay)
    bucket, key = event.get("bucket"), event.get("key")
    if not isinstance(bucket, str) or not isinstance(key, str) or not key or not _BUCKET.fullmatch(bucket):
        raise BadQuestion('"bucket" and "key" must both be there, as texts: they name one object in S3.')
    return Question(stored=(bucket, key), overlay=overlay)


def _proxied(event: Mapping[str, Any]) -> Question:
    body = event.get("body")
    query = event.get("queryStringParameters")
    if not body and isinstance(query, Mapping) and query.get("url"):
        return Question(url=_address(query["url"]))
    if not isinstance(body, str) or not body:
        raise BadQuestion(f"The request has no body: {FORMS}, or POST the bytes of a photo as image/jpeg.")
    raw = _decoded(body) if event.get("isBase64Encoded") is True else body.encode("utf-8", "surrogatepass")
    if _header(event, "content-type").startswith("image/") or kind_of(raw) != _UNKNOWN:
        if event.get("isBase64Encoded") is not True:
            raise BadQuestion(
                "The photo came as text, which loses bytes: have API Gateway pass image/* on as binary, or send it as "
                '{"image": "<base64>"}.'
            )
        return Question(photo=photo(raw))
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadQuestion(f"The body is neither a photo nor JSON: {FORMS}.") from None
    if isinstance(told, str):
        return Question(url=_address(told))
    if not isinstance(told, Mapping):
        raise BadQuestion(f"The body is {_article(told)}, not a JSON object: {FORMS}.")
    return _named(told)


def _header(event: Mapping[str, Any], name: str) -> str:
    headers = event.get("headers")
    if not isinstance(headers, Mapping):
        return ""
    return next((str(value).lower() for key, value in headers.items() if str(key).lower() == name), "")


def _address(value: Any) -> str:
    if not isinstance(value, str) or not value.lower().startswith(("https://", "http://")):
        raise BadQuestion('"url" is not the address of a photo: it begins with https:// or http://.')
    if len(value) > LONGEST_ADDRESS:
        raise BadQuestion(f"The address has {len(value):,} characters, and {LONGEST_ADDRESS:,} is the most.")
    return value


def _decoded(value: Any) -> bytes:
    if not isinstance(value, str):
        raise BadQuestion('"image" is not a text: it holds the bytes of a photo in base64.')
    text = _DATA_URL.sub("", value[:80], count=1) + value[80:]
    try:
        return base64.b64decode("".join(text.split()), validate=True)  # `base64` ends its lines
    except (binascii.Error, ValueError):
        raise BadQuestion('"image" is not base64: encode the bytes of the photo.') from None


def _article(value: Any) -> str:
    kinds = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return kinds.get(type(value), "a number")
