"""What the training tests share: the starter model, a few drawn photos, a small data set, and running a module."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from training.inference import Model, load_model
from training.model import build_starter
from training.sample_data import write_dataset

ROOT = Path(__file__).resolve().parents[2]
THREE_BREEDS = ("057.Dalmatian", "118.Pembroke_welsh_corgi", "124.Poodle")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without anything that a training run would listen to; features are not kept at home."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SM_", "KENNEL_", "AWS_", "TRAINING_"))}
    return kept | {"KENNEL_FEATURE_CACHE": "off"} | more


def start(data: Path, model: Path, *flags: str) -> "subprocess.Popen[str]":
    """`training.train` as a process of its own, its output to be read line by line."""
    return subprocess.Popen(
        [sys.executable, "-m", "training.train", "--data", str(data), "--model-dir", str(model), *flags],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(process: "subprocess.Popen[str]", words: str) -> None:
    """Read what a process says up to the line that holds `words`."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return
    pytest.fail(f"the run ended before it said {words!r}: {process.communicate()}")


@pytest.fixture(scope="session")
def starter_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_starter(tmp_path_factory.mktemp("starter"))


@pytest.fixture(scope="session")
def starter(starter_folder: Path) -> Model:
    return load_model(starter_folder)


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three breeds, 20 small drawn pictures each. Read only: copy it before changing it."""
    folder = tmp_path_factory.mktemp("small") / "dogs"
    write_dataset(folder, photos_per_breed=20, seed=5, size=200, breeds=THREE_BREEDS)
    return folder


@pytest.fixture(scope="session")
def run_module() -> Run:
    """Run `python -m MODULE ARGUMENTS…` from the repository's root and return what it printed and its exit code."""

    def run(module: str, *arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT,
            env=clean_environment(**environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
