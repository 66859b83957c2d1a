"""Managed spot training, several instances and quotas as an AWS client sees them."""

from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Embedded
from tests.local_aws.engine_world import eventually
from tests.local_aws.sagemaker_world import (
    BUCKET,
    bucket,
    client,
    finished,
    in_stage,
    log_lines,
    refused,
    training_request,
    unique,
)

JOBS = "/aws/sagemaker/TrainingJobs"
COUNT = (
    "n=$(cat /opt/ml/checkpoints/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > /opt/ml/checkpoints/n; echo run $n"
)
HOLD = "while true; do sleep 0.1; done"


@pytest.fixture
def sagemaker(embedded: Embedded) -> Any:
    bucket(embedded)
    return client(embedded, "sagemaker", parameter_validation=False)


def resources(instance: str = "ml.m5.large", count: int = 1) -> dict[str, Any]:
    return {"InstanceType": instance, "InstanceCount": count, "VolumeSizeInGB": 1}


def spot_request(name: str, script: str, tags: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    return training_request(
        name,
        script,
        **{
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
            "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/{name}"},
            "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        }
        | changes,
    )


def test_a_spot_job_with_one_interruption_from_request_to_artifact(embedded: Embedded, sagemaker: Any) -> None:
    name = unique()
    script = f"{COUNT}; [ $n = 1 ] && sleep 60; sleep 1.5; echo $n > /opt/ml/model/m"
    sagemaker.create_training_job(**spot_request(name, script, {"kennel:interrupt-after": "2"}))
    found = finished(sagemaker, name, 30)
    stages = found["SecondaryStatusTransitions"]
    assert [one["Status"] for one in stages] == [
        *("Starting", "Downloading", "Training", "Interrupted"),
        *("Starting", "Downloading", "Training", "Uploading", "Completed"),
    ]
    assert [one["EndTime"] for one in stages[:-1]] == [one["StartTime"] for one in stages[1:]]
    assert "spot capacity was taken away (simulated)" in stages[3]["StatusMessage"]
    assert found["TrainingStartTime"] == stages[1]["StartTime"], "of the first start"
    held = [one for one in stages if one["Status"] in ("Downloading", "Training", "Uploading")]
    seconds = sum((one["EndTime"] - one["StartTime"] for one in held), timedelta()).total_seconds()
    assert seconds <= found["TrainingTimeInSeconds"] < seconds + 1.01
    assert found["TrainingTimeInSeconds"] < (found["TrainingEndTime"] - found["TrainingStartTime"]).total_seconds()
    assert 0 < found["BillableTimeInSeconds"] < found["TrainingTimeInSeconds"]
    assert found["EnableManagedSpotTraining"] is True
    assert found["CheckpointConfig"] == {"S3Uri": f"s3://{BUCKET}/checkpoints/{name}"}
    assert found["StoppingCondition"]["MaxWaitTimeInSeconds"] == 120
    assert log_lines(client(embedded, "logs"), JOBS, f"{name}/") == ["run 1", "run 2"]
    kept = client(embedded, "s3").get_object(Bucket=BUCKET, Key=f"checkpoints/{name}/n")["Body"].read()
    assert kept == b"2\n"


def test_a_new_value_of_a_tag_takes_the_capacity_away_now(embedded: Embedded, sagemaker: Any) -> None:
    name = unique()
    script = f"{COUNT}; [ $n = 1 ] && {HOLD}; true"
    arn = sagemaker.create_training_job(**spot_request(name, script))["TrainingJobArn"]
    assert eventually(lambda: log_lines(client(embedded, "logs"), JOBS, f"{name}/") == ["run 1"])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "kennel:interrupt", "Value": "1"}])
    assert in_stage(sagemaker, name, "Interrupted")["TrainingJobStatus"] == "InProgress"
    assert finished(sagemaker, name, 30)["TrainingJobStatus"] == "Completed"


def test_a_job_on_demand_takes_these_tags_as_tags(sagemaker: Any) -> None:
    name = unique()
    tags = [{"Key": "kennel:interrupt-after", "Value": "whenever"}]
    arn = sagemaker.create_training_job(**training_request(name, "sleep 0.5", Tags=tags))["TrainingJobArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "kennel:interrupt", "Value": "1"}])
    found = finished(sagemaker, name)
    assert "Interrupted" not in [one["Status"] for one in found["SecondaryStatusTransitions"]]
    assert found["TrainingTimeInSeconds"] == found["BillableTimeInSeconds"]


def test_one_that_waits_too_long(sagemaker: Any) -> None:
    name = unique()
    request = spot_request(name, HOLD, StoppingCondition={"MaxRuntimeInSeconds": 2, "MaxWaitTimeInSeconds": 2})
    sagemaker.create_training_job(**request | {"Tags": [{"Key": "kennel:interrupt-after", "Value": "1"}]})
    found = finished(sagemaker, name)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
    assert [one["Status"] for one in found["SecondaryStatusTransitions"]][-2:] == ["Stopping", "MaxWaitTimeExceeded"]
    assert "FailureReason" not in found


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 60}}, "Invalid MaxWaitTimeInSeconds. It must be present"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59}}, "greater than or equal to"),
        ({"StoppingCondition": {"MaxWaitTimeInSeconds": 60}}, "greater than or equal to"),
        ({"CheckpointConfig": {"S3Uri": "s3://no-such-bucket/x"}}, "CheckpointConfig s3://no-such-bucket/x cannot"),
        ({"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/x", "LocalPath": "/root"}}, "no folder below /opt/ml"),
        ({"CheckpointConfig": {"S3Uri": "https://x"}}, "https://x is not an address of the form s3://bucket/key"),
        ({"Tags": [{"Key": "kennel:interrupt-after", "Value": "soon"}]}, "takes seconds of training"),
    ],
)
def test_a_wrong_spot_request_is_named(sagemaker: Any, changes: dict[str, Any], words: str) -> None:
    code, message = refused(sagemaker.create_training_job, **spot_request(unique(), "true", **changes))
    assert code == "ValidationException"
    assert words in message


def test_each_of_several_instances_has_its_own_log_and_figures(embedded: Embedded, sagemaker: Any) -> None:
    name, cloudwatch = unique(), client(embedded, "cloudwatch")
    script = "echo hello from $SM_CURRENT_HOST_RANK; sleep 4.5; touch /opt/ml/model/$SM_CURRENT_HOST_RANK"
    sagemaker.create_training_job(**training_request(name, script, ResourceConfig=resources(count=2)))
    found = finished(sagemaker, name)
    assert found["TrainingJobStatus"] == "Completed"
    assert found["ResourceConfig"]["InstanceCount"] == 2
    assert found["BillableTimeInSeconds"] == found["TrainingTimeInSeconds"], "AWS multiplies by the instances itself"
    for rank in range(2):
        host = f"{name}/algo-{rank + 1}"
        assert log_lines(client(embedded, "logs"), JOBS, f"{host}-") == [f"hello from {rank}"]
        metrics = cloudwatch.list_metrics(
            Namespace="/aws/sagemaker/TrainingJobs", Dimensions=[{"Name": "Host", "Value": host}]
        )["Metrics"]
        assert {one["MetricName"] for one in metrics} >= {"CPUUtilization", "MemoryUtilization", "DiskUtilization"}


def test_a_quota_counts_instances_by_type_and_capacity(sagemaker: Any) -> None:
    def ask(name: str, count: int, spot: bool) -> Any:
        request = spot_request if spot else training_request
        return request(name, HOLD, ResourceConfig=resources("ml.g4dn.xlarge", count))

    def words(used: int, more: int, what: str) -> str:
        return (
            f"The account-level service limit 'ml.g4dn.xlarge for {what}' is 2 Instances, with current utilization of "
            f"{used} Instances and a request delta of {more} Instances. Please use AWS Service Quotas to request an "
            "increase for this quota."
        )

    code, message = refused(sagemaker.create_training_job, **ask(unique(), 3, False))
    assert code == "ResourceLimitExceeded"
    assert message.startswith(words(0, 3, "training job usage"))
    held = [unique() for _ in range(3)]
    for name, spot in zip(held, (False, False, True), strict=True):
        sagemaker.create_training_job(**ask(name, 1, spot))
    try:
        for spot, used, more in ((False, 2, 1), (True, 1, 2)):
            code, message = refused(sagemaker.create_training_job, **ask(unique(), more, spot))
            assert code == "ResourceLimitExceeded"
            assert message.startswith(words(used, more, "spot training job usage" if spot else "training job usage"))
        code, message = refused(
            sagemaker.create_training_job, **training_request(unique(), ResourceConfig=resources("ml.p3.2xlarge"))
        )
        assert (code, "is 0 Instances" in message) == ("ResourceLimitExceeded", True)
    finally:
        for name in held:
            sagemaker.stop_training_job(TrainingJobName=name)
    for name in held:
        finished(sagemaker, name)


def test_nothing_that_an_update_could_change_is_here(sagemaker: Any) -> None:
    name = unique()
    arn = sagemaker.create_training_job(**training_request(name, HOLD))["TrainingJobArn"]
    wrong: tuple[dict[str, Any], ...] = (
        {"ResourceConfig": {"KeepAlivePeriodInSeconds": 60}},
        {"ProfilerConfig": {"S3OutputPath": f"s3://{BUCKET}/x"}},
        {"RemoteDebugConfig": {"EnableRemoteDebug": True}},
    )
    for change, what in zip(wrong, ("warm pools", "the profiler", "remote debugging"), strict=True):
        code, message = refused(sagemaker.update_training_job, TrainingJobName=name, **change)
        assert code == "ValidationException"
        assert message.startswith(f"The embedded AWS cannot do {what}")
    harmless = sagemaker.update_training_job(TrainingJobName=name, ProfilerConfig={"DisableProfiler": True})
    assert harmless["TrainingJobArn"] == arn
    sagemaker.stop_training_job(TrainingJobName=name)
    finished(sagemaker, name)
    assert refused(sagemaker.update_training_job, TrainingJobName=name)[1].endswith("is in status Stopped.")
    assert refused(sagemaker.update_training_job, TrainingJobName="gone")[1] == "Requested resource not found."
