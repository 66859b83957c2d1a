"""A planned launch as code of the SageMaker SDK v3: ModelTrainer, and HyperparameterTuner for a tuning job."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.runs import as_code_package as package
from dashboard.core.runs.code import ENTRYPOINT
from dashboard.core.runs.requests import Call
from dashboard.core.runs.spec import RangeKind, TrainingSpec, Tuning
from dashboard.core.runs.tuning_spec import number
from dashboard.core.showcode import literal

_START = """import os

# The SDK would ask that the role may also make networks and pull from ECR, which this training does not need.
os.environ["SAGEMAKER_VALIDATE_ROLE"] = "false"

"""
_EMBEDDED = """import json
import os
from pathlib import Path

# The embedded AWS writes its address and keys to this file.
client = json.loads(Path({file}).read_text())
os.environ |= {{
    "AWS_ENDPOINT_URL": client["endpoint_url"],
    "AWS_DEFAULT_REGION": client["region"],
    "AWS_ACCESS_KEY_ID": client["access_key_id"],
    "AWS_SECRET_ACCESS_KEY": client["secret_access_key"],
}}
"""


def sdk_text(spec: TrainingSpec, name: str, calls: Sequence[Call], account: Account) -> str:
    """Python that makes the same job, under the SDK's own name for it: `name` and the time."""
    request = calls[-1].parameters
    job = request["TrainingJobDefinition"] if spec.tuning else request
    parts = [_imports(spec, job), _session(account), package.in_python(account), _trainer(spec, name, request, account)]
    if spec.tuning:
        parts.append(_tuner(spec.tuning, name, request))
    else:
        parts += ["trainer.train(wait=False)", "print(trainer._latest_training_job.training_job_name)\n"]
    text = "\n".join(parts)
    if account.is_embedded:
        return _EMBEDDED.format(file=literal(account.client_file)) + _START.removeprefix("import os\n\n") + text
    return _START + text


def _imports(spec: TrainingSpec, job: Mapping[str, Any]) -> str:
    wanted = ["Compute", "InputData", "OutputDataConfig", "StoppingCondition"]
    wanted += ["SourceCode"] if not spec.tuning else []
    wanted += ["CheckpointConfig"] if "CheckpointConfig" in job else []
    wanted += ["Networking"] if "VpcConfig" in job else []
    lines = ["import boto3", "from sagemaker.core.helper.session_helper import Session"]
    if spec.tuning:
        kinds = {RangeKind.CONTINUOUS: "ContinuousParameter", RangeKind.INTEGER: "IntegerParameter",
                 RangeKind.CATEGORICAL: "CategoricalParameter"}  # fmt: skip
        used = sorted({kinds[one.kind] for one in spec.tuning.ranges})
        lines.append(f"from sagemaker.core.parameter import {', '.join(used)}")
    shapes = "Tag" if spec.tuning else "MetricDefinition, Tag"
    lines += [
        f"from sagemaker.core.shapes import {shapes}",
        f"from sagemaker.core.training.configs import {', '.join(sorted(wanted))}",
        "from sagemaker.train import ModelTrainer",
    ]
    if spec.tuning:
        lines.append("from sagemaker.train.tuner import HyperparameterTuner")
    return "\n".join(lines) + "\n"


def _session(account: Account) -> str:
    named = "" if account.is_embedded else f"profile_name={literal(account.name)}, "
    return f'session = boto3.Session({named}region_name="{account.region}")\ns3 = session.client("s3")\n'


def _trainer(spec: TrainingSpec, name: str, request: Mapping[str, Any], account: Account) -> str:
    job = request["TrainingJobDefinition"] if spec.tuning else request
    resources, stopping = job["ResourceConfig"], job["StoppingCondition"]
    compute: dict[str, Any] = {
        "instance_type": resources["InstanceType"],
        "instance_count": resources["InstanceCount"],
        "volume_size_in_gb": resources["VolumeSizeInGB"],
        "volume_kms_key_id": resources.get("VolumeKmsKeyId"),
        "enable_managed_spot_training": job.get("EnableManagedSpotTraining"),
    }
    limits = {
        "max_runtime_in_seconds": stopping["MaxRuntimeInSeconds"],
        "max_wait_time_in_seconds": stopping.get("MaxWaitTimeInSeconds"),
    }
    output = {
        "s3_output_path": job["OutputDataConfig"]["S3OutputPath"],
        "kms_key_id": job["OutputDataConfig"].get("KmsKeyId"),
    }
    hyperparameters = job["StaticHyperParameters"] if spec.tuning else job["HyperParameters"]
    lines = [
        f'    sagemaker_session=Session(session, default_bucket="{account.bucket}"),',
        f'    training_image="{job["AlgorithmSpecification"]["TrainingImage"]}",',
        f'    role="{job["RoleArn"]}",',
        f'    base_job_name="{name}",',
        '    input_s3_key_prefix="code",  # where the role may read what the SDK adds',
    ]
    if not spec.tuning:
        lines.append(f'    source_code=SourceCode(command="{" ".join(ENTRYPOINT)}"),')
    lines += [
        f"    compute={_made('Compute', compute)},",
        f"    stopping_condition={_made('StoppingCondition', limits)},",
        f"    hyperparameters={literal(dict(hyperparameters), 4)},",
        f"    output_data_config={_made('OutputDataConfig', output)},",
    ]
    if "CheckpointConfig" in job:
        kept = {"s3_uri": job["CheckpointConfig"]["S3Uri"], "local_path": job["CheckpointConfig"]["LocalPath"]}
        lines.append(f"    checkpoint_config={_made('CheckpointConfig', kept)},")
    if "VpcConfig" in job:
        network = {"subnets": job["VpcConfig"]["Subnets"], "security_group_ids": job["VpcConfig"]["SecurityGroupIds"]}
        lines.append(f"    networking={_made('Networking', network)},")
    if not spec.tuning:
        lines += ["    input_data_config=[", *_inputs(job), "    ],", "    tags=[", *_tags(request), "    ],"]
    trainer = "\n".join(["trainer = ModelTrainer(", *lines, ")\n"])
    if spec.tuning:
        return trainer
    metrics = [
        f'    MetricDefinition(name="{one["Name"]}", regex=r"{one["Regex"]}"),'
        for one in job["AlgorithmSpecification"]["MetricDefinitions"]
    ]
    return trainer + "\n".join(["trainer.with_metric_definitions([", *metrics, "])\n"])


def _tuner(tuning: Tuning, name: str, request: Mapping[str, Any]) -> str:
    job = request["TrainingJobDefinition"]
    ranges = []
    for one in tuning.ranges:
        if one.kind is RangeKind.CATEGORICAL:
            made = f"CategoricalParameter({literal(list(one.values))})"
        else:
            kind = "IntegerParameter" if one.kind is RangeKind.INTEGER else "ContinuousParameter"
            made = f'{kind}({number(one.low)}, {number(one.high)}, scaling_type="{one.scaling}")'
        ranges.append(f'        "{one.name}": {made},')
    limits = request["HyperParameterTuningJobConfig"]["ResourceLimits"]
    options = {
        "strategy": tuning.strategy,
        "objective_type": tuning.goal,
        "max_jobs": limits.get("MaxNumberOfTrainingJobs"),
        "max_parallel_jobs": limits["MaxParallelTrainingJobs"],
        "early_stopping_type": request["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"],
        "random_seed": tuning.seed,
    }
    metrics = [f"        {literal(dict(one), 8)}," for one in job["AlgorithmSpecification"]["MetricDefinitions"]]
    return "\n".join(
        [
            "tuner = HyperparameterTuner(",
            "    trainer,",
            f'    "{tuning.objective}",',
            "    {",
            *ranges,
            "    },",
            "    metric_definitions=[",
            *metrics,
            "    ],",
            *(f"    {key}={literal(value)}," for key, value in options.items() if value is not None),
            "    tags=[",
            *_tags(request),
            "    ],",
            ")",
            "tuner.tune(",
            "    inputs=[",
            *_inputs(job),
            "    ],",
            f'    job_name="{name}",',
            "    wait=False,",
            ")",
            "print(tuner.latest_tuning_job.hyper_parameter_tuning_job_name)\n",
        ]
    )


def _inputs(job: Mapping[str, Any]) -> list[str]:
    channels = [(one["ChannelName"], one["DataSource"]["S3DataSource"]["S3Uri"]) for one in job["InputDataConfig"]]
    return [f"        InputData(channel_name={literal(name)}, data_source={literal(uri)})," for name, uri in channels]


def _tags(request: Mapping[str, Any]) -> list[str]:
    return [f"        Tag(key={literal(one['Key'])}, value={literal(one['Value'])})," for one in request["Tags"]]


def _made(kind: str, values: Mapping[str, Any]) -> str:
    given = ", ".join(f"{name}={literal(value)}" for name, value in values.items() if value is not None)
    return f"{kind}({given})"
