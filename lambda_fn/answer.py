"""What the function answers: the keys that callers of the reference projects depend on, and what was understood beside.

    {"statusCode": 200, "headers": {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "*"},
     "type-result": "<class 'str'>", "COntent-Type-In": "<the context, as text>", "body": "[[scores]]",
     "predictions": [[{"breed", "probability"}, …]], "is_dog": […], "dog_probability": […], "model", "milliseconds"}

API Gateway and function URLs refuse an answer with any other key than an HTTP response's ("Malformed Lambda proxy
response", 502): through them the same is in the body, as JSON.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HEADERS = {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "*"}
JSON_HEADERS = {**HEADERS, "Content-Type": "application/json"}
PREFLIGHT_HEADERS = {
    **HEADERS,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "content-type",
}
BESIDE = ("predictions", "is_dog", "dog_probability", "model", "milliseconds", "overlay", "overlay_reason")


@dataclass(frozen=True)
class Told:
    """What is to be said. status: HTTP's; body: raw scores as JSON text, or a sentence; beside: by key."""

    status: int
    body: str
    beside: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        return self.status < 400


def scores(raw: bytes) -> Told:
    """An endpoint's answer, as Kennel's models give it ("breeds") or any other: a list of scores, or whatever JSON.

    Raises ValueError for what is no JSON.
    """
    text = raw.decode("utf-8")
    told = json.loads(text)
    if isinstance(told, dict) and isinstance(told.get("scores"), list):
        return Told(200, json.dumps(told["scores"]), {name: told[name] for name in BESIDE if name in told})
    return Told(200, json.dumps(told))


def refused(status: int, sentence: str) -> Told:
    """A sentence for the caller instead of scores; it is in `error` too."""
    return Told(status, sentence, {"error": sentence})


def direct(told: Told, context: object) -> dict[str, Any]:
    """For a caller of the function itself."""
    return {
        "statusCode": told.status,
        "headers": dict(HEADERS),
        "type-result": str(type(told.body)),
        "COntent-Type-In": str(context),
        "body": told.body,
        **told.beside,
    }


def proxied(told: Told) -> dict[str, Any]:
    """For a caller behind API Gateway or a function URL, who sees status, headers and body alone."""
    if not told.is_good:
        body = json.dumps({"error": told.body}, ensure_ascii=False)
    elif told.beside:
        # put together, not parsed again: the scores are JSON already
        rest = json.dumps(dict(told.beside), ensure_ascii=False)
        body = f'{{"scores": {told.body}, {rest[1:]}'
    else:
        body = f'{{"scores": {told.body}}}'
    return {"statusCode": told.status, "headers": dict(JSON_HEADERS), "body": body, "isBase64Encoded": False}


def preflight() -> dict[str, Any]:
    """What a browser asks before it sends a photo from another site."""
    return {"statusCode": 204, "headers": dict(PREFLIGHT_HEADERS), "body": "", "isBase64Encoded": False}
