"""CloudTrail's event history: what changed something is found by every attribute, and never a secret."""

import json
import sqlite3
import threading
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.protocol import Caller, Service
from local_aws.services.cloudtrail_data import resources_of
from local_aws.services.cloudtrail_event import HIDDEN, Event
from local_aws.services.cloudtrail_kinds import FUNCTION, CallKind
from local_aws.services.cloudtrail_recorder import Recorder
from local_aws.services.cloudtrail_store import EventStore
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.cloudtrail_made import made
from tests.local_aws.sagemaker_world import bucket, client, role, unique


class SageMakerRecords(Service):
    """The model of SageMaker, and none of its operations."""

    name = "sagemaker"


ROOT = "arn:aws:iam::123456789012:root"


def looked_up(aws: Embedded, key: str = "", value: str = "", **more: Any) -> list[dict[str, Any]]:
    attributes = {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]} if key else {}
    pages = client(aws, "cloudtrail").get_paginator("lookup_events").paginate(**attributes, **more)
    return [event for page in pages for event in page["Events"]]


def code_of(call: Callable[..., Any], **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def config_request(name: str) -> dict[str, Any]:
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
    return {"EndpointConfigName": name, "ProductionVariants": [variant], "Tags": [{"Key": "project", "Value": "x"}]}


def a_config(aws: Embedded) -> str:
    name = unique("config")
    sagemaker = client(aws, "sagemaker")
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=role(aws),
        PrimaryContainer={"Image": "kennel/test", "Environment": {"API_KEY": "very-secret-value"}},
    )
    sagemaker.create_endpoint_config(**config_request(name))
    return name


def test_what_was_asked_and_answered_is_told_as_cloudtrail_writes_it(embedded: Embedded) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    name = a_config(embedded)
    (event,) = (one for one in looked_up(embedded, "ResourceName", name) if one["EventName"] != "CreateModel")
    assert (event["EventName"], event["EventSource"], event["Username"], event["ReadOnly"]) == (
        "CreateEndpointConfig",
        "sagemaker.amazonaws.com",
        "root",
        "false",
    )
    assert before < event["EventTime"] < datetime.now(UTC) + timedelta(seconds=2)
    assert {"ResourceType": "AWS::SageMaker::EndpointConfig", "ResourceName": name} in event["Resources"]
    told = json.loads(event["CloudTrailEvent"])
    assert told["eventID"] == event["EventId"]
    assert told["userIdentity"]["arn"] == ROOT
    assert told["requestParameters"]["productionVariants"][0]["initialInstanceCount"] == 2
    assert told["requestParameters"]["tags"] == [{"key": "project", "value": "x"}]
    assert told["responseElements"]["endpointConfigArn"].endswith(name)
    assert (told["eventType"], told["eventCategory"], told["awsRegion"]) == ("AwsApiCall", "Management", "us-east-1")


def test_every_attribute_finds_it_and_only_it(embedded: Embedded) -> None:
    name = a_config(embedded)
    event = next(one for one in looked_up(embedded, "EventName", "CreateEndpointConfig"))
    for key, value in {
        "EventId": event["EventId"],
        "EventSource": "sagemaker.amazonaws.com",
        "Username": "root",
        "AccessKeyId": event["AccessKeyId"],
        "ResourceType": "AWS::SageMaker::EndpointConfig",
        "ResourceName": name,
        "ReadOnly": "false",
    }.items():
        found = looked_up(embedded, key, value)
        assert event["EventId"] in {one["EventId"] for one in found}, key
    assert [one["EventId"] for one in looked_up(embedded, "EventId", event["EventId"])] == [event["EventId"]]
    assert looked_up(embedded, "EventId", "none") == []
    reads = looked_up(embedded, "ReadOnly", "true")  # of roles and users, which other tests of this server are
    assert {one["EventName"] for one in reads if one["Username"] == "root"} <= {"AssumeRole"}


def test_reads_and_data_are_not_recorded_and_refusals_are(embedded: Embedded) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    s3 = client(embedded, "s3")
    bucket(embedded)
    mine = unique("bucket")
    s3.create_bucket(Bucket=mine)
    s3.put_object(Bucket=mine, Key="a", Body=b"x")
    client(embedded, "sagemaker").list_endpoints()
    client(embedded, "cloudwatch").put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1}])
    missing = unique("missing")
    assert code_of(client(embedded, "sagemaker").delete_endpoint, EndpointName=missing) == "ValidationException"
    names = {one["EventName"] for one in looked_up(embedded, "Username", "root", StartTime=began)}
    assert names.isdisjoint({"PutObject", "ListEndpoints", "PutMetricData", "LookupEvents"})
    (made,) = looked_up(embedded, "ResourceName", mine)
    assert made["EventName"] == "CreateBucket"
    (refused,) = looked_up(embedded, "ResourceName", missing)
    told = json.loads(refused["CloudTrailEvent"])
    assert told["errorCode"] == "ValidationException"
    assert told["responseElements"] is None


def test_no_secret_is_written_down(embedded: Embedded) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    name = a_config(embedded)
    model = next(one for one in looked_up(embedded, "ResourceName", name) if one["EventName"] == "CreateModel")
    environment = json.loads(model["CloudTrailEvent"])["requestParameters"]["primaryContainer"]["environment"]
    assert environment == {"API_KEY": HIDDEN}
    user = unique("user")
    iam = client(embedded, "iam")
    iam.create_user(UserName=user)
    iam.create_login_profile(UserName=user, Password="hunter2-Hunter2!")
    key = iam.create_access_key(UserName=user)["AccessKey"]
    client(embedded, "ssm").put_parameter(Name=f"/{user}", Value="a-parameters-secret", Type="SecureString")
    told = "".join(one["CloudTrailEvent"] for one in looked_up(embedded, StartTime=began))
    files = b"".join(file.read_bytes() for file in (embedded.state / "cloudtrail").iterdir()).decode("latin-1")
    for secret in ("hunter2-Hunter2!", key["SecretAccessKey"], "a-parameters-secret", "very-secret-value"):
        assert secret not in told
        assert secret not in files
    assert key["AccessKeyId"] in told


HUSH = "hush-hush-hush"


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("sagemaker", "create_model", {"ModelName": "a b", "PrimaryContainer": {"Environment": {"KEY": HUSH * 200}}}),
        ("sagemaker", "create_model", {"ModelName": "m", "PrimaryContainer": {"Environment": {"KEY": {HUSH: 1}}}}),
        (
            "sagemaker",
            "create_model",
            {"ModelName": "m", "PrimaryContainer": {"ModelDataUrl": f"https://b/k?X-Amz-Signature={HUSH}&x=1"}},
        ),
        ("sagemaker", "create_model", {"ModelName": "m", "PrimaryContainer": {"Image": f"https://ada:{HUSH}@h/x"}}),
        ("sagemaker", "create_training_job", {"HyperParameters": {"api_key": HUSH}}),
        ("sagemaker", "create_training_job", {"AlgorithmSpecification": {"ContainerArguments": [f"--token={HUSH}"]}}),
        ("sagemaker", "add_tags", {"ResourceArn": "x", "Tags": [{"Key": "password", "Value": HUSH}]}),
        ("sagemaker", "create_notebook_instance_lifecycle_config", {"OnStart": [{"Content": HUSH}]}),
        ("sns", "subscribe", {"TopicArn": "x", "Protocol": "http", "Endpoint": f"http://127.0.0.1:9/{HUSH}"}),
        ("sns", "publish", {"TopicArn": "x", "Message": HUSH, "Subject": HUSH}),
        ("sns", "confirm_subscription", {"TopicArn": "x", "Token": HUSH}),
        (
            "scheduler",
            "create_schedule",
            {"Name": "s", "Target": {"Arn": "x", "RoleArn": "x", "Input": json.dumps({"Body": HUSH})}},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else min(value),
)
def test_what_is_taken_or_refused_leaves_no_secret(
    embedded: Embedded, service: str, operation: str, params: dict[str, Any]
) -> None:
    """AWS's messages repeat the values that are wrong."""
    began = datetime.now(UTC) - timedelta(seconds=1)
    with suppress(ClientError):
        getattr(client(embedded, service, parameter_validation=False), operation)(**params)
    told = "".join(one["CloudTrailEvent"] for one in looked_up(embedded, StartTime=began))
    assert HUSH not in told
    assert HUSH[:8] not in told


def test_a_message_keeps_its_words_where_a_secret_is_one_of_them(embedded: Embedded) -> None:
    params = {"ModelName": "a b", "PrimaryContainer": {"Image": "i", "Environment": {"ON": "1"}}}
    with pytest.raises(ClientError):
        client(embedded, "sagemaker").create_model(**params, ExecutionRoleArn=role(embedded))
    event = json.loads(looked_up(embedded, "EventName", "CreateModel")[0]["CloudTrailEvent"])
    assert event["errorMessage"].startswith("1 validation error detected: Value 'a b' at 'modelName'")


def test_a_huge_request_does_not_fill_the_history(embedded: Embedded) -> None:
    ids = [f"i-{number:017x}" for number in range(20_000)]
    with pytest.raises(ClientError):
        client(embedded, "ec2").terminate_instances(InstanceIds=ids)
    event = looked_up(embedded, "EventName", "TerminateInstances")[0]
    assert len(event["CloudTrailEvent"]) < 256_000
    assert json.loads(event["CloudTrailEvent"])["requestParameters"]["omitted"] is True
    assert [one["ResourceName"] for one in event["Resources"]] == ids[:100]


def test_the_signature_of_an_address_is_not_written_down(embedded: Embedded) -> None:
    """Whoever reads the history could use it again while it is valid."""
    name = unique("bucket")
    address = client(embedded, "s3", signature_version="s3v4").generate_presigned_url(
        "create_bucket", Params={"Bucket": name}
    )
    with urllib.request.urlopen(urllib.request.Request(address, method="PUT")) as answer:
        assert answer.status == 200
    (event,) = looked_up(embedded, "ResourceName", name)
    asked = json.loads(event["CloudTrailEvent"])["requestParameters"]
    assert asked == {"bucketName": name}


def test_pages_are_newest_first_and_tokens_belong_to_their_lookup(embedded: Embedded) -> None:
    names = [a_config(embedded) for _ in range(4)]
    trail = client(embedded, "cloudtrail")
    attribute = [{"AttributeKey": "EventName", "AttributeValue": "CreateEndpointConfig"}]
    first = trail.lookup_events(LookupAttributes=attribute, MaxResults=2)
    second = trail.lookup_events(LookupAttributes=attribute, MaxResults=2, NextToken=first["NextToken"])
    seen = [json.loads(one["CloudTrailEvent"]) for one in (*first["Events"], *second["Events"])]
    assert [one["requestParameters"]["endpointConfigName"] for one in seen] == names[::-1]
    other = [{"AttributeKey": "EventName", "AttributeValue": "CreateModel"}]
    call = trail.lookup_events
    assert code_of(call, LookupAttributes=other, NextToken=first["NextToken"]) == "InvalidNextTokenException"
    assert code_of(call, NextToken="nonsense") == "InvalidNextTokenException"
    assert code_of(call, LookupAttributes=[*attribute, *other]) == "InvalidLookupAttributesException"
    bogus = [{"AttributeKey": "Bogus", "AttributeValue": "x"}]
    assert code_of(call, LookupAttributes=bogus) == "InvalidLookupAttributesException"
    now = datetime.now(UTC)
    assert code_of(call, StartTime=now, EndTime=now - timedelta(hours=1)) == "InvalidTimeRangeException"
    assert code_of(call, EventCategory="insight") == "InvalidEventCategoryException"
    assert trail.lookup_events(EndTime=now - timedelta(hours=1))["Events"] == []


def test_events_survive_a_kill(tmp_path: Path) -> None:
    aws = start_embedded(tmp_path / "aws")
    name = unique("bucket")
    try:
        client(aws, "s3").create_bucket(Bucket=name)
        assert len(looked_up(aws, "ResourceName", name)) == 1
    finally:
        aws.process.kill()
        stop_embedded(aws)
    again = start_embedded(tmp_path / "aws")
    try:
        assert len(looked_up(again, "ResourceName", name)) == 1
    finally:
        stop_embedded(again)


def test_the_history_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_aws.services.cloudtrail_store.MOST", 5)
    now = datetime(2026, 11, 21, tzinfo=UTC)
    store = EventStore(tmp_path)
    store.add([made(now - timedelta(days=91)), *(made(now - timedelta(minutes=n)) for n in range(8))], now)
    store.prune(now)
    found = store.find("us-east-1", None, now - timedelta(days=365), now, None, 100)
    assert len(found) == 5
    assert store.find("us-east-1", ("ResourceName", "dogs"), now - timedelta(days=365), now, None, 100) == found
    store.close()


def test_nobody_waits_for_the_writing_but_who_asks_for_events(tmp_path: Path) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    store, may_write = EventStore(tmp_path), threading.Event()
    write = store.add

    def slow(events: Sequence[Event], at: datetime) -> None:
        assert may_write.wait(10)
        write(events, at)

    store.add = slow  # type: ignore[method-assign]
    recorder = Recorder(store, lambda: now)
    recorder.start()
    recorder.note_own(made(now))  # would hang here
    assert store.find("us-east-1", None, now, now, None, 1) == []
    may_write.set()
    recorder.settle()
    assert len(store.find("us-east-1", None, now, now, None, 1)) == 1
    recorder.stop()


def test_what_is_lost_is_counted_and_not_said_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("local_aws.services.cloudtrail_recorder.MOST_WAITING", 3)
    now = datetime(2026, 11, 21, tzinfo=UTC)
    recorder = Recorder(EventStore(tmp_path), lambda: now)
    recorder.start()
    with recorder.store.store.transaction():  # nothing is written meanwhile
        for _ in range(100):
            recorder.note_own(made(now))
    recorder.stop()
    told = [int(one.message.split()[1]) for one in caplog.records if "lost" in one.message]
    assert 1 <= len(told) < 10
    assert sum(told) > 50


@pytest.mark.parametrize(
    "told", ["f", "f:3", "function:f", "123456789012:f", "arn:aws:lambda:us-east-1:123456789012:f"]
)
def test_a_function_is_told_by_its_arn_however_it_was_named(told: str) -> None:
    kind = CallKind("Invoke", read_only=False, resource_type=FUNCTION)
    about = resources_of(kind, {"FunctionName": told}, Caller("123456789012", "us-east-1", "", ROOT))
    assert about == ((FUNCTION, "arn:aws:lambda:us-east-1:123456789012:function:f"),)


def test_what_a_schedule_did_is_told_of_its_role(tmp_path: Path) -> None:
    """A fired schedule comes through no request, and the endpoint that it deleted must not vanish without a word."""
    now = datetime(2026, 11, 21, tzinfo=UTC)
    recorder = Recorder(EventStore(tmp_path), lambda: now)
    recorder.start()
    role = "arn:aws:sts::123456789012:assumed-role/Sweeper/AmazonEventBridgeScheduler"
    caller = Caller("123456789012", "us-east-1", "", role)
    recorder.note_done(SageMakerRecords(), "DeleteEndpoint", {"EndpointName": "dogs"}, caller)
    recorder.settle()
    ((_, _, text),) = recorder.store.find("us-east-1", ("ResourceName", "dogs"), now, now, None, 5)
    told = json.loads(text)
    assert (told["eventName"], told["requestParameters"]) == ("DeleteEndpoint", {"endpointName": "dogs"})
    assert told["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "Sweeper"
    recorder.stop()


def test_calls_in_the_newer_protocol_are_recorded_with_what_they_asked(embedded: Embedded) -> None:
    name = unique("alarm")
    asked = {"Namespace": "Mine", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    cloudwatch = client(embedded, "cloudwatch")
    cloudwatch.put_metric_alarm(AlarmName=name, Threshold=1, ComparisonOperator="GreaterThanThreshold", **asked)
    cloudwatch.delete_alarms(AlarmNames=[name])
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    found: dict[str, Any] = {}
    while len(found) < 2 and datetime.now(UTC) < deadline:
        events = looked_up(embedded, "EventSource", "monitoring.amazonaws.com")
        documents = [json.loads(event["CloudTrailEvent"]) for event in events]
        found = {one["eventName"]: one["requestParameters"] for one in documents if name in json.dumps(one)}
    assert found["PutMetricAlarm"]["metricName"] == "m"
    assert found["DeleteAlarms"] == {"alarmNames": [name]}


def test_reads_do_not_push_out_what_was_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that polls as a role reads all day, and bills are worked out from who changed what."""
    monkeypatch.setattr("local_aws.services.cloudtrail_store.MOST_READS", 3)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    store = EventStore(tmp_path)
    reads = [made(now + timedelta(seconds=number), "ListEndpoints", read_only=True) for number in range(9)]
    store.add([made(now - timedelta(days=1)), *reads], now)
    store.prune(now)
    found = store.find("us-east-1", None, now - timedelta(days=2), now + timedelta(hours=1), None, 100)
    assert [json.loads(text)["eventName"] for _, _, text in found] == ["ListEndpoints"] * 3 + ["CreateEndpoint"]
    of_reads = store.find("us-east-1", ("ReadOnly", "true"), now, now + timedelta(hours=1), None, 100)
    assert of_reads == found[:3]
    store.close()


def test_a_history_from_before_it_held_reads_goes_on(tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    old = sqlite3.connect(tmp_path / "cloudtrail.sqlite")
    old.execute(
        "CREATE TABLE events (number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, region TEXT, id TEXT, name TEXT,"
        " source TEXT, username TEXT, access_key TEXT, document TEXT)"
    )
    old.execute(
        "INSERT INTO events (at, region, id, name, document) VALUES (?, 'us-east-1', '1', 'CreateModel', '{}')",
        (now.timestamp(),),
    )
    old.commit()
    old.close()
    store = EventStore(tmp_path)
    store.add([made(now)], now)
    assert len(store.find("us-east-1", ("ReadOnly", "false"), now, now, None, 10)) == 2
    store.close()
