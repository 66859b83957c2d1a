"""Script mode: a job's hyperparameters name code and script, and the script runs with the others as arguments."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from local_aws.engine.script_mode import read_setting

ROOT = Path(__file__).parents[2]
SHOW = """
import os, sys, beside
print(sys.argv[1:], beside.WORD, os.environ["SM_USER_ENTRY_POINT"], os.path.basename(os.getcwd()))
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """An /opt/ml, with a channel of code."""
    channel = tmp_path / "input/data/code"
    channel.mkdir(parents=True)
    (tmp_path / "input/config").mkdir()
    (channel / "show.py").write_text(SHOW)
    (channel / "beside.py").write_text("WORD = 'found'\n")
    (channel / "show.sh").write_text('echo "$0" "$@"; exit 3\n')
    (channel / "notes.txt").write_text("not a program")
    with tarfile.open(tmp_path / "source.tar.gz", "w:gz") as archive:
        archive.add(channel, ".")
    return tmp_path


def run(base: Path, program: str, directory: str) -> "subprocess.CompletedProcess[str]":
    hyperparameters = {"sagemaker_program": program, "sagemaker_submit_directory": directory, "x": "a b"}
    config = base / "input/config"
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SM_INPUT_CONFIG_DIR": str(config)}
    return subprocess.run(
        [sys.executable, "-m", "local_aws.engine.script_mode"],
        env=environment | {"SM_USER_ARGS": json.dumps(["--x", "a b"])},
        cwd=base,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("place", ["input/data/code", "source.tar.gz"])
def test_python_runs_in_its_folder_with_what_lies_beside_it(base: Path, place: str) -> None:
    done = run(base, "show.py", str(base / place))
    assert done.stdout == "['--x', 'a b'] found show.py code\n", done.stderr


def test_a_shell_script_runs_and_its_exit_code_is_the_jobs(base: Path) -> None:
    done = run(base, json.dumps("show.sh"), json.dumps(str(base / "input/data/code")))  # as SDKs write them
    assert (done.stdout, done.returncode) == ("./show.sh --x a b\n", 3)


@pytest.mark.parametrize(
    ("program", "place", "sentence"),
    [
        ("absent.py", "input/data/code", "there is no such file in sagemaker_submit_directory"),
        ("notes.txt", "input/data/code", "only .py and .sh files can be run"),
        ("show.py", "nowhere", "there is nothing there"),
        ("show.py", "input/data/code/show.py", "which is not a .tar.gz"),
    ],
)
def test_what_cannot_run_says_why(base: Path, program: str, place: str, sentence: str) -> None:
    done = run(base, program, str(base / place))
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("text", "value"), [('"a.py"', "a.py"), ("a.py", "a.py"), ("12", "12"), ("", "")])
def test_settings_are_read_as_sdks_and_people_write_them(text: str, value: str) -> None:
    assert read_setting({"name": text}, "name") == value
