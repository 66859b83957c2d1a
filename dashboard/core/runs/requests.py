"""The requests that start a training or a tuning job on SageMaker, as AWS takes them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account
from dashboard.core.runs.code import CHANNEL, ENTRYPOINT
from dashboard.core.runs.images import training_image
from dashboard.core.runs.spec import RangeKind, TrainingSpec, Tuning
from dashboard.core.runs.tuning_spec import number
from training.metrics import METRIC_DEFINITIONS

ROLE = "KennelTraining"
CHECKPOINTS = "/opt/ml/checkpoints"


@dataclass(frozen=True)
class Call:
    """One AWS operation with its parameters."""

    service: str
    operation: str
    parameters: Mapping[str, Any]


def training_request(
    spec: TrainingSpec, name: str, account: Account, marks: Mapping[str, str], code: str
) -> dict[str, Any]:
    """CreateTrainingJob's parameters. `code`: the folder of the code channel; `marks`: the job's tags."""
    return {
        "TrainingJobName": name,
        "RoleArn": account.role_arn(ROLE),
        "AlgorithmSpecification": _algorithm(spec, account.region) | {"ContainerEntrypoint": list(ENTRYPOINT)},
        "HyperParameters": spec.hyperparameters,
        **_shared(spec, name, account, code),
        "Tags": tags.listed(marks),
    }


def tuning_request(
    spec: TrainingSpec, tuning: Tuning, name: str, account: Account, marks: Mapping[str, str], code: str
) -> dict[str, Any]:
    """CreateHyperParameterTuningJob's parameters. Its trainings get the image's own way to start a script.

    A tuning job takes no entry point; AWS's PyTorch image reads the two `sagemaker_` hyperparameters instead
    (sagemaker-training toolkit), and the training leaves them alone.
    """
    start = {"sagemaker_program": ENTRYPOINT[-1].rsplit("/", 1)[-1],
             "sagemaker_submit_directory": ENTRYPOINT[-1].rsplit("/", 1)[0]}  # fmt: skip
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": tuning.strategy,
            "HyperParameterTuningJobObjective": {"Type": tuning.goal, "MetricName": tuning.objective},
            "ResourceLimits": {
                # Grid counts its combinations itself and takes no number.
                **({} if tuning.strategy == "Grid" else {"MaxNumberOfTrainingJobs": tuning.max_jobs}),
                "MaxParallelTrainingJobs": min(tuning.parallel, tuning.jobs),
            },
            "ParameterRanges": _ranges(tuning),
            "TrainingJobEarlyStoppingType": "Auto" if tuning.early_stopping else "Off",
            **({"RandomSeed": tuning.seed} if tuning.seed is not None else {}),
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": spec.hyperparameters | start,
            "AlgorithmSpecification": _algorithm(spec, account.region),
            "RoleArn": account.role_arn(ROLE),
            **_shared(spec, name, account, code),
        },
        "Tags": tags.listed(marks),
    }


def checkpoint_folder(spec: TrainingSpec, name: str, account: Account) -> str:
    """Where a run keeps its checkpoints in S3: its own folder, or that of the run it goes on from."""
    return spec.resume_from or f"s3://{account.bucket}/checkpoints/{name}/"


def _algorithm(spec: TrainingSpec, region: str) -> dict[str, Any]:
    return {
        "TrainingImage": training_image(region, spec.instance_type),
        "TrainingInputMode": "File",
        "MetricDefinitions": [dict(definition) for definition in METRIC_DEFINITIONS],
    }


def _shared(spec: TrainingSpec, name: str, account: Account, code: str) -> dict[str, Any]:
    """What CreateTrainingJob and a tuning job's TrainingJobDefinition have in common."""
    key = spec.kms_key
    request: dict[str, Any] = {
        "InputDataConfig": [_channel("training", spec.dataset_uri), _channel(CHANNEL, code)],
        "OutputDataConfig": {"S3OutputPath": f"s3://{account.bucket}/runs/", **({"KmsKeyId": key} if key else {})},
        "ResourceConfig": {
            "InstanceType": spec.instance_type,
            "InstanceCount": spec.instance_count,
            "VolumeSizeInGB": spec.volume_gb,
            **({"VolumeKmsKeyId": key} if key else {}),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": spec.max_seconds},
    }
    if spec.is_spot:
        request["EnableManagedSpotTraining"] = True
        request["StoppingCondition"]["MaxWaitTimeInSeconds"] = spec.wait_seconds
    # A tuning job's trainings each get a folder of their own below this one.
    if spec.is_spot or spec.resume_from:
        request["CheckpointConfig"] = {"S3Uri": checkpoint_folder(spec, name, account), "LocalPath": CHECKPOINTS}
    if spec.subnets:
        request["VpcConfig"] = {"Subnets": list(spec.subnets), "SecurityGroupIds": list(spec.security_groups)}
    return request


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _ranges(tuning: Tuning) -> dict[str, Any]:
    def numbers(kind: RangeKind) -> list[dict[str, str]]:
        return [
            {"Name": one.name, "MinValue": number(one.low), "MaxValue": number(one.high), "ScalingType": one.scaling}
            for one in tuning.ranges
            if one.kind is kind
        ]

    categories: Sequence[dict[str, Any]] = [
        {"Name": one.name, "Values": list(one.values)} for one in tuning.ranges if one.kind is RangeKind.CATEGORICAL
    ]
    found = {
        "ContinuousParameterRanges": numbers(RangeKind.CONTINUOUS),
        "IntegerParameterRanges": numbers(RangeKind.INTEGER),
        "CategoricalParameterRanges": categories,
    }
    return {name: ranges for name, ranges in found.items() if ranges}
