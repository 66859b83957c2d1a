"""DescribeTrainingJob's answer as a `Run`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dashboard.core.runs.model import Run, RunStatus, Stage


def run_from(answer: Mapping[str, Any], tags: Mapping[str, str]) -> Run:
    """A `Run` from DescribeTrainingJob and the job's tags."""
    resources = answer.get("ResourceConfig", {})
    channels = answer.get("InputDataConfig", [])
    source = channels[0].get("DataSource", {}).get("S3DataSource", {}) if channels else {}
    return Run(
        name=answer["TrainingJobName"],
        status=RunStatus.of(answer.get("TrainingJobStatus", ""), answer.get("SecondaryStatus", "")),
        instance_type=resources.get("InstanceType", ""),
        instance_count=int(resources.get("InstanceCount", 1)),
        created=answer["CreationTime"],
        started=answer.get("TrainingStartTime"),
        ended=answer.get("TrainingEndTime"),
        modified=answer.get("LastModifiedTime"),
        training_seconds=answer.get("TrainingTimeInSeconds"),
        billable_seconds=answer.get("BillableTimeInSeconds"),
        max_seconds=answer.get("StoppingCondition", {}).get("MaxRuntimeInSeconds"),
        hyperparameters=dict(answer.get("HyperParameters", {})),
        metrics=_latest(answer.get("FinalMetricDataList", [])),
        dataset_uri=source.get("S3Uri", ""),
        output_uri=answer.get("OutputDataConfig", {}).get("S3OutputPath", ""),
        artifact_uri=answer.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
        failure=answer.get("FailureReason", ""),
        stages=stages(answer.get("SecondaryStatusTransitions", [])),
        tags=dict(tags),
        role=answer.get("RoleArn", ""),
        image=answer.get("AlgorithmSpecification", {}).get("TrainingImage", ""),
        arn=answer.get("TrainingJobArn", ""),
    )


def stages(transitions: list[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """The stages in the order in which they began; the last one of an active run has no end."""
    in_order = sorted(transitions, key=lambda one: one["StartTime"])
    return tuple(
        Stage(one["Status"], one["StartTime"], one.get("EndTime"), one.get("StatusMessage", "")) for one in in_order
    )


def _latest(metrics: list[Mapping[str, Any]]) -> dict[str, float]:
    """The newest value of each metric."""

    def moment(metric: Mapping[str, Any]) -> float:
        at = metric.get("Timestamp")
        return at.timestamp() if isinstance(at, datetime) else 0.0

    return {m["MetricName"]: float(m["Value"]) for m in sorted(metrics, key=moment)}
