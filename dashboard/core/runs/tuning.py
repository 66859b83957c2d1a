"""SageMaker's tuning jobs as `Run`s, with their trials and the best of them."""

from collections.abc import Mapping
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import NotFound
from dashboard.core.runs.describe import run_from, settings
from dashboard.core.runs.model import Run, RunKind, RunStatus, TuningFacts
from dashboard.core.runs.tuning_spec import Range, RangeKind, Tuning

NUMBERS = {"ContinuousParameterRanges": RangeKind.CONTINUOUS, "IntegerParameterRanges": RangeKind.INTEGER}
CHILDREN_PAGES = 10
"""100 trials each: SageMaker's own limit is 500 trials a job, 750 on request."""


def get_tuning(aws: Aws, name: str) -> Run:
    """One tuning job as it is now, with the keys of its trials. Raises NotFound and the errors of `Aws.call`."""
    try:
        answer = aws.call("sagemaker", "DescribeHyperParameterTuningJob", HyperParameterTuningJobName=name)
    except NotFound as missing:
        raise NotFound(
            f"there is no tuning job named {name}",
            "this account has none of that name in this region",
            "choose one under All runs",
        ) from missing
    pages = aws.pages(
        "sagemaker",
        "ListTrainingJobsForHyperParameterTuningJob",
        limit=CHILDREN_PAGES,
        HyperParameterTuningJobName=name,
        SortBy="CreationTime",
        SortOrder="Ascending",
        PaginationConfig={"PageSize": 100},
    )
    children = tuple(one["TrainingJobName"] for page in pages for one in page["TrainingJobSummaries"])
    return tuning_from(answer, tags.of_run(aws, answer["HyperParameterTuningJobArn"]), children)


def tuning_from(answer: Mapping[str, Any], marked: Mapping[str, str], children: tuple[str, ...] = ()) -> Run:
    """A `Run` from DescribeHyperParameterTuningJob's answer, or Search's record, and the job's tags.

    Its instances, data and limits are those that each of its trials gets.
    """
    config = answer.get("HyperParameterTuningJobConfig", {})
    several = answer.get("TrainingJobDefinitions") or [{}]
    definition: Mapping[str, Any] = answer.get("TrainingJobDefinition") or several[0]
    best = answer.get("BestTrainingJob") or answer.get("OverallBestTrainingJob") or {}
    objective = config.get("HyperParameterTuningJobObjective") or definition.get("TuningObjective") or {}
    limits = config.get("ResourceLimits", {})
    # Each trial is made of the definition: what it says in the words of a training job is read as one.
    trial = run_from(
        {
            "TrainingJobName": answer["HyperParameterTuningJobName"],
            "CreationTime": answer["CreationTime"],
            "ResourceConfig": _resources(definition),
            **{
                name: definition[name]
                for name in ("InputDataConfig", "OutputDataConfig", "StoppingCondition", "RoleArn", "CheckpointConfig",
                             "EnableManagedSpotTraining", "AlgorithmSpecification", "VpcConfig")
                if name in definition
            },
        },
        marked,
    )  # fmt: skip
    value = best.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value")
    ranges = _ranges(config.get("ParameterRanges") or definition.get("HyperParameterRanges") or {})
    seed = config.get("RandomSeed")
    search = Tuning(
        ranges=ranges,
        strategy=config.get("Strategy", ""),
        objective=objective.get("MetricName", ""),
        goal=objective.get("Type", ""),
        max_jobs=int(limits.get("MaxNumberOfTrainingJobs", 0)),
        parallel=int(limits.get("MaxParallelTrainingJobs", 0)),
        early_stopping=config.get("TrainingJobEarlyStoppingType") == "Auto",
        seed=None if seed is None else int(seed),
    )
    facts = TuningFacts(
        strategy=search.strategy,
        objective=search.objective,
        goal=search.goal,
        max_jobs=search.max_jobs,
        parallel=search.parallel,
        counts=dict(answer.get("TrainingJobStatusCounters", {})),
        best_key=best.get("TrainingJobName", ""),
        best_value=None if value is None else float(value),
        best_hyperparameters=dict(best.get("TunedHyperParameters", {})),
        ranges=tuple((one.name, one.text) for one in ranges),
        early_stopping=search.early_stopping,
        children=children,
        search=search,
    )
    return Run(
        name=trial.name,
        status=RunStatus.of_tuning(answer.get("HyperParameterTuningJobStatus", "")),
        instance_type=trial.instance_type,
        instance_count=trial.instance_count,
        created=trial.created,
        started=trial.created,
        ended=answer.get("HyperParameterTuningEndTime"),
        modified=answer.get("LastModifiedTime"),
        max_seconds=limits.get("MaxRuntimeInSeconds") or trial.max_seconds,
        max_wait_seconds=trial.max_wait_seconds,
        hyperparameters=settings(definition.get("StaticHyperParameters", {})),
        metrics={} if facts.best_value is None else {facts.objective: facts.best_value},
        dataset_uri=trial.dataset_uri,
        output_uri=trial.output_uri,
        failure=answer.get("FailureReason", ""),
        tags=trial.tags,
        role=trial.role,
        image=trial.image,
        arn=answer.get("HyperParameterTuningJobArn", ""),
        kind=RunKind.TUNING,
        capacity=trial.capacity,
        tuning=facts,
        checkpoint_uri=trial.checkpoint_uri,
        code_uri=trial.code_uri,
        volume_gb=trial.volume_gb,
        subnets=trial.subnets,
        security_groups=trial.security_groups,
        kms_key=trial.kms_key,
    )


def _resources(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """ResourceConfig, or the first of HyperParameterTuningResourceConfig, which names several to fall back on."""
    found: Mapping[str, Any] = definition.get("ResourceConfig") or {}
    if found:
        return found
    tuned: Mapping[str, Any] = definition.get("HyperParameterTuningResourceConfig", {})
    several = tuned.get("InstanceConfigs") or []
    return several[0] if several else tuned


def _ranges(told: Mapping[str, Any]) -> tuple[Range, ...]:
    found = [
        Range(one["Name"], kind, float(one["MinValue"]), float(one["MaxValue"]), one.get("ScalingType", "Auto"))
        for group, kind in NUMBERS.items()
        for one in told.get(group, [])
    ]
    found += [
        Range(one["Name"], RangeKind.CATEGORICAL, values=tuple(one["Values"]))
        for one in told.get("CategoricalParameterRanges", [])
    ]
    return tuple(found)
