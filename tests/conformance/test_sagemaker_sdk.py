"""The SageMaker Python SDK, unchanged, pointed at the embedded AWS by the variables AWS documents for that."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import BUCKET, ROLE, bucket, client, endpoint, log_lines, role, unique

ASKED = ("s3", "sagemaker", "logs", "cloudwatch", "ecr", "ec2")  # services of which the SDK wants the role to do things
# the SDK reports its use to AWS unless told not to; nothing leaves this machine in a test
SDK_SETTINGS = """
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""

READ_AND_INVOKE = """
import sys, boto3
from sagemaker.core.resources import Endpoint, TrainingJob
session = boto3.Session(region_name="us-east-1")
endpoint = Endpoint.get(sys.argv[1], session=session, region="us-east-1")
endpoint.wait_for_status("InService", poll=1)
print(endpoint.endpoint_status, endpoint.production_variants[0].current_instance_count)
print(endpoint.invoke(body=b"sleep 0", content_type="image/jpeg").body.read())
print(all(job.training_job_status for job in TrainingJob.get_all(session=session, region="us-east-1")))
"""

TRAINER = """
import logging, sys, boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.shapes import Tag
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import (
    CheckpointConfig, Compute, InputData, OutputDataConfig, SourceCode, StoppingCondition,
)
from sagemaker.train.distributed import Torchrun
logging.basicConfig(level=logging.INFO)  # the SDK shows the job's log through it
source, bucket, role, name = sys.argv[1:]

def trainer(name, script, stopping=StoppingCondition(max_runtime_in_seconds=300), compute={}, **more):
    return ModelTrainer(
        training_image="kennel/test",
        source_code=SourceCode(source_dir=source, entry_script=script),
        compute=Compute(**{"instance_type": "ml.m5.large", "instance_count": 1, "volume_size_in_gb": 5, **compute}),
        role=role,
        sagemaker_session=Session(boto3.Session(region_name="us-east-1"), default_bucket=bucket),
        base_job_name=name,
        stopping_condition=stopping,
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/sdk/"),
        **more,
    )

data = [InputData(channel_name="training", data_source=f"s3://{bucket}/data/")]
"""

TRAIN = """
one = trainer(name, "train.py", hyperparameters={"epochs": "2"})
one.train(input_data_config=data, wait=True, logs=True)
job = one._latest_training_job
print("ENDED", job.training_job_status, job.model_artifacts.s3_model_artifacts)
"""

TRAIN_ON_TWO = """
two = trainer(name, "joined.py", compute={"instance_count": 2}, distributed=Torchrun(process_count_per_node=1))
two.train(input_data_config=data, wait=True, logs=True)
print("ENDED", two._latest_training_job.training_job_status)
"""

TRAIN_ON_SPOT = """
spot = trainer(
    name,
    "resumed.py",
    compute={"enable_managed_spot_training": True},
    stopping=StoppingCondition(max_runtime_in_seconds=300, max_wait_time_in_seconds=600),
    checkpoint_config=CheckpointConfig(s3_uri=f"s3://{bucket}/kept/{name}", local_path="/opt/ml/checkpoints"),
    tags=[Tag(key="kennel:interrupt-after", value="1")],
)
spot.train(input_data_config=data, wait=True, logs=False)
job = spot._latest_training_job
stages = [one.status for one in job.secondary_status_transitions]
print("STAGES", *stages)
print("ENDED", job.training_job_status, job.billable_time_in_seconds < job.training_time_in_seconds)
"""

TUNE = """
from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter
from sagemaker.train.tuner import HyperparameterTuner
tuner = HyperparameterTuner(
    trainer(name, "parabola.py", hyperparameters={"epochs": "2"}),
    objective_metric_name="loss",
    objective_type="Minimize",
    metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
    hyperparameter_ranges={"x": ContinuousParameter(0.0, 10.0), "kind": CategoricalParameter(["a", "b"])},
    max_jobs=3,
    max_parallel_jobs=2,
    early_stopping_type="Auto",
    base_tuning_job_name=name,
)
tuner.tune(inputs=data, wait=True)
told = tuner.latest_tuning_job.refresh()
counts = told.training_job_status_counters
print("ENDED", told.hyper_parameter_tuning_job_status, counts.completed + counts.stopped)  # stopped: early
print("BEST", tuner.best_training_job(), told.best_training_job.final_hyper_parameter_tuning_job_objective_metric.value)
"""

USER_SCRIPT = """
import argparse, os
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
print("epochs", parser.parse_args().epochs, os.listdir(os.environ["SM_CHANNEL_TRAINING"]))
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.bin"), "w") as file:
    file.write("weights")
"""

JOINED_SCRIPT = """
import os, torch, torch.distributed as dist
dist.init_process_group("gloo")
mine = torch.tensor([float(dist.get_rank() + 1)])
dist.all_reduce(mine)
print(f"host {os.environ['SM_CURRENT_HOST']} of {dist.get_world_size()}: sum {mine.item():.0f}", flush=True)
dist.destroy_process_group()
"""

RESUMED_SCRIPT = """
import pathlib, sys, time
checkpoint = pathlib.Path("/opt/ml/checkpoints/epoch")
if checkpoint.exists():
    print("went on from epoch", checkpoint.read_text())
    sys.exit()
checkpoint.write_text("7")
time.sleep(100)
"""

PARABOLA_SCRIPT = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, required=True)
parser.add_argument("--x", type=float, required=True)
parser.add_argument("--kind", required=True)
given = parser.parse_args()
print("loss=%.4f" % ((given.x - 3) ** 2 + (given.kind == "a")))
"""


def run(aws: Embedded, folder: Path, script: str, *arguments: str) -> str:
    """The output of a script that knows the embedded AWS by its environment alone."""
    settings = folder / "settings.yaml"
    settings.write_text(SDK_SETTINGS)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        "AWS_DEFAULT_REGION": aws.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(settings),
    }
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def test_the_sdks_resources_read_and_invoke(embedded: Embedded, tmp_path: Path) -> None:
    bucket(embedded)
    with endpoint(embedded, tmp_path / "package") as name:
        assert run(embedded, tmp_path, READ_AND_INVOKE, name).splitlines()[-3:] == ["InService 1", "b'awake'", "True"]


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A folder of training scripts."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name, script in (
        ("train.py", USER_SCRIPT),
        ("joined.py", JOINED_SCRIPT),
        ("resumed.py", RESUMED_SCRIPT),
        ("parabola.py", PARABOLA_SCRIPT),
    ):
        (folder / name).write_text(script)
    return str(folder)


@pytest.fixture
def role_arn(embedded: Embedded) -> str:
    """A role that may do what the SDK asks IAM about before it trains."""
    bucket(embedded)
    name = role(embedded).rpartition("/")[2]
    allowed = {"Effect": "Allow", "Action": [f"{service}:*" for service in ASKED], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    client(embedded, "iam").put_role_policy(RoleName=name, PolicyName="training", PolicyDocument=document)
    return ROLE


def test_the_sdks_trainer_runs_a_persons_script(embedded: Embedded, tmp_path: Path, source: str, role_arn: str) -> None:
    said = run(embedded, tmp_path, TRAINER + TRAIN, source, BUCKET, role_arn, unique("sdk"))
    assert "epochs 2 ['a.txt']" in said
    assert "ENDED Completed s3://" in said
    assert said.rstrip().endswith("/output/model.tar.gz")


def test_the_sdk_is_told_what_the_role_may_not_do(embedded: Embedded, tmp_path: Path, source: str) -> None:
    """Its question before a training, iam:SimulatePrincipalPolicy, is answered by the role's real policies."""
    bucket(embedded)
    arn = role(embedded, "MayNothing")
    with pytest.raises(AssertionError, match="MayNothing"):
        run(embedded, tmp_path, TRAINER + TRAIN, source, BUCKET, arn, unique("sdk"))
    assert client(embedded, "sagemaker").list_training_jobs(NameContains="MayNothing")["TrainingJobSummaries"] == []


def test_the_sdks_torchrun_joins_two_instances(embedded: Embedded, tmp_path: Path, source: str, role_arn: str) -> None:
    said = run(embedded, tmp_path, TRAINER + TRAIN_ON_TWO, source, BUCKET, role_arn, unique("sdk"))
    assert {"host algo-1 of 2: sum 3", "host algo-2 of 2: sum 3"} <= set(
        re.findall(r"host algo-\d of \d: sum \d", said)
    )
    assert said.rstrip().endswith("ENDED Completed")


def test_the_sdks_spot_training_goes_on_after_an_interruption(
    embedded: Embedded, tmp_path: Path, source: str, role_arn: str
) -> None:
    name = unique("sdk")
    said = run(embedded, tmp_path, TRAINER + TRAIN_ON_SPOT, source, BUCKET, role_arn, name)
    assert said.rstrip().endswith("ENDED Completed True")
    assert "Interrupted" in said[said.index("STAGES") :]
    (job,) = client(embedded, "sagemaker").list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    lines = log_lines(client(embedded, "logs"), "/aws/sagemaker/TrainingJobs", job["TrainingJobName"])
    assert "went on from epoch 7" in lines


def test_the_sdks_tuner_finds_the_best(embedded: Embedded, tmp_path: Path, source: str, role_arn: str) -> None:
    said = run(embedded, tmp_path, TRAINER + TUNE, source, BUCKET, role_arn, unique("sdk"))
    assert "ENDED Completed 3" in said
    found = re.search(r"BEST (\S+) ([0-9.]+)", said)
    assert found, said
    sagemaker = client(embedded, "sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=found[1])
    values = job["HyperParameters"]
    assert float(found[2]) == pytest.approx(
        (float(values["x"]) - 3) ** 2 + (values["kind"].strip('"') == "a"), abs=1e-3
    )
    assert values["_tuning_objective_metric"].strip('"') == "loss"
