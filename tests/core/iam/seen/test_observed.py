"""What a role did, read from an embedded AWS: from a trail's files, from the event history, and what is missing."""

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from dashboard.core.aws import Account, Aws
from dashboard.core.iam.recorded import Recorded
from dashboard.core.iam.seen import last_accessed, observed
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import unique
from tests.local_aws.trail_world import (
    ACCOUNT,
    FAST,
    MANAGEMENT,
    Session,
    delivered,
    role_of,
    session_of,
    sessions_only,
    trail,
)

WORK = ["s3:CreateBucket", "s3:PutObject", "s3:GetObject", "sagemaker:ListEndpoints", "sagemaker:InvokeEndpoint"]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    running = start_embedded(tmp_path_factory.mktemp("observed"), *FAST)
    yield running
    stop_embedded(running)


def aws_of(embedded: Embedded, session: Session | None = None) -> Aws:
    made = botocore.session.Session()
    if session is None:
        made.set_credentials(embedded.access_key_id, embedded.secret_access_key)
    else:
        made.set_credentials(session.key, session.secret, session.token)
    return Aws(Account("embedded", embedded.region, ACCOUNT, True, True, embedded.endpoint_url), made)


def close(aws: Aws) -> None:
    for one in aws._clients.values():
        one.close()


@pytest.fixture(scope="module")
def aws(embedded: Embedded) -> Iterator[Aws]:
    made = aws_of(embedded)
    yield made
    close(made)


def hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def worked(embedded: Embedded) -> tuple[str, str]:
    """A role that worked in a bucket of its own: its ARN and the bucket."""
    role, bucket = role_of(embedded, WORK, path="/kennel/"), unique("work")
    worker = session_of(embedded, role, "SageMaker")
    worker.client("s3").create_bucket(Bucket=bucket)
    worker.client("s3").put_object(Bucket=bucket, Key="runs/model.tar.gz", Body=b"x")
    worker.client("sagemaker").list_endpoints()
    with pytest.raises(ClientError):
        worker.client("sagemaker").list_models()
    return role, bucket


def rights(found: Recorded) -> dict[str, tuple[str, int, int]]:
    return {one.right.action: (one.right.resource, one.count, one.denied) for one in found.calls}


def test_without_a_trail_the_history_tells_what_manages_and_that_it_lacks_data(aws: Aws, embedded: Embedded) -> None:
    role, bucket = worked(embedded)
    since = hour_ago()
    found = observed.read(aws, role, since)
    told = rights(found)
    assert told["s3:CreateBucket"] == (f"arn:aws:s3:::{bucket}", 1, 0)
    assert told["sagemaker:ListEndpoints"][1:] == (1, 0)
    assert told["sagemaker:ListModels"][1:] == (1, 1)
    assert "s3:PutObject" not in told
    assert all(one.sessions == ("SageMaker",) for one in found.calls)
    assert (found.source, found.since) == (observed.SOURCE_HISTORY, since)
    assert any("No trail tells data events" in one for one in found.partial)
    assert found.lacks_data


def test_a_trail_tells_objects_too_and_each_call_once(aws: Aws, embedded: Embedded) -> None:
    name, files = trail(embedded, MANAGEMENT, sessions_only("AWS::S3::Object"))
    role, bucket = worked(embedded)
    delivered(embedded, files, "PutObject", "ListEndpoints", "ListModels")
    found = observed.read(aws, role, hour_ago())
    told = rights(found)
    assert told["s3:PutObject"] == (f"arn:aws:s3:::{bucket}/runs/model.tar.gz", 1, 0)
    assert told["s3:CreateBucket"][1] == 1  # in the file and in the history
    assert told["sagemaker:ListModels"][1:] == (1, 1)
    assert found.source == f"the trail {name} and {observed.SOURCE_HISTORY}"
    assert (found.partial, found.lacks_data) == ((), False)
    assert found.since is not None
    # before it was switched on, nobody wrote objects down
    assert found.since > datetime.now(UTC) - timedelta(minutes=5)

    assert any("Only the newest 0 files" in one for one in observed.read(aws, role, hour_ago(), most_files=0).partial)
    day = datetime.now(UTC)
    prefix = f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/{day:%Y/%m/%d}/{ACCOUNT}_CloudTrail_us-east-1_{day:%Y%m%dT%H%MZ}_"
    s3 = embedded.client("s3")
    bad: list[bytes] = [b"no gzip", gzip.compress(b"[]"), gzip.compress(b'{"Records": 5, "role": "' + role.encode())]
    for number, content in enumerate(bad):
        s3.put_object(Bucket=files, Key=f"{prefix}Broken{number:010}.json.gz", Body=content)
    again = observed.read(aws, role, hour_ago())
    assert rights(again)["s3:PutObject"][1] == 1
    assert any("2 of " in one and "could not be read" in one for one in again.partial)  # one does not name the role
    s3.put_object(
        Bucket=files,
        Key=f"{prefix}Forged0000000.json.gz",
        Body=gzip.compress(json.dumps({"Records": [{"role": role}, 7]}).encode()),
    )
    assert rights(observed.read(aws, role, hour_ago()))["s3:PutObject"][1] == 1
    embedded.client("cloudtrail").delete_trail(Name=name)


def test_who_may_not_look_is_told_what_was_not_read(embedded: Embedded) -> None:
    role, _ = worked(embedded)
    blind = aws_of(embedded, session_of(embedded, role_of(embedded, ["sts:GetCallerIdentity"])))
    try:
        found = observed.read(blind, role, hour_ago())
    finally:
        close(blind)
    assert (found.calls, found.since, found.source) == ((), None, "")
    assert any("Trails were not looked at: not allowed to cloudtrail:DescribeTrails" in one for one in found.partial)
    assert any("not allowed to cloudtrail:LookupEvents" in one for one in found.partial)


def test_a_long_history_is_read_as_far_as_the_bound_and_says_so(aws: Aws, embedded: Embedded) -> None:
    role, _ = worked(embedded)
    for _ in range(51):
        session_of(embedded, role)
    paced: list[int] = []
    found = observed.read(aws, role, hour_ago(), most_pages=1, pace=lambda: paced.append(1))
    assert any("was read back to" in one for one in found.partial)
    assert found.since is not None
    assert found.since > hour_ago()
    assert len(paced) == 1


def test_iam_tells_the_same_role_by_service_and_action(aws: Aws, embedded: Embedded) -> None:
    role, _ = worked(embedded)
    found = last_accessed.read(aws, role)
    assert found.last("s3:CreateBucket") is not None
    assert found.last("sagemaker:ListEndpoints") is not None
    assert not found.is_tracked("s3:PutObject")
    s3 = found.service("s3")
    assert s3 is not None
    assert s3.last is not None


def test_another_region_has_its_own_record(aws: Aws, embedded: Embedded) -> None:
    role, _ = worked(embedded)
    elsewhere = Aws(replace(aws.account, region="eu-west-1"), aws_of(embedded)._session)
    try:
        assert observed.read(elsewhere, role, hour_ago()).calls == ()
    finally:
        close(elsewhere)


class Elsewhere(Aws):
    """An account whose one trail is its organization's, with these objects in its bucket."""

    def __init__(self, *keys: str) -> None:
        self.account, self.keys = Account("work", "us-east-1", ACCOUNT, False, False), keys

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        match operation:
            case "DescribeTrails":
                return {"trailList": [{"Name": "all", "S3BucketName": "logs", "IsOrganizationTrail": True}]}
            case "GetTrailStatus":
                return {"IsLogging": True, "LatestDeliveryTime": datetime.now(UTC)}
            case "ListObjectsV2":
                return {"CommonPrefixes": [{"Prefix": "AWSLogs/o-abc/"}]}
            case "GetObject":
                records = {"Records": [{"role": parameters["Key"]}]}
                return {"Body": io.BytesIO(gzip.compress(json.dumps(records).encode()))}
        return {}

    def pages(self, service: str, operation: str, limit: int = 100, **parameters: Any) -> Iterator[dict[str, Any]]:
        if operation == "ListObjectsV2":
            found = [key for key in self.keys if key.startswith(parameters["Prefix"])]
            if "Delimiter" in parameters:
                yield {"CommonPrefixes": [{"Prefix": key.rpartition("/")[0] + "/"} for key in found]}
            else:
                yield {"Contents": [{"Key": key, "Size": 100} for key in found]}
        else:
            yield {"Events": []}


def test_an_organizations_trail_is_read_where_it_lies() -> None:
    now = datetime.now(UTC)
    name = f"{ACCOUNT}_CloudTrail_us-east-1_{now:%Y%m%dT%H%MZ}_x.json.gz"
    file = f"AWSLogs/o-abc/{ACCOUNT}/CloudTrail/us-east-1/{now:%Y/%m/%d}/{name}"
    found = observed.read(Elsewhere(file), "arn:aws:iam::123456789012:role/Dogs", hour_ago(), pace=lambda: None)
    assert not any("no file of it" in one for one in found.partial)
    missing = observed.read(Elsewhere(), "arn:aws:iam::123456789012:role/Dogs", hour_ago(), pace=lambda: None)
    assert any("no file of it was found in logs" in one for one in missing.partial)
