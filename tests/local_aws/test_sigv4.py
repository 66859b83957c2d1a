"""Signatures, held against AWS's own published examples and against botocore as the signing end."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local_aws import presigned_v2, sigv4, sigv4_quick
from local_aws.errors import ServiceError
from local_aws.payload import Body, ChunkedBody, ChunkSigner, HashedBody

KEY = sigv4.Key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "arn:aws:iam::1:root")
IAM_KEY = sigv4.Key("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "arn:aws:iam::1:root")
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
AT_2015 = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
AT_2013 = datetime(2013, 5, 24, tzinfo=UTC)

# docs.aws.amazon.com, "Signature Version 4 signing process", the ListUsers example
LIST_USERS = sigv4.Wire(
    "GET",
    "/",
    "Action=ListUsers&Version=2010-05-08",
    (
        ("host", "iam.amazonaws.com"),
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("x-amz-date", "20150830T123600Z"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date, "
            "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
    ),
)
# Amazon S3 API reference, "Authenticating requests: using query parameters"
PRESIGNED = sigv4.Wire(
    "GET",
    "/test.txt",
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    (("host", "examplebucket.s3.amazonaws.com"),),
)
# Amazon S3 API reference, "Signature calculations … transferring payload in multiple chunks"
CHUNKED = sigv4.Wire(
    "PUT",
    "/examplebucket/chunkObject.txt",
    "",
    (
        ("host", "s3.amazonaws.com"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("content-length", "66824"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
            "x-amz-decoded-content-length;x-amz-storage-class,"
            "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        ),
    ),
)
CHUNKED_BODY = (
    b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"
    + b"a" * 65536
    + b"\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n"
    + b"a" * 1024
    + b"\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
)
# Amazon S3 developer guide, "Query string request authentication alternative"
OLD_PRESIGNED = sigv4.Wire(
    "GET",
    "/photos/puppy.jpg",
    "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620",
    (("host", "johnsmith.s3.us-west-1.amazonaws.com"),),
)


def verify(wire: sigv4.Wire, key: sigv4.Key | None, now: datetime, payload: str = EMPTY) -> sigv4.Key:
    claim = sigv4.read_claim(wire)
    return sigv4.verify(wire, claim, key, claim.payload or payload, now)


def with_header(wire: sigv4.Wire, name: str, value: str) -> sigv4.Wire:
    return replace(wire, headers=(*((k, v) for k, v in wire.headers if k != name), (name, value)))


def code_of(call: Callable[[], Any]) -> str:
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.code


def test_aws_own_examples_verify() -> None:
    assert verify(LIST_USERS, IAM_KEY, AT_2015) == IAM_KEY
    assert verify(PRESIGNED, KEY, AT_2013 + timedelta(hours=23)) == KEY
    assert verify(CHUNKED, KEY, AT_2013) == KEY


@pytest.mark.parametrize(
    "changed",
    [
        replace(LIST_USERS, method="POST"),
        replace(LIST_USERS, raw_path="/x"),
        replace(LIST_USERS, query="Action=DeleteUser&Version=2010-05-08"),
        with_header(LIST_USERS, "host", "iam.amazonaws.com:80"),
        with_header(LIST_USERS, "content-type", "text/plain"),
        with_header(LIST_USERS, "x-amz-date", "20150830T123601Z"),
        with_header(LIST_USERS, "x-amz-security-token", "abc"),
        with_header(LIST_USERS, "x-amz-extra", "not signed"),
    ],
)
def test_anything_changed_is_noticed(changed: sigv4.Wire) -> None:
    assert code_of(lambda: verify(changed, IAM_KEY, AT_2015)) in ("SignatureDoesNotMatch", "InvalidClientTokenId")


def test_another_body_is_noticed() -> None:
    assert code_of(lambda: verify(LIST_USERS, IAM_KEY, AT_2015, payload="0" * 64)) == "SignatureDoesNotMatch"


def test_headers_that_are_not_signed_do_not_matter() -> None:
    assert verify(with_header(LIST_USERS, "user-agent", "anything"), IAM_KEY, AT_2015)


def test_another_secret_is_refused() -> None:
    assert code_of(lambda: verify(LIST_USERS, replace(IAM_KEY, secret="x"), AT_2015)) == "SignatureDoesNotMatch"


def test_unknown_keys_are_named_as_each_service_does() -> None:
    assert code_of(lambda: verify(LIST_USERS, None, AT_2015)) == "InvalidClientTokenId"
    assert code_of(lambda: verify(PRESIGNED, None, AT_2013)) == "InvalidAccessKeyId"


def test_a_request_is_good_for_fifteen_minutes_either_way() -> None:
    for minutes in (-14, 14):
        assert verify(LIST_USERS, IAM_KEY, AT_2015 + timedelta(minutes=minutes))
    for minutes in (-16, 16):
        then = AT_2015 + timedelta(minutes=minutes)
        assert code_of(lambda now=then: verify(LIST_USERS, IAM_KEY, now)) == "RequestExpired"
    assert code_of(lambda: verify(CHUNKED, KEY, AT_2013 + timedelta(minutes=16))) == "RequestTimeTooSkewed"


def test_a_presigned_address_expires() -> None:
    assert code_of(lambda: verify(PRESIGNED, KEY, AT_2013 + timedelta(seconds=86401))) == "AccessDenied"
    longer = replace(PRESIGNED, query=PRESIGNED.query.replace("86400", "86401"))
    assert code_of(lambda: verify(longer, KEY, AT_2013)) == "SignatureDoesNotMatch"
    for_ever = replace(PRESIGNED, query=PRESIGNED.query.replace("86400", "604801"))
    assert code_of(lambda: verify(for_ever, KEY, AT_2013)) == "IncompleteSignature"


def test_temporary_credentials_need_their_token_and_expire() -> None:
    temporary = replace(IAM_KEY, session_token="token", expires=AT_2015 + timedelta(minutes=1))
    assert code_of(lambda: verify(LIST_USERS, temporary, AT_2015)) == "InvalidClientTokenId"
    claim = replace(sigv4.read_claim(LIST_USERS), session_token="token")
    assert sigv4.verify(LIST_USERS, claim, temporary, EMPTY, AT_2015)
    late = AT_2015 + timedelta(minutes=1)
    assert code_of(lambda: sigv4.verify(LIST_USERS, claim, temporary, EMPTY, late)) == "ExpiredToken"


def test_unsigned_and_unreadable_requests() -> None:
    unsigned = replace(LIST_USERS, headers=LIST_USERS.headers[:-1])
    assert code_of(lambda: sigv4.read_claim(unsigned)) == "MissingAuthenticationToken"
    for junk in ("Basic abc", "AWS4-HMAC-SHA256 x", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=s"):
        wire = with_header(LIST_USERS, "authorization", junk)
        assert code_of(lambda w=wire: sigv4.read_claim(w)) == "IncompleteSignature"


def test_a_secret_does_not_show_in_a_repr() -> None:
    assert KEY.secret not in repr(KEY)


def test_older_presigned_addresses() -> None:
    path, before = "/johnsmith/photos/puppy.jpg", datetime.fromtimestamp(1175139619, UTC)
    assert presigned_v2.is_one(OLD_PRESIGNED)
    assert presigned_v2.verify(OLD_PRESIGNED, path, KEY, before) == KEY
    after = datetime.fromtimestamp(1175139621, UTC)
    assert code_of(lambda: presigned_v2.verify(OLD_PRESIGNED, path, KEY, after)) == "AccessDenied"
    later = replace(OLD_PRESIGNED, query=OLD_PRESIGNED.query.replace("1175139620", "1275139620"))
    assert code_of(lambda: presigned_v2.verify(later, path, KEY, before)) == "SignatureDoesNotMatch"
    assert code_of(lambda: presigned_v2.verify(OLD_PRESIGNED, "/johnsmith/x", KEY, before)) == "SignatureDoesNotMatch"


def read(body: Body, data: bytes, step: int) -> bytes:
    out = b"".join(body.feed(data[i : i + step]) for i in range(0, len(data), step))
    body.finish()
    return out


def chunked(length: int | None = 66560) -> ChunkedBody:
    claim = sigv4.read_claim(CHUNKED)
    signer = ChunkSigner(sigv4.chunk_signer(claim, KEY), claim.timestamp, claim.scope, claim.signature)
    return ChunkedBody(signer, length)


@pytest.mark.parametrize("step", [1, 7, 65536, 10**6])
def test_aws_own_chunked_example_is_unwrapped(step: int) -> None:
    assert read(chunked(), CHUNKED_BODY, step) == b"a" * 66560


def test_a_changed_or_short_chunk_is_noticed() -> None:
    changed = CHUNKED_BODY.replace(b"aaaa\r\n400", b"aaab\r\n400")
    assert code_of(lambda: read(chunked(), changed, 1000)) == "SignatureDoesNotMatch"
    assert code_of(lambda: read(chunked(), CHUNKED_BODY[:60000], 1000)) == "IncompleteBody"
    assert code_of(lambda: read(chunked(length=5), CHUNKED_BODY, 1000)) == "IncompleteBody"
    swapped = CHUNKED_BODY.replace(b"ad80c730", b"0055627c")
    assert code_of(lambda: read(chunked(), swapped, 1000)) == "SignatureDoesNotMatch"


def test_trailers_come_after_the_last_chunk() -> None:
    body = ChunkedBody(None, 5)
    assert read(body, b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 3) == b"hello"
    assert body.trailers == {"x-amz-checksum-crc32": "NhCmhg=="}
    unsigned = CHUNKED_BODY[:-2] + b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    assert code_of(lambda: read(chunked(), unsigned, 1000)) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("data", [b"zz\r\n", b"-1\r\n", b"5\r\nhelloworld\r\n", b"x" * 100_000, b"0\r\n\r\nmore\r\n"])
def test_nonsense_is_refused(data: bytes) -> None:
    assert code_of(lambda: read(ChunkedBody(None, None), data, 50_000)) == "InvalidChunk"


def test_a_hashed_body() -> None:
    assert read(HashedBody("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"), b"hello", 2) == b"hello"
    assert code_of(lambda: read(HashedBody(EMPTY), b"hello", 2)) == "XAmzContentSHA256Mismatch"


@pytest.mark.parametrize(
    ("path", "headers", "is_plain"),
    [
        ("/endpoints/dogs/invocations", {"X-Amz-User-Agent": "two  spaces   in it"}, True),
        ("/endpoints/dogs/invocations", {"X-Amz-Content-SHA256": EMPTY}, True),
        ("/", {"Content-Type": "application/x-amz-json-1.1"}, True),
        ("/2015-03-31/functions/a%20b/invocations", {}, False),
        ("/a//b", {}, False),
        ("/a/../b", {}, False),
    ],
)
def test_the_quick_signature_of_a_plain_request_is_botocores(
    path: str, headers: dict[str, str], is_plain: bool
) -> None:
    request = AWSRequest("POST", f"http://127.0.0.1{path}", data=b"", headers=headers)
    SigV4Auth(Credentials(IAM_KEY.access_key_id, IAM_KEY.secret), "sagemaker", "us-east-1").add_auth(request)
    wire = sigv4.Wire(
        "POST", path, "", (("host", "127.0.0.1"), *((name.lower(), value) for name, value in request.headers.items()))
    )
    claim = sigv4.read_claim(wire)
    quick = sigv4_quick.signature(
        "POST", path, list(wire.headers), claim.signed_headers, EMPTY, claim.timestamp, claim.scope, IAM_KEY.secret
    )
    assert quick == (claim.signature if is_plain else None)
    assert sigv4.verify(wire, claim, IAM_KEY, EMPTY, datetime.now(UTC)) is IAM_KEY
    with pytest.raises(ServiceError, match="SignatureDoesNotMatch"):
        sigv4.verify(wire, claim, replace(IAM_KEY, secret="another"), EMPTY, datetime.now(UTC))
    twice = replace(wire, headers=(*wire.headers, ("host", "elsewhere")))
    of = (claim.signed_headers, EMPTY, claim.timestamp, claim.scope, IAM_KEY.secret)
    assert sigv4_quick.signature("POST", path, list(twice.headers), *of) is None, "which of the two was signed?"
