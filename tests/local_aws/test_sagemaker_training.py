"""Training jobs as an AWS client sees them."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.engine.job import Job
from local_aws.engine.opt_ml import namespaces_allowed
from local_aws.protocol import Caller
from local_aws.services.sagemaker import SageMaker
from local_aws.store import Store
from tests.conftest import Embedded
from tests.local_aws.engine_world import FolderObjects, ListLogs, eventually
from tests.local_aws.sagemaker_world import (
    BUCKET,
    bucket,
    channel,
    client,
    finished,
    in_stage,
    log_lines,
    refused,
    training_request,
    unique,
)

JOBS = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def sagemaker(embedded: Embedded) -> Any:
    bucket(embedded)
    return client(embedded, "sagemaker", parameter_validation=False)


def test_a_job_from_request_to_artifact(embedded: Embedded, sagemaker: Any) -> None:
    name = unique()
    before = datetime.now(UTC)
    script = "echo loss=0.75; echo loss=0.5; cp $SM_CHANNEL_TRAINING/a.txt /opt/ml/model/m; sleep 1.1"
    request = training_request(
        name,
        script,
        HyperParameters={"epochs": "3"},
        Environment={"COLOUR": "blue"},
        InputDataConfig=[channel()],
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "train:loss", "Regex": "loss=([0-9.]+)"}]},
        Tags=[{"Key": "kennel:made-by", "Value": "kennel"}],
    )
    arn = sagemaker.create_training_job(**request)["TrainingJobArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}"
    found = finished(sagemaker, name)
    after = datetime.now(UTC)

    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Completed", "Completed")
    for member in (
        "HyperParameters",
        "Environment",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "RoleArn",
    ):
        assert found[member] == request[member]
    assert found["AlgorithmSpecification"] == request["AlgorithmSpecification"]
    assert found["StoppingCondition"] == {"MaxRuntimeInSeconds": 60}

    stages = found["SecondaryStatusTransitions"]
    assert [one["Status"] for one in stages] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(one["StatusMessage"] for one in stages)
    assert [one["EndTime"] for one in stages[:-1]] == [one["StartTime"] for one in stages[1:]]
    assert stages[2]["EndTime"] - stages[2]["StartTime"] >= timedelta(seconds=1.1)
    slack = timedelta(milliseconds=2)
    times = [found[f"{one}Time"] for one in ("Creation", "TrainingStart", "TrainingEnd")]
    assert before - slack <= times[0] <= times[1] <= times[2] <= after + slack
    assert times[1] == stages[1]["StartTime"]
    assert times[2] == found["LastModifiedTime"] == stages[-1]["StartTime"]

    seconds = (times[2] - times[1]).total_seconds()
    assert seconds <= found["BillableTimeInSeconds"] < seconds + 1
    assert found["TrainingTimeInSeconds"] == found["BillableTimeInSeconds"]

    (metric,) = found["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"]) == ("train:loss", 0.5)
    assert times[1] <= metric["Timestamp"] <= times[2]

    artifact = f"runs/{name}/output/model.tar.gz"
    assert found["ModelArtifacts"] == {"S3ModelArtifacts": f"s3://{BUCKET}/{artifact}"}
    assert client(embedded, "s3").head_object(Bucket=BUCKET, Key=artifact)["ContentLength"] > 0
    assert log_lines(client(embedded, "logs"), JOBS, f"{name}/algo-1-") == ["loss=0.75", "loss=0.5"]


@pytest.mark.skipif(not namespaces_allowed(), reason="this system allows no mount namespaces")
def test_a_job_cannot_read_the_servers_keys(embedded: Embedded, sagemaker: Any) -> None:
    name = unique()
    sagemaker.create_training_job(**training_request(name, f"cat {embedded.state}/client.json"))
    assert "No such file" in finished(sagemaker, name)["FailureReason"]


def test_logs_and_metrics_can_be_read_while_it_runs(embedded: Embedded, sagemaker: Any) -> None:
    name, logs = unique(), client(embedded, "logs")
    definitions = {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]}
    sagemaker.create_training_job(**training_request(name, "echo loss=1; sleep 60", AlgorithmSpecification=definitions))
    end = time.monotonic() + 10
    found: dict[str, Any] = {}
    while time.monotonic() < end and "FinalMetricDataList" not in found:  # the line is there first, then its metric
        time.sleep(0.02)
        found = sagemaker.describe_training_job(TrainingJobName=name)
    assert log_lines(logs, JOBS, name) == ["loss=1"]
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("InProgress", "Training")
    assert found["FinalMetricDataList"][0]["Value"] == 1
    assert "TrainingEndTime" not in found
    assert "BillableTimeInSeconds" not in found
    assert "EndTime" not in found["SecondaryStatusTransitions"][-1]
    sagemaker.stop_training_job(TrainingJobName=name)
    assert finished(sagemaker, name)["TrainingJobStatus"] == "Stopped"


def test_stopping_goes_through_stopping_and_keeps_the_artifact(sagemaker: Any) -> None:
    name = unique()
    script = "trap 'sleep 0.5; echo 1 > /opt/ml/model/m; exit 0' TERM; echo ready; sleep 60 & wait"
    sagemaker.create_training_job(**training_request(name, script))
    in_stage(sagemaker, name, "Training")
    time.sleep(0.2)
    sagemaker.stop_training_job(TrainingJobName=name)
    found = sagemaker.describe_training_job(TrainingJobName=name)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopping", "Stopping")
    sagemaker.stop_training_job(TrainingJobName=name)  # once more changes nothing
    found = finished(sagemaker, name)
    assert [one["Status"] for one in found["SecondaryStatusTransitions"]][-2:] == ["Stopping", "Stopped"]
    assert found["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"{name}/output/model.tar.gz")
    code, message = refused(sagemaker.stop_training_job, TrainingJobName=name)
    assert (code, message) == (
        "ValidationException",
        "The request was rejected because the training job is in status Stopped.",
    )


def test_a_failed_job_says_why(sagemaker: Any) -> None:
    name = unique()
    sagemaker.create_training_job(**training_request(name, "echo 'no class folders' > /opt/ml/output/failure; exit 1"))
    found = finished(sagemaker, name)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Failed", "Failed")
    assert found["FailureReason"] == "AlgorithmError: no class folders, exit code: 1"
    assert found["SecondaryStatusTransitions"][-1]["StatusMessage"] == found["FailureReason"]
    assert found["BillableTimeInSeconds"] >= 1


def test_one_that_runs_too_long(sagemaker: Any) -> None:
    name = unique()
    sagemaker.create_training_job(**training_request(name, "sleep 60", StoppingCondition={"MaxRuntimeInSeconds": 1}))
    found = finished(sagemaker, name)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "FailureReason" not in found


def test_names_are_unique(sagemaker: Any) -> None:
    name = unique()
    sagemaker.create_training_job(**training_request(name))
    code, message = refused(sagemaker.create_training_job, **training_request(name))
    assert code == "ResourceInUse"
    assert f"training-job/{name}" in message
    finished(sagemaker, name)


def test_a_job_can_be_deleted_once_it_has_ended(sagemaker: Any) -> None:
    name = unique()
    sagemaker.create_training_job(**training_request(name, "sleep 60"))
    assert refused(sagemaker.delete_training_job, TrainingJobName=name)[0] == "ResourceInUse"
    sagemaker.stop_training_job(TrainingJobName=name)
    finished(sagemaker, name)
    sagemaker.delete_training_job(TrainingJobName=name)
    for call in (sagemaker.describe_training_job, sagemaker.stop_training_job, sagemaker.delete_training_job):
        assert refused(call, TrainingJobName=name) == ("ValidationException", "Requested resource not found.")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"TrainingJobName": "a b"}, "regular expression pattern"),
        ({"TrainingJobName": "x" * 64}, "'trainingJobName' failed to satisfy constraint: Member must have length less"),
        ({"RoleArn": "arn:aws:iam::1:role/short-account"}, "'roleArn'"),
        ({"ResourceConfig": {"InstanceType": "ml.made-up", "InstanceCount": 1, "VolumeSizeInGB": 1}}, "enum value set"),
        ({"ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}}, "InstanceCount"),
        ({"OutputDataConfig": {}}, "S3OutputPath"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://no-such-bucket/x"}}, "no-such-bucket"),
        ({"OutputDataConfig": {"S3OutputPath": "https://host/x"}}, "s3://bucket/key"),
        ({"InputDataConfig": [channel(key="nothing/")]}, "No S3 objects found under S3 URL"),
        ({"InputDataConfig": [channel(), channel()]}, "same name"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "MaxRuntimeInSeconds"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}}, "spot"),
        ({"HyperParameters": {"k": "v" * 2501}}, "'hyperParameters.k.member'"),
        ({"HyperParameters": {f"k{n}": "" for n in range(101)}}, "'hyperParameters' failed"),
        ({"Environment": {"not valid": "1"}}, "'environment.key'"),
        ({"Tags": [{"Key": "aws:own", "Value": ""}]}, "aws:"),
        ({"Tags": [{"Key": "a", "Value": ""}, {"Key": "a", "Value": "2"}]}, "Duplicate"),
        ({"AlgorithmSpecification": {"MetricDefinitions": [{"Name": "m", "Regex": "("}]}}, "not a regular expression"),
        ({"AlgorithmSpecification": {"ContainerArguments": ["x" * 257]}}, "containerArguments.1.member"),
        ({"AlgorithmSpecification": {"TrainingImage": ""}}, "TrainingImage"),
    ],
)
def test_a_wrong_request_is_named_and_makes_nothing(sagemaker: Any, changes: dict[str, Any], words: str) -> None:
    request = training_request(unique(), **dict(changes))
    code, message = refused(sagemaker.create_training_job, **request)
    assert code == "ValidationException"
    assert words in message
    known = sagemaker.list_training_jobs(SortOrder="Descending", MaxResults=100)["TrainingJobSummaries"]
    assert request["TrainingJobName"] not in {one["TrainingJobName"] for one in known}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        (
            {
                "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
                "EnableInterContainerTrafficEncryption": True,
            },
            "encryption of the traffic between instances",
        ),
        ({"EnableNetworkIsolation": True}, "network isolation"),
        ({"InputDataConfig": [channel(S3DataType="ManifestFile")]}, "manifests"),
        ({"InputDataConfig": [channel() | {"InputMode": "Pipe"}]}, "pipe input"),
        ({"OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/runs", "KmsKeyId": "alias/mine"}}, "KMS"),
    ],
)
def test_what_is_not_done_is_refused_by_name(sagemaker: Any, changes: dict[str, Any], what: str) -> None:
    code, message = refused(sagemaker.create_training_job, **training_request(unique(), **changes))
    assert code == "ValidationException"
    assert message.startswith("The embedded AWS cannot do ")
    assert what in message


def test_the_default_limits_and_flags_are_harmless(sagemaker: Any) -> None:
    name = unique()
    request = training_request(name, EnableManagedSpotTraining=False, EnableNetworkIsolation=False)
    del request["StoppingCondition"]
    sagemaker.create_training_job(**request)
    assert finished(sagemaker, name)["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}


def test_an_operation_that_is_not_there_is_501(sagemaker: Any) -> None:
    with pytest.raises(ClientError) as caught:
        sagemaker.list_transform_jobs()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "ListTransformJobs" in caught.value.response["Error"]["Message"]


def test_listing_filters_sorts_and_pages(sagemaker: Any) -> None:
    mark = unique("list")
    names = [f"{mark}-{letter}" for letter in "cab"]
    for name in names:
        sagemaker.create_training_job(**training_request(name, "exit 1" if name.endswith("a") else "true"))
        finished(sagemaker, name)

    def listed(**params: Any) -> list[str]:
        found = sagemaker.list_training_jobs(NameContains=mark, **params)["TrainingJobSummaries"]
        return [one["TrainingJobName"].removeprefix(f"{mark}-") for one in found]

    assert listed() == ["c", "a", "b"]
    assert listed(SortOrder="Descending") == ["b", "a", "c"]
    assert listed(SortBy="Name") == ["a", "b", "c"]
    assert listed(SortBy="Status", SortOrder="Descending")[0] == "a"
    assert listed(StatusEquals="Failed") == ["a"]
    assert listed(StatusEquals="InProgress") == []
    created = [sagemaker.describe_training_job(TrainingJobName=name)["CreationTime"] for name in names]
    assert listed(CreationTimeAfter=created[0]) == ["a", "b"]
    assert listed(CreationTimeBefore=created[2]) == ["c", "a"]
    assert listed(LastModifiedTimeAfter=datetime.now(UTC) + timedelta(hours=1)) == []
    assert listed(WarmPoolStatusEquals="Available") == []

    first = sagemaker.list_training_jobs(NameContains=mark, SortBy="Name", MaxResults=2)
    assert [one["TrainingJobName"][-1] for one in first["TrainingJobSummaries"]] == ["a", "b"]
    late = f"{mark}-aa"
    sagemaker.create_training_job(
        **training_request(late)
    )  # sorts before the token: the next page is not shifted by it
    second = sagemaker.list_training_jobs(NameContains=mark, SortBy="Name", MaxResults=2, NextToken=first["NextToken"])
    assert [one["TrainingJobName"][-1] for one in second["TrainingJobSummaries"]] == ["c"]
    assert "NextToken" not in second
    for wrong in ("nonsense", first["NextToken"][:-4] + "AAAA"):
        code, _ = refused(sagemaker.list_training_jobs, NameContains=mark, SortBy="Name", NextToken=wrong)
        assert code == "ValidationException"
    code, _ = refused(sagemaker.list_training_jobs, NameContains=mark, NextToken=first["NextToken"])
    assert code == "ValidationException"
    finished(sagemaker, late)


def test_ten_results_are_a_page_when_nothing_else_is_asked_for(sagemaker: Any) -> None:
    mark = unique("page")
    for number in range(11):
        sagemaker.create_training_job(**training_request(f"{mark}-{number}"))
    found = sagemaker.list_training_jobs(NameContains=mark)
    assert len(found["TrainingJobSummaries"]) == 10
    assert found["NextToken"]
    for number in range(11):
        finished(sagemaker, f"{mark}-{number}")


def test_tags(sagemaker: Any) -> None:
    name = unique()
    arn = sagemaker.create_training_job(**training_request(name, Tags=[{"Key": "a", "Value": "1"}]))["TrainingJobArn"]
    finished(sagemaker, name)
    told = sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b ü", "Value": ""}])["Tags"]
    assert told == [{"Key": "a", "Value": "2"}, {"Key": "b ü", "Value": ""}]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a", "absent"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b ü", "Value": ""}]
    many = [{"Key": str(number), "Value": ""} for number in range(50)]
    assert refused(sagemaker.add_tags, ResourceArn=arn, Tags=many)[0] == "ValidationException"
    assert refused(sagemaker.add_tags, ResourceArn=arn, Tags=[{"Key": "a#b", "Value": ""}])[0] == "ValidationException"
    for wrong in (arn + "x", arn.replace("us-east-1", "eu-west-1"), arn.replace("training-job", "notebook-instance")):
        assert refused(sagemaker.list_tags, ResourceArn=wrong)[0] == "ValidationException"


def test_regions_are_apart(embedded: Embedded, sagemaker: Any) -> None:
    elsewhere = client(replace(embedded, region="eu-west-1", clients={}), "sagemaker")
    name = unique()
    bucket_there = unique("there")
    client(embedded, "s3").create_bucket(
        Bucket=bucket_there, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    theirs = {"S3OutputPath": f"s3://{bucket_there}/runs"}
    sagemaker.create_training_job(**training_request(name))
    assert elsewhere.list_training_jobs(NameContains=name)["TrainingJobSummaries"] == []
    code, message = refused(elsewhere.create_training_job, **training_request(name))
    assert code == "ValidationException"
    assert "The bucket is in this region: us-east-1. Please use this region" in message
    code, message = refused(
        elsewhere.create_training_job, **training_request(name, InputDataConfig=[channel()], OutputDataConfig=theirs)
    )
    assert message.startswith('No S3 objects found under S3 URL "s3://sagemaker-tests/data/"')
    assert "The bucket is in this region: us-east-1" in message
    request = training_request(name, OutputDataConfig=theirs)
    assert elsewhere.create_training_job(**request)["TrainingJobArn"].split(":")[3] == "eu-west-1"
    finished(sagemaker, name)
    finished(elsewhere, name)


def test_a_stop_that_comes_before_the_job_is_in_the_queue_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = FolderObjects(tmp_path / "s3")
    objects.put(BUCKET, "data/a", b"1")
    service = SageMaker(Store(tmp_path), objects, ListLogs())
    caller = Caller("123456789012", "us-east-1", "", "")
    asyncio.run(service.start())
    submit = service.queue.submit

    def stopped_before(job: Job) -> None:
        service.stop_training_job({"TrainingJobName": job.name}, caller)
        submit(job)

    monkeypatch.setattr(service.queue, "submit", stopped_before)
    service.create_training_job(training_request("early", "sleep 30"), caller)
    assert eventually(
        lambda: service.describe_training_job({"TrainingJobName": "early"}, caller)["TrainingJobStatus"] == "Stopped"
    )
    asyncio.run(service.stop())
