"""A run on an instance, from its request in S3 to its model there; the instance is a process beside its metadata."""

import io
import json
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Embedded
from tests.training.conftest import clean_environment

BUCKET = "instance-runs"
# a minute and more of training
LONG = {"epochs": "1000", "batch_size": "1", "hidden": "1024", "checkpoint_seconds": "0"}


class MetadataService(ThreadingHTTPServer):
    """Version 2 of the instance metadata service, as far as the agent asks it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.taken_back: datetime | None = None
        super().__init__(("127.0.0.1", 0), _Answers)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: MetadataService

    def do_PUT(self) -> None:
        self._answer(200, "token")

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != "token":
            return self._answer(401, "")
        if self.path == "/latest/meta-data/instance-id":
            return self._answer(200, "i-0123456789abcdef0")
        if self.path == "/latest/meta-data/spot/instance-action" and self.server.taken_back:
            told = {"action": "terminate", "time": f"{self.server.taken_back:%Y-%m-%dT%H:%M:%SZ}"}
            return self._answer(200, json.dumps(told))
        return self._answer(404, "")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class Instance:
    """A launched run: its name, its process, and what S3 says of it."""

    aws: Embedded
    name: str
    process: "subprocess.Popen[str]"
    metadata: MetadataService
    said: str = field(default="")

    def status(self) -> dict[str, Any]:
        s3 = self.aws.client("s3")
        body = s3.get_object(Bucket=BUCKET, Key=f"ec2-runs/{self.name}/status.json")["Body"].read()
        found: dict[str, Any] = json.loads(body)
        return found

    def end(self) -> dict[str, Any]:
        self.said, _ = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, self.said
        return self.status()

    def wait_for(self, words: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if words in line:
                return
        pytest.fail(f"the run ended before it said {words!r}")


Launch = Callable[..., Instance]


@pytest.fixture(scope="module")
def data(embedded: Embedded, small_dataset: Path) -> str:
    """The small dataset in S3."""
    s3 = embedded.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for path in small_dataset.rglob("*.jpg"):
        s3.upload_file(str(path), BUCKET, f"datasets/dogs/{path.relative_to(small_dataset).as_posix()}")
    return f"s3://{BUCKET}/datasets/dogs/"


@pytest.fixture
def launch(embedded: Embedded, data: str, tmp_path: Path) -> Iterator[Launch]:
    started: list[Instance] = []

    def start(*, seconds: float = 600, epochs: int = 3, source: str = data, code: Path = ROOT, **more: Any) -> Instance:
        name = f"dogs-{uuid.uuid4().hex[:8]}"
        own = f"s3://{BUCKET}/ec2-runs/{name}"
        request = {
            "schema": 1,
            "name": name,
            "region": embedded.region,
            "instance_type": "m5.large",
            "max_seconds": seconds,
            "dataset_uri": source,
            "output_uri": f"{own}/output/",
            "checkpoint_uri": f"{own}/checkpoints/",
            "hyperparameters": {"epochs": str(epochs), "batch_size": "8", "checkpoint_seconds": "0"},
            "log_group": "/kennel/ec2-runs",
            "log_stream": f"{name}/algo-1",
            "metric_namespace": "Kennel/EC2Training",
        } | more
        s3 = embedded.client("s3")
        s3.put_object(Bucket=BUCKET, Key=f"ec2-runs/{name}/request.json", Body=json.dumps(request).encode())
        metadata = MetadataService()
        environment = clean_environment(
            AWS_ENDPOINT_URL=embedded.endpoint_url,
            AWS_ACCESS_KEY_ID=embedded.access_key_id,
            AWS_SECRET_ACCESS_KEY=embedded.secret_access_key,
            AWS_EC2_METADATA_SERVICE_ENDPOINT=metadata.address,
            RUN=json.dumps({"bucket": BUCKET, "name": name, "region": embedded.region}),
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "training.instance", "--base", str(tmp_path / name)],
            cwd=code,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(Instance(embedded, name, process, metadata))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.terminate()  # it ends its training, which a killed one would leave behind
        one.process.communicate(timeout=60)
        one.metadata.shutdown()
        one.metadata.server_close()


def log_of(instance: Instance) -> list[str]:
    events = instance.aws.client("logs").get_log_events(
        logGroupName="/kennel/ec2-runs", logStreamName=f"{instance.name}/algo-1", startFromHead=True
    )["events"]
    return [event["message"] for event in events]


def test_a_run_ends_with_its_model_log_and_stages_and_an_instance_that_is_started_again_trains_nothing(
    launch: Launch, embedded: Embedded
) -> None:
    run = launch()
    told = run.end()
    assert (told["status"], told["instance_id"]) == ("Completed", "i-0123456789abcdef0")
    assert [stage["name"] for stage in told["stages"]] == ["Downloading", "Training", "Uploading", "Completed"]
    assert all(stage["ended"] for stage in told["stages"])
    assert 0 < told["metrics"]["test:accuracy"] <= 1
    assert told["metrics"]["features:from-cache"] == 0, "it computed its features, and says so as SageMaker's do"
    assert told["artifact_uri"] == f"s3://{BUCKET}/ec2-runs/{run.name}/output/model.tar.gz"
    body = run.aws.client("s3").get_object(Bucket=BUCKET, Key=f"ec2-runs/{run.name}/output/model.tar.gz")["Body"]
    with tarfile.open(fileobj=io.BytesIO(body.read())) as tar:
        assert {"model.onnx", "labels.json", "card.json"} <= set(tar.getnames())
    assert any("epoch=3/3" in line for line in log_of(run))
    assert "epoch=3/3" in run.said  # the instance's console has it as well
    environment = clean_environment(
        AWS_ENDPOINT_URL=embedded.endpoint_url,
        AWS_ACCESS_KEY_ID=embedded.access_key_id,
        AWS_SECRET_ACCESS_KEY=embedded.secret_access_key,
        RUN=json.dumps({"bucket": BUCKET, "name": run.name, "region": embedded.region}),
    )
    done = subprocess.run(
        [sys.executable, "-m", "training.instance"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, "has ended already" in done.stdout) == (0, True)
    assert run.status() == told


def test_a_run_that_is_asked_to_stop_keeps_the_best_epoch(launch: Launch) -> None:
    run = launch(hyperparameters=LONG)
    run.wait_for("epoch=3/")
    run.aws.client("s3").put_object(Bucket=BUCKET, Key=f"ec2-runs/{run.name}/stop.json", Body=b"{}")
    told = run.end()
    assert (told["status"], told["stage"]) == ("Stopped", "Stopped")
    assert told["artifact_uri"]


def test_an_instance_that_is_ended_stops_its_run(launch: Launch) -> None:
    run = launch(hyperparameters=LONG)
    run.wait_for("epoch=3/")
    run.process.send_signal(signal.SIGTERM)
    assert run.end()["stage"] == "Stopped"


def test_a_spot_instance_that_is_taken_back_leaves_a_checkpoint_from_which_another_goes_on_to_its_time_limit(
    launch: Launch,
) -> None:
    run = launch(hyperparameters=LONG)
    run.wait_for("epoch=5/")
    run.metadata.taken_back = datetime.now(UTC) + timedelta(seconds=20)
    told = run.end()
    assert (told["status"], told["stage"]) == ("Stopped", "Interrupted")
    kept = run.aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"ec2-runs/{run.name}/checkpoints/")
    assert kept["KeyCount"] > 0
    going_on = f"s3://{BUCKET}/ec2-runs/{run.name}/checkpoints/"
    again = launch(hyperparameters=LONG, checkpoint_uri=going_on, seconds=6)
    told = again.end()
    first = next(line for line in again.said.splitlines() if line.startswith("epoch="))
    assert int(first.partition("=")[2].partition("/")[0]) > 5
    assert (told["status"], told["stage"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "6 s" in told["stages"][-1]["message"]


def test_a_run_without_data_fails_and_says_where_it_looked(launch: Launch) -> None:
    told = launch(source=f"s3://{BUCKET}/datasets/nothing/").end()
    assert told["status"] == "Failed"
    assert "There is nothing below s3://instance-runs/datasets/nothing/" in told["failure"]


def test_a_training_that_fails_tells_its_own_reason(launch: Launch) -> None:
    told = launch(hyperparameters={"epochs": "many"}).end()
    assert told["status"] == "Failed"
    assert told["failure"].startswith("AlgorithmError: ")
    assert "epochs" in told["failure"]


def test_what_a_training_leaves_running_does_not_keep_the_instance(launch: Launch, tmp_path: Path) -> None:
    code = tmp_path / "code"
    shutil.copytree(ROOT / "training", code / "training", ignore=shutil.ignore_patterns("__pycache__"))
    crash = (
        "import subprocess\nsubprocess.Popen(['sleep', '300'])\nprint('no memory', flush=True)\nraise SystemExit(3)\n"
    )
    (code / "training/train.py").write_text(crash)
    began = time.monotonic()
    told = launch(code=code).end()
    assert time.monotonic() - began < 60
    assert told["failure"] == "AlgorithmError: no memory, exit code: 3"
