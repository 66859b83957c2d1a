"""A training job really runs: data in, the container contract around it, logs and artifacts out, every way to end."""

import io
import json
import os
import tarfile
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.engine import container
from local_aws.engine.job import Stage
from local_aws.engine.opt_ml import OptMl, namespaces_allowed
from local_aws.engine.training import INTERRUPTED
from tests.local_aws.engine_world import FolderObject, World, channel, eventually, world

needs_namespaces = pytest.mark.skipif(not namespaces_allowed(), reason="this system allows no mount namespaces")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def members(made: World, key: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(made.objects.get("bucket", key).path.read_bytes()), mode="r:gz") as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}  # type: ignore[union-attr]


@pytest.mark.parametrize("private", [pytest.param(True, marks=needs_namespaces), False])
def test_a_job_sees_its_data_and_its_artifacts_are_stored(tmp_path: Path, private: bool) -> None:
    with world(tmp_path, private=private) as made:
        for name in ("train/1/a.jpg", "train/2/b.jpg"):
            made.objects.put("bucket", f"datasets/dogs/{name}", name.encode())
        told = made.run(
            "find $SM_CHANNEL_TRAINING -type f | sort | wc -l;"
            "cat /opt/ml/input/data/training/train/2/b.jpg > /opt/ml/model/m; mkdir /opt/ml/model/code;"
            "echo 1 > /opt/ml/model/code/inference.py; echo seen > $SM_OUTPUT_DATA_DIR/o",
            InputDataConfig=[channel("training", "s3://bucket/datasets/dogs")],
        )
        assert told.names == [Stage.DOWNLOADING, Stage.TRAINING, Stage.UPLOADING, Stage.COMPLETED], told.failure
        assert told.artifact == "s3://bucket/runs/job/output/model.tar.gz"
        assert members(made, "runs/job/output/model.tar.gz") == {"m": b"train/2/b.jpg", "code/inference.py": b"1\n"}
        assert members(made, "runs/job/output/output.tar.gz") == {"o": b"seen\n"}
        assert made.logs.lines == ["2"]
        assert eventually(lambda: list(made.scratch.iterdir()) == [])


def test_the_log_stream_is_named_as_sagemaker_names_it(here: World) -> None:
    before = int(time.time())
    here.run("echo hello")
    ((group, stream),) = here.logs.events
    assert group == "/aws/sagemaker/TrainingJobs"
    assert stream.startswith("job/algo-1-")
    assert before <= int(stream.rpartition("-")[2]) <= time.time()


def test_the_container_contract(here: World) -> None:
    here.objects.put("bucket", "d/x.csv", b"1")
    script = "python -c 'import os, json; print(json.dumps(dict(os.environ)))'; cat /opt/ml/input/config/*.json"
    told = here.run(
        script.replace("config/*.json", "config/{hyperparameters,inputdataconfig,resourceconfig}.json"),
        HyperParameters={"learning-rate": "0.1", "name": '"text"', "list": "[1, 2]", "sagemaker_program": "x.py"},
        Environment={"MY_OWN": "1", "SM_LOG_LEVEL": "10"},
        InputDataConfig=[channel("training", "s3://bucket/d/", ContentType="text/csv")],
    )
    assert told.names[-1] is Stage.COMPLETED, told.failure
    environment, rest = here.logs.lines[0], "".join(here.logs.lines[1:])
    found = json.loads(environment)
    expected = {
        "TRAINING_JOB_NAME": "job",
        "TRAINING_JOB_ARN": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job",
        "SM_CHANNELS": '["training"]',
        "SM_CHANNEL_TRAINING": "/opt/ml/input/data/training",
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
        "SM_HPS": '{"learning-rate": 0.1, "name": "text", "list": [1, 2]}',
        "SM_HP_LEARNING_RATE": "0.1",
        "SM_HP_LEARNING-RATE": "0.1",
        "SM_HP_NAME": "text",
        "SM_HP_LIST": "[1, 2]",
        "SM_HOSTS": '["algo-1"]',
        "SM_CURRENT_HOST": "algo-1",
        "SM_CURRENT_INSTANCE_TYPE": "ml.m5.large",
        "MY_OWN": "1",
        "SM_LOG_LEVEL": "10",
    }
    if namespaces_allowed():
        assert {name: found.get(name) for name in expected} == expected
    assert int(found["SM_NUM_CPUS"]) >= 1
    assert int(found["SM_NUM_GPUS"]) >= 0
    assert "SM_HP_SAGEMAKER_PROGRAM" not in found
    hyperparameters, inputs, resources = (json.loads(text) for text in rest.replace("}{", "}\n{").splitlines())
    assert hyperparameters == {
        "learning-rate": "0.1",
        "name": '"text"',
        "list": "[1, 2]",
        "sagemaker_program": "x.py",
    }
    assert inputs == {
        "training": {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
            "ContentType": "text/csv",
        }
    }
    assert resources["current_host"] == "algo-1"
    assert resources["hosts"] == ["algo-1"]


def test_a_jobs_files_are_not_as_private_as_the_servers(here: World) -> None:
    before = os.umask(0o077)
    try:
        told = here.run("umask; touch /opt/ml/model/m")
    finally:
        os.umask(before)
    assert told.names[-1] is Stage.COMPLETED
    assert here.logs.lines == ["0022"]


def test_a_job_gets_no_credentials_of_the_server(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("KENNEL_HOME", "/somewhere")
    here.run("env")
    assert not [line for line in here.logs.lines if line.startswith(("AWS_", "KENNEL_HOME"))]
    assert [line for line in here.logs.lines if line.startswith("PATH=")]


def test_a_proxy_of_the_machine_stays_and_is_not_asked_for_this_server(tmp_path: Path) -> None:
    place = OptMl(tmp_path, False)
    given = {"https_proxy": "http://proxy:3128", "NO_PROXY": "intranet"}
    child = container.clean_environment(place, given)
    assert child["https_proxy"] == "http://proxy:3128"
    assert child["no_proxy"] == child["NO_PROXY"] == "intranet,127.0.0.1"
    assert not {"no_proxy", "NO_PROXY"} & set(container.clean_environment(place, {}))


def test_our_python_runs_our_packages_from_any_folder(here: World) -> None:
    here.run("cd /; python -c 'import sys, local_aws; print(sys.prefix)'")
    import sys

    assert here.logs.lines == [sys.prefix]


def test_the_reason_of_a_failure_is_what_the_job_wrote(here: World) -> None:
    told = here.run("echo 'the folder train/ is missing' > /opt/ml/output/failure; echo noise; exit 1")
    assert told.failure == "AlgorithmError: the folder train/ is missing, exit code: 1"
    assert told.names[-1] is Stage.FAILED
    assert told.stages[-1][1] == told.failure


def test_else_its_last_lines(here: World) -> None:
    told = here.run("echo one; echo 'ValueError: two'; exit 3", HyperParameters={})
    assert told.failure == "AlgorithmError: one\nValueError: two, exit code: 3"


def test_a_long_reason_is_cut_to_what_sagemaker_shows(here: World) -> None:
    told = here.run("printf 'x%.0s' {1..5000} > /opt/ml/output/failure; exit 1")
    assert len(told.failure) <= 1024
    assert told.failure.endswith("exit code: 1")


def test_a_failed_job_leaves_its_output_and_no_model(here: World) -> None:
    told = here.run("echo m > /opt/ml/model/m; echo o > /opt/ml/output/data/o; exit 1")
    assert told.artifact == ""
    assert [one.key for one in here.objects.find("bucket", "runs/")] == ["runs/job/output/output.tar.gz"]


def test_a_command_that_does_not_exist(here: World) -> None:
    told = here.run("", AlgorithmSpecification={"ContainerEntrypoint": ["/no/such"]})
    assert "cannot run /no/such" in told.failure
    assert told.failure.endswith("exit code: 127")


def test_no_model_no_artifact(here: World) -> None:
    told = here.run("true")
    assert (told.names[-1], told.artifact) == (Stage.COMPLETED, "")
    assert here.objects.find("bucket", "runs/") == []


def test_uncompressed_output(here: World) -> None:
    told = here.run(
        "mkdir /opt/ml/model/code; echo a > /opt/ml/model/a; echo b > /opt/ml/model/code/b",
        OutputDataConfig={"S3OutputPath": "s3://bucket/runs", "CompressionType": "NONE"},
    )
    assert told.artifact == "s3://bucket/runs/job/output/model/"
    assert [one.key for one in here.objects.find("bucket", "runs/")] == [
        "runs/job/output/model/a",
        "runs/job/output/model/code/b",
    ]


def test_metrics_by_the_jobs_own_definitions(here: World) -> None:
    told = here.run(
        "echo epoch=1 loss=0.5; echo epoch=2 loss=0.25",
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "valid:loss", "Regex": "loss=([0-9.]+)"}]},
    )
    assert [(metric.name, metric.value) for metric in told.metrics] == [("valid:loss", 0.5), ("valid:loss", 0.25)]


def test_an_endless_expression_is_said_in_the_log_and_does_not_hold_the_job(here: World) -> None:
    started = time.monotonic()
    told = here.run(
        f"echo {'a' * 60}!",
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "evil", "Regex": "(a+)+$"}]},
    )
    assert told.names[-1] is Stage.COMPLETED
    assert any("evil" in line and "no longer used" in line for line in here.logs.lines)
    assert time.monotonic() - started < 5


def test_stop_is_sigterm_and_what_is_in_model_is_kept(here: World) -> None:
    arn = here.start("trap 'echo saved > /opt/ml/model/m; exit 0' TERM; echo ready; sleep 60 & wait")
    assert eventually(lambda: "ready" in here.logs.lines)
    here.queue.stop(arn)
    told = here.finish()
    assert told.names[-1] is Stage.STOPPED
    assert told.artifact == "s3://bucket/runs/job/output/model.tar.gz"
    assert members(here, "runs/job/output/model.tar.gz") == {"m": b"saved\n"}


def test_a_job_that_ignores_sigterm_is_killed_after_the_grace_period(tmp_path: Path) -> None:
    with world(tmp_path, grace=0.3) as made:
        arn = made.start("trap '' TERM; echo ready; while true; do sleep 0.05; done")
        assert eventually(lambda: "ready" in made.logs.lines)
        stopped_at = time.monotonic()
        made.queue.stop(arn)
        assert made.finish().names[-1] is Stage.STOPPED
        assert 0.3 <= time.monotonic() - stopped_at < 3


def test_the_time_limit(here: World) -> None:
    told = here.run(
        "trap 'echo partial > /opt/ml/model/m; exit 1' TERM; sleep 60 & wait",
        StoppingCondition={"MaxRuntimeInSeconds": 1},
    )
    assert told.names[-1] is Stage.MAX_RUNTIME_EXCEEDED
    assert told.names[-1].status == "Stopped"
    assert told.artifact
    assert not told.failure


def test_missing_data_and_a_missing_bucket_are_the_clients_fault(here: World) -> None:
    told = here.run("true", "a", InputDataConfig=[channel("training", "s3://bucket/nothing/")])
    assert told.failure == "ClientError: Data download failed: no S3 objects found under s3://bucket/nothing/"
    assert told.names == [Stage.DOWNLOADING, Stage.FAILED]
    told = here.run("true", "b", InputDataConfig=[channel("training", "s3://other/x")])
    assert told.failure == "ClientError: Data download failed: s3://other/x: The specified bucket does not exist"
    told = here.run("echo 1 > /opt/ml/model/m", "c", OutputDataConfig={"S3OutputPath": "s3://other/x"})
    assert told.failure.startswith("ClientError: Artifact upload failed: s3://other/x/c/output")


@pytest.mark.parametrize("key", ["d/../../../escaped", "d//etc/escaped", "d/a/../../escaped"])
def test_a_key_cannot_leave_the_channels_folder(here: World, key: str) -> None:
    source = here.scratch.parent / "payload"
    source.write_text("x")
    here.objects.odd.append(FolderObject(key, source))
    told = here.run("true", InputDataConfig=[channel("training", "s3://bucket/d/")])
    assert "leads out of the channel's folder" in told.failure
    assert eventually(lambda: list(here.scratch.iterdir()) == [])
    assert not list(here.scratch.parent.rglob("escaped"))


def test_jobs_wait_for_a_place_and_say_so(tmp_path: Path) -> None:
    with world(tmp_path, places=1) as made:
        made.start("while [ ! -e /opt/ml/go ]; do sleep 0.02; done", "first")
        assert eventually(lambda: Stage.TRAINING in made.told["first"].names)
        second = made.start("echo second", "second")
        made.start("echo third", "third")
        assert made.told["second"].stages[0][0] is Stage.STARTING
        assert "this machine runs 1 training instance at once" in made.told["second"].stages[0][1]
        made.queue.stop(second)
        assert made.told["second"].names[-1] is Stage.STOPPED, "a waiting job stops at once"
        for folder in made.scratch.iterdir():
            (folder / "algo-1/go").touch()
        assert made.finish("third").names[-1] is Stage.COMPLETED
        assert made.logs.lines == ["third"]


def test_several_jobs_at_once_do_not_see_each_other(here: World) -> None:
    for name in "ab":
        here.start(f"echo {name} > /opt/ml/model/m; sleep 0.2; cat /opt/ml/model/m", name)
    for name in "ab":
        assert members(here, here.finish(name).artifact.removeprefix("s3://bucket/")) == {"m": f"{name}\n".encode()}


def test_closing_ends_running_jobs_as_interrupted_and_leaves_waiting_ones(tmp_path: Path) -> None:
    with world(tmp_path, places=1) as made:
        made.start("trap '' TERM; echo ready; while true; do sleep 0.05; done", "running")
        assert eventually(lambda: "ready" in made.logs.lines)
        made.start("true", "waiting")
        started = time.monotonic()
        made.queue.close()
        assert time.monotonic() - started < 3
        assert made.told["running"].failure == INTERRUPTED
        assert made.told["waiting"].names == [Stage.STARTING]


@pytest.mark.parametrize("locked", ["", "/opt/ml"])
def test_what_a_job_locked_away_is_still_cleaned_up(here: World, locked: str) -> None:
    here.run(f"mkdir -p /opt/ml/code/x/y; touch /opt/ml/code/x/y/z; chmod 000 /opt/ml/code/x/y /opt/ml/code/x {locked}")
    assert eventually(lambda: list(here.scratch.iterdir()) == [])


def test_whatever_goes_wrong_the_job_ends_and_the_next_one_runs(here: World) -> None:
    find = here.objects.find
    here.objects.find = lambda bucket, prefix: 1 / 0  # type: ignore[assignment, method-assign, return-value]
    told = here.run("true", "first", InputDataConfig=[channel("training", "s3://bucket/d/")])
    assert told.failure.startswith("InternalServerError: the embedded AWS failed on this job: ZeroDivisionError")
    here.objects.find = find  # type: ignore[method-assign]
    assert here.run("true", "second").names[-1] is Stage.COMPLETED


@pytest.mark.parametrize("private", [pytest.param(True, marks=needs_namespaces), False])
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("rmdir /opt/ml/model; ln -s {secrets} /opt/ml/model", "/opt/ml/model is a link"),
        ("rm -r /opt/ml/output; ln -s {secrets} /opt/ml/output", "/opt/ml/output/data is a link"),
        ("ln -s {secrets}/failure /opt/ml/output/failure; exit 1", "it printed nothing"),
        ("rm -r /opt/ml/output; ln -s {secrets} /opt/ml/output; exit 1", "/opt/ml/output/data is a link"),
    ],
)
def test_a_link_left_by_a_job_does_not_lead_the_server_to_files_of_its_own(
    tmp_path: Path, script: str, reason: str, private: bool
) -> None:
    secrets = tmp_path / "secrets"
    (secrets / "data").mkdir(parents=True)
    (secrets / "failure").write_text("wJalrXUtnFEMI")
    (secrets / "data/key.json").write_text("wJalrXUtnFEMI")
    with world(tmp_path, private=private) as made:
        told = made.run(script.format(secrets=secrets))
        assert reason in told.failure
        assert "wJalr" not in told.failure
        assert not list((made.objects.root / "bucket").rglob("*.tar.gz"))


@pytest.mark.parametrize("left", ["ln -s {file}", "mkfifo", "mkdir"])
def test_nothing_at_the_place_of_the_archive_is_written_to_or_waited_for(
    here: World, tmp_path: Path, left: str
) -> None:
    (tmp_path / "file").write_text("untouched")
    told = here.run(f"echo 1 > /opt/ml/model/m; {left.format(file=tmp_path / 'file')} /opt/ml/model.tar.gz")
    assert told.names[-1] is Stage.COMPLETED, told.failure
    assert members(here, "runs/job/output/model.tar.gz") == {"m": b"1\n"}
    assert (tmp_path / "file").read_text() == "untouched"


def test_a_huge_failure_file_is_not_read_whole(here: World) -> None:
    tracemalloc.start()
    told = here.run("(echo why it failed; head -c 60000000 /dev/zero | tr '\\0' x) > /opt/ml/output/failure; exit 1")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told.failure.startswith("AlgorithmError: why it failed")
    assert peak < 20_000_000


@pytest.mark.parametrize("made", ["mkdir /opt/ml/output/failure", "mkfifo /opt/ml/output/failure"])
def test_a_failure_that_is_no_file_is_no_reason(here: World, made: str) -> None:
    assert "the last words, exit code: 3" in here.run(f"{made}; echo the last words; exit 3").failure


def test_a_job_of_the_same_name_waits_until_the_one_before_is_cleaned_up(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, go = OptMl.remove, threading.Event()

    def slowly(place: OptMl) -> None:
        if (place.folder / "algo-1/model/large").exists():
            go.wait(10)
        remove(place)

    monkeypatch.setattr(OptMl, "remove", slowly)
    here.run("touch /opt/ml/model/large")
    here.start("touch /opt/ml/model/second")
    assert not eventually(lambda: here.told["job"].names, 0.3)
    assert here.run("true", "another").names[-1] is Stage.COMPLETED
    go.set()
    assert here.finish().names[-1] is Stage.COMPLETED
    assert members(here, "runs/job/output/model.tar.gz") == {"second": b""}
