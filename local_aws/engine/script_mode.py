"""Runs a person's script as AWS's framework images do when a job names no entry point of its own ("script mode").

    python -m local_aws.engine.script_mode

A tuning job cannot name one at all, so this is how its training jobs come to their code. Two hyperparameters say it
all: `sagemaker_submit_directory`, an s3:// address of a .tar.gz or a folder of the container (a channel's, say), whose
contents go to /opt/ml/code, and `sagemaker_program`, the script in there. `requirements.txt` beside it is installed
first. The hyperparameters are the script's arguments. Source: github.com/aws/sagemaker-training-toolkit.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

PROGRAM = "sagemaker_program"
DIRECTORY = "sagemaker_submit_directory"
COMMAND = ("python", "-m", "local_aws.engine.script_mode")


class CannotStartError(Exception):
    """The script is not where the hyperparameters say; the message says what to change."""


def read_setting(hyperparameters: Mapping[str, str], name: str) -> str:
    """A hyperparameter that SDKs write as JSON ('"train.py"') and people as it is."""
    text = hyperparameters.get(name, "")
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


def place_code(directory: str, code: Path) -> None:
    """Put what `directory` holds into `code`. Raises CannotStartError."""
    if directory.startswith("s3://"):
        import boto3  # only here: most code lies in a channel

        bucket, _, key = directory.removeprefix("s3://").partition("/")
        with TemporaryDirectory() as folder:
            archive = Path(folder, "source.tar.gz")
            boto3.client("s3").download_file(bucket, key, str(archive))
            _extract(archive, code, directory)
    elif Path(directory).is_dir():
        if Path(directory).resolve() != code.resolve():
            shutil.copytree(directory, code, dirs_exist_ok=True)
    elif Path(directory).is_file():
        _extract(Path(directory), code, directory)
    else:
        raise CannotStartError(f"{DIRECTORY} is {directory}, and there is nothing there.")


def command(program: str, code: Path, arguments: list[str]) -> list[str]:
    """How the script is run from its folder. Raises CannotStartError."""
    if not (code / program).is_file():
        raise CannotStartError(f"{PROGRAM} is {program}, and there is no such file in {DIRECTORY}.")
    if program.endswith(".sh"):
        (code / program).chmod(0o755)
        return ["/bin/sh", "-c", shlex.join([f"./{program}", *arguments])]
    if program.endswith(".py"):
        return [sys.executable, program, *arguments]
    raise CannotStartError(f"{PROGRAM} is {program}; only .py and .sh files can be run.")


def main(environment: Mapping[str, str]) -> NoReturn:
    """Place the code and become the script. Raises SystemExit when that is not possible."""
    base = Path(environment["SM_INPUT_CONFIG_DIR"]).parents[1]
    code = base / "code"
    hyperparameters = json.loads((base / "input/config/hyperparameters.json").read_text(encoding="utf-8"))
    program, directory = (read_setting(hyperparameters, name) for name in (PROGRAM, DIRECTORY))
    try:
        code.mkdir(exist_ok=True)
        if directory:
            place_code(directory, code)
        words = command(program, code, json.loads(environment["SM_USER_ARGS"]))
    except CannotStartError as wrong:
        sys.exit(str(wrong))
    os.chdir(code)
    if Path("requirements.txt").is_file():
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "-r", "requirements.txt"], check=True)
    path = os.pathsep.join(filter(None, (str(code), environment.get("PYTHONPATH"))))
    ours = {"PYTHONPATH": path, "SM_MODULE_DIR": directory, "SM_MODULE_NAME": program, "SM_USER_ENTRY_POINT": program}
    os.execve(words[0], words, {**environment, **ours})  # noqa: S606 (a person's script is what this is for)


def _extract(archive: Path, code: Path, address: str) -> None:
    try:
        with tarfile.open(archive, "r:*") as files:
            files.extractall(code, filter="data")
    except tarfile.TarError as wrong:
        raise CannotStartError(f"{DIRECTORY} is {address}, which is not a .tar.gz: {wrong}") from wrong


if __name__ == "__main__":
    main(os.environ)
