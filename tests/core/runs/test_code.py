"""The package on its way to a run."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from dashboard.core.aws import Aws
from dashboard.core.errors import NotFound
from dashboard.core.runs import code, user_data


class Bucket:
    """S3, as far as an upload needs it."""

    def __init__(self, account: object) -> None:
        self.account = account
        self.objects: dict[str, bytes] = {}
        self.puts = 0

    def call(self, service: str, operation: str, **asked: object) -> dict[str, object]:
        key = str(asked["Key"])
        if operation == "HeadObject":
            if key not in self.objects:
                raise NotFound("no such key")
            return {"ContentLength": len(self.objects[key])}
        body = asked["Body"]
        assert operation == "PutObject"
        assert isinstance(body, bytes)
        self.objects[key] = body
        self.puts += 1
        return {}


def test_the_same_sources_give_the_same_bytes_and_hold_no_secrets_or_caches() -> None:
    first = code.bundle()
    code.bundle.cache_clear()
    assert code.bundle() == first
    with tarfile.open(fileobj=io.BytesIO(first.files["training.tar.gz"])) as tar:
        names = tar.getnames()
    assert {"training/train.py", "training/instance/__main__.py", "training/requirements.txt"} <= set(names)
    assert all(name.startswith("training/") and "__pycache__" not in name for name in names)


def test_code_is_sent_once(aws: Aws) -> None:
    bucket = Bucket(aws.account)
    uri = code.upload(bucket)  # type: ignore[arg-type]
    assert uri == code.code_uri(aws.account)
    assert {key.rsplit("/", 1)[1] for key in bucket.objects} == {"start.sh", "training.tar.gz"}
    code.upload(bucket)  # type: ignore[arg-type]
    assert bucket.puts == 2


def test_half_an_upload_is_made_good(aws: Aws) -> None:
    bucket = Bucket(aws.account)
    code.upload(bucket)  # type: ignore[arg-type]
    half = next(key for key in bucket.objects if key.endswith("tar.gz"))
    bucket.objects[half] = bucket.objects[half][:100]
    code.upload(bucket)  # type: ignore[arg-type]
    assert bucket.objects[half] == code.bundle().files["training.tar.gz"]


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_what_was_sent_starts_by_itself(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    sent.mkdir()
    for name, content in code.bundle().files.items():
        (sent / name).write_bytes(content)
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "KENNEL_BASE")}
    environment |= {"KENNEL_CODE": str(tmp_path / "code"), "KENNEL_PYTHON": sys.executable}
    done = subprocess.run(
        ["/bin/bash", str(sent / "start.sh"), "training.train", "--help"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "--learning-rate" in done.stdout
    assert "Installing" not in done.stdout  # everything is here already


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_a_tuning_jobs_arguments_are_left_to_the_file_that_holds_them_too(tmp_path: Path) -> None:
    for name, content in code.bundle().files.items():
        (tmp_path / name).write_bytes(content)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/bash\ncase "$1$2" in *train*) echo "ran $*";; *) exec {sys.executable} "$@";; esac\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", "-c", "bash ./start.sh --learning_rate 0.1 --epochs 2"],
        env={"PATH": os.environ["PATH"], "KENNEL_CODE": str(tmp_path), "KENNEL_PYTHON": str(python)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "ran -m training.train\n", done.stderr


def test_user_data_differs_in_one_line_from_run_to_run() -> None:
    one, other = (
        user_data.render("kennel-1", name, "s3://kennel-1/code/training-0/", region="us-east-1", max_seconds=60)
        for name in ("dogs-1", "dogs-2")
    )
    assert one != other
    assert user_data.blanked(one) == user_data.blanked(other) == user_data.TEMPLATE.read_text(encoding="utf-8")
    line = next(line for line in one.splitlines() if line.startswith("RUN="))
    assert json.loads(line.removeprefix("RUN='").removesuffix("'")) == {
        "bucket": "kennel-1",
        "name": "dogs-1",
        "code": "code/training-0/",
        "region": "us-east-1",
        "seconds": 60,
    }
    assert len(one.encode()) < user_data.MOST_BYTES


@pytest.mark.parametrize("name", ["a'; rm -rf /; '", "a b", "$(id)", "a\nb", ""])
def test_nothing_that_a_shell_would_read_gets_into_user_data(name: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in user data"):
        user_data.render("kennel-1", name, "s3://kennel-1/code/x/", region="us-east-1", max_seconds=60)
