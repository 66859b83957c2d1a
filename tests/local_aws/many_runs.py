"""An account with many training jobs, written straight into a state folder before its server starts.

    fill(state, 10_000, until=time.time())

The records are those that the service itself writes, stage by stage, so that every page of every listing holds jobs
as real ones are: completed, failed, stopped, spot, with metrics, tags and artifacts.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_aws.engine.job import Stage
from local_aws.engine.metrics import Metric
from local_aws.services import sagemaker_job_record as record
from local_aws.services.sagemaker_resources import Document
from local_aws.store import Store

REGION = "us-east-1"
ACCOUNT = "123456789012"
BUCKET = "many-runs"
TYPES = ("ml.m5.large", "ml.m5.xlarge", "ml.c5.2xlarge", "ml.g4dn.xlarge")
METRICS = (
    {"Name": "train:loss", "Regex": r"train_loss=([0-9.]+)"},
    {"Name": "valid:loss", "Regex": r"valid_loss=([0-9.]+)"},
    {"Name": "valid:accuracy", "Regex": r"valid_accuracy=([0-9.]+)"},
)


def fill(state: Path, count: int = 10_000, *, until: float, days: float = 30.0, seed: int = 7) -> list[str]:
    """Write `count` ended training jobs that were created in the `days` before `until` (epoch seconds).

    Returns their names, oldest first. The same arguments write the same jobs.
    """
    made = list(documents(count, until=until, days=days, seed=seed))
    store = Store(state)
    with store.transaction() as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO documents VALUES ('sagemaker/training-job', ?, ?)",
            [(one["TrainingJobArn"], json.dumps(one)) for one in made],
        )
    store.close()
    return [one["TrainingJobName"] for one in made]


def documents(count: int, *, until: float, days: float, seed: int) -> Iterator[Document]:
    """The jobs' records, oldest first, evenly spread over the days."""
    chance = random.Random(seed)
    step = days * 86_400 / count
    for number in range(count):
        yield _job(number, round(until - (count - number) * step, 3), chance)


def _job(number: int, created: float, chance: random.Random) -> Document:
    name = f"kennel-many-{number:05d}"
    spot = chance.random() < 0.3
    request: dict[str, Any] = {
        "TrainingJobName": name,
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/KennelTraining",
        "AlgorithmSpecification": {
            "TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.10-cpu-py312",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "/opt/ml/input/data/code/start.sh"],
            "MetricDefinitions": list(METRICS),
        },
        "InputDataConfig": [_channel("training", "data/dogs/"), _channel("code", "code/training/")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/runs"},
        "ResourceConfig": {
            "InstanceType": chance.choice(TYPES),
            "InstanceCount": chance.choice((1, 1, 1, 2)),
            "VolumeSizeInGB": 30,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600} | ({"MaxWaitTimeInSeconds": 7200} if spot else {}),
        "EnableManagedSpotTraining": spot,
        "HyperParameters": {
            "learning_rate": f"{10 ** chance.uniform(-4, -1):.5g}",
            "batch_size": str(chance.choice((16, 32, 64))),
            "epochs": str(chance.randint(1, 20)),
        },
    }
    tags = {
        "kennel:made-by": "kennel",
        "kennel:token": f"{number:032x}",
        "project": chance.choice(("dogs", "cats", "birds")),
        "owner": chance.choice(("ada", "grace", "linus")),
    }
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}"
    one = record.new_record(arn, request, [{"Key": key, "Value": value} for key, value in tags.items()], created)
    at = created
    for stage in (Stage.DOWNLOADING, Stage.TRAINING):
        at = round(at + chance.uniform(1, 20), 3)
        one = record.reached(one, stage, str(stage), at)
    at = round(at + chance.uniform(30, 1200), 3)
    for definition in METRICS:
        one = record.measured(one, Metric(definition["Name"], round(chance.random(), 4), at))
    fate = chance.random()
    if fate < 0.06:
        reason = "AlgorithmError: the loss is not a number, exit code: 1"
        return record.reached(one, Stage.FAILED, reason, at, failure=reason)
    if fate < 0.1:
        return record.reached(one, Stage.STOPPED, "Training job stopped", at)
    one = record.reached(one, Stage.UPLOADING, "Uploading generated training model", at)
    artifact = f"s3://{BUCKET}/runs/{name}/output/model.tar.gz"
    return record.reached(one, Stage.COMPLETED, "Training job completed", round(at + 2, 3), artifact=artifact)


def _channel(name: str, key: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{key}", "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


if __name__ == "__main__":  # python -m tests.local_aws.many_runs STATE_FOLDER [COUNT]
    made = fill(Path(sys.argv[1]), int((*sys.argv[2:], "10000")[0]), until=time.time())
    print(f"{len(made)} training jobs, {made[0]} to {made[-1]}")
