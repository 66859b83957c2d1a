"""Trails: what roles did comes to S3 in AWS's files, as the selectors say; and what trails can be."""

import gzip
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.services.cloudtrail_delivery import Pending, TrailFiles
from local_aws.services.cloudtrail_trails import Trail, Trails
from local_aws.store import Store
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.cloudtrail_made import made
from tests.local_aws.sagemaker_world import ROLE, bucket, channel, client, finished, training_request, unique
from tests.local_aws.trail_world import (
    ACCOUNT,
    FAST,
    MANAGEMENT,
    delivered,
    records,
    role_of,
    session_of,
    sessions_only,
    trail,
)

OBJECTS, FUNCTIONS, ENDPOINTS = "AWS::S3::Object", "AWS::Lambda::Function", "AWS::SageMaker::Endpoint"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    running = start_embedded(tmp_path_factory.mktemp("trails"), *FAST)
    yield running
    stop_embedded(running)


def code_of(call: Callable[..., Any], **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def named(found: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [one for one in found if one["eventName"] == name]


@pytest.fixture(scope="module")
def seen(aws: Embedded) -> tuple[list[dict[str, Any]], str, str]:
    """What a trail tells of one role that worked: the records, the role's ARN and the bucket it worked in."""
    _, files = trail(aws, MANAGEMENT, *(sessions_only(one) for one in (OBJECTS, FUNCTIONS, ENDPOINTS)))
    role = role_of(aws, ["s3:*", "sagemaker:*", "lambda:InvokeFunction"], path="/kennel/")
    bucket = unique("worked-in")
    worker = session_of(aws, role, "worker")
    mine, own = worker.client("s3"), aws.client("s3")
    mine.create_bucket(Bucket=bucket)
    own.put_object(Bucket=bucket, Key="by-root", Body=b"x")
    mine.put_object(Bucket=bucket, Key="dogs/a.jpg", Body=b"x")
    mine.get_object(Bucket=bucket, Key="dogs/a.jpg")
    mine.list_objects_v2(Bucket=bucket, Prefix="dogs/")
    worker.client("sagemaker").list_endpoints()
    missing = unique("nobody")
    code_of(worker.client("sagemaker-runtime").invoke_endpoint, EndpointName=missing, Body=b"{}")
    code_of(worker.client("lambda").invoke, FunctionName=missing)
    code_of(worker.client("ec2").describe_instances)
    names = ("CreateBucket", "PutObject", "GetObject", "ListObjects", "ListEndpoints", "InvokeEndpoint", "Invoke")
    return delivered(aws, files, *names, "DescribeInstances"), role, bucket


def test_an_object_that_a_role_read_is_told_with_its_arn_and_the_role(
    seen: tuple[list[dict[str, Any]], str, str],
) -> None:
    found, role, bucket = seen
    (read,) = named(found, "GetObject")
    assert (read["eventCategory"], read["managementEvent"], read["readOnly"]) == ("Data", False, True)
    assert (read["eventSource"], read["eventType"], read["recipientAccountId"]) == (
        "s3.amazonaws.com",
        "AwsApiCall",
        ACCOUNT,
    )
    assert read["requestParameters"] == {"bucketName": bucket, "key": "dogs/a.jpg"}
    assert [(one["type"], one["ARN"]) for one in read["resources"]] == [
        ("AWS::S3::Object", f"arn:aws:s3:::{bucket}/dogs/a.jpg"),
        ("AWS::S3::Bucket", f"arn:aws:s3:::{bucket}"),
    ]
    assert read["userIdentity"]["type"] == "AssumedRole"
    assert read["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == role  # with its path
    (listed,) = named(found, "ListObjects")
    assert listed["requestParameters"]["prefix"] == "dogs/"
    assert "responseElements" in read
    assert read["responseElements"] is None


def test_what_the_selectors_leave_out_is_not_delivered(seen: tuple[list[dict[str, Any]], str, str]) -> None:
    found, _, _ = seen
    assert [one["requestParameters"]["key"] for one in named(found, "PutObject")] == ["dogs/a.jpg"]
    assert all(one["userIdentity"]["type"] == "AssumedRole" for one in found if one["eventCategory"] == "Data")


def test_reads_of_a_role_and_what_it_was_refused_are_told(seen: tuple[list[dict[str, Any]], str, str]) -> None:
    found, _, _ = seen
    assert named(found, "ListEndpoints")[0]["eventCategory"] == "Management"
    assert named(found, "ListEndpoints")[0]["readOnly"] is True
    (refused,) = named(found, "DescribeInstances")
    assert refused["errorCode"].endswith("UnauthorizedOperation")
    assert "not authorized to perform: ec2:DescribeInstances" in refused["errorMessage"]
    (invoked,) = named(found, "Invoke")
    assert invoked["errorCode"] == "ResourceNotFoundException"
    assert invoked["resources"][0]["ARN"].startswith(f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:nobody-")
    (asked,) = named(found, "InvokeEndpoint")
    assert asked["eventSource"] == "sagemaker.amazonaws.com"
    assert asked["requestParameters"] == {"endpointName": asked["resources"][0]["ARN"].rpartition("/")[2]}


def test_files_lie_where_aws_puts_them(aws: Embedded) -> None:
    name, bucket = trail(aws, S3KeyPrefix="audit")
    aws.client("s3").create_bucket(Bucket=unique("noticed"))
    delivered(aws, bucket, "CreateBucket")
    (first, *_) = aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    day, name_of_file = r"\d{4}/\d\d/\d\d", rf"{ACCOUNT}_CloudTrail_us-east-1_\d{{8}}T\d{{4}}Z_\w{{16}}\.json\.gz"
    form = rf"audit/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/{day}/{name_of_file}"
    assert re.fullmatch(form, first["Key"])
    head = aws.client("s3").head_object(Bucket=bucket, Key=first["Key"])
    assert (head["ContentType"], head["ContentEncoding"]) == ("application/json", "gzip")
    status = aws.client("cloudtrail").get_trail_status(Name=name)
    assert status["IsLogging"]
    assert status["LatestDeliveryTime"] >= status["StartLoggingTime"]


def test_a_trail_that_is_switched_off_delivers_no_more(aws: Embedded) -> None:
    name, bucket = trail(aws)
    cloudtrail, s3 = aws.client("cloudtrail"), aws.client("s3")
    cloudtrail.stop_logging(Name=name)
    silent = unique("silent")
    s3.create_bucket(Bucket=silent)
    cloudtrail.start_logging(Name=name)
    heard = unique("heard")
    s3.create_bucket(Bucket=heard)
    found = delivered(aws, bucket, "CreateBucket")
    told = {one["requestParameters"]["bucketName"] for one in named(found, "CreateBucket")}
    assert heard in told
    assert silent not in told
    status = cloudtrail.get_trail_status(Name=name)
    assert status["StopLoggingTime"] <= status["StartLoggingTime"]


def test_a_bucket_that_is_gone_is_told_and_events_wait_for_it(aws: Embedded) -> None:
    name, bucket = trail(aws)
    cloudtrail, s3 = aws.client("cloudtrail"), aws.client("s3")
    for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=one["Key"])
    s3.delete_bucket(Bucket=bucket)
    waited = unique("waited")
    s3.create_bucket(Bucket=waited)
    deadline = time.monotonic() + 20
    while cloudtrail.get_trail_status(Name=name).get("LatestDeliveryError") != "NoSuchBucket":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    s3.create_bucket(Bucket=bucket)
    found = delivered(aws, bucket, "CreateBucket")
    assert waited in {one["requestParameters"]["bucketName"] for one in named(found, "CreateBucket")}
    assert "LatestDeliveryError" not in cloudtrail.get_trail_status(Name=name)


def test_the_history_holds_a_roles_reads_and_no_data(aws: Embedded) -> None:
    role = role_of(aws, ["s3:ListAllMyBuckets", "s3:GetObject"])
    worker = session_of(aws, role, unique("reader"))
    worker.client("s3").list_buckets()
    code_of(worker.client("s3").get_object, Bucket=unique("none"), Key="a")
    aws.client("s3").list_buckets()
    attribute = [{"AttributeKey": "Username", "AttributeValue": worker.arn.rpartition("/")[2]}]
    (event,) = aws.client("cloudtrail").lookup_events(LookupAttributes=attribute)["Events"]
    assert (event["EventName"], event["ReadOnly"]) == ("ListBuckets", "true")
    of_reads = aws.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "true"}]
    )["Events"]
    identities = [json.loads(one["CloudTrailEvent"])["userIdentity"]["type"] for one in of_reads]
    names = [one["EventName"] for one in of_reads]
    assert "ListBuckets" in names
    assert all(kind != "Root" or name == "AssumeRole" for kind, name in zip(identities, names, strict=True))


def test_what_a_role_read_is_not_told(aws: Embedded) -> None:
    """Or the history would hold every parameter's value that somebody looked at."""
    name, files = trail(aws, MANAGEMENT)
    secret, parameter = unique("hush"), f"/{unique('parameter')}"
    aws.client("ssm").put_parameter(Name=parameter, Value=secret, Type="SecureString")
    reader = session_of(aws, role_of(aws, ["ssm:GetParameter"]), unique("reader"))
    assert reader.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
    found = delivered(aws, files, "GetParameter")
    (read,) = named(found, "GetParameter")
    assert (read["requestParameters"]["name"], read["responseElements"]) == (parameter, None)
    assert secret not in json.dumps(found)
    aws.client("cloudtrail").delete_trail(Name=name)


def test_a_trail_is_described_changed_tagged_and_deleted(aws: Embedded) -> None:
    name, bucket = trail(aws, TagsList=[{"Key": "team", "Value": "ml"}])
    cloudtrail = aws.client("cloudtrail")
    arn = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/{name}"
    (told,) = cloudtrail.describe_trails(trailNameList=[name])["trailList"]
    assert (told["TrailARN"], told["S3BucketName"], told["HomeRegion"]) == (arn, bucket, "us-east-1")
    assert told["HasCustomEventSelectors"] is False
    assert cloudtrail.get_trail(Name=arn)["Trail"] == told
    assert arn in {one["TrailARN"] for one in cloudtrail.list_trails()["Trails"]}
    assert cloudtrail.get_event_selectors(TrailName=name)["EventSelectors"][0]["ReadWriteType"] == "All"
    cloudtrail.update_trail(Name=name, S3KeyPrefix="logs", IsMultiRegionTrail=True)
    assert cloudtrail.get_trail(Name=name)["Trail"]["S3KeyPrefix"] == "logs"
    elsewhere = replace(aws, region="eu-west-1").client("cloudtrail")
    assert arn in {one["TrailARN"] for one in elsewhere.describe_trails()["trailList"]}
    assert arn not in {one["TrailARN"] for one in elsewhere.describe_trails(includeShadowTrails=False)["trailList"]}
    assert code_of(elsewhere.stop_logging, Name=arn) == "InvalidHomeRegionException"
    cloudtrail.add_tags(ResourceId=arn, TagsList=[{"Key": "stage", "Value": "dev"}])
    cloudtrail.remove_tags(ResourceId=arn, TagsList=[{"Key": "team"}])
    (tags,) = cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"]
    assert tags["TagsList"] == [{"Key": "stage", "Value": "dev"}]
    cloudtrail.delete_trail(Name=name)
    assert code_of(cloudtrail.get_trail, Name=name) == "TrailNotFoundException"
    assert cloudtrail.describe_trails(trailNameList=[name])["trailList"] == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Name": "a"}, "InvalidTrailNameException"),
        ({"Name": "a--b"}, "InvalidTrailNameException"),
        ({"Name": "192.168.1.1"}, "InvalidTrailNameException"),
        ({"S3BucketName": "no-such-bucket-here"}, "S3BucketDoesNotExistException"),
        ({"S3KeyPrefix": "x" * 201}, "InvalidS3PrefixException"),
        (
            {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": False},
            "InvalidParameterCombinationException",
        ),
        ({"SnsTopicName": "topic"}, "UnsupportedOperationException"),
        ({"EnableLogFileValidation": True}, "UnsupportedOperationException"),
        ({"CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:1:log-group:x"}, "UnsupportedOperationException"),
        ({"KmsKeyId": "alias/x"}, "UnsupportedOperationException"),
        ({"IsOrganizationTrail": True}, "UnsupportedOperationException"),
        ({"TagsList": [{"Key": "aws:mine", "Value": "x"}]}, "InvalidTagParameterException"),
    ],
)
def test_what_no_trail_can_be_is_refused(aws: Embedded, params: dict[str, Any], code: str) -> None:
    bucket = "refused-trails"
    aws.client("s3").create_bucket(Bucket=bucket)
    cloudtrail = aws.client("cloudtrail")
    assert code_of(cloudtrail.create_trail, **{"Name": unique("t"), "S3BucketName": bucket, **params}) == code


def test_names_are_taken_once_and_unknown_ones_refused(aws: Embedded) -> None:
    name, bucket = trail(aws)
    cloudtrail = aws.client("cloudtrail")
    assert code_of(cloudtrail.create_trail, Name=name, S3BucketName=bucket) == "TrailAlreadyExistsException"
    assert code_of(cloudtrail.start_logging, Name=unique("none")) == "TrailNotFoundException"
    assert code_of(cloudtrail.get_trail, Name="arn:aws:s3:::x") == "CloudTrailARNInvalidException"
    assert code_of(cloudtrail.put_event_selectors, TrailName=name) == "InvalidEventSelectorsException"
    cloudtrail.delete_trail(Name=name)


def test_trails_and_what_waits_survive_a_kill(tmp_path_factory: pytest.TempPathFactory) -> None:
    state = tmp_path_factory.mktemp("killed")
    first = start_embedded(state)  # at AWS's own pace: nothing is delivered before it dies
    made = unique("made")
    try:
        name, bucket = trail(first)
        first.client("s3").create_bucket(Bucket=made)
        attribute = [{"AttributeKey": "ResourceName", "AttributeValue": made}]
        assert first.client("cloudtrail").lookup_events(LookupAttributes=attribute)["Events"]  # it is written down
        assert records(first, bucket) == []
    finally:
        first.process.kill()
        stop_embedded(first)
    again = start_embedded(state, *FAST)
    try:
        assert again.client("cloudtrail").get_trail_status(Name=name)["IsLogging"]
        found = delivered(again, bucket, "CreateBucket")
        assert made in {one["requestParameters"]["bucketName"] for one in named(found, "CreateBucket")}
        # each once, although the server died between
        ids = [one["eventID"] for one in found]
        assert len(ids) == len(set(ids))
    finally:
        stop_embedded(again)


def test_what_a_training_job_did_as_its_role_is_told(aws: Embedded) -> None:
    """No request comes from its role's key: SageMaker fetches the data and keeps the artifact for it."""
    name, files = trail(aws, sessions_only(OBJECTS))
    bucket(aws)
    job = unique("job")
    sagemaker = client(aws, "sagemaker")
    sagemaker.create_training_job(
        **training_request(job, "echo hello > /opt/ml/model/weights", InputDataConfig=[channel()])
    )
    assert finished(sagemaker, job)["TrainingJobStatus"] == "Completed"
    found = delivered(aws, files, "ListObjects", "GetObject", "PutObject")
    keys = {(one["eventName"], one["requestParameters"].get("key", "")) for one in found}
    assert ("GetObject", "data/a.txt") in keys
    assert ("PutObject", f"runs/{job}/output/model.tar.gz") in keys
    identity = found[0]["userIdentity"]
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == ROLE
    assert (identity["arn"].rpartition("/")[2], identity["invokedBy"]) == ("SageMaker", "sagemaker.amazonaws.com")
    assert found[0]["sourceIPAddress"] == "sagemaker.amazonaws.com"
    assert "LastUsedDate" in client(aws, "iam").get_role(RoleName=ROLE.rpartition("/")[2])["Role"]["RoleLastUsed"]
    client(aws, "cloudtrail").delete_trail(Name=name)


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def go_on(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Kept:
    """A bucket in memory: how many events are in each of its files."""

    def __init__(self) -> None:
        self.files: list[int] = []

    def add_bytes(self, bucket: str, key: str, data: bytes, content_type: str, content_encoding: str = "") -> None:
        self.files.append(len(json.loads(gzip.decompress(data))["Records"]))


def test_files_come_every_five_minutes_and_sooner_when_there_is_much_to_tell(tmp_path: Path) -> None:
    clock, bucket, store = Clock(), Kept(), Store(tmp_path)
    trails, pending = Trails(store), Pending(store)
    one = Trail("arn:t", "t", "us-east-1", "files", logging=True)
    trails.add(one)
    files = TrailFiles(pending, trails, bucket, ACCOUNT, clock)

    def happens(times: int, after: float) -> None:
        clock.go_on(after)
        pending.add([(one, made(clock()), "{}")] * times)
        files.deliver()

    happens(1, after=0)
    happens(3, after=100)
    happens(3, after=100)
    assert bucket.files == [1]
    happens(0, after=100)
    assert bucket.files == [1, 6]
    happens(30, after=30)
    assert bucket.files == [1, 6]
    happens(0, after=30)
    assert bucket.files == [1, 6, 30]
    trails.remove(one.arn)
    happens(5, after=300)
    assert (bucket.files, pending.waiting()) == ([1, 6, 30], [])
    store.close()
