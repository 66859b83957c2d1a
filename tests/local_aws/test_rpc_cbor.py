"""CBOR on the wire, held against botocore's own reader and writer, and against RFC 8949's examples."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer
from botocore.session import get_session

from local_aws.rpc_cbor import NotCborError, decode, encode


def read_by_botocore(data: bytes) -> Any:
    return RpcV2CBORParser().parse_data_item(BytesIO(data))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": [], "b": {"c": True, "d": False}},
        {"text": "ü" * 300, "short": "x"},
        [0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**64 - 1],
        [-1, -24, -25, -257, -(2**32)],
        [0.0, -1.5, 1e300, 0.1],
        [float(number) for number in range(300)],
        [1.0, 2, 3.0],
    ],
)
def test_what_is_written_is_read_the_same(value: Any) -> None:
    assert read_by_botocore(encode(value)) == value
    assert decode(encode(value)) == value


def test_members_that_are_none_are_left_out() -> None:
    assert read_by_botocore(encode({"a": None, "b": 1})) == {"b": 1}


def test_times_are_epoch_seconds_under_tag_1() -> None:
    at = datetime(2026, 11, 21, 15, 0, 0, 500_000, UTC)
    assert encode(at)[:2] == b"\xc1\xfb"  # tag 1, a double
    assert decode(encode(at)) == at
    assert read_by_botocore(encode(at)).timestamp() == at.timestamp()


def test_what_botocore_writes_is_read() -> None:
    written, at = bytearray(), datetime(2026, 1, 2, tzinfo=UTC)
    shape = get_session().get_service_model("cloudwatch").operation_model("PutMetricData").input_shape
    request = {"Namespace": "N", "MetricData": [{"MetricName": "é", "Values": [1.5, 2.0], "Timestamp": at}]}
    RpcV2CBORSerializer()._serialize_data_item(written, request, shape)
    assert decode(bytes(written)) == request


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("1903e8", 1000),
        ("3903e7", -1000),
        ("f93c00", 1.0),
        ("fa47c35000", 100000.0),
        ("f6", None),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf6161019fff", NotCborError),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        ("7f657374726561646d696e67ff", "streaming"),
        ("c11a514b67b0", datetime(2013, 3, 21, 20, 4, tzinfo=UTC)),
    ],
)
def test_examples_of_the_standard(data: str, value: Any) -> None:
    if value is NotCborError:
        with pytest.raises(NotCborError):
            decode(bytes.fromhex(data))
    else:
        assert decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81",  # a list of one, and no item
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",  # a list of 2⁶⁴ − 1
        b"\x7b\x00\x00\x00\xff\x00\x00\x00\x00ab",  # a text longer than the body
        b"\x81" * 1000 + b"\x01",  # nested too deeply
        b"\xff",  # a break alone
        b"\x61\xff",  # a text that is not UTF-8
        b"\x01\x01",  # two values
        b"\xa1\x80\x01",  # a list as a key
        b"\xc1\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00",  # a time at infinity
        b"\xc1\x1b\xff\xff\xff\xff\xff\xff\xff\xff",  # a time beyond the calendar
        b"\x1c",  # a length that is reserved
    ],
)
def test_what_is_no_cbor_is_refused(data: bytes) -> None:
    with pytest.raises(NotCborError):
        decode(data)


def test_what_has_no_form_is_not_written() -> None:
    with pytest.raises(TypeError):
        encode({"a": object()})
    with pytest.raises(TypeError):
        encode(2**64)
