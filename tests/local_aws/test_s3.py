"""S3 as boto3 sees it, and as what runs inside the server sees it."""

import hashlib
import http.client
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local_aws.errors import ServiceError
from local_aws.services.s3 import S3
from local_aws.store import Store
from tests.conftest import Embedded

# keys that a file system, a URL or an XML parser would trip over
KEYS = [
    "plain",
    "/leading",
    "trailing/",
    "a//b",
    "../../etc/passwd",
    ".",
    "..",
    "a b+c%20&=?#;:@!$'(),*",
    "ünï/çödé/日本語/🐕",
    "<xml>&amp;",
    'quote"',
    "back\\slash",
    "new\nline\ttab",
    "x" * 1024,
    "é" * 512,
]


@pytest.fixture(scope="module")
def s3(embedded: Embedded) -> Any:
    return embedded.client("s3")


@pytest.fixture
def bucket(s3: Any, request: pytest.FixtureRequest) -> str:
    name = "b-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:20]
    s3.create_bucket(Bucket=name)
    return name


def code_of(call: Callable[..., Any], **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def read(s3: Any, bucket: str, key: str, **params: Any) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key, **params)["Body"].read()
    return body


# objects


@pytest.mark.parametrize("key", KEYS)
def test_any_key_comes_back(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert read(s3, bucket, key) == key.encode()
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    s3.copy_object(Bucket=bucket, Key=key + "2" if len(key) < 500 else "2", CopySource={"Bucket": bucket, "Key": key})
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_a_key_that_is_too_long_is_refused(s3: Any, bucket: str) -> None:
    assert code_of(s3.put_object, Bucket=bucket, Key="é" * 513, Body=b"") == "KeyTooLongError"


def test_everything_said_of_an_object_comes_back(s3: Any, bucket: str) -> None:
    said = {
        "ContentType": "image/jpeg",
        "CacheControl": "max-age=5",
        "ContentDisposition": 'attachment; filename="a.jpg"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "Metadata": {"breed": "beagle", "with-dash": "x y"},
    }
    put = s3.put_object(Bucket=bucket, Key="a", Body=b"1234", Tagging="a=1&b=x%20y", **said)
    for found in (s3.get_object(Bucket=bucket, Key="a"), s3.head_object(Bucket=bucket, Key="a")):
        assert {name: found[name] for name in said} == said
        assert found["ETag"] == put["ETag"] == f'"{hashlib.md5(b"1234").hexdigest()}"'  # noqa: S324
        assert (found["ContentLength"], found["TagCount"], found["AcceptRanges"]) == (4, 2, "bytes")
        assert abs(found["LastModified"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert s3.get_object_tagging(Bucket=bucket, Key="a")["TagSet"] == [
        {"Key": "a", "Value": "1"},
        {"Key": "b", "Value": "x y"},
    ]


def test_an_object_without_a_type_has_s3s_own(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a")
    assert s3.head_object(Bucket=bucket, Key="a")["ContentType"] == "binary/octet-stream"


def test_what_is_not_there(s3: Any, bucket: str) -> None:
    assert code_of(s3.get_object, Bucket=bucket, Key="no") == "NoSuchKey"
    assert code_of(s3.head_object, Bucket=bucket, Key="no") == "404"
    assert code_of(s3.head_bucket, Bucket="not-there-at-all") == "404"
    for call, params in (
        (s3.get_object, {"Key": "a"}),
        (s3.put_object, {"Key": "a", "Body": b"1"}),
        (s3.list_objects_v2, {}),
        (s3.delete_object, {"Key": "a"}),
        (s3.delete_bucket, {}),
        (s3.create_multipart_upload, {"Key": "a"}),
    ):
        assert code_of(call, Bucket="not-there-at-all", **params) == "NoSuchBucket"
    s3.delete_object(Bucket=bucket, Key="no")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-0", b"0"),
        ("bytes=2-4", b"234"),
        ("bytes=7-", b"789"),
        ("bytes=-3", b"789"),
        ("bytes=5-99", b"56789"),
        ("bytes=-99", b"0123456789"),
    ],
)
def test_ranges(s3: Any, bucket: str, asked: str, expected: bytes) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")
    found = s3.get_object(Bucket=bucket, Key="a", Range=asked)
    assert found["Body"].read() == expected
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
    first = b"0123456789".index(expected)
    assert found["ContentRange"] == f"bytes {first}-{first + len(expected) - 1}/10"
    assert s3.head_object(Bucket=bucket, Key="a", Range=asked)["ContentLength"] == len(expected)


def test_ranges_outside(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert code_of(s3.get_object, Bucket=bucket, Key="a", Range="bytes=10-") == "InvalidRange"
    assert code_of(s3.get_object, Bucket=bucket, Key="a", Range="bytes=-0") == "InvalidRange"
    assert s3.get_object(Bucket=bucket, Key="a", Range="bytes=8-" + "9" * 30)["Body"].read() == b"89"
    assert s3.get_object(Bucket=bucket, Key="a", Range="bytes=0-" + "9" * 5000)["Body"].read() == b"0123456789"
    assert code_of(s3.get_object, Bucket=bucket, Key="empty", Range="bytes=0-") == "InvalidRange"
    assert read(s3, bucket, "a", Range="bytes=5-2") == b"0123456789"
    assert read(s3, bucket, "a", Range="lines=1-2") == b"0123456789"


def test_conditional_reads(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"]
    modified = s3.head_object(Bucket=bucket, Key="a")["LastModified"]
    hour = timedelta(hours=1)
    for params in (
        {"IfMatch": etag},
        {"IfMatch": "*"},
        {"IfNoneMatch": '"other"'},
        {"IfModifiedSince": modified - hour},
        {"IfUnmodifiedSince": modified},
        {"IfMatch": etag, "IfUnmodifiedSince": modified - hour},
    ):
        assert read(s3, bucket, "a", **params) == b"1"
    for params in ({"IfNoneMatch": etag}, {"IfModifiedSince": modified}, {"IfNoneMatch": "*"}):
        assert code_of(s3.get_object, Bucket=bucket, Key="a", **params) == "304"
        assert code_of(s3.head_object, Bucket=bucket, Key="a", **params) == "304"
    for params in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": modified - hour}):
        assert code_of(s3.get_object, Bucket=bucket, Key="a", **params) == "PreconditionFailed"


def test_conditional_writes(s3: Any, bucket: str) -> None:
    put = {"Bucket": bucket, "Key": "a"}
    assert code_of(s3.put_object, **put, Body=b"0", IfMatch='"x"') == "NoSuchKey"
    etag = s3.put_object(**put, Body=b"1", IfNoneMatch="*")["ETag"]
    assert code_of(s3.put_object, **put, Body=b"2", IfNoneMatch="*") == "PreconditionFailed"
    assert code_of(s3.put_object, **put, Body=b"2", IfMatch='"x"') == "PreconditionFailed"
    assert read(s3, bucket, "a") == b"1"
    s3.put_object(**put, Body=b"3", IfMatch=etag)
    assert read(s3, bucket, "a") == b"3"


def test_only_one_of_many_creates(embedded: Embedded, bucket: str) -> None:
    clients = [embedded.client("s3") for _ in range(8)]
    start = threading.Barrier(8)

    def create(client: Any) -> bool:
        start.wait()
        try:
            client.put_object(Bucket=bucket, Key="once", Body=b"x", IfNoneMatch="*")
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, clients)) == 1


def test_readers_see_one_whole_object_while_it_is_replaced(embedded: Embedded, bucket: str) -> None:
    versions = [bytes([i]) * 3_000_000 for i in range(1, 4)]
    s3 = embedded.client("s3")
    s3.put_object(Bucket=bucket, Key="a", Body=versions[0])
    done = threading.Event()

    def write() -> None:
        client = embedded.client("s3")
        for _ in range(8):
            for version in versions:
                client.put_object(Bucket=bucket, Key="a", Body=version)
        done.set()

    seen = 0
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not done.is_set():
            assert read(s3, bucket, "a") in versions
            seen += 1
        writing.result()
    assert seen > 3


def test_copies(s3: Any, bucket: str, embedded: Embedded) -> None:
    other = bucket + "-other"
    s3.create_bucket(Bucket=other)
    s3.put_object(Bucket=bucket, Key="a/ü +", Body=b"1" * 100, Metadata={"m": "1"}, ContentType="a/b", Tagging="t=1")
    source = {"Bucket": bucket, "Key": "a/ü +"}
    s3.copy_object(Bucket=other, Key="b", CopySource=source)
    found = s3.get_object(Bucket=other, Key="b")
    assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (b"1" * 100, {"m": "1"}, "a/b")
    assert s3.get_object_tagging(Bucket=other, Key="b")["TagSet"] == [{"Key": "t", "Value": "1"}]
    s3.copy_object(Bucket=other, Key="c", CopySource=source, MetadataDirective="REPLACE", Metadata={"n": "2"})
    assert s3.head_object(Bucket=other, Key="c")["Metadata"] == {"n": "2"}
    s3.delete_object(Bucket=bucket, Key="a/ü +")
    assert read(s3, other, "b") == b"1" * 100
    assert code_of(s3.copy_object, Bucket=other, Key="d", CopySource=source) == "NoSuchKey"
    assert code_of(s3.copy_object, Bucket=other, Key="b", CopySource=f"{other}/b") == "InvalidRequest"
    wrong = {"CopySourceIfMatch": '"x"', "CopySource": f"{other}/b"}
    assert code_of(s3.copy_object, Bucket=other, Key="d", **wrong) == "PreconditionFailed"


def test_tags_of_objects(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    s3.put_object_tagging(Bucket=bucket, Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "<v>"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="a")["TagSet"] == [{"Key": "k", "Value": "<v>"}]
    many = [{"Key": str(i), "Value": ""} for i in range(11)]
    assert code_of(s3.put_object_tagging, Bucket=bucket, Key="a", Tagging={"TagSet": many}) == "BadRequest"
    twice = [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]
    assert code_of(s3.put_object_tagging, Bucket=bucket, Key="a", Tagging={"TagSet": twice}) == "InvalidTag"
    s3.delete_object_tagging(Bucket=bucket, Key="a")
    assert s3.get_object_tagging(Bucket=bucket, Key="a")["TagSet"] == []
    assert read(s3, bucket, "a") == b"1"


def test_checksums_are_verified_and_given_back(s3: Any, bucket: str) -> None:
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        put = s3.put_object(Bucket=bucket, Key="a", Body=b"hello", ChecksumAlgorithm=algorithm)
        found = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
        assert found[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    for params in (
        {"ChecksumCRC32": "NhCmhg=="},
        {"ChecksumCRC32C": "mnG7TA=="},
        {"ChecksumCRC64NVME": "M3eFcAZSQlc="},
        {"ContentMD5": "XUFAKrxLKna5cZ2REBfFkg=="},
    ):
        s3.put_object(Bucket=bucket, Key="a", Body=b"hello", **params)
        name, value = next(iter(params.items()))
        assert code_of(s3.put_object, Bucket=bucket, Key="a", Body=b"hellO", **params) == "BadDigest", name
        if name != "ContentMD5":
            assert s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")[name] == value
    assert read(s3, bucket, "a") == b"hello"
    assert code_of(s3.put_object, Bucket=bucket, Key="a", Body=b"hello", ContentMD5="abc") == "InvalidDigest"


def test_what_would_be_pretended_is_refused(s3: Any, bucket: str) -> None:
    put = {"Bucket": bucket, "Key": "a", "Body": b"1"}
    assert code_of(s3.put_object, **put, SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32) == "NotImplemented"
    assert code_of(s3.put_object, **put, ACL="public-read") == "AccessControlListNotSupported"
    assert code_of(s3.put_object, **put, ExpectedBucketOwner="111111111111") == "AccessDenied"
    s3.put_object(**put, ExpectedBucketOwner="123456789012")
    versioning = {"VersioningConfiguration": {"Status": "Enabled"}}
    assert code_of(s3.put_bucket_versioning, Bucket=bucket, **versioning) == "NotImplemented"
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)


def test_a_bucket_in_the_host_name(embedded: Embedded, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"1")
    address = urlsplit(embedded.endpoint_url)
    host = f"{bucket}.localhost:{address.port}"
    request = AWSRequest("GET", f"http://{host}/a/b")
    S3SigV4Auth(Credentials(embedded.access_key_id, embedded.secret_access_key), "s3", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=10)
    connection.request("GET", "/a/b", headers={"Host": host, **dict(request.headers.items())})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"1")
    connection.close()


def test_a_key_that_is_no_utf8_is_refused(embedded: Embedded, bucket: str) -> None:
    address = urlsplit(embedded.endpoint_url)
    path = f"/{bucket}/%ff"
    request = AWSRequest("PUT", embedded.endpoint_url + path, data=b"")
    S3SigV4Auth(Credentials(embedded.access_key_id, embedded.secret_access_key), "s3", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=10)
    connection.request("PUT", path, b"", headers={"Host": address.netloc, **dict(request.headers.items())})
    answer = connection.getresponse()
    assert (answer.status, b"InvalidURI" in answer.read()) == (400, True)
    connection.close()


def test_downloads_that_are_given_up_leave_no_open_files(embedded: Embedded, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="large", Body=b"x" * 20_000_000)

    def open_blobs() -> int:
        found = 0
        for one in Path(f"/proc/{embedded.process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed while we looked
                found += "/blobs/" in str(one.readlink())
        return found

    for _ in range(10):
        body = embedded.client("s3").get_object(Bucket=bucket, Key="large")["Body"]
        body.read(10)
        body.close()
    deadline = time.monotonic() + 10
    while open_blobs() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert open_blobs() == 0


# lists


def test_pages_prefixes_and_delimiters(s3: Any, bucket: str) -> None:
    keys = sorted([*(f"d{i % 3}/{i:02d}" for i in range(12)), "top", "d", "d0", "ü/1", "zz/"], key=str.encode)
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    for size in (1, 2, 3, 5, 17, 100):
        for operation in ("list_objects_v2", "list_objects"):
            pages = list(s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": size}))
            assert [one["Key"] for page in pages for one in page.get("Contents", [])] == keys
            assert all(len(page.get("Contents", [])) <= size for page in pages)
            found = s3.get_paginator(operation).paginate(
                Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}
            )
            rows = [(p.get("Contents", []), p.get("CommonPrefixes", [])) for p in found]
            assert [one["Key"] for contents, _ in rows for one in contents] == ["d", "d0", "top"]
            assert [one["Prefix"] for _, prefixes in rows for one in prefixes] == ["d0/", "d1/", "d2/", "zz/", "ü/"]
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix="d1/")["Contents"]] == keys[6:10]
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="d2/05")["Contents"]
    assert [one["Key"] for one in after] == [key for key in keys if key.encode() > b"d2/05"]
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    assert code_of(s3.list_objects_v2, Bucket=bucket, ContinuationToken="%%%") == "InvalidArgument"


def test_deleting_many(s3: Any, bucket: str) -> None:
    for i in range(5):
        s3.put_object(Bucket=bucket, Key=str(i), Body=b"")
    asked = {"Objects": [{"Key": str(i)} for i in range(3)] + [{"Key": "not there"}]}
    answer = s3.delete_objects(Bucket=bucket, Delete=asked)
    assert [one["Key"] for one in answer["Deleted"]] == ["0", "1", "2", "not there"]
    assert "Deleted" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "3"}], "Quiet": True})
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["4"]
    assert code_of(s3.delete_objects, Bucket=bucket, Delete={"Objects": []}) == "MalformedXML"


# buckets


def test_buckets_come_and_go(s3: Any) -> None:
    s3.create_bucket(Bucket="come-and-go")
    s3.create_bucket(Bucket="come-and-go")
    assert "come-and-go" in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert s3.get_bucket_location(Bucket="come-and-go")["LocationConstraint"] is None
    s3.put_object(Bucket="come-and-go", Key="a", Body=b"")
    assert code_of(s3.delete_bucket, Bucket="come-and-go") == "BucketNotEmpty"
    s3.delete_object(Bucket="come-and-go", Key="a")
    s3.delete_bucket(Bucket="come-and-go")
    assert code_of(s3.head_bucket, Bucket="come-and-go") == "404"


def test_a_bucket_of_another_region(s3: Any) -> None:
    where = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket="in-frankfurt", CreateBucketConfiguration=where)
    assert s3.get_bucket_location(Bucket="in-frankfurt")["LocationConstraint"] == "eu-central-1"
    assert s3.head_bucket(Bucket="in-frankfurt")["BucketRegion"] == "eu-central-1"
    again = {"Bucket": "in-frankfurt", "CreateBucketConfiguration": where}
    assert code_of(s3.create_bucket, **again) == "BucketAlreadyOwnedByYou"


@pytest.mark.parametrize(
    "name", ["ab", "a" * 64, "Upper", "under_score", "-a-b", "a-b-", "a..b", "192.168.5.4", "xn--abc"]
)
def test_bucket_names_follow_the_rules(embedded: Embedded, name: str) -> None:
    client = embedded.client("s3", parameter_validation=False)
    with mock.patch("botocore.handlers.validate_bucket_name"):
        assert code_of(client.create_bucket, Bucket=name) == "InvalidBucketName"


def test_settings_of_a_bucket(s3: Any, bucket: str) -> None:
    assert code_of(s3.get_bucket_tagging, Bucket=bucket) == "NoSuchTagSet"
    tags = [{"Key": "kennel:made-by", "Value": "kennel"}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    s3.delete_bucket_tagging(Bucket=bucket)
    assert code_of(s3.get_bucket_tagging, Bucket=bucket) == "NoSuchTagSet"
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == block  # as a new one has it
    s3.delete_public_access_block(Bucket=bucket)
    assert code_of(s3.get_public_access_block, Bucket=bucket) == "NoSuchPublicAccessBlockConfiguration"
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == block
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert found[0]["ApplyServerSideEncryptionByDefault"] == rule["ApplyServerSideEncryptionByDefault"]
    assert code_of(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy"


# multipart


def test_files_go_up_and_down_in_parts(s3: Any, bucket: str, tmp_path: Path) -> None:
    data = os.urandom(1024) * (20 * 1024) + b"tail"
    (tmp_path / "up").write_bytes(data)
    config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=4)
    s3.upload_file(str(tmp_path / "up"), bucket, "big", ExtraArgs={"Metadata": {"a": "b"}}, Config=config)
    s3.download_file(bucket, "big", str(tmp_path / "down"), Config=config)
    assert (tmp_path / "down").read_bytes() == data
    parts = [hashlib.md5(data[i : i + (5 << 20)]).digest() for i in range(0, len(data), 5 << 20)]  # noqa: S324
    found = s3.head_object(Bucket=bucket, Key="big", PartNumber=1)
    assert found["ETag"] == f'"{hashlib.md5(b"".join(parts)).hexdigest()}-{len(parts)}"'  # noqa: S324
    assert (found["Metadata"], found["PartsCount"], found["ContentLength"]) == ({"a": "b"}, len(parts), 5 << 20)
    assert s3.head_object(Bucket=bucket, Key="big", ChecksumMode="ENABLED")["ChecksumType"] == "COMPOSITE"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_an_upload_by_hand(s3: Any, bucket: str) -> None:
    where = {"Bucket": bucket, "Key": "k ü"}
    upload = {**where, "UploadId": s3.create_multipart_upload(**where, ContentType="a/b")["UploadId"]}
    large = b"1" * (5 << 20)
    first = s3.upload_part(**upload, PartNumber=1, Body=b"replaced")
    first = s3.upload_part(**upload, PartNumber=1, Body=large)
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    second = s3.upload_part_copy(**upload, PartNumber=7, CopySource=f"{bucket}/source", CopySourceRange="bytes=2-4")[
        "CopyPartResult"
    ]
    listed = s3.list_parts(**upload)["Parts"]
    assert [(part["PartNumber"], part["Size"]) for part in listed] == [(1, 5 << 20), (7, 3)]
    uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [(one["Key"], one["UploadId"]) for one in uploads] == [("k ü", upload["UploadId"])]

    def complete(*parts: tuple[int, str]) -> Any:
        chosen = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
        return s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": chosen})

    for parts, code in (
        (((1, second["ETag"]),), "InvalidPart"),
        (((2, first["ETag"]),), "InvalidPart"),
        (((7, second["ETag"]), (1, first["ETag"])), "InvalidPartOrder"),
        ((), "MalformedXML"),
    ):
        with pytest.raises(ClientError, match=code):
            complete(*parts)
    assert code_of(s3.get_object, **where) == "NoSuchKey"
    complete((1, first["ETag"]), (7, second["ETag"]))
    assert read(s3, bucket, "k ü") == large + b"234"
    assert s3.head_object(**where)["ContentType"] == "a/b"
    assert code_of(s3.upload_part, **upload, PartNumber=1, Body=b"") == "NoSuchUpload"


def test_small_parts_and_aborted_uploads(s3: Any, bucket: str, embedded: Embedded) -> None:
    where = {"Bucket": bucket, "Key": "k"}
    upload = {**where, "UploadId": s3.create_multipart_upload(**where)["UploadId"]}
    parts = [{"PartNumber": i, "ETag": s3.upload_part(**upload, PartNumber=i, Body=b"small")["ETag"]} for i in (1, 2)]
    assert code_of(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": parts}) == "EntityTooSmall"
    s3.abort_multipart_upload(**upload)
    assert code_of(s3.list_parts, **upload) == "NoSuchUpload"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    s3.delete_bucket(Bucket=bucket)


# inside the server


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[S3]:
    store = Store(tmp_path / "state")
    service = S3(store)
    service.index.add_bucket("inside", "us-east-1", 0)
    yield service
    store.close()


def test_the_engines_view(inside: S3, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"model")
    for key in ("runs/1/b", "runs/1/a", "runs/10/c", "other"):
        inside.add_file("inside", key, tmp_path / "file", "application/gzip")
    found = inside.find("inside", "runs/1/")
    assert [(one.key, one.size, one.path.read_bytes()) for one in found] == [
        ("runs/1/a", 5, b"model"),
        ("runs/1/b", 5, b"model"),
    ]
    assert inside.get("inside", "other").etag == hashlib.md5(b"model").hexdigest()  # noqa: S324
    assert len(inside.find("inside", "")) == 4
    assert not any(name in str(found[0].path) for name in ("runs", "inside"))
    for call, code in (
        (lambda: inside.find("no-bucket", ""), "NoSuchBucket"),
        (lambda: inside.get("inside", "x"), "NoSuchKey"),
        (lambda: inside.add_file("no-bucket", "x", tmp_path / "file"), "NoSuchBucket"),
    ):
        with pytest.raises(ServiceError) as caught:
            call()
        assert caught.value.code == code


def test_replaced_and_deleted_objects_free_their_space(inside: S3, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"model")
    for _ in range(3):
        inside.add_file("inside", "a", tmp_path / "file")
    files = [one for one in (tmp_path / "state" / "s3").rglob("*") if one.is_file()]
    assert len(files) == 1
