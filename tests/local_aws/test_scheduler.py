"""EventBridge Scheduler: what it keeps, what it refuses, and that a schedule really does what it says, at its time."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.errors import ServiceError
from local_aws.services import scheduler_expression
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import (
    bucket,
    client,
    create_endpoint,
    refused,
    role,
    tiny_package,
    unique,
    wait_for,
)

DELETE_ENDPOINT = "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint"


@pytest.fixture(scope="module")
def scheduler(embedded: Embedded) -> Any:
    bucket(embedded)
    return client(embedded, "scheduler", parameter_validation=False)


def scheduler_role(aws: Embedded, name: str, *statements: dict[str, Any]) -> str:
    arn = role(aws, name, "scheduler.amazonaws.com")
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    if statements:
        client(aws, "iam").put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy)
    return arn


def deleter(aws: Embedded) -> str:
    """A role that may delete endpoints with the tag that Kennel puts on its own."""
    return scheduler_role(
        aws,
        "SchedulerDeletes",
        {
            "Effect": "Allow",
            "Action": "sagemaker:DeleteEndpoint",
            "Resource": "arn:aws:sagemaker:*:123456789012:endpoint/*",
            "Condition": {"StringEquals": {"aws:ResourceTag/kennel:made-by": "kennel"}},
        },
    )


def at(seconds: float) -> str:
    return f"at({datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S})"


def request(aws: Embedded, name: str, expression: str, endpoint: str = "nobody", **changes: Any) -> dict[str, Any]:
    target = {"Arn": DELETE_ENDPOINT, "RoleArn": deleter(aws), "Input": json.dumps({"EndpointName": endpoint})}
    return {
        "Name": name,
        "ScheduleExpression": expression,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target | changes.pop("Target", {}),
    } | changes


def wait_until(done: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def is_gone(sagemaker: Any, name: str) -> bool:
    try:
        sagemaker.describe_endpoint(EndpointName=name)
    except ClientError:
        return True
    return False


def test_a_schedule_is_kept_as_it_was_asked_for(embedded: Embedded, scheduler: Any) -> None:
    name = unique("schedule")
    asked = request(embedded, name, "at(2099-01-31T12:00:00)", Description="later", ActionAfterCompletion="DELETE")
    arn = scheduler.create_schedule(**asked, ScheduleExpressionTimezone="Europe/Berlin")["ScheduleArn"]
    assert arn == f"arn:aws:scheduler:us-east-1:123456789012:schedule/default/{name}"
    told = scheduler.get_schedule(Name=name)
    assert {key: told[key] for key in ("Name", "ScheduleExpression", "Description", "ActionAfterCompletion")} == {
        key: asked[key] for key in ("Name", "ScheduleExpression", "Description", "ActionAfterCompletion")
    }
    assert (told["State"], told["GroupName"], told["ScheduleExpressionTimezone"]) == (
        "ENABLED",
        "default",
        "Europe/Berlin",
    )
    assert told["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    assert told["CreationDate"] == told["LastModificationDate"]
    (listed,) = scheduler.list_schedules(NamePrefix=name)["Schedules"]
    assert (listed["Arn"], listed["Target"]) == (arn, {"Arn": DELETE_ENDPOINT})
    scheduler.update_schedule(**{**asked, "ScheduleExpression": "rate(2 days)", "State": "DISABLED"})
    changed = scheduler.get_schedule(Name=name)
    assert (changed["ScheduleExpression"], changed["State"]) == ("rate(2 days)", "DISABLED")
    assert changed["CreationDate"] == told["CreationDate"]
    scheduler.delete_schedule(Name=name)
    assert refused(scheduler.get_schedule, Name=name) == (
        "ResourceNotFoundException",
        f"Schedule {name} does not exist.",
    )


def test_listing_goes_page_by_page(embedded: Embedded, scheduler: Any) -> None:
    prefix = unique("pages")
    for number in range(3):
        scheduler.create_schedule(**request(embedded, f"{prefix}-{number}", "at(2099-01-31T12:00:00)"))
    first = scheduler.list_schedules(NamePrefix=prefix, MaxResults=2)
    rest = scheduler.list_schedules(NamePrefix=prefix, MaxResults=2, NextToken=first["NextToken"])
    assert [one["Name"] for one in first["Schedules"] + rest["Schedules"]] == [f"{prefix}-{n}" for n in range(3)]
    assert "NextToken" not in rest


def test_a_name_is_taken_once(embedded: Embedded, scheduler: Any) -> None:
    asked = request(embedded, unique("schedule"), "at(2099-01-31T12:00:00)", ClientToken="one")
    arn = scheduler.create_schedule(**asked)["ScheduleArn"]
    assert scheduler.create_schedule(**asked)["ScheduleArn"] == arn, "the same request again is the same schedule"
    assert refused(scheduler.create_schedule, **{**asked, "ClientToken": "two"})[0] == "ConflictException"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ScheduleExpression": "at(2001-01-01T00:00:00)"}, "has passed"),
        ({"ScheduleExpression": "cron(0 20 * * *)"}, "six fields"),
        ({"ScheduleExpression": "tomorrow"}, "Invalid Schedule Expression tomorrow"),
        ({"ScheduleExpression": "at(2099-02-31T00:00:00)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/abcd"}, "KMS"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes"),
        ({"Target": {"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f"}}, "cannot invoke arn:aws:lambda"),
        ({"Target": {"Arn": "arn:aws:scheduler:::aws-sdk:s3:deleteBucket"}}, "sagemaker:deleteEndpoint"),
        ({"Target": {"Input": "not json"}}, "JSON"),
        ({"Target": {"Input": "[" * 100_000}}, "JSON"),
        ({"Target": {"DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:123456789012:q"}}}, "dead-letter"),
        ({"Target": {"RoleArn": "arn:aws:iam::123456789012:role/NobodyMadeIt"}}, "assume the role"),
        ({"Target": {"RoleArn": "arn:aws:iam::123456789012:role/KennelTraining"}}, "assume the role"),
        ({"Name": "a b"}, "pattern"),
    ],
)
def test_what_cannot_be_honoured_is_refused(
    embedded: Embedded, scheduler: Any, changes: dict[str, Any], why: str
) -> None:
    asked = request(embedded, unique("schedule"), "at(2099-01-31T12:00:00)")
    asked |= {**changes, "Target": asked["Target"] | changes.get("Target", {})}
    code, said = refused(scheduler.create_schedule, **asked)
    assert code == "ValidationException"
    assert why in said


def test_groups_that_nobody_made_are_not_there(scheduler: Any) -> None:
    assert refused(scheduler.list_schedules, GroupName="mine")[0] == "ResourceNotFoundException"
    assert refused(scheduler.create_schedule_group, Name="mine")[0] == "NotImplemented"


def test_it_fires_as_its_role_may(embedded: Embedded, scheduler: Any, tmp_path: Path) -> None:
    """One endpoint carries the tag that the role's policy asks for and goes; the other stays, and that is counted."""
    sagemaker = client(embedded, "sagemaker")
    ours, others = unique("endpoint"), unique("endpoint")
    for name in (ours, others):
        create_endpoint(sagemaker, name, tiny_package(tmp_path / name))
        wait_for(sagemaker, name, "InService")
    arn = sagemaker.describe_endpoint(EndpointName=ours)["EndpointArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "kennel:made-by", "Value": "kennel"}])
    scheduler.create_schedule(**request(embedded, f"d-{ours}", at(2), ours, ActionAfterCompletion="DELETE"))
    scheduler.create_schedule(**request(embedded, f"d-{others}", at(2), others))
    assert not is_gone(sagemaker, ours), "its time has not come"
    wait_until(lambda: is_gone(sagemaker, ours))
    wait_until(lambda: not scheduler.list_schedules(NamePrefix=f"d-{ours}")["Schedules"])
    assert scheduler.get_schedule(Name=f"d-{others}"), "one that is not to be deleted afterwards stays"
    events = client(embedded, "cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "DeleteEndpoint"}]
    )["Events"]
    assert any(ours in one["CloudTrailEvent"] and "SchedulerDeletes" in one["CloudTrailEvent"] for one in events)
    assert not is_gone(sagemaker, others), "its role may not delete what does not carry the tag"
    sagemaker.delete_endpoint(EndpointName=others)


def test_a_schedule_outlives_the_server(tmp_path: Path) -> None:
    first = start_embedded(tmp_path / "aws")
    try:
        bucket(first)
        sagemaker = first.client("sagemaker")
        create_endpoint(sagemaker, "dogs", tiny_package(tmp_path / "package"))
        arn = wait_for(sagemaker, "dogs", "InService")["EndpointArn"]
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "kennel:made-by", "Value": "kennel"}])
        first.client("scheduler").create_schedule(**request(first, "later", at(2), "dogs"))
        first.process.kill()
        first.process.wait()
    finally:
        stop_embedded(first)
    second = start_embedded(tmp_path / "aws")
    try:
        wait_until(lambda: is_gone(second.client("sagemaker"), "dogs"))
    finally:
        stop_embedded(second)


def test_when_schedules_fire() -> None:
    noon = datetime(2030, 6, 1, 12, tzinfo=UTC).timestamp()
    once = scheduler_expression.read("at(2030-06-01T14:00:00)", "Europe/Berlin", 0, None)
    assert once.after(noon - 10) == noon, "two hours ahead of UTC in summer"
    assert once.after(noon + 1) is None
    daily = scheduler_expression.read("rate(1 day)", "UTC", noon, noon + 2 * 86_400)
    assert [daily.after(noon), daily.after(noon + 1), daily.after(noon + 86_401)] == [
        noon,
        noon + 86_400,
        noon + 2 * 86_400,
    ]
    assert daily.after(noon + 2 * 86_400 + 1) is None
    with pytest.raises(ServiceError):
        scheduler_expression.read("rate(0 days)", "UTC", noon, None)
