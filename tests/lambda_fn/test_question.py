"""Every form of event is read as one question about one photo; what is none is refused with a sentence."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_fn import question
from lambda_fn.question import LARGEST_PHOTO, BadQuestion, Question

JPEG = b"\xff\xd8\xff\xe0 a photo"
URL = "https://example.com/dog.jpg"
TEXT = base64.b64encode(JPEG).decode()


def v1(**changes: Any) -> dict[str, Any]:
    """A REST API's event (payload 1.0)."""
    return {
        "resource": "/",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "queryStringParameters": None,
        "requestContext": {"stage": "prod"},
        "body": None,
        "isBase64Encoded": False,
    } | changes


def v2(**changes: Any) -> dict[str, Any]:
    """An HTTP API's or a function URL's event (payload 2.0)."""
    return {
        "version": "2.0",
        "rawPath": "/",
        "headers": {"content-type": "image/jpeg"},
        "requestContext": {"http": {"method": "POST"}},
        "isBase64Encoded": False,
    } | changes


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (URL, Question(url=URL)),
        ({"url": URL}, Question(url=URL)),
        ({"url": URL, "overlay": True, "other": 1}, Question(url=URL, overlay=True)),
        ({"image": TEXT}, Question(photo=JPEG)),
        ({"image": f"{TEXT[:8]}\n{TEXT[8:]}\n"}, Question(photo=JPEG)),
        ({"image": f"data:image/jpeg;base64,{TEXT}"}, Question(photo=JPEG)),
        ({"s3": "s3://photos/dogs/a b.jpg"}, Question(stored=("photos", "dogs/a b.jpg"))),
        ({"bucket": "photos", "key": "a.jpg"}, Question(stored=("photos", "a.jpg"))),
        (v1(body=json.dumps({"url": URL})), Question(url=URL)),
        (v1(body=json.dumps(URL)), Question(url=URL)),
        (v1(body=base64.b64encode(JPEG).decode(), isBase64Encoded=True), Question(photo=JPEG)),
        (v1(httpMethod="GET", queryStringParameters={"url": URL}), Question(url=URL)),
        (v2(body=TEXT, isBase64Encoded=True), Question(photo=JPEG)),
        (v2(headers={}, body=json.dumps({"image": TEXT, "overlay": True})), Question(photo=JPEG, overlay=True)),
    ],
)
def test_a_question_is_read_from_every_form(event: Any, asked: Question) -> None:
    assert question.read(event) == asked


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({}, "names none of them"),
        ({"url": URL, "image": TEXT}, "names url and image"),
        ({"url": "file:///etc/passwd"}, "begins with https"),
        ({"url": "https://" + "a" * 3000}, "2,048 is the most"),
        ({"url": 5}, "begins with https"),
        ({"image": "not base64!"}, "not base64"),
        ({"image": 5}, "not a text"),
        ({"image": ""}, "empty"),
        ({"s3": "photos/a.jpg"}, "s3://bucket/key"),
        ({"bucket": "photos"}, "must both be there"),
        ({"bucket": "NO", "key": "a"}, "must both be there"),
        ([URL], "is a list"),
        (None, "is null"),
        (7, "is a number"),
        (v1(), "no body"),
        (v1(body="hello"), "neither a photo nor JSON"),
        (v1(body="[1]"), "is a list"),
        (v1(body="x" * 10, isBase64Encoded=True), "not base64"),
        (v2(body="\xff\xd8"), "came as text"),
    ],
)
def test_what_is_no_question_gets_a_sentence(event: Any, said: str) -> None:
    with pytest.raises(BadQuestion, match=said):
        question.read(event)


def test_a_photo_that_is_too_large_is_refused_with_its_size() -> None:
    with pytest.raises(BadQuestion, match="5 MiB is the most"):
        question.read({"image": base64.b64encode(b"x" * (LARGEST_PHOTO + 1)).decode()})


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (JPEG, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF0000WEBP", "image/webp"),
        (b"BM", "application/x-image"),
    ],
)
def test_a_photo_is_sent_as_what_it_is(beginning: bytes, kind: str) -> None:
    assert Question(photo=beginning).content_type == kind


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMED = st.fixed_dictionaries(
    {},
    optional={
        "url": JSON,
        "image": JSON,
        "s3": JSON,
        "bucket": JSON,
        "key": JSON,
        "body": JSON,
        "headers": JSON,
        "requestContext": JSON,
        "isBase64Encoded": JSON,
        "queryStringParameters": JSON,
        "rawPath": JSON,
    },
)


@given(JSON | NAMED)
def test_no_event_at_all_is_answered_by_a_traceback(event: Any) -> None:
    try:
        asked = question.read(event)
    except BadQuestion as bad:
        assert str(bad).endswith(".")
    else:
        assert sum(map(bool, (asked.photo, asked.url, asked.stored))) == 1
    if question.is_proxied(event):
        assert question.method_of(event)
