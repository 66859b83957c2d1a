"""SageMaker's records of training jobs as `Run`s: DescribeTrainingJob's answers and Search's."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from sys import intern
from typing import Any

from dashboard.core.runs.model import Capacity, Run, RunStatus, Stage

DATA_CHANNELS = ("training", "train")
CODE_CHANNEL = "code"


def run_from(answer: Mapping[str, Any], tags: Mapping[str, str]) -> Run:
    """A `Run` from DescribeTrainingJob's answer, or Search's record, and the job's tags.

    What thousands of jobs have in common is kept once: an account's runs are all held in memory.
    """
    resources = answer.get("ResourceConfig", {})
    instance_type, instance_count = _instances(resources)
    channels = {one.get("ChannelName", ""): _source(one) for one in answer.get("InputDataConfig", [])}
    spot = bool(answer.get("EnableManagedSpotTraining"))
    limits = answer.get("StoppingCondition", {})
    network = answer.get("VpcConfig", {})
    return Run(
        name=answer["TrainingJobName"],
        status=RunStatus.of(answer.get("TrainingJobStatus", ""), answer.get("SecondaryStatus", "")),
        instance_type=instance_type,
        instance_count=instance_count,
        created=answer["CreationTime"],
        started=answer.get("TrainingStartTime"),
        ended=answer.get("TrainingEndTime"),
        modified=answer.get("LastModifiedTime"),
        training_seconds=answer.get("TrainingTimeInSeconds"),
        billable_seconds=answer.get("BillableTimeInSeconds"),
        max_seconds=limits.get("MaxRuntimeInSeconds"),
        hyperparameters=settings(answer.get("HyperParameters", {})),
        metrics=_latest(answer.get("FinalMetricDataList", [])),
        dataset_uri=intern(_dataset(channels)),
        output_uri=intern(answer.get("OutputDataConfig", {}).get("S3OutputPath", "")),
        artifact_uri=answer.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
        failure=answer.get("FailureReason", ""),
        stages=stages(answer.get("SecondaryStatusTransitions", [])),
        tags=_kept_once(tags),
        role=intern(answer.get("RoleArn", "")),
        image=intern(answer.get("AlgorithmSpecification", {}).get("TrainingImage", "")),
        arn=answer.get("TrainingJobArn", ""),
        capacity=Capacity.SPOT if spot else Capacity.ON_DEMAND,
        parent=intern(answer.get("TuningJobArn", "").rpartition("/")[2]),
        max_wait_seconds=limits.get("MaxWaitTimeInSeconds"),
        checkpoint_uri=answer.get("CheckpointConfig", {}).get("S3Uri", ""),
        code_uri=intern(channels.get(CODE_CHANNEL, "")),
        volume_gb=resources.get("VolumeSizeInGB"),
        subnets=tuple(network.get("Subnets", ())),
        security_groups=tuple(network.get("SecurityGroupIds", ())),
        kms_key=resources.get("VolumeKmsKeyId", ""),
    )


def settings(hyperparameters: Mapping[str, str]) -> dict[str, str]:
    """A job's hyperparameters without SageMaker's own, which say how the script is started and measured."""
    return _kept_once({n: v for n, v in hyperparameters.items() if not n.startswith(("_", "sagemaker_"))})


def stages(transitions: Iterable[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """The stages in the order in which they began; the last one of an active run has no end."""
    in_order = sorted(transitions, key=lambda one: one["StartTime"])
    return tuple(
        Stage(intern(one["Status"]), one["StartTime"], one.get("EndTime"), intern(one.get("StatusMessage", "")))
        for one in in_order
    )


def _instances(resources: Mapping[str, Any]) -> tuple[str, int]:
    """The instance type and how many; of a cluster of several kinds the first type and all instances."""
    groups = resources.get("InstanceGroups") or []
    if groups:
        return intern(groups[0].get("InstanceType", "")), sum(int(one.get("InstanceCount", 1)) for one in groups)
    return intern(resources.get("InstanceType", "")), int(resources.get("InstanceCount", 1))


def _source(channel: Mapping[str, Any]) -> str:
    uri: str = channel.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri", "")
    return uri


def _dataset(channels: Mapping[str, str]) -> str:
    """The data's address: of the channel "training" or "train", else of the first that is not the code."""
    named = next((channels[name] for name in DATA_CHANNELS if name in channels), None)
    return named if named is not None else next((uri for name, uri in channels.items() if name != CODE_CHANNEL), "")


def _kept_once(texts: Mapping[str, str]) -> dict[str, str]:
    return {intern(name): intern(value) for name, value in texts.items()}


def _latest(metrics: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The newest value of each metric."""

    def moment(metric: Mapping[str, Any]) -> float:
        at = metric.get("Timestamp")
        return at.timestamp() if isinstance(at, datetime) else 0.0

    return {intern(m["MetricName"]): float(m["Value"]) for m in sorted(metrics, key=moment)}
