"""The aws command line, unchanged, waits for, describes and lists trainings and tuning jobs."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import bucket, client, training_request, unique
from tests.local_aws.tuning_world import prepare, tuned, tuning_request


class Cli:
    """`aws`, as a person calls it who has set the variables of README."""

    def __init__(self, aws: Embedded, home: Path) -> None:
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
            "AWS_ENDPOINT_URL": aws.endpoint_url,
            "AWS_ACCESS_KEY_ID": aws.access_key_id,
            "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
            "AWS_DEFAULT_REGION": aws.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            "HOME": str(home),
        }

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "awscli", *words],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def __call__(self, *words: str) -> Any:
        """What a command that went well printed, as JSON."""
        done = self.run(*words, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.fixture
def aws(embedded: Embedded, tmp_path: Path) -> Cli:
    bucket(embedded)
    return Cli(embedded, tmp_path)


def test_wait_returns_when_the_training_has_ended(embedded: Embedded, aws: Cli, tmp_path: Path) -> None:
    name, failing = unique("cli"), unique("cli")
    (tmp_path / "job.json").write_text(json.dumps(training_request(name, "sleep 0.5; echo 1 > /opt/ml/model/m")))
    made = aws("sagemaker", "create-training-job", "--cli-input-json", f"file://{tmp_path}/job.json")
    assert made["TrainingJobArn"].endswith(f"/{name}")
    begun = time.monotonic()
    while client(embedded, "sagemaker").describe_training_job(TrainingJobName=name)["TrainingJobStatus"] != "Completed":
        assert time.monotonic() < begun + 60  # the CLI's own waiter looks once a minute
        time.sleep(0.05)
    aws("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", name)
    told = aws("sagemaker", "describe-training-job", "--training-job-name", name)
    assert told["TrainingJobStatus"] == "Completed"
    assert told["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"{name}/output/model.tar.gz")
    listed = aws("sagemaker", "list-training-jobs", "--name-contains", name, "--status-equals", "Completed")
    assert [one["TrainingJobName"] for one in listed["TrainingJobSummaries"]] == [name]
    client(embedded, "sagemaker").create_training_job(**training_request(failing, "exit 1"))
    while client(embedded, "sagemaker").describe_training_job(TrainingJobName=failing)["TrainingJobStatus"] != "Failed":
        assert time.monotonic() < begun + 120
        time.sleep(0.05)
    waited = aws.run("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", failing)
    assert waited.returncode == 255
    assert "terminal failure" in waited.stderr


def test_tuning_jobs_and_search(embedded: Embedded, aws: Cli, tmp_path: Path) -> None:
    prepare(embedded)
    name = unique("cli")
    request = tuning_request(name, most=2, script="echo loss=0.25")
    (tmp_path / "job.json").write_text(json.dumps(request))
    aws("sagemaker", "create-hyper-parameter-tuning-job", "--cli-input-json", f"file://{tmp_path}/job.json")
    tuned(client(embedded, "sagemaker"), name)
    told = aws("sagemaker", "describe-hyper-parameter-tuning-job", "--hyper-parameter-tuning-job-name", name)
    assert told["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 0.25
    expression = json.dumps({"Filters": [{"Name": "TrainingJobName", "Operator": "Contains", "Value": name}]})
    found = aws("sagemaker", "search", "--resource", "TrainingJob", "--search-expression", expression)
    assert {one["TrainingJob"]["TuningJobArn"] for one in found["Results"]} == {told["HyperParameterTuningJobArn"]}
    assert len(found["Results"]) == 2
    absent = aws.run("sagemaker", "describe-training-job", "--training-job-name", unique("absent"))
    assert absent.returncode == 255
    assert "(ValidationException)" in absent.stderr
    assert "Requested resource not found" in absent.stderr


def test_the_bill_by_service_and_its_tags(aws: Cli) -> None:
    today = datetime.now(UTC).date()
    period = f"Start={today.replace(day=1)},End={today + timedelta(days=1)}"
    asked = (
        "ce",
        "get-cost-and-usage",
        "--time-period",
        period,
        "--granularity",
        "MONTHLY",
        "--metrics",
        "UnblendedCost",
    )
    aws(*asked)  # the first question is on the bill of the second
    told = aws(*asked, "--group-by", "Type=DIMENSION,Key=SERVICE")
    amounts = {
        group["Keys"][0]: float(group["Metrics"]["UnblendedCost"]["Amount"])
        for result in told["ResultsByTime"]
        for group in result["Groups"]
    }
    assert amounts["AWS Cost Explorer"] >= 0.01
    refused = aws.run(
        "ce", "update-cost-allocation-tags-status", "--cost-allocation-tags-status", "TagKey=nobody,Status=Active"
    )
    assert "Tag keys not found: nobody" in refused.stderr


def test_the_history_of_changes_as_the_command_line_reads_it(aws: Cli) -> None:
    name = unique("history")
    aws("s3api", "create-bucket", "--bucket", name)
    aws("s3api", "delete-bucket", "--bucket", name)
    key = f"AttributeKey=ResourceName,AttributeValue={name}"
    hour_ago = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    found = aws("cloudtrail", "lookup-events", "--lookup-attributes", key, "--start-time", hour_ago)["Events"]
    assert [one["EventName"] for one in found] == ["DeleteBucket", "CreateBucket"]
    told = json.loads(found[0]["CloudTrailEvent"])
    assert (told["eventSource"], told["requestParameters"]["bucketName"]) == ("s3.amazonaws.com", name)
    paged = aws("cloudtrail", "lookup-events", "--lookup-attributes", key, "--page-size", "1", "--max-items", "1")
    assert len(paged["Events"]) == 1
    assert paged["NextToken"]
    refused = aws.run("cloudtrail", "lookup-events", "--start-time", "2026-02-01", "--end-time", "2026-01-01")
    assert "InvalidTimeRangeException" in refused.stderr
