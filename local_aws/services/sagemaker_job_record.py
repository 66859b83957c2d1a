"""What is remembered of a training job, and what DescribeTrainingJob says of it. Pure: documents in, documents out."""

import math
from collections.abc import Mapping
from typing import Any

from local_aws.engine.job import Stage
from local_aws.engine.metrics import Metric
from local_aws.engine.spot import billable_seconds
from local_aws.services.sagemaker_resources import Document, moment

_FINAL = frozenset(str(stage) for stage in Stage if stage.is_final)  # asked of every job of the account at a launch
_TIMES = ("CreationTime", "LastModifiedTime", "TrainingStartTime", "TrainingEndTime")
_ECHOED = (
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "CheckpointConfig",
    "VpcConfig",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "Environment",
)
_SUMMARISED = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "TrainingJobStatus",
    "SecondaryStatus",
)


def new_record(arn: str, request: Mapping[str, Any], tags: list[dict[str, str]], now: float) -> Document:
    """A job that has just been asked for. request: CreateTrainingJob's parameters."""
    return {
        "TrainingJobName": request["TrainingJobName"],
        "TrainingJobArn": arn,
        "TrainingJobStatus": Stage.STARTING.status,
        "SecondaryStatus": str(Stage.STARTING),
        "SecondaryStatusTransitions": [
            {"Status": str(Stage.STARTING), "StartTime": now, "StatusMessage": "Starting the training job"}
        ],
        "CreationTime": now,
        "LastModifiedTime": now,
        "Request": {name: value for name, value in request.items() if name != "Tags"},
        "Metrics": {},
        "Tags": tags,
    }


def is_final(record: Document) -> bool:
    return record["SecondaryStatus"] in _FINAL


def reached(
    record: Document, stage: Stage, message: str, now: float, *, failure: str = "", artifact: str = ""
) -> Document:
    """The job in its next stage. What has ended stays as it is; what is being stopped shows no stage but the last."""
    if is_final(record):
        return record
    stopping = record["SecondaryStatus"] == Stage.STOPPING
    if stopping and not stage.is_final:
        return record
    if stopping and stage is Stage.FAILED:
        stage, message, failure = Stage.STOPPED, "Training job stopped", ""
    *earlier, last = record["SecondaryStatusTransitions"]
    if stage == last["Status"]:
        transitions = [*earlier, {**last, "StatusMessage": message}]
    else:
        new = {"Status": str(stage), "StartTime": now, "StatusMessage": message}
        transitions = [*earlier, {**last, "EndTime": now}, new | ({"EndTime": now} if stage.is_final else {})]
    after = {
        **record,
        "TrainingJobStatus": stage.status,
        "SecondaryStatus": str(stage),
        "SecondaryStatusTransitions": transitions,
        "LastModifiedTime": now,
    }
    if stage is Stage.DOWNLOADING and "TrainingStartTime" not in record:  # after an interruption it is there
        after["TrainingStartTime"] = now
    if stage.is_final:
        after["TrainingEndTime"] = now
    if failure:
        after["FailureReason"] = failure
    if artifact:
        after["Artifact"] = artifact
    return after


def measured(record: Document, metric: Metric) -> Document:
    """The job with the latest value of a metric."""
    return {**record, "Metrics": {**record["Metrics"], metric.name: [metric.value, metric.at]}}


def summary(record: Document) -> dict[str, Any]:
    """The job in ListTrainingJobs."""
    return {name: moment(record[name]) if name in _TIMES else record[name] for name in _SUMMARISED if name in record}


def description(record: Document) -> dict[str, Any]:
    """The job in DescribeTrainingJob.

    Training seconds run from TrainingStartTime to TrainingEndTime, download and upload included, rounded up; they are
    billed for each instance. A spot job's are those in which it had capacity, and fewer of them are billed: as many as
    cost the same on demand (see engine.spot). A job that never started has none.
    """
    request = record["Request"]
    told = {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **{name: request[name] for name in _ECHOED if name in request},
        **summary(record),
        "SecondaryStatusTransitions": [_transition(one) for one in record["SecondaryStatusTransitions"]],
        "ProfilerConfig": request.get("ProfilerConfig", {"DisableProfiler": True}),
        "ProfilingStatus": "Disabled",
    }
    if "TrainingStartTime" in record:
        told["TrainingStartTime"] = moment(record["TrainingStartTime"])
        if "TrainingEndTime" in record:
            told |= _seconds(record)
    if "TuningJobArn" in record:
        told["TuningJobArn"] = record["TuningJobArn"]
    if "FailureReason" in record:
        told["FailureReason"] = record["FailureReason"]
    if "Artifact" in record:
        told["ModelArtifacts"] = {"S3ModelArtifacts": record["Artifact"]}
    if record["Metrics"]:
        told["FinalMetricDataList"] = [
            {"MetricName": name, "Value": value, "Timestamp": moment(at)}
            for name, (value, at) in record["Metrics"].items()
        ]
    return told


def _seconds(record: Document) -> dict[str, int]:
    told: dict[str, int] = record.get("Told", {})  # of a training that is replayed (see sagemaker_replay)
    return _counted_seconds(record) | told


def _counted_seconds(record: Document) -> dict[str, int]:
    if not record["Request"].get("EnableManagedSpotTraining"):
        seconds = max(1, math.ceil(record["TrainingEndTime"] - record["TrainingStartTime"]))
        return {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
    held = seconds_in(record, Stage.DOWNLOADING, Stage.TRAINING, Stage.UPLOADING, Stage.STOPPING)
    seconds = max(1, math.ceil(round(held, 3)))
    instance = record["Request"]["ResourceConfig"]["InstanceType"]
    return {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": billable_seconds(seconds, instance)}


def seconds_in(record: Document, *stages: Stage) -> float:
    """How long the job was in these stages, those it has left counted."""
    spans = (
        one["EndTime"] - one["StartTime"]
        for one in record["SecondaryStatusTransitions"]
        if one["Status"] in stages and "EndTime" in one
    )
    return float(sum(spans))


def _transition(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: moment(value) if name in ("StartTime", "EndTime") else value for name, value in one.items()}
