"""The five reference projects' trainings in the sample account: there at once, as published or said to be estimated."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local_aws.sample_account import MARKS, Builder
from local_aws.sample_replays import REPLAYS, Replays
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import client

ACCOUNT, REGION = "123456789012", "us-east-1"
BUCKET = f"kennel-{ACCOUNT}-{REGION}"
NOW = datetime(2026, 11, 21, 12, 0, 0, 500_000, tzinfo=UTC)
PUBLISHED = {"project-c-single": 663, "project-c-two-on-spot": 1353}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """An account with the bucket and the roles, as the sample account begins."""
    made = start_embedded(tmp_path_factory.mktemp("state"))
    builder = Builder(lambda service: client(made, service), ACCOUNT, REGION, lambda line: None)
    builder._bucket()
    builder._roles.make()
    yield made
    stop_embedded(made)


@pytest.fixture(scope="module")
def replays(aws: Embedded) -> Replays:
    return Replays(lambda service: client(aws, service), ACCOUNT, REGION, MARKS, datetime.now(UTC))


@pytest.fixture(scope="module")
def seconds(replays: Replays) -> float:
    """How long it took to make them all."""
    begun = time.monotonic()
    assert replays.make() == len(REPLAYS)
    return time.monotonic() - begun


def trainings(aws: Embedded) -> dict[str, dict[str, Any]]:
    sagemaker = client(aws, "sagemaker")
    listed = sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
    found = [sagemaker.describe_training_job(TrainingJobName=one["TrainingJobName"]) for one in listed]
    return {one["TrainingJobName"]: one | {"ResponseMetadata": None} for one in found}


def document(aws: Embedded, name: str, which: str) -> dict[str, Any]:
    body = client(aws, "s3").get_object(Bucket=BUCKET, Key=f"ec2-runs/{name}/{which}.json")["Body"].read()
    found: dict[str, Any] = json.loads(body)
    return found


def test_they_cost_little_of_the_first_minute(seconds: float) -> None:
    assert seconds < 2


def test_made_again_nothing_changes(aws: Embedded, replays: Replays, seconds: float) -> None:
    before = trainings(aws)
    later = replace(replays, now=replays.now + timedelta(hours=1))
    assert later.make() == 0
    assert trainings(aws) == before


def test_each_project_trains_on_sagemaker_and_on_ec2(aws: Embedded, seconds: float) -> None:
    found = {(one.project, one.is_on_ec2) for one in REPLAYS}
    assert found == {(project, on_ec2) for project in "ABCDE" for on_ec2 in (False, True)}
    there = trainings(aws)
    wanted = {one.name for one in REPLAYS if not one.is_on_ec2 and not one.trials}
    assert wanted <= set(there)
    for name in ("project-d-tuning", "project-e-tuning"):
        assert sum(one.startswith(name) for one in there) == 2


def test_published_durations_give_the_published_costs(aws: Embedded, seconds: float) -> None:
    there = trainings(aws)
    one, two = there["project-c-single"], there["project-c-two-on-spot"]
    assert one["BillableTimeInSeconds"] == 11 * 60 + 3
    assert two["TrainingTimeInSeconds"] == 22 * 60 + 33
    hour = Decimal("0.408") / 3600
    assert round(hour * one["BillableTimeInSeconds"], 4) == Decimal("0.0751")
    assert round(2 * hour * two["BillableTimeInSeconds"], 4) == Decimal("0.1308")


def test_every_other_duration_says_that_it_is_estimated_and_from_what() -> None:
    for one in REPLAYS:
        if one.name in PUBLISHED:
            assert one.seconds == PUBLISHED[one.name]
            assert one.basis.startswith("duration published")
        else:
            assert not one.seconds
            assert one.basis.startswith("duration estimated: 663 s on 8 processors of ml.c5.2xlarge scaled to ")
    assert next(one.took for one in REPLAYS if one.name == "project-b-ec2") == 663 * 8 // 4


def test_what_a_tag_may_hold() -> None:
    for one in REPLAYS:
        assert re.fullmatch(r"[\w .:/=+\-@]{1,256}", one.basis)


def test_they_are_marked_as_samples_of_their_project(aws: Embedded, seconds: float) -> None:
    sagemaker = client(aws, "sagemaker")
    for name, one in trainings(aws).items():
        told = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=one["TrainingJobArn"])["Tags"]}
        assert told.items() >= MARKS.items()
        assert told["project"] == f"project {name.split('-')[1].upper()}"
        assert told["kennel:replay-basis"].startswith("duration ")
    for one in REPLAYS:
        if one.is_on_ec2:
            assert document(aws, one.name, "request")["tags"].items() >= MARKS.items()


def test_on_ec2_the_documents_tell_when_it_ran(aws: Embedded, replays: Replays, seconds: float) -> None:
    for one in REPLAYS:
        if not one.is_on_ec2:
            continue
        launched = datetime.fromisoformat(document(aws, one.name, "instance")["launched"])
        status = document(aws, one.name, "status")
        ended = datetime.fromisoformat(status["ended"])
        assert (ended - launched).total_seconds() == one.took
        assert status["status"] == "Completed"
        assert not status.get("artifact_uri")


def test_they_lie_in_the_three_months_before_the_account() -> None:
    made = Replays(lambda service: None, ACCOUNT, REGION, MARKS, NOW)
    for one in REPLAYS:
        begun = made.begun(one)
        assert NOW - timedelta(days=92) < begun
        assert begun + timedelta(seconds=one.lasted) < NOW
    assert len({made.begun(one).month for one in REPLAYS}) >= 3


def test_nothing_of_them_can_be_served(aws: Embedded, seconds: float) -> None:
    assert not any("ModelArtifacts" in one for one in trainings(aws).values())
    listed = client(aws, "s3").list_objects_v2(Bucket=BUCKET, Prefix="runs/")
    assert listed["KeyCount"] == 0


def test_an_account_from_before_learns_that_a_time_can_be_read_in_two_ways(
    aws: Embedded, replays: Replays, seconds: float
) -> None:
    sagemaker = client(aws, "sagemaker")
    two = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/project-c-two-on-spot"

    def marks(arn: str) -> dict[str, str]:
        return {one["Key"]: one["Value"] for one in sagemaker.list_tags(ResourceArn=arn)["Tags"]}

    assert marks(two)["kennel:replay-may-be-sum"] == "true"
    sagemaker.delete_tags(ResourceArn=two, TagKeys=["kennel:replay-may-be-sum"])
    replays.mark()
    assert marks(two)["kennel:replay-may-be-sum"] == "true"
    assert "kennel:replay-may-be-sum" not in marks(two.replace("two-on-spot", "single"))


def test_a_training_that_somebody_deleted_is_not_marked_and_does_not_come_back(
    aws: Embedded, replays: Replays, seconds: float
) -> None:
    client(aws, "sagemaker").delete_training_job(TrainingJobName="project-c-two-on-spot")
    replays.mark()
    assert "project-c-two-on-spot" not in trainings(aws)
