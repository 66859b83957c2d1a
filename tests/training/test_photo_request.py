"""Every form in which photos are asked about, and what is said about all others."""

import base64
import io
import json
import random
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import client as aws_client
from tests.training.test_fetch import PHOTO, answer, local, serving
from training.images import BadPhoto
from training.photo_request import (
    MAX_BODY,
    MAX_FETCHED,
    MAX_PHOTOS,
    BadRequest,
    Reach,
    TooLarge,
    UnsupportedContent,
    fetched,
    read,
)
from training.public_url import parse

JSON = "application/json"


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def asked(value: object) -> str:
    return json.dumps(value)


@pytest.mark.parametrize(
    "kind", ["image/jpeg", "image/png", "image/webp", "IMAGE/JPEG; charset=binary", "application/x-image"]
)
def test_bytes_are_one_photo(kind: str) -> None:
    request = read(bytearray(PHOTO), kind, 1.5)
    assert (request.photos, request.started, request.is_here) == ((PHOTO,), 1.5, True)


@pytest.mark.parametrize("text", [True, False])
def test_json_names_one_photo_or_many(text: bool) -> None:
    def photos(value: object) -> tuple[bytes, ...]:
        body = asked(value)
        return read(body if text else body.encode(), "application/json; charset=utf-8", 0).photos

    assert photos({"image": encoded(b"a")}) == (b"a",)
    assert photos({"image": [encoded(b"a"), encoded(b"b")]}) == (b"a", b"b")
    assert photos({"image": "data:image/png;base64," + encoded(b"c")}) == (b"c",)


@pytest.mark.parametrize("part", ["[],", "{},", "1,", "[", '{"":'])
@pytest.mark.parametrize("text", [True, False])
def test_json_of_millions_of_parts_costs_no_memory(part: str, text: bool) -> None:
    body: str | bytes = '{"url": [' + part * ((MAX_BODY - 20) // len(part)) + "1]}"
    body = body if text else body.encode()  # type: ignore[union-attr]
    tracemalloc.start()
    try:
        with pytest.raises(BadRequest, match="far more than 16 photos"):
            read(body, JSON, 0)
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()


def test_sixteen_long_addresses_are_not_too_many_parts() -> None:
    urls = ["https://a.example/" + "," * 2000] * MAX_PHOTOS
    assert read(asked({"url": urls}), JSON, 0).urls == tuple(urls)


def test_what_lies_elsewhere_is_only_named() -> None:
    request = read(
        asked({"url": ["https://a.example/1", "https://a.example/2"], "s3": "s3://my-photos/a b/ä.jpg"}), JSON, 0
    )
    assert request.urls == ("https://a.example/1", "https://a.example/2")
    assert request.objects == (("my-photos", "a b/ä.jpg"),)
    assert not request.is_here


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "not JSON"), ("{", "not JSON"), (b"\xff\xd8\xff", "not JSON"), ("[" * 60_000, "not JSON"),
        ('{"image": "AAAA", "image": "AAAA"}', "name twice"), ('{"url": [{"a": 1, "a": 2}]}', "name twice"),
        ("[]", "image"), ("3", "image"), ("null", "image"), ("{}", "image"),
        (asked({"picture": "x"}), "image"), (asked({"image": "AAAA", "top": 3}), "something else"),
        (asked({"image": 3}), "text or a list"), (asked({"url": [1]}), "text or a list"),
        (asked({"url": None}), "text or a list"), (asked({"s3": ""}), "text or a list"),
        (asked({"image": []}), "1 to 16"), (asked({"url": ["https://a.example/"] * (MAX_PHOTOS + 1)}), "1 to 16"),
        (asked({"image": "not base64!"}), "base64"), (asked({"image": "AAA"}), "base64"),
        (asked({"image": "ä"}), "base64"),
        (asked({"image": "data:text/html;base64,AAAA"}), "base64"),
        (asked({"url": "https://a.example/\ud800"}), "half a character"),
        (asked({"s3": "s3://bucket/\udfff"}), "half a character"), (asked({"image": "\ud83d"}), "half a character"),
        (asked({"s3": "s3://bucket"}), "s3://bucket/key"), (asked({"s3": "https://b/k"}), "s3://bucket/key"),
        (asked({"s3": "s3://UP/k"}), "s3://bucket/key"), (asked({"s3": "s3://../k"}), "s3://bucket/key"),
        (asked({"s3": "s3://b c/k"}), "s3://bucket/key"), (asked({"s3": "s3://bucket/" + "k" * 1025}), "s3://bucket/key"),
    ],
)  # fmt: skip
def test_json_that_is_not_understood_is_explained(body: str | bytes, words: str) -> None:
    with pytest.raises(BadRequest, match=words) as caught:
        read(body, JSON, 0)
    assert caught.value.status == 400


@pytest.mark.parametrize("kind", [None, "", "text/csv", "application/octet-stream", "multipart/form-data", "x" * 500])
def test_other_content_is_refused(kind: str | None) -> None:
    with pytest.raises(UnsupportedContent, match="image/jpeg") as caught:
        read(PHOTO, kind, 0)
    assert caught.value.status == 415
    assert len(str(caught.value)) < 300


def test_a_body_that_is_too_large_is_refused_whatever_it_is() -> None:
    for kind in ("image/jpeg", JSON, "text/csv"):
        with pytest.raises(TooLarge, match="6 MiB") as caught:
            read(bytes(MAX_BODY + 1), kind, 0)
        assert caught.value.status == 413
    assert len(read(bytes(MAX_BODY), "image/jpeg", 0).photos[0]) == MAX_BODY


class Bucket:
    """S3 as boto3 shows it, holding some objects."""

    def __init__(self, objects: dict[str, bytes], refuse: Exception | None = None) -> None:
        self.objects, self.refuse = objects, refuse

    def get_object(self, **place: str) -> dict[str, Any]:
        key = place["Key"]
        if self.refuse:
            raise self.refuse
        if key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"ContentLength": len(self.objects[key]), "Body": io.BytesIO(self.objects[key])}


def s3(bucket: Bucket) -> Callable[[], Bucket]:
    return lambda: bucket


def test_photos_come_in_the_order_image_url_s3() -> None:
    def handler(connection: Any, request: bytes) -> None:
        path = request.split(b" ")[1]
        # The first takes longest, so that the order is not that of arrival.
        time.sleep(0.2 if path == b"/1" else 0)
        connection.sendall(answer(path))

    with serving(handler) as server:
        reach = Reach(lambda: local(server), s3(Bucket({"k": b"object"})))
        body = asked(
            {"s3": "s3://photos/k", "url": [f"http://p.example/{n}" for n in (1, 2, 3)], "image": encoded(b"own")}
        )
        request = fetched(read(body, JSON, 3.0), reach)
    assert request.photos == (b"own", b"/1", b"/2", b"/3", b"object")
    assert request.is_here
    assert request.started == 3.0


def test_photos_of_one_request_are_fetched_at_the_same_time_and_before_one_deadline() -> None:
    release = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        release.wait(0.3)
        return ["127.0.0.1"]

    with serving(lambda connection, request: connection.sendall(answer())) as server:
        request = read(asked({"url": ["http://p.example/"] * 4}), JSON, 0)
        started = time.monotonic()
        assert len(fetched(request, Reach(lambda: local(server, resolve=resolve))).photos) == 4
        assert time.monotonic() - started < 1.0
        many = read(asked({"url": ["http://p.example/"] * 16}), JSON, 0)
        with pytest.raises(BadPhoto, match=r"Photo \d+ of 16: "):
            fetched(many, Reach(lambda: local(server, resolve=resolve, seconds=0.7)))
        assert time.monotonic() - started < 2.5
    release.set()


def test_which_photo_was_refused_is_said_among_several() -> None:
    with serving(lambda connection, request: connection.sendall(answer(status="404 Not Found"))) as server:
        reach = Reach(lambda: local(server))
        with pytest.raises(BadPhoto, match=r"^Photo 2 of 2: .*404"):
            fetched(read(asked({"image": encoded(b"a"), "url": "http://p.example/"}), JSON, 0), reach)
        with pytest.raises(BadPhoto, match=r"^The server at this address answered with 404"):
            fetched(read(asked({"url": "http://p.example/"}), JSON, 0), reach)


def test_many_large_photos_by_address_are_refused_together() -> None:
    large = bytes(MAX_FETCHED // 2)
    with serving(lambda connection, request: connection.sendall(answer(large))) as server:
        rules = local(server, max_bytes=len(large), seconds=20.0)
        with pytest.raises(BadPhoto, match="together"):
            fetched(read(asked({"url": ["http://p.example/"] * 3}), JSON, 0), Reach(lambda: rules))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("NoSuchKey", "no such object"), ("NoSuchBucket", "no such object"),
        ("AccessDenied", r"s3:GetObject on arn:aws:s3:::photos/\*"),
        ("InvalidObjectState", "InvalidObjectState"),
    ],
)  # fmt: skip
def test_what_s3_refuses_is_explained(code: str, words: str) -> None:
    bucket = Bucket({}, ClientError({"Error": {"Code": code, "Message": "secret"}}, "GetObject"))
    with pytest.raises(BadPhoto, match=words) as caught:
        fetched(read(asked({"s3": "s3://photos/k"}), JSON, 0), Reach(s3=s3(bucket)))
    assert "secret" not in caught.value.reason


def test_s3_that_is_out_of_reach_is_explained() -> None:
    bucket = Bucket({}, EndpointConnectionError(endpoint_url="https://s3.inner.example"))
    with pytest.raises(BadPhoto, match="cannot be asked") as caught:
        fetched(read(asked({"s3": "s3://photos/k"}), JSON, 0), Reach(s3=s3(bucket)))
    assert "inner" not in caught.value.reason


def test_an_object_that_is_too_large_or_too_slow_is_refused() -> None:
    bucket = Bucket({"k": bytes(1000)})
    request = read(asked({"s3": "s3://photos/k"}), JSON, 0)
    with pytest.raises(BadPhoto, match="more than"):
        fetched(request, Reach(lambda: local(9, max_bytes=999), s3(bucket)))
    ticks = iter([0.0, 0.0, 0.0, 5.0])
    with pytest.raises(BadPhoto, match="did not give"):
        fetched(request, Reach(lambda: local(9, clock=lambda: next(ticks)), s3(bucket)))


def test_without_boto3_s3_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("boto3", "botocore", "botocore.exceptions"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BadPhoto, match="boto3 is not installed"):
        fetched(read(asked({"s3": "s3://photos/k"}), JSON, 0))


def test_photos_come_from_a_real_s3(embedded: Embedded) -> None:
    client = aws_client(embedded, "s3")
    client.create_bucket(Bucket="photos-to-classify")
    client.put_object(Bucket="photos-to-classify", Key="a dog/ä.jpg", Body=PHOTO)
    reach = Reach(s3=lambda: client)
    body = asked({"s3": ["s3://photos-to-classify/a dog/ä.jpg", "s3://photos-to-classify/a dog/ä.jpg"]})
    assert fetched(read(body, JSON, 0), reach).photos == (PHOTO, PHOTO)
    for place in ("s3://photos-to-classify/none.jpg", "s3://no-such-bucket-here/a.jpg"):
        with pytest.raises(BadPhoto, match="no such object"):
            fetched(read(asked({"s3": place}), JSON, 0), reach)


def test_whatever_json_is_sent_it_is_understood_or_refused() -> None:
    chance = random.Random(7)
    good = [
        asked({"image": encoded(PHOTO)}), asked({"url": "https://a.example/ä.jpg?x=1#y"}), asked({"s3": "s3://photos/a/b"}),
        asked({"image": [encoded(PHOTO)] * 2, "url": ["https://a.example/"], "s3": ["s3://photos/k"]}),
    ]  # fmt: skip
    pieces = [
        '"',
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\\ud800",
        "\\u0000",
        "1e999",
        "NaN",
        "null",
        "-",
        "\x00",
        "é",
        "s3",
        "url",
    ]
    understood = refused = 0
    for number in range(4000):
        text = good[number % len(good)]
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(text) + 1)
            text = (
                text[:at]
                + chance.choice((chance.choice(pieces), "", chr(chance.randrange(1, 300))))
                + text[at + chance.randrange(3) :]
            )
        try:
            request = read(text if number % 2 else text.encode(), JSON, 0)
        except BadRequest as bad:
            refused += 1
            assert str(bad).endswith(".")
            continue
        understood += 1
        for url in request.urls:
            try:
                assert parse(url, {"https": 443}).host.isascii()
            except BadPhoto as bad:
                assert bad.reason.endswith(".")
    assert understood > 300
    assert refused > 1000
