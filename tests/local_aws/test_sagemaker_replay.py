"""Trainings that are replayed: recorded at the times that are told, without anything that ran."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import (
    IMAGE,
    ROLE,
    bucket,
    channel,
    client,
    finished,
    log_lines,
    refused,
    training_request,
    unique,
)

BEGUN = datetime(2026, 9, 4, 10, 15, tzinfo=UTC)
AT = "2026-09-04T10:15:00Z"
SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 86_400, "MaxWaitTimeInSeconds": 86_400},
}


@pytest.fixture(scope="module")
def sagemaker(embedded: Embedded) -> Any:
    bucket(embedded)
    return client(embedded, "sagemaker", parameter_validation=False)


def tags(told: str, **more: str) -> list[dict[str, str]]:
    marks = {"kennel:sample": "true", "kennel:replay": told} | {f"kennel:{key}": value for key, value in more.items()}
    return [{"Key": key, "Value": value} for key, value in marks.items()]


def replay(sagemaker: Any, told: str, **changes: Any) -> dict[str, Any]:
    name = unique()
    asked = {"InputDataConfig": [channel(key="nothing-there/")], "Tags": tags(told)} | changes
    sagemaker.create_training_job(**training_request(name, "exit 1", **asked))
    found: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
    return found


def test_it_has_completed_at_the_told_times_at_once(sagemaker: Any) -> None:
    found = replay(sagemaker, f"{AT} 663")
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Completed", "Completed")
    assert found["CreationTime"] == found["TrainingStartTime"] == BEGUN
    assert found["TrainingEndTime"] == BEGUN + timedelta(seconds=663)
    assert (found["TrainingTimeInSeconds"], found["BillableTimeInSeconds"]) == (663, 663)


def test_nothing_ran_and_its_stages_say_so(embedded: Embedded, sagemaker: Any) -> None:
    found = replay(sagemaker, f"{AT} 663")
    said = {one["StatusMessage"] for one in found["SecondaryStatusTransitions"]}
    assert said == {"Replayed from a write-up; nothing ran on this machine"}
    assert "ModelArtifacts" not in found
    assert "FinalMetricDataList" not in found
    assert log_lines(client(embedded, "logs"), "/aws/sagemaker/TrainingJobs", found["TrainingJobName"]) == []


def test_spot_is_billed_as_told(sagemaker: Any) -> None:
    found = replay(sagemaker, f"{AT} 1353 577", **SPOT)
    assert (found["TrainingTimeInSeconds"], found["BillableTimeInSeconds"]) == (1353, 577)


def test_who_reads_only_what_has_changed_finds_it(sagemaker: Any) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    name = replay(sagemaker, f"{AT} 663")["TrainingJobName"]
    listed = sagemaker.list_training_jobs(LastModifiedTimeAfter=before, MaxResults=100)["TrainingJobSummaries"]
    assert name in [one["TrainingJobName"] for one in listed]
    window = [
        {"Name": "CreationTime", "Operator": "GreaterThanOrEqualTo", "Value": "2026-09-04T10:15:00"},
        {"Name": "CreationTime", "Operator": "LessThan", "Value": "2026-09-04T10:15:01"},
    ]
    searched = sagemaker.search(Resource="TrainingJob", SearchExpression={"Filters": window}, MaxResults=100)
    assert name in [one["TrainingJob"]["TrainingJobName"] for one in searched["Results"]]


def test_without_the_sample_mark_the_tag_is_any_tag_and_the_job_runs(embedded: Embedded, sagemaker: Any) -> None:
    name = unique()
    before = datetime.now(UTC)
    request = training_request(name, "echo it-runs", Tags=[{"Key": "kennel:replay", "Value": f"{AT} 663"}])
    sagemaker.create_training_job(**request)
    assert finished(sagemaker, name)["CreationTime"] > before - timedelta(seconds=1)
    assert "it-runs" in log_lines(client(embedded, "logs"), "/aws/sagemaker/TrainingJobs", name)


@pytest.mark.parametrize(
    "told",
    [
        "",
        "yesterday 663",
        AT,
        f"{AT} 0",
        f"{AT} -1",
        f"{AT} a",
        f"{AT} 663 600",
        f"{AT} 2419201",
        "2999-01-01T00:00Z 9",
    ],
)
def test_a_sample_that_says_no_times_is_refused(sagemaker: Any, told: str) -> None:
    request = training_request(unique(), Tags=tags(told))
    code, message = refused(sagemaker.create_training_job, **request)
    assert code == "ValidationException"
    assert "kennel:replay" in message


def test_more_cannot_be_billed_than_was_trained(sagemaker: Any) -> None:
    code, message = refused(
        sagemaker.create_training_job, **training_request(unique(), Tags=tags(f"{AT} 600 601"), **SPOT)
    )
    assert code == "ValidationException"
    assert "kennel:replay" in message


def test_what_goes_on_now_is_no_write_up(sagemaker: Any) -> None:
    told = f"{datetime.now(UTC) - timedelta(seconds=60):%Y-%m-%dT%H:%M:%SZ} 600"
    code, message = refused(sagemaker.create_training_job, **training_request(unique(), Tags=tags(told)))
    assert code == "ValidationException"
    assert "kennel:replay" in message


def test_a_name_is_taken_once(sagemaker: Any) -> None:
    name = replay(sagemaker, f"{AT} 663")["TrainingJobName"]
    code, message = refused(sagemaker.create_training_job, **training_request(name, Tags=tags(f"{AT} 663")))
    assert code == "ResourceInUse"
    assert "already exists" in message


def test_it_takes_no_place_from_what_runs(sagemaker: Any) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    for _ in range(9):  # more than the quota of such instances, if they ran
        replay(sagemaker, f"{AT} 60", ResourceConfig=resources)
    name = unique()
    sagemaker.create_training_job(**training_request(name))
    assert finished(sagemaker, name)["TrainingJobStatus"] == "Completed"


def test_it_can_be_deleted(sagemaker: Any) -> None:
    name = replay(sagemaker, f"{AT} 663")["TrainingJobName"]
    sagemaker.delete_training_job(TrainingJobName=name)
    code, message = refused(sagemaker.describe_training_job, TrainingJobName=name)
    assert code == "ValidationException"
    assert "not found" in message


@pytest.fixture(scope="module")
def tuned(sagemaker: Any) -> str:
    """A tuning job of three trials of 100 s, two at once."""
    name = unique("r")
    job = training_request("unused", InputDataConfig=[channel(key="nothing-there/")])
    shared = ("RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "StoppingCondition")
    metric = {"Name": "Testing Loss", "Regex": "Testing Loss: ([0-9.]+)"}
    algorithm = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "MetricDefinitions": [metric]}
    rate = {"Name": "learning_rate", "MinValue": "0.001", "MaxValue": "0.1"}
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "Testing Loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"ContinuousParameterRanges": [rate]},
        },
        TrainingJobDefinition={"AlgorithmSpecification": algorithm} | {member: job[member] for member in shared},
        Tags=tags(f"{AT} 100"),
    )
    assert job["RoleArn"] == ROLE
    return name


def test_a_tuning_job_is_replayed_with_its_trials(sagemaker: Any, tuned: str) -> None:
    found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuned)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["TrainingJobStatusCounters"]["Completed"] == 3
    assert found["HyperParameterTuningEndTime"] == BEGUN + timedelta(seconds=200)
    assert "BestTrainingJob" not in found  # nobody told how good they were
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuned)
    trials = [
        sagemaker.describe_training_job(TrainingJobName=one["TrainingJobName"])
        for one in listed["TrainingJobSummaries"]
    ]
    begun = [(one["TrainingStartTime"] - BEGUN).total_seconds() for one in trials]
    assert begun == [0, 0, 100]
    assert {one["BillableTimeInSeconds"] for one in trials} == {100}
    assert {one["TuningJobArn"] for one in trials} == {found["HyperParameterTuningJobArn"]}


def test_a_replayed_tuning_job_starts_nothing_later(sagemaker: Any, tuned: str) -> None:
    time.sleep(0.3)
    found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuned)
    assert sum(found["TrainingJobStatusCounters"].values()) == 3


def test_its_trials_carry_its_marks(sagemaker: Any, tuned: str) -> None:
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuned)
    for one in listed["TrainingJobSummaries"]:
        told = sagemaker.list_tags(ResourceArn=one["TrainingJobArn"])["Tags"]
        assert {"Key": "kennel:sample", "Value": "true"} in told
