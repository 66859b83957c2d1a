"""What is told apart from an answer of AWS before botocore reads it."""

from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest

from dashboard.core.aws_answers import check_body
from dashboard.core.errors import ServiceFault

PAGE = b"<!DOCTYPE html><html><body>Welcome</body></html>"


def look(protocol: str, body: bytes, status: int = 200) -> None:
    service = SimpleNamespace(resolved_protocol=protocol, service_name="things")
    model: Any = SimpleNamespace(service_model=service, name="List", output_shape=None, has_event_stream_output=False)
    check_body(model, {"status_code": status, "headers": {}, "body": body})


@cache
def s3() -> Any:
    return botocore.session.Session().get_service_model("s3")


def look_at_s3(operation: str, **headers: str) -> None:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    check_body(s3().operation_model(operation), {"status_code": 200, "headers": told, "body": b"<html>Welcome</html>"})


@pytest.mark.parametrize("protocol", ["json", "rest-json", "smithy-rpc-v2-cbor", "query", "ec2", "rest-xml"])
def test_a_page_is_no_answer_in_any_protocol(protocol: str) -> None:
    for page in (PAGE, b"\n  <html>", b"Welcome"):
        with pytest.raises(ServiceFault, match="things List answered what AWS never answers"):
            look(protocol, page)


@pytest.mark.parametrize("body", [b'{"Endpoints": [', b"[]", b'"text"'])
def test_json_that_was_cut_off_or_is_no_object_is_no_answer(body: bytes) -> None:
    with pytest.raises(ServiceFault, match="not in the form of its protocol"):
        look("json", body)


@pytest.mark.parametrize(
    ("protocol", "body"),
    [
        ("json", b""),  # DeleteEndpoint
        ("json", b'{"Endpoints": []}'),
        ("rest-json", b' {"Functions": []}\n'),
        ("smithy-rpc-v2-cbor", b"\xbfaa\x01\xff"),
        ("smithy-rpc-v2-cbor", b"\xa0"),
        ("query", b'<?xml version="1.0"?><ListRolesResponse/>'),
        ("rest-xml", b"<ListBucketResult/>"),
        ("rest-xml", b""),  # PutObject
    ],
)
def test_what_aws_answers_passes(protocol: str, body: bytes) -> None:
    look(protocol, body)


@pytest.mark.parametrize("operation", ["GetObject", "GetBucketPolicy"])
def test_what_may_be_anything_is_told_by_its_request_id(operation: str) -> None:
    with pytest.raises(ServiceFault, match="bears no request id"):
        look_at_s3(operation, content_type="text/html")
    look_at_s3(operation, x_amz_request_id="1")  # an object may be a page


def test_an_error_is_left_to_its_translation() -> None:
    look("json", PAGE, 503)
