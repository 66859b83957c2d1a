"""Events of CloudTrail as rights: in AWS's own forms, merged, and whose they are."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from dashboard.core.iam.rights import Where
from dashboard.core.iam.seen.observed_events import Tally, is_of, rights_in

ROLE = "arn:aws:iam::123456789012:role/kennel/DogTraining"
WHERE = Where("123456789012", "us-east-1")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
IDENTITY = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:SageMaker",
    "arn": "arn:aws:sts::123456789012:assumed-role/DogTraining/SageMaker",
    "accountId": "123456789012",
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE, "userName": "DogTraining"}},
}


IDS = count()


def event(name: str, source: str = "s3", asked: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "eventID": str(next(IDS)),
        "eventTime": "2026-11-22T10:00:00Z",
        "eventName": name,
        "eventSource": f"{source}.amazonaws.com",
        "awsRegion": "us-east-1",
        "userIdentity": IDENTITY,
        "requestParameters": asked,
        **more,
    }


def read(key: str, **more: Any) -> dict[str, Any]:
    return event("GetObject", asked={"bucketName": "dogs", "key": key, "Host": "dogs.s3.amazonaws.com"}, **more)


def told(one: dict[str, Any]) -> list[tuple[str, str]]:
    return [(right.action, right.resource) for right in rights_in(one, WHERE) or ()]


@pytest.mark.parametrize(
    ("one", "rights"),
    [
        (read("train/a.jpg"), [("s3:GetObject", "arn:aws:s3:::dogs/train/a.jpg")]),
        (
            event("ListObjects", asked={"bucketName": "dogs", "list-type": "2", "prefix": "train/"}),
            [("s3:ListBucket", "arn:aws:s3:::dogs")],
        ),
        (
            event("Invoke", "lambda", {"functionName": "arn:aws:lambda:us-east-1:123456789012:function:infer"}),
            [("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:infer")],
        ),
        (
            event("UpdateFunctionCode20150331v2", "lambda", {"functionName": "infer", "zipFile": None}),
            [("lambda:UpdateFunctionCode", "arn:aws:lambda:us-east-1:123456789012:function:infer")],
        ),
        (
            event("InvokeEndpoint", "sagemaker", {"endpointName": "breeds"}),
            [("sagemaker:InvokeEndpoint", "arn:aws:sagemaker:us-east-1:123456789012:endpoint/breeds")],
        ),
        (
            event("CreateLogStream", "logs", {"logGroupName": "/aws/x", "logStreamName": "s"}),
            [("logs:CreateLogStream", "arn:aws:logs:us-east-1:123456789012:log-group:/aws/x:log-stream:s")],
        ),
        (event("PutMetricData", "monitoring", {"namespace": "Dogs"}), [("cloudwatch:PutMetricData", "*")]),
        (
            event(
                "TerminateInstances", "ec2", {"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}}
            ),
            [
                ("ec2:TerminateInstances", "arn:aws:ec2:us-east-1:123456789012:instance/i-1"),
                ("ec2:TerminateInstances", "arn:aws:ec2:us-east-1:123456789012:instance/i-2"),
            ],
        ),
        # of a service whose table is not kept here: the action, and nothing of its resource
        (event("ListKeys", "kms", {}), [("kms:ListKeys", "*")]),
    ],
    ids=lambda value: value["eventName"] if isinstance(value, dict) else "",
)
def test_an_event_is_the_rights_that_its_call_needed(one: dict[str, Any], rights: list[tuple[str, str]]) -> None:
    assert told(one) == rights


def test_a_machine_that_was_started_needed_its_image_and_to_pass_its_role() -> None:
    """The form of EC2's events in the CloudTrail User Guide, whose lists are sets of items."""
    asked = {
        "instancesSet": {"items": [{"imageId": "ami-12345678", "minCount": 1, "maxCount": 1}]},
        "instanceType": "g5.xlarge",
        "iamInstanceProfile": {"name": "DogProject"},
        "tagSpecificationSet": {"items": [{"resourceType": "instance", "tags": [{"key": "run", "value": "1"}]}]},
    }
    found = rights_in(event("RunInstances", "ec2", asked), WHERE) or ()
    assert ("ec2:RunInstances", "arn:aws:ec2:us-east-1::image/ami-12345678") in [(r.action, r.resource) for r in found]
    (passed,) = (right for right in found if right.action == "iam:PassRole")
    assert passed.context == {"iam:PassedToService": ("ec2.amazonaws.com",)}
    assert any(right.context.get("ec2:InstanceType") == ("g5.xlarge",) for right in found)
    assert "ec2:CreateTags" in {right.action for right in found}


def test_what_no_table_and_no_list_of_actions_knows_is_counted_apart() -> None:
    assert rights_in(event("Dance", "party"), WHERE) is None
    tally = Tally(ROLE, WHERE)
    tally.add([event("Dance", "party"), event("Dance", "party")], NOW - timedelta(days=1))
    assert tally.calls == ()
    assert tally.unknown == {"party:Dance": 2}


def test_calls_are_merged_with_their_times_sessions_and_refusals() -> None:
    other = {**IDENTITY, "arn": IDENTITY["arn"].replace("SageMaker", "i-0abc")}  # type: ignore[attr-defined]
    tally = Tally(ROLE, WHERE)
    tally.add(
        [
            read("a", eventTime="2026-11-22T11:00:00Z"),
            read("a", eventTime="2026-11-22T09:00:00Z", userIdentity=other),
            read("a", eventTime="2026-11-22T10:00:00Z", errorCode="AccessDenied"),
            read("a", eventTime="2026-11-22T10:30:00Z", errorCode="NoSuchKey"),  # it was allowed to look
            read("b"),
        ],
        NOW - timedelta(days=1),
    )
    first, second = tally.calls
    assert (first.right.resource, first.count, first.denied) == ("arn:aws:s3:::dogs/a", 4, 1)
    assert (first.first.hour, first.last.hour, first.sessions) == (9, 11, ("SageMaker", "i-0abc"))
    assert (second.count, second.denied) == (1, 0)


def test_of_a_refused_call_the_right_that_it_lacked_is_told_alone() -> None:
    asked = {"trainingJobName": "dogs", "roleArn": "arn:aws:iam::123456789012:role/Other"}
    message = "User: x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/Other"
    tally = Tally(ROLE, WHERE)
    refused = event("CreateTrainingJob", "sagemaker", asked, errorCode="AccessDeniedException", errorMessage=message)
    tally.add([refused], NOW - timedelta(days=1))
    assert [(one.right.action, one.denied) for one in tally.calls] == [("iam:PassRole", 1)]
    tally = Tally(ROLE, WHERE)
    started = event("RunInstances", "ec2", {}, errorCode="Client.UnauthorizedOperation", errorMessage="encoded")
    tally.add([started], NOW - timedelta(days=1))
    assert all(one.denied == 1 for one in tally.calls)


def test_an_event_that_is_told_twice_counts_once_and_an_old_one_not_at_all() -> None:
    tally = Tally(ROLE, WHERE)
    twice = read("a")
    tally.add([twice], NOW - timedelta(days=1))
    tally.add([twice, read("b", eventTime="2026-11-20T10:00:00Z")], NOW - timedelta(days=1))
    assert [(one.right.resource, one.count) for one in tally.calls] == [("arn:aws:s3:::dogs/a", 1)]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"eventTime": "yesterday", "userIdentity": IDENTITY, "eventID": "1"},
        {"eventTime": 5, "userIdentity": IDENTITY, "eventID": "1"},
        {"eventTime": "2026-11-22T10:00:00Z", "userIdentity": "root", "eventID": "1"},
        {"eventTime": "2026-11-22T10:00:00Z", "userIdentity": IDENTITY, "eventID": "1"},
    ],
    ids=repr,
)
def test_an_event_of_another_form_hides_no_other(broken: dict[str, Any]) -> None:
    tally = Tally(ROLE, WHERE)
    tally.add([broken, read("a")], NOW - timedelta(days=1))
    assert len(tally.calls) == 1


@pytest.mark.parametrize(
    ("identity", "is_its"),
    [
        (IDENTITY, True),
        # AWS leaves the issuer's path out in some services' events, and the issuer in others
        (
            {
                **IDENTITY,
                "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::123456789012:role/DogTraining"}},
            },
            True,
        ),
        ({"type": "AssumedRole", "arn": IDENTITY["arn"]}, True),
        ({"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/DogTrainingTwo/x"}, False),
        ({"type": "AssumedRole", "arn": "arn:aws:sts::444455556666:assumed-role/DogTraining/x"}, False),
        ({"type": "Root", "arn": "arn:aws:iam::123456789012:root"}, False),
        ({"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/DogTraining"}, False),
        ({"type": "AWSService", "invokedBy": "sagemaker.amazonaws.com"}, False),
        ({"type": "AssumedRole"}, False),
    ],
)
def test_whose_an_event_is(identity: dict[str, Any], is_its: bool) -> None:
    assert is_of(identity, ROLE) is is_its


def test_a_role_that_touches_no_end_of_objects_is_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.core.iam.seen.observed_events.MOST_RIGHTS", 10)
    tally = Tally(ROLE, WHERE)
    tally.add([read(str(number)) for number in range(15)], NOW - timedelta(days=1))
    assert (len(tally.calls), tally.left_out) == (10, 5)
