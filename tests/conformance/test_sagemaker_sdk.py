"""The SageMaker Python SDK, unchanged, pointed at the embedded AWS by the variables AWS documents for that."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import BUCKET, ROLE, bucket, endpoint, unique

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

TRAIN = """
import logging, sys, boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig, SourceCode, StoppingCondition
logging.basicConfig(level=logging.INFO)  # the SDK shows the job's log through it
source, bucket, role, name = sys.argv[1:]
trainer = ModelTrainer(
    training_image="kennel/test",
    source_code=SourceCode(source_dir=source, entry_script="train.py"),
    compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
    role=role,
    sagemaker_session=Session(boto3.Session(region_name="us-east-1"), default_bucket=bucket),
    base_job_name=name,
    hyperparameters={"epochs": "2"},
    stopping_condition=StoppingCondition(max_runtime_in_seconds=300),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/sdk/"),
)
data = [InputData(channel_name="training", data_source=f"s3://{bucket}/data/")]
trainer.train(input_data_config=data, wait=True, logs=True)
job = trainer._latest_training_job
print("ENDED", job.training_job_status, job.model_artifacts.s3_model_artifacts)
"""

USER_SCRIPT = """
import argparse, os
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
print("epochs", parser.parse_args().epochs, os.listdir(os.environ["SM_CHANNEL_TRAINING"]))
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.bin"), "w") as file:
    file.write("weights")
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
        "SAGEMAKER_VALIDATE_ROLE": "false",  # it would ask iam:SimulatePrincipalPolicy, which is not there yet
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


def test_the_sdks_trainer_runs_a_persons_script(embedded: Embedded, tmp_path: Path) -> None:
    bucket(embedded)
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(USER_SCRIPT)
    said = run(embedded, tmp_path, TRAIN, str(source), BUCKET, ROLE, unique("sdk"))
    assert "epochs 2 ['a.txt']" in said
    assert "ENDED Completed s3://" in said
    assert said.rstrip().endswith("/output/model.tar.gz")
