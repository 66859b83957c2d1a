"""RoleLastUsed and last accessed data: who used what and when, over restarts, and what is not tracked."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.protocol import Caller
from local_aws.services.iam_uses import KEPT, Uses
from local_aws.store import Store
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import unique
from tests.local_aws.trail_world import document, role_of, session_of

READS = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    running = start_embedded(tmp_path_factory.mktemp("last-accessed"))
    yield running
    stop_embedded(running)


def code_of(call: Callable[..., Any], **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def report(aws: Embedded, arn: str, granularity: str = "ACTION_LEVEL") -> dict[str, dict[str, Any]]:
    """The services of a report by their namespace."""
    iam = aws.client("iam")
    job = iam.generate_service_last_accessed_details(Arn=arn, Granularity=granularity)["JobId"]
    answer = iam.get_service_last_accessed_details(JobId=job)
    assert (answer["JobStatus"], answer["JobType"]) == ("COMPLETED", granularity)
    assert answer["JobCreationDate"] <= answer["JobCompletionDate"]
    return {one["ServiceNamespace"]: one for one in answer["ServicesLastAccessed"]}


def actions(service: dict[str, Any]) -> dict[str, Any]:
    return {one["ActionName"]: one.get("LastAccessedTime") for one in service.get("TrackedActionsLastAccessed", [])}


def last_used(aws: Embedded, arn: str) -> dict[str, Any]:
    told = aws.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
    found: dict[str, Any] = told.get("RoleLastUsed", {})
    return found


def test_a_role_tells_when_and_where_it_was_last_used(aws: Embedded) -> None:
    arn = role_of(aws, ["s3:ListAllMyBuckets"], path="/kennel/")
    assert last_used(aws, arn) == {}
    before = datetime.now(UTC) - timedelta(seconds=2)
    session_of(aws, arn).client("s3").list_buckets()
    told = last_used(aws, arn)
    assert before < told["LastUsedDate"] < datetime.now(UTC) + timedelta(seconds=2)
    assert told["Region"] == "us-east-1"
    details = aws.client("iam").get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    assert {one["Arn"]: one.get("RoleLastUsed", {}) for one in details}[arn] == told
    # as AWS has it, the list does not say
    assert all("RoleLastUsed" not in one for one in aws.client("iam").list_roles()["Roles"])


def test_a_role_that_is_made_again_was_never_used(aws: Embedded) -> None:
    name = unique("Again")
    session_of(aws, role_of(aws, ["s3:ListAllMyBuckets"], name=name)).client("s3").list_buckets()
    iam = aws.client("iam")
    iam.delete_role_policy(RoleName=name, PolicyName="work")
    iam.delete_role(RoleName=name)
    assert last_used(aws, role_of(aws, ["s3:ListAllMyBuckets"], name=name)) == {}


def test_services_that_a_role_may_use_with_when_it_did(aws: Embedded) -> None:
    arn = role_of(aws, ["s3:*", "SageMaker:List*", "kms:Decrypt"])
    worker = session_of(aws, arn)
    worker.client("s3").list_buckets()
    code_of(worker.client("ec2").describe_instances)  # refused, and of a service that it may not use
    found = report(aws, arn)
    assert {"s3", "sagemaker", "kms"} <= set(found)
    assert "ec2" not in found
    s3 = found["s3"]
    assert (s3["ServiceName"], s3["TotalAuthenticatedEntities"], s3["LastAuthenticatedEntity"]) == ("Amazon S3", 1, arn)
    assert s3["LastAuthenticatedRegion"] == "us-east-1"
    assert "LastAuthenticated" not in found["sagemaker"]
    assert found["sagemaker"]["TotalAuthenticatedEntities"] == 0


def test_actions_that_manage_are_tracked_and_those_on_data_are_not(aws: Embedded) -> None:
    arn = role_of(aws, ["s3:*", "sagemaker:*"])
    worker = session_of(aws, arn)
    worker.client("s3").list_buckets()
    code_of(worker.client("s3").get_object, Bucket=unique("none"), Key="a")
    found = report(aws, arn)
    of_s3 = actions(found["s3"])
    assert of_s3["ListAllMyBuckets"] is not None
    assert of_s3["CreateBucket"] is None
    assert "GetObject" not in of_s3
    of_sagemaker = actions(found["sagemaker"])
    assert "CreateTrainingJob" in of_sagemaker
    assert "InvokeEndpoint" not in of_sagemaker
    assert actions(report(aws, arn, "SERVICE_LEVEL")["s3"]) == {}


def test_a_report_about_a_policy_tells_everybody_who_has_it(aws: Embedded) -> None:
    iam = aws.client("iam")
    policy = iam.create_policy(PolicyName=unique("shared"), PolicyDocument=document(READS))["Policy"]["Arn"]
    first, second, idle = (role_of(aws, ["sts:GetCallerIdentity"]) for _ in range(3))
    for arn in (first, second, idle):
        iam.attach_role_policy(RoleName=arn.rpartition("/")[2], PolicyArn=policy)
    user, group = unique("ann"), unique("analysts")
    made = iam.create_user(UserName=user)["User"]["Arn"]
    iam.create_group(GroupName=group)
    iam.attach_group_policy(GroupName=group, PolicyArn=policy)
    iam.add_user_to_group(GroupName=group, UserName=user)
    for arn in (first, second):
        session_of(aws, arn).client("s3").list_buckets()
    job = iam.generate_service_last_accessed_details(Arn=policy)["JobId"]
    (s3,) = iam.get_service_last_accessed_details(JobId=job)["ServicesLastAccessed"]
    assert (s3["TotalAuthenticatedEntities"], s3["LastAuthenticatedEntity"]) == (2, second)
    entities = iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="s3")
    told = [(one["EntityInfo"]["Arn"], one["EntityInfo"]["Type"]) for one in entities["EntityDetailsList"]]
    assert told == [(second, "ROLE"), (first, "ROLE")]
    of_group = iam.get_group(GroupName=group)["Group"]["Arn"]
    assert report(aws, of_group)["s3"]["TotalAuthenticatedEntities"] == 0
    assert set(report(aws, made)) == {"s3"}


def test_a_report_comes_in_pages(aws: Embedded) -> None:
    arn = role_of(aws, ["s3:ListAllMyBuckets", "ec2:Describe*", "logs:*", "kms:Decrypt", "sns:Publish"])
    iam = aws.client("iam")
    job = iam.generate_service_last_accessed_details(Arn=arn)["JobId"]
    found: list[str] = []
    answer = iam.get_service_last_accessed_details(JobId=job, MaxItems=2)
    found += [one["ServiceNamespace"] for one in answer["ServicesLastAccessed"]]
    while answer["IsTruncated"]:
        answer = iam.get_service_last_accessed_details(JobId=job, MaxItems=2, Marker=answer["Marker"])
        found += [one["ServiceNamespace"] for one in answer["ServicesLastAccessed"]]
    assert found == ["ec2", "kms", "logs", "s3", "sns"]


def test_what_is_refused(aws: Embedded) -> None:
    iam = aws.client("iam")
    generate = iam.generate_service_last_accessed_details
    assert code_of(generate, Arn="arn:aws:iam::123456789012:role/Nobody") == "NoSuchEntity"
    assert code_of(generate, Arn="arn:aws:iam::123456789012:policy/Nothing") == "NoSuchEntity"
    assert code_of(generate, Arn="arn:aws:iam::123456789012:root-of-all") == "InvalidInput"
    missing = "0" * 36
    assert code_of(iam.get_service_last_accessed_details, JobId=missing) == "NoSuchEntity"
    job = generate(Arn=role_of(aws, ["s3:ListAllMyBuckets"]))["JobId"]
    assert code_of(iam.get_service_last_accessed_details, JobId=job, Marker="x") == "InvalidInput"
    of_entities = iam.get_service_last_accessed_details_with_entities
    assert code_of(of_entities, JobId=job, ServiceNamespace="ec2") == "NoSuchEntity"


def test_uses_survive_a_restart_and_end_after_400_days(tmp_path: Path) -> None:
    day = datetime(2026, 11, 22, tzinfo=UTC)
    caller = Caller("123456789012", "eu-west-1", "", "arn:aws:sts::123456789012:assumed-role/Dogs/SageMaker")
    store = Store(tmp_path)
    uses = Uses(store, lambda: day)
    uses.note(caller, "s3", "GetObject")
    uses.note(Caller("123456789012", "eu-west-1", "", "arn:aws:iam::123456789012:root"), "s3", "GetObject")
    uses.stop()
    store.close()
    store = Store(tmp_path)
    again = Uses(store, lambda: day + KEPT)
    assert [(one.principal, one.operation, one.region) for one in again.of("role/Dogs")] == [
        ("role/Dogs", "GetObject", "eu-west-1")
    ]
    assert again.last() == {"role/Dogs": (day.timestamp(), "eu-west-1")}
    assert Uses(store, lambda: day + KEPT + timedelta(days=1)).last() == {}
    store.close()
