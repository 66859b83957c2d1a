"""The forms in which photos are asked about: bytes of an image, or JSON that names one or many.

    image/jpeg, image/png, image/webp …   the bytes of one photo
    application/json                      {"url": "https://…"}, {"image": "<base64>"} or {"s3": "s3://bucket/key"},
                                          each with one text or a list; keys may be mixed, answers come in the order
                                          image, url, s3

This file also travels inside model archives, beside fetch.py and images.py.
"""

import base64
import binascii
import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

if __package__:
    from training import fetch
    from training.images import BadPhoto
else:  # in a model archive, where the others lie beside this file
    import fetch  # type: ignore[import-not-found,no-redef,unused-ignore]
    from images import BadPhoto  # type: ignore[import-not-found,no-redef,unused-ignore]

MAX_BODY = 6 * 1024 * 1024
"""Bytes of a request; SageMaker's own limit for InvokeEndpoint."""
MAX_PHOTOS = 16
"""Photos of one request."""
MAX_FETCHED = 16 * 1024 * 1024
"""Bytes of all photos that one request names by address."""
_MOST_PARTS = 64 * 1024
"""Commas and opening brackets in JSON, also those within 16 addresses: 6 MiB of empty lists would become 400 MiB."""
_AT_ONCE = 4
_SOURCES = ("image", "url", "s3")
_FORMS = 'send image/jpeg, image/png or image/webp, or application/json with {"image"}, {"url"} or {"s3"}'
_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)
_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.{1,1024})", re.DOTALL)
_CHUNK = 256 * 1024


class BadRequest(Exception):  # noqa: N818 - the name says what it is
    """A request that cannot be answered. `str()` is a sentence for its sender, `status` its HTTP status."""

    status = 400


class UnsupportedContent(BadRequest):
    """A request in a form that is not spoken here. `str()` names the forms that are."""

    status = 415


class NotAcceptable(BadRequest):
    """An answer is wanted in a form that there is none in. `str()` names the form that there is."""

    status = 406


class TooLarge(BadRequest):
    """A request of more than MAX_BODY bytes."""

    status = 413

    def __init__(self) -> None:
        super().__init__(f"This request is larger than {MAX_BODY // 2**20} MiB: send smaller versions of the photos.")


@dataclass(frozen=True)
class Request:
    """Photos still to be decoded, and when they arrived (seconds of time.perf_counter).

    What lies elsewhere is only named (`urls`, `objects`) until `fetched` has brought it.
    """

    photos: tuple[bytes, ...]
    started: float
    urls: tuple[str, ...] = ()
    objects: tuple[tuple[str, str], ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether every photo's bytes are here."""
        return not self.urls and not self.objects

    def sentence(self, number: int, reason: str) -> str:
        """Why photo `number` (from 0) was refused; among several it is named."""
        return reason if len(self.photos) == 1 else f"Photo {number + 1} of {len(self.photos)}: {reason}"


@dataclass(frozen=True)
class Reach:
    """How photos that lie elsewhere are brought: the rules for addresses, and S3's client, made when it is needed."""

    rules: Callable[[], fetch.Rules] = fetch.Rules
    s3: Callable[[], Any] = field(default=lambda: _s3_client())


def read(body: bytes | bytearray | str, content_type: str | None, started: float) -> Request:
    """Take a request apart; nothing is fetched and no photo is decoded yet. Raises BadRequest or BadPhoto.

    `body` may be text: AWS's inference image decodes JSON bodies before it hands them on.
    """
    if len(body) > MAX_BODY:
        raise TooLarge
    if is_json(content_type):
        return _read_json(body, started)
    kind = _kind(content_type)
    if not kind.startswith("image/") and kind != "application/x-image":
        raise UnsupportedContent(f"Content type {kind[:80] or 'missing'} is not spoken here: {_FORMS}.")
    if isinstance(body, str):
        raise BadRequest("The photo came as text, which loses bytes: send it as it is.")
    return Request((bytes(body),), started)


def is_json(content_type: str | None) -> bool:
    return _kind(content_type) == "application/json"


def _kind(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def fetched(request: Request, reach: Reach = Reach()) -> Request:
    """The request with every photo here, in its order: a few at once, all before one deadline.

    Raises BadPhoto for what cannot be had; among several photos the sentence says which.
    """
    if request.is_here:
        return request
    names: list[str | tuple[str, str]] = [*request.urls, *request.objects]
    total = len(request.photos) + len(names)
    rules = reach.rules()
    deadline = rules.clock() + rules.seconds
    left = [MAX_FETCHED]
    lock = threading.Lock()

    def bring(number: int, name: str | tuple[str, str]) -> bytes:
        try:
            remaining = deadline - rules.clock()
            if remaining <= 0:
                raise BadPhoto(f"The photos did not come within {rules.seconds:g} s: ask for fewer at once.")
            own = replace(rules, seconds=remaining)
            data = fetch.fetch(name, own) if isinstance(name, str) else _object(*name, reach, own)
        except BadPhoto as bad:
            where = f"Photo {number + 1} of {total}: " if total > 1 else ""
            raise BadPhoto(f"{where}{bad.reason}") from bad
        with lock:
            left[0] -= len(data)
            if left[0] < 0:
                raise BadPhoto(f"The photos have more than {MAX_FETCHED // 2**20} MiB together: ask for fewer at once.")
        return data

    with ThreadPoolExecutor(min(_AT_ONCE, len(names)), thread_name_prefix="fetch") as pool:
        waiting = [pool.submit(bring, len(request.photos) + n, name) for n, name in enumerate(names)]
        try:
            brought = tuple(one.result() for one in waiting)
        finally:
            for one in waiting:
                one.cancel()
    return Request((*request.photos, *brought), request.started)


def _read_json(body: bytes | bytearray | str, started: float) -> Request:
    # Before it is taken apart: every part of it costs many times its own bytes.
    marks: Any = ",[{" if isinstance(body, str) else (b",", b"[", b"{")
    if sum(map(body.count, marks)) > _MOST_PARTS:
        raise BadRequest(f"The JSON holds far more than {MAX_PHOTOS} photos: {_FORMS}.")
    try:
        asked = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not JSON: {_FORMS}.") from error
    if not isinstance(asked, dict) or not asked or set(asked) - set(_SOURCES):
        raise BadRequest(f'The JSON holds no "image", "url" or "s3", or something else beside them: {_FORMS}.')
    texts = {source: _texts(asked, source) for source in _SOURCES if source in asked}
    if not 1 <= sum(map(len, texts.values())) <= MAX_PHOTOS:
        raise BadRequest(f"A request holds 1 to {MAX_PHOTOS} photos: split it.")
    return Request(
        tuple(_decoded(text) for text in texts.get("image", ())),
        started,
        texts.get("url", ()),
        tuple(_place(text) for text in texts.get("s3", ())),
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names differ: of two photos under one name, one would be lost without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadRequest("The JSON holds one name twice: give several photos of one kind as a list.")
    return found


def _texts(asked: dict[str, Any], source: str) -> tuple[str, ...]:
    value = asked[source]
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) and text for text in texts):
        raise BadRequest(f'"{source}" is a text or a list of texts: {_FORMS}.')
    try:
        for text in texts:
            text.encode()
    except UnicodeEncodeError as error:
        raise BadRequest(f'"{source}" holds half a character: check how it was written.') from error
    return tuple(texts)


def _decoded(text: str) -> bytes:
    start = _DATA_URL.match(text)
    try:
        return base64.b64decode(text[start.end() :] if start else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest('"image" is not base64: encode the photo\'s bytes with it, without line ends.') from error


def _place(text: str) -> tuple[str, str]:
    found = _S3.fullmatch(text)
    if found is None:
        raise BadRequest('"s3" is not an address like s3://bucket/key: check it.')
    return found[1], found[2]


_s3_lock = threading.Lock()
_s3_clients: list[Any] = []


def _s3_client() -> Any:
    """One client for the process, with the permissions of the endpoint's own role. Raises ImportError without boto3."""
    with _s3_lock:
        if not _s3_clients:
            import boto3
            from botocore.config import Config

            limits = Config(connect_timeout=3, read_timeout=4, retries={"total_max_attempts": 2})
            _s3_clients.append(boto3.client("s3", config=limits))
        return _s3_clients[0]


def _object(bucket: str, key: str, reach: Reach, rules: fetch.Rules) -> bytes:
    """An object's bytes, with the same limits as what an address gives. Raises BadPhoto."""
    deadline = rules.clock() + rules.seconds
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise BadPhoto("This endpoint cannot read S3 (boto3 is not installed): send the photo.") from error
    try:
        answer = reach.s3().get_object(Bucket=bucket, Key=key)
        with answer["Body"] as stream:
            too_large = f"This object has more than {rules.max_bytes / 2**20:g} MiB: name a smaller photo."
            if answer["ContentLength"] > rules.max_bytes:
                raise BadPhoto(too_large)
            data = bytearray()
            while chunk := stream.read(_CHUNK):
                data += chunk
                if len(data) > rules.max_bytes:
                    raise BadPhoto(too_large)
                if rules.clock() > deadline:
                    raise BadPhoto(f"S3 did not give this photo within {rules.seconds:.0f} s: try again.")
            return bytes(data)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in ("NoSuchKey", "NoSuchBucket", "404"):
            raise BadPhoto("There is no such object in S3: check the bucket and the key.") from error
        if code in ("AccessDenied", "403"):
            raise BadPhoto(
                f"The endpoint's role may not read this object: it needs s3:GetObject on arn:aws:s3:::{bucket}/*."
            ) from error
        raise BadPhoto(f"S3 refused to give this object ({code}): check the bucket and the key.") from error
    except BotoCoreError as error:
        raise BadPhoto(f"S3 cannot be asked from this endpoint ({type(error).__name__}): send the photo.") from error
