"""The server as a process: who is refused, what a restart and a `kill -9` leave, one server a folder."""

import http.client
import json
import resource
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.conftest import ROOT, Embedded, start_embedded, stop_embedded


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Embedded]:
    running = start_embedded(tmp_path / "state")
    yield running
    stop_embedded(running)


def send(
    embedded: Embedded, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
) -> tuple[int, bytes]:
    """A raw request: status and body of the answer."""
    address = urlsplit(embedded.endpoint_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host="Host" in (headers or {}))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None and "Content-Length" not in (headers or {}):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def signed(
    embedded: Embedded,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    service: str = "s3",
    headers: dict[str, str] | None = None,
    at: datetime | None = None,
    signer: type[SigV4Auth] = S3SigV4Auth,
) -> dict[str, str]:
    """The headers botocore's signer gives a request."""
    request = AWSRequest(method, embedded.endpoint_url + path, headers or {}, body)
    keys = Credentials(embedded.access_key_id, embedded.secret_access_key)
    moment = at or datetime.now(UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        signer(keys, service, embedded.region).add_auth(request)
    return {"Host": urlsplit(embedded.endpoint_url).netloc, **dict(request.headers.items())}


# who is refused


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", ""]
)
def test_other_host_names_are_refused(embedded: Embedded, host: str) -> None:
    for path in ("/", "/_kennel/health"):
        status, body = send(embedded, "GET", path, {"Host": host})
        assert status == 403
        assert b"answers only to 127.0.0.1 and localhost" in body


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_web_pages_are_refused_even_with_a_right_signature(embedded: Embedded, headers: dict[str, str]) -> None:
    embedded.client("s3").create_bucket(Bucket="from-a-page")
    right = signed(embedded, "DELETE", "/from-a-page")
    assert send(embedded, "DELETE", "/from-a-page", {**right, **headers})[0] == 403
    assert send(embedded, "DELETE", "/from-a-page", right)[0] == 204


@pytest.mark.parametrize(
    "path", ["/moto-api/reset", "/moto-api", "/moto-api/data.json", "//moto-api/reset", "/%6doto-api/reset"]
)
def test_the_simulators_own_interface_is_closed(embedded: Embedded, path: str) -> None:
    embedded.client("iam").create_user(UserName="stays" + str(len(path)))
    assert send(embedded, "POST", path)[0] == 403
    assert send(embedded, "POST", path, signed(embedded, "POST", path, service="iam"))[0] in (403, 501)
    assert embedded.client("iam").get_user(UserName="stays" + str(len(path)))


def test_nothing_is_answered_without_a_signature(embedded: Embedded) -> None:
    for method, path, headers in (
        ("GET", "/", {}),
        ("POST", "/", {"X-Amz-Target": "SageMaker.ListTrainingJobs"}),
        ("POST", "/?Action=ListUsers&Version=2010-05-08", {}),
        ("GET", "/latest/meta-data/iam/security-credentials/", {}),
        ("GET", "/?XSignature=1&XExpires=1&XAWSAccessKeyId=1", {}),
    ):
        status, body = send(embedded, method, path, headers)
        assert status == 403
        assert b"MissingAuthenticationToken" in body


def test_an_empty_signature_is_a_wrong_one(embedded: Embedded) -> None:
    status, body = send(embedded, "GET", "/?AWSAccessKeyId=&Signature=&Expires=")
    assert (status, b"InvalidAccessKeyId" in body) == (403, True)


def test_health_needs_no_signature_and_tells_nothing_else(embedded: Embedded) -> None:
    assert send(embedded, "GET", "/_kennel/health") == (200, b'{"ready":true}')


def test_a_wrong_secret_or_an_old_signature_is_refused(embedded: Embedded) -> None:
    right = signed(embedded, "GET", "/")
    assert send(embedded, "GET", "/", right)[0] == 200
    flipped = right["Authorization"][:-1] + ("0" if right["Authorization"][-1] != "0" else "1")
    status, body = send(embedded, "GET", "/", {**right, "Authorization": flipped})
    assert (status, b"SignatureDoesNotMatch" in body) == (403, True)
    assert embedded.secret_access_key.encode() not in body
    for minutes in (-20, 20):
        old = signed(embedded, "GET", "/", at=datetime.now(UTC) + timedelta(minutes=minutes))
        status, body = send(embedded, "GET", "/", old)
        assert (status, b"RequestTimeTooSkewed" in body) == (403, True)
    other_path = {**right}
    assert send(embedded, "GET", "/other", other_path)[0] == 403


def test_a_body_that_is_not_the_signed_one_is_refused_and_not_kept(embedded: Embedded) -> None:
    s3 = embedded.client("s3")
    s3.create_bucket(Bucket="payloads")
    headers = signed(embedded, "PUT", "/payloads/a", b"what was signed")
    status, body = send(embedded, "PUT", "/payloads/a", headers, b"something else!")
    assert (status, b"XAmzContentSHA256Mismatch" in body) == (400, True)
    target = {"X-Amz-Target": "SageMaker.ListTrainingJobs", "Content-Type": "application/x-amz-json-1.1"}
    headers = signed(embedded, "POST", "/", b"{}", service="sagemaker", headers=target, signer=SigV4Auth)
    status, body = send(embedded, "POST", "/", headers, b"[]")
    assert (status, b"SignatureDoesNotMatch" in body) == (403, True)
    assert send(embedded, "POST", "/", headers, b"{}")[0] == 200
    assert "Contents" not in s3.list_objects_v2(Bucket="payloads")


def test_clients_that_send_the_hash_of_every_body(embedded: Embedded) -> None:
    """AWS's SDKs for Go, Java and JavaScript do, botocore only for S3."""
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    headers = signed(embedded, "POST", "/", body, service="sts", headers=form)
    assert "X-Amz-Content-SHA256" in headers
    status, answer = send(embedded, "POST", "/", headers, body)
    assert (status, b"arn:aws:iam::123456789012:root" in answer) == (200, True)
    status, answer = send(embedded, "POST", "/", headers, body + b"&X=1")
    assert (status, b"SignatureDoesNotMatch" in answer) == (403, True)


class _Streaming(S3SigV4Auth):  # type: ignore[misc]
    def payload(self, request: Any) -> str:
        return "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def test_chunked_uploads_with_a_checksum_behind(embedded: Embedded) -> None:
    s3 = embedded.client("s3")
    s3.create_bucket(Bucket="chunked")
    extra = {
        "Content-Encoding": "aws-chunked,gzip",
        "X-Amz-Decoded-Content-Length": "5",
        "X-Amz-Trailer": "x-amz-checksum-crc32",
    }
    for checksum, expected in ((b"NhCmhg==", 200), (b"AAAAAA==", 400)):
        body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + checksum + b"\r\n\r\n"
        headers = signed(embedded, "PUT", f"/chunked/{expected}", headers=extra, signer=_Streaming)
        status, answer = send(embedded, "PUT", f"/chunked/{expected}", headers, body)
        assert status == expected, answer
    found = s3.get_object(Bucket="chunked", Key="200")
    assert (found["Body"].read(), found["ContentEncoding"], found["ChecksumCRC32"]) == (b"hello", "gzip", "NhCmhg==")
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="chunked")["Contents"]] == ["200"]


def test_a_body_over_the_limit_is_refused_with_an_answer(embedded: Embedded) -> None:
    body = b"x" * (11 * 1024 * 1024)
    target = {"X-Amz-Target": "SageMaker.ListTrainingJobs"}
    headers = signed(embedded, "POST", "/", body, service="sagemaker", headers=target, signer=SigV4Auth)
    status, answer = send(embedded, "POST", "/", headers, body)
    assert (status, json.loads(answer)["__type"]) == (413, "RequestEntityTooLargeException")


def test_a_refusal_does_not_confuse_what_follows_on_the_connection(embedded: Embedded) -> None:
    s3 = embedded.client("s3")  # sends Expect: 100-continue, and keeps its connection
    s3.create_bucket(Bucket="refusals")
    for _ in range(3):
        with pytest.raises(ClientError, match="NoSuchBucket"):
            s3.put_object(Bucket="no-such-bucket-here", Key="a", Body=b"x" * 100_000)
        with pytest.raises(ClientError, match="AccessControlListNotSupported"):
            s3.put_object(Bucket="refusals", Key="a", Body=b"x" * 100_000, ACL="public-read")
        s3.put_object(Bucket="refusals", Key="a", Body=b"y" * 100_000)
    assert s3.get_object(Bucket="refusals", Key="a")["Body"].read() == b"y" * 100_000


def test_an_unsupported_service_is_said_at_once(embedded: Embedded) -> None:
    begun = time.monotonic()
    client = boto3.client(
        "dynamodb",
        endpoint_url=embedded.endpoint_url,
        region_name=embedded.region,
        aws_access_key_id=embedded.access_key_id,
        aws_secret_access_key=embedded.secret_access_key,
    )  # with boto3's own retries
    with pytest.raises(ClientError, match="dynamodb is not part of the embedded AWS"):
        client.list_tables()
    assert time.monotonic() - begun < 5


def test_only_loopback_is_listened_on(own: Embedded) -> None:
    port = f"{urlsplit(own.endpoint_url).port:04X}"
    rows = [row.split() for row in Path(f"/proc/{own.process.pid}/net/tcp").read_text().splitlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A" and row[1].endswith(":" + port)}
    assert listening == {f"0100007F:{port}"}


# the folder and the process


def test_the_keys_are_for_this_user_only(own: Embedded) -> None:
    told = json.loads((own.state / "client.json").read_text())
    assert told == {
        "endpoint_url": own.endpoint_url,
        "region": "us-east-1",
        "access_key_id": own.access_key_id,
        "secret_access_key": own.secret_access_key,
    }
    assert stat.S_IMODE(own.state.stat().st_mode) == 0o700
    for name in ("client.json", "key.json"):
        assert stat.S_IMODE((own.state / name).stat().st_mode) == 0o600


def test_nobody_else_can_read_what_is_kept_whatever_the_folder_was(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    state.chmod(0o755)
    running = start_embedded(state)
    try:
        iam = running.client("iam")
        iam.create_user(UserName="reader")
        iam.create_access_key(UserName="reader")
        running.client("s3").create_bucket(Bucket="private")
        running.client("s3").put_object(Bucket="private", Key="k", Body=b"x")
        running.client("logs").create_log_group(logGroupName="g")
        readable = [path for path in state.rglob("*") if path.stat().st_mode & 0o077]
    finally:
        stop_embedded(running)
    assert not readable


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local_aws", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_a_second_server_on_the_folder_is_refused(own: Embedded) -> None:
    refused = run("--state", str(own.state))
    assert refused.returncode == 1
    assert refused.stderr.startswith("Another embedded AWS already runs on")
    assert refused.stdout == ""
    assert own.client("s3").list_buckets()["Buckets"] == []


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = run("--state", str(tmp_path / "state"), "--port", str(taken.getsockname()[1]))
    assert refused.returncode == 1
    assert "cannot be used: Address already in use. Choose another with --port." in refused.stderr


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = run("--state", str(tmp_path / "file" / "state"))
    assert refused.returncode == 1
    assert "cannot be used: Not a directory. Choose another with --state." in refused.stderr


def test_sigterm_stops_it_soon_with_connections_open(tmp_path: Path) -> None:
    running = start_embedded(tmp_path / "state")
    running.client("s3").list_buckets()
    with socket.create_connection(("127.0.0.1", urlsplit(running.endpoint_url).port or 0)) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\n")
        begun = time.monotonic()
        running.process.terminate()
        assert running.process.wait(timeout=15) == 0
        assert time.monotonic() - begun < 8
    stop_embedded(running)


def test_keys_and_data_are_the_same_after_a_restart(own: Embedded) -> None:
    s3, logs = own.client("s3"), own.client("logs")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="a", Body=b"1", Metadata={"m": "n"})
    logs.create_log_group(logGroupName="/kept")
    stop_embedded(own)
    again = start_embedded(own.state)
    try:
        assert (again.access_key_id, again.secret_access_key) == (own.access_key_id, own.secret_access_key)
        found = again.client("s3").get_object(Bucket="kept", Key="a")
        assert (found["Body"].read(), found["Metadata"]) == (b"1", {"m": "n"})
        assert again.client("logs").describe_log_groups()["logGroups"][0]["logGroupName"] == "/kept"
    finally:
        stop_embedded(again)


def test_what_was_acknowledged_survives_kill_nine_and_nothing_else_is_left(own: Embedded) -> None:
    s3, logs = own.client("s3"), own.client("logs")
    s3.create_bucket(Bucket="kept")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    now = int(time.time() * 1000)
    for i in range(20):
        s3.put_object(Bucket="kept", Key=f"{i}", Body=str(i).encode() * 1000)
        logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[{"timestamp": now + i, "message": f"{i}"}])
    s3.delete_object(Bucket="kept", Key="0")
    headers = signed(own, "PUT", "/kept/unfinished", b"x" * 5_000_000)
    with socket.create_connection(("127.0.0.1", urlsplit(own.endpoint_url).port or 0)) as half:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        half.sendall(
            f"PUT /kept/unfinished HTTP/1.1\r\n{lines}Content-Length: 5000000\r\n\r\n".encode() + b"x" * 3_000_000
        )
        incoming = own.state / "s3" / "incoming"
        deadline = time.monotonic() + 10
        while not any(incoming.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert any(incoming.iterdir())
        own.process.kill()
        own.process.wait()
    again = start_embedded(own.state)
    try:
        s3 = again.client("s3")
        keys = {one["Key"] for one in s3.list_objects_v2(Bucket="kept")["Contents"]}
        assert keys == {str(i) for i in range(1, 20)}
        for key in keys:
            assert s3.get_object(Bucket="kept", Key=key)["Body"].read() == key.encode() * 1000
        events = again.client("logs").get_log_events(logGroupName="g", logStreamName="s")["events"]
        assert [event["message"] for event in events] == [str(i) for i in range(20)]
        files = [one for one in (again.state / "s3").rglob("*") if one.is_file() and one.name != "running"]
        assert len(files) == 19
    finally:
        stop_embedded(again)


def test_a_full_disk_is_said_and_leaves_nothing_half_written(own: Embedded) -> None:
    s3 = own.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="full")
    before = resource.prlimit(own.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(
        own.process.pid, resource.RLIMIT_FSIZE, (1024 * 1024, before[1])
    )  # files end here, as on a full disk
    with pytest.raises(ClientError, match="disk of this machine is full"):
        s3.put_object(Bucket="full", Key="a", Body=b"x" * 3_000_000)
    resource.prlimit(own.process.pid, resource.RLIMIT_FSIZE, before)
    assert "Contents" not in s3.list_objects_v2(Bucket="full")
    assert not [one for one in (own.state / "s3").rglob("*") if one.is_file() and one.name != "running"]
    s3.put_object(Bucket="full", Key="a", Body=b"x" * 3_000_000)
    assert s3.head_object(Bucket="full", Key="a")["ContentLength"] == 3_000_000


def test_a_large_object_goes_through_in_constant_memory(own: Embedded, tmp_path: Path) -> None:
    size = 300 * 1024 * 1024
    source = tmp_path / "large"
    with source.open("wb") as file:
        file.truncate(size)
    s3 = own.client("s3")
    s3.create_bucket(Bucket="large")
    with source.open("rb") as file:
        s3.put_object(Bucket="large", Key="a", Body=file)
    received = sum(len(piece) for piece in s3.get_object(Bucket="large", Key="a")["Body"].iter_chunks(1024 * 1024))
    assert received == size
    status = Path(f"/proc/{own.process.pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))  # kB
    assert peak < 180 * 1024


def test_the_older_kind_of_presigned_address_and_the_newer(embedded: Embedded) -> None:
    s3 = embedded.client("s3")
    s3.create_bucket(Bucket="presigned")
    for version in (None, "s3v4"):
        client = embedded.client("s3", signature_version=version) if version else s3
        for method, operation, extra, body in (
            ("PUT", "put_object", {}, b"hello"),
            ("GET", "get_object", {"ResponseContentType": "text/a b+c", "ResponseCacheControl": "no-store"}, None),
        ):
            params = {"Bucket": "presigned", "Key": "ü +&%/k", **extra}
            url = client.generate_presigned_url(operation, Params=params, ExpiresIn=60)
            path = url.removeprefix(embedded.endpoint_url)
            status, answer = send(embedded, method, path, body=body)
            assert status == 200, answer
            assert send(embedded, "DELETE", path)[0] == 403
            assert send(embedded, method, path.replace("presigned", "presigne"), body=body)[0] == 403
        assert answer == b"hello"


def test_an_expired_presigned_address_is_refused(embedded: Embedded) -> None:
    s3 = embedded.client("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="expiring")
    s3.put_object(Bucket="expiring", Key="a", Body=b"1")
    with mock.patch("botocore.auth.get_current_datetime", return_value=datetime.now(UTC) - timedelta(minutes=2)):
        url = s3.generate_presigned_url("get_object", Params={"Bucket": "expiring", "Key": "a"}, ExpiresIn=60)
    status, body = send(embedded, "GET", url.removeprefix(embedded.endpoint_url))
    assert (status, b"Request has expired" in body) == (403, True)
