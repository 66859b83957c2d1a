"""State survives: a stop, a kill -9, and a start again. Nothing is lost, nothing stays in progress for ever."""

import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.engine_world import eventually
from tests.local_aws.sagemaker_world import (
    BUCKET,
    bucket,
    client,
    create_endpoint,
    finished,
    in_stage,
    log_lines,
    tiny_package,
    training_request,
    unique,
    wait_for,
)

INTERRUPTED = "InternalServerError: the embedded AWS stopped while this job was running. Launch the job again."


def processes_with(mark: str) -> list[int]:
    """Processes whose command line or environment holds the mark."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                if mark.encode() in told:
                    found.append(int(entry.name))
        except OSError:
            continue
    return found


def started(aws: Embedded, name: str, script: str, **changes: Any) -> None:
    """A job that has printed its first line."""
    client(aws, "sagemaker").create_training_job(**training_request(name, f"echo ready; {script}", **changes))
    logs = client(aws, "logs")
    assert eventually(lambda: log_lines(logs, "/aws/sagemaker/TrainingJobs", name))


@dataclass
class Crash:
    """What was there when a server was killed, and the server that followed it on the same state folder."""

    completed: dict[str, Any]
    failed_endpoint: dict[str, Any]
    running: str
    stopping: str
    waiting: str
    endpoint: str
    mark: str
    killed_at: float
    children_ended: bool
    endpoint_at_start: dict[str, Any]
    after: Embedded

    def job(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = client(self.after, "sagemaker").describe_training_job(TrainingJobName=name)
        return found


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crash]:
    """A server with everything going on is killed with kill -9, and another one started a second later."""
    state, package, broken = (tmp_path_factory.mktemp(name) for name in ("state", "package", "broken"))
    mark = unique("mark")
    aws = start_embedded(state)
    bucket(aws)
    sagemaker = client(aws, "sagemaker")

    completed, endpoint, failed = unique("completed"), unique("endpoint"), unique("failed")
    metrics = {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]}
    sagemaker.create_training_job(
        **training_request(completed, "echo loss=0.5; echo 1 > /opt/ml/model/m", AlgorithmSpecification=metrics)
    )
    create_endpoint(sagemaker, endpoint, tiny_package(package, "delay=1") | {"MARK": mark})
    create_endpoint(sagemaker, failed, tiny_package(broken, "model=absent"))
    ended = finished(sagemaker, completed)
    failure = wait_for(sagemaker, failed, "Failed")
    wait_for(sagemaker, endpoint, "InService")

    stopping, *holders = (unique("holder") for _ in range(max(2, len(os.sched_getaffinity(0)))))
    for name in (stopping, *holders):
        started(aws, name, f"trap '' TERM; : {mark}; while true; do sleep 0.1; done")
    waiting = unique("waiting")
    sagemaker.create_training_job(**training_request(waiting, "echo 1 > /opt/ml/model/m"))
    found = sagemaker.describe_training_job(TrainingJobName=waiting)
    assert "Waiting for capacity" in found["SecondaryStatusTransitions"][0]["StatusMessage"]
    assert "TrainingStartTime" not in found
    sagemaker.stop_training_job(TrainingJobName=stopping)
    in_stage(sagemaker, stopping, "Stopping")
    time.sleep(1.1)  # so that the running one is billed more than one second

    assert processes_with(mark)
    killed_at = time.time()
    aws.process.kill()
    children_ended = eventually(lambda: not processes_with(mark), 2.0)
    stop_embedded(aws)
    time.sleep(1.0)  # the machine was off for a while
    after = start_embedded(state)
    at_start = client(after, "sagemaker").describe_endpoint(EndpointName=endpoint)
    yield Crash(
        ended, failure, holders[0], stopping, waiting, endpoint, mark, killed_at, children_ended, at_start, after
    )
    stop_embedded(after)


def test_all_children_are_gone_within_two_seconds(crash: Crash) -> None:
    assert crash.children_ended


def test_the_job_that_ran_has_failed_with_the_reason(crash: Crash) -> None:
    found = crash.job(crash.running)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Failed", "Failed")
    assert found["FailureReason"] == INTERRUPTED
    end = found["TrainingEndTime"]
    assert abs(end.timestamp() - crash.killed_at) < 0.6, "billed until it was last seen running"
    assert found["BillableTimeInSeconds"] == math.ceil((end - found["TrainingStartTime"]).total_seconds())
    assert log_lines(client(crash.after, "logs"), "/aws/sagemaker/TrainingJobs", crash.running) == ["ready"]


def test_the_job_that_was_being_stopped_is_stopped(crash: Crash) -> None:
    found = crash.job(crash.stopping)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "FailureReason" not in found


def test_the_job_that_waited_runs(crash: Crash) -> None:
    found = finished(client(crash.after, "sagemaker"), crash.waiting)
    assert found["TrainingJobStatus"] == "Completed"
    assert found["ModelArtifacts"]["S3ModelArtifacts"].endswith("model.tar.gz")


def test_what_had_ended_is_as_it_was(crash: Crash) -> None:
    after = crash.job(crash.completed["TrainingJobName"])
    assert after["FinalMetricDataList"][0]["Value"] == 0.5
    after.pop("ResponseMetadata")
    assert after == {name: value for name, value in crash.completed.items() if name != "ResponseMetadata"}
    found = client(crash.after, "sagemaker").describe_endpoint(EndpointName=crash.failed_endpoint["EndpointName"])
    assert (found["EndpointStatus"], found["FailureReason"]) == ("Failed", crash.failed_endpoint["FailureReason"])


def test_endpoints_come_back_by_themselves_and_say_when_they_are(crash: Crash) -> None:
    assert crash.endpoint_at_start["EndpointStatus"] == "SystemUpdating", "the server does not wait for it"
    wait_for(client(crash.after, "sagemaker"), crash.endpoint, "InService")
    answer = client(crash.after, "sagemaker-runtime").invoke_endpoint(EndpointName=crash.endpoint, Body=b"hello")
    assert json.loads(answer["Body"].read())["environment"]["MARK"] == crash.mark


@pytest.mark.parametrize("how", ["kill -9", "stop"])
def test_a_spot_job_goes_on_from_its_checkpoint_with_the_next_server(tmp_path: Path, how: str) -> None:
    name = unique("spot")
    aws = start_embedded(tmp_path)
    bucket(aws)
    script = (
        "n=$(cat /opt/ml/checkpoints/n 2>/dev/null || echo 0); n=$((n + 1)); echo run $n;"
        "echo $n > /opt/ml/checkpoints/n; [ $n = 1 ] && while true; do sleep 0.1; done;"
        "cp /opt/ml/checkpoints/n /opt/ml/model/n"
    )
    arn = client(aws, "sagemaker").create_training_job(
        **training_request(
            name,
            script,
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
            CheckpointConfig={"S3Uri": f"s3://{BUCKET}/checkpoints/{name}"},
        )
    )["TrainingJobArn"]
    tag = {"Key": "kennel:interrupt-after", "Value": "only a tag once the job is there"}
    client(aws, "sagemaker").add_tags(ResourceArn=arn, Tags=[tag])
    s3 = client(aws, "s3")
    assert eventually(lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix=f"checkpoints/{name}/").get("Contents"))
    stopped_at = time.time()
    if how == "kill -9":
        aws.process.kill()
    stop_embedded(aws)
    after = start_embedded(tmp_path)
    started_at = time.time()
    try:
        found = finished(client(after, "sagemaker"), name)
        lines = log_lines(client(after, "logs"), "/aws/sagemaker/TrainingJobs", name)
    finally:
        stop_embedded(after)
    stages = found["SecondaryStatusTransitions"]
    assert [one["Status"] for one in stages] == [
        *("Starting", "Downloading", "Training", "Interrupted"),
        *("Starting", "Downloading", "Training", "Uploading", "Completed"),
    ]
    interrupted = stages[3]
    assert "embedded AWS stopped" in interrupted["StatusMessage"]
    assert abs(interrupted["StartTime"].timestamp() - stopped_at) < 0.6, "it was last seen running then"
    assert interrupted["EndTime"].timestamp() <= started_at
    assert found["BillableTimeInSeconds"] < found["TrainingTimeInSeconds"]
    assert lines == ["run 1", "run 2"]


def test_a_server_that_is_stopped_takes_its_children_along_and_says_so_in_its_jobs(tmp_path: Path) -> None:
    mark, name, endpoint = unique("mark"), unique(), unique("endpoint")
    aws = start_embedded(tmp_path / "state")
    bucket(aws)
    create_endpoint(client(aws, "sagemaker"), endpoint, tiny_package(tmp_path / "package") | {"MARK": mark})
    started(aws, name, f"trap '' TERM; : {mark}; while true; do sleep 0.1; done")
    wait_for(client(aws, "sagemaker"), endpoint, "InService")
    assert processes_with(mark)
    before = time.monotonic()
    stop_embedded(aws)
    assert time.monotonic() - before < 5
    assert not processes_with(mark)
    assert list((tmp_path / "state/jobs").iterdir()) == []

    aws = start_embedded(tmp_path / "state")
    found = client(aws, "sagemaker").describe_training_job(TrainingJobName=name)
    wait_for(client(aws, "sagemaker"), endpoint, "InService")
    stop_embedded(aws)
    assert (found["TrainingJobStatus"], found["FailureReason"]) == ("Failed", INTERRUPTED)
