"""What a CreateHyperParameterTuningJob request asks for, checked: the search, its limits, and the jobs it launches."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from local_aws.engine.container import TUNING_OBJECTIVE
from local_aws.engine.tuner_ranges import Kind, RangeError, combinations, read_ranges
from local_aws.engine.tuner_strategy import Search, Strategy
from local_aws.errors import ServiceError
from local_aws.services.sagemaker_refusals import Refusal, other_than, refuse

MOST_RANGES = 30
DEFAULT_DEFINITION = "training-job-definition"

_DEFINITION = "TrainingJobDefinition"
_CONFIG = "HyperParameterTuningJobConfig"
TUNING = (
    Refusal("TrainingJobDefinitions", "tuning jobs with several training job definitions"),
    Refusal("WarmStartConfig", "warm starts of tuning jobs"),
    Refusal("Autotune", "autotune"),
    Refusal(f"{_CONFIG}.Strategy", "the Hyperband strategy", lambda value: value == Strategy.HYPERBAND),
    Refusal(f"{_CONFIG}.StrategyConfig", "the Hyperband strategy"),
    Refusal(f"{_CONFIG}.ParameterRanges.AutoParameters", "autotune"),
    Refusal(
        f"{_CONFIG}.TuningJobCompletionCriteria.ConvergenceDetected.CompleteOnConvergence",
        "the detection of convergence",
        other_than("Disabled"),
    ),
    Refusal(f"{_DEFINITION}.TuningObjective", "an objective for each training job definition"),
    Refusal(f"{_DEFINITION}.HyperParameterRanges", "ranges for each training job definition"),
    Refusal(f"{_DEFINITION}.HyperParameterTuningResourceConfig", "a choice of instance types"),
    Refusal(f"{_DEFINITION}.AlgorithmSpecification.AlgorithmName", "algorithm resources"),
)

_SHARED = (
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "RetryStrategy",
    "Environment",
)  # members of a training job definition that CreateTrainingJob has as well


@dataclass(frozen=True)
class Plan:
    """A tuning job, as asked for.

    most, parallel: training jobs in all and at once; seconds: the longest it may take, None for no limit; target: the
    objective that is good enough; patience: jobs without an improvement after which it ends.
    """

    search: Search
    objective: str
    parallel: int
    seconds: int | None
    stops_early: bool
    target: float | None
    patience: int | None
    definition: Mapping[str, Any]

    @property
    def most(self) -> int:
        return self.search.most

    @property
    def definition_name(self) -> str:
        return str(self.definition.get("DefinitionName", DEFAULT_DEFINITION))

    def is_better(self, value: float, than: float | None) -> bool:
        return than is None or (value < than if self.search.minimize else value > than)

    def reaches_target(self, value: float) -> bool:
        return self.target is not None and (value == self.target or self.is_better(value, self.target))

    @classmethod
    def of(cls, request: Mapping[str, Any], arn: str) -> "Plan":
        """From CreateHyperParameterTuningJob's parameters. Raises ServiceError ValidationException."""
        refuse(request, TUNING)
        config = request[_CONFIG]
        definition = request.get(_DEFINITION) or _wrong(f"The tuning job needs a {_DEFINITION}.")
        objective = config.get("HyperParameterTuningJobObjective") or _wrong("The tuning job needs an objective.")
        limits, criteria = config["ResourceLimits"], config.get("TuningJobCompletionCriteria", {})
        plan = cls(
            search=_search(config, definition, objective["Type"] == "Minimize", arn),
            objective=objective["MetricName"],
            parallel=limits["MaxParallelTrainingJobs"],
            seconds=limits.get("MaxRuntimeInSeconds"),
            stops_early=config.get("TrainingJobEarlyStoppingType", "Off") == "Auto",
            target=criteria.get("TargetObjectiveMetricValue"),
            patience=criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving"),
            definition=definition,
        )
        defined = [one["Name"] for one in definition["AlgorithmSpecification"].get("MetricDefinitions", ())]
        if plan.objective not in defined:
            _wrong(
                "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
                f"definitions: {plan.objective} is not one of {', '.join(defined) or 'none'}."
            )
        return plan

    def training_job(self, name: str, parameters: Mapping[str, str], tags: list[dict[str, str]]) -> dict[str, Any]:
        """CreateTrainingJob's parameters for the training job of that name.

        Its checkpoints get a folder of its own, so that no training goes on from another one's.
        """
        definition = self.definition
        static = definition.get("StaticHyperParameters", {})
        wanted = {
            "TrainingJobName": name,
            "AlgorithmSpecification": definition["AlgorithmSpecification"],
            "HyperParameters": {**static, **parameters, TUNING_OBJECTIVE: self.objective},
            "Tags": tags,
            **{member: definition[member] for member in _SHARED if member in definition},
        }
        if "CheckpointConfig" in wanted:
            checkpoints = wanted["CheckpointConfig"]
            wanted["CheckpointConfig"] = {**checkpoints, "S3Uri": f"{checkpoints['S3Uri'].rstrip('/')}/{name}/"}
        return wanted


def _search(config: Mapping[str, Any], definition: Mapping[str, Any], minimize: bool, arn: str) -> Search:
    try:
        ranges = read_ranges(config.get("ParameterRanges", {}))
    except RangeError as wrong:
        _wrong(str(wrong))
    if not ranges:
        _wrong("The tuning job needs at least one hyperparameter range (ParameterRanges).")
    if len(ranges) > MOST_RANGES:
        _wrong(f"A tuning job can search {MOST_RANGES} hyperparameters, not {len(ranges)}.")
    for one in ranges:
        if one.name in definition.get("StaticHyperParameters", {}) or one.name == TUNING_OBJECTIVE:
            _wrong(f"The hyperparameter {one.name} has a range and a static value. Give it only one of the two.")
    strategy = Strategy(config["Strategy"])
    most = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if strategy is Strategy.GRID:
        points = combinations(ranges)
        if any(one.kind is not Kind.CATEGORICAL for one in ranges):
            _wrong("The Grid strategy supports only categorical hyperparameter ranges (CategoricalParameterRanges).")
        if most not in (None, points):
            _wrong(
                f"MaxNumberOfTrainingJobs must be the number of combinations of the grid ({points}), or be left out; "
                f"it is {most}."
            )
        most = points
    if most is None:
        _wrong(f"ResourceLimits needs MaxNumberOfTrainingJobs with the {strategy} strategy.")
    seed = config.get("RandomSeed", zlib.crc32(arn.encode()))
    return Search(strategy, ranges, minimize, most, seed)


def _wrong(sentence: str) -> NoReturn:
    raise ServiceError("ValidationException", sentence)
