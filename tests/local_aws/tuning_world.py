"""Tuning jobs for tests: trainings whose loss is a parabola of x, or that run a shell script."""

import time
from typing import Any

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import BUCKET, IMAGE, ROLE, bucket, channel, client

OBJECTIVE = "valid:loss"
# a loss that is lowest at x = 3, and a model
PARABOLA = """
import argparse, os
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
known, _ = parser.parse_known_args()
open(os.environ["SM_MODEL_DIR"] + "/model.txt", "w").write("weights")
print("loss=%.6f" % (known.x - 3) ** 2)
"""
SHELL = """#!/bin/bash
eval "$SCRIPT"
"""
CONFIG = (
    "Strategy",
    "HyperParameterTuningJobObjective",
    "ParameterRanges",
    "RandomSeed",
    "TuningJobCompletionCriteria",
    "TrainingJobEarlyStoppingType",
)
DEFINITION = ("StaticHyperParameters", "AlgorithmSpecification", "InputDataConfig", "EnableManagedSpotTraining")


def prepare(aws: Embedded) -> None:
    """The code that tuning_request's trainings run."""
    s3, place = client(aws, "s3"), bucket(aws)
    s3.put_object(Bucket=place, Key="tuned/parabola/train.py", Body=PARABOLA.encode())
    s3.put_object(Bucket=place, Key="tuned/shell/train.sh", Body=SHELL.encode())


def tuning_request(
    name: str, *, most: int | None = 3, parallel: int = 2, script: str = "", **changes: Any
) -> dict[str, Any]:
    """CreateHyperParameterTuningJob's parameters for trainings whose loss is a parabola of x, or that run a script.

    changes: members of the tuning job's config, of its TrainingJobDefinition, or of the request, by their names.
    """
    limits = {"MaxNumberOfTrainingJobs": most, "MaxParallelTrainingJobs": parallel}
    config: dict[str, Any] = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": OBJECTIVE},
        "ResourceLimits": {name: value for name, value in limits.items() if value is not None},
        "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "10"}]},
    }
    program = {"sagemaker_program": "train.sh" if script else "train.py"}
    definition: dict[str, Any] = {
        "StaticHyperParameters": {**program, "sagemaker_submit_directory": "/opt/ml/input/data/code"},
        "InputDataConfig": [channel("code", "tuned/shell/" if script else "tuned/parabola/")],
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": OBJECTIVE, "Regex": r"^loss=([0-9.]+)"}],
        },
        "Environment": {"SCRIPT": script},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/runs"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    request: dict[str, Any] = {"HyperParameterTuningJobName": name}
    for member, value in changes.items():
        side = config if member in CONFIG else definition if member in DEFINITION else request
        side[member] = value
    return {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": definition, **request}


def tuned(sagemaker: Any, name: str, seconds: float = 90.0) -> dict[str, Any]:
    """The description of a tuning job that has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found: dict[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if found["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{name} is still {found['HyperParameterTuningJobStatus']}: {found}")


def children(sagemaker: Any, name: str, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, **params
    )["TrainingJobSummaries"]
    return found
