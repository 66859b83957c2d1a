"""A run that is stopped or killed, at whatever moment, goes on where it was and ends as if nothing had happened."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.training.conftest import ROOT, Run, clean_environment, read_until
from training.checkpoint import Checkpoints, State

pytestmark = pytest.mark.skipif(os.name == "nt", reason="stops with the signals of POSIX")
FLAGS = ("--epochs", "120", "--batch-size", "8", "--seed", "3", "--checkpoint-seconds", "0")


@pytest.fixture(scope="module")
def uninterrupted(small_dataset: Path, run_module: Run, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The model of a run that nobody stopped."""
    model = tmp_path_factory.mktemp("uninterrupted")
    done = run_module("training.train", "--data", small_dataset, "--model-dir", model, *FLAGS)
    assert done.returncode == 0, done.stderr
    return (model / "model.onnx").read_bytes()


def start(data: Path, folder: Path, *flags: str, **environment: str) -> "subprocess.Popen[str]":
    places = ["--data", data, "--model-dir", folder / "model", "--checkpoint-dir", folder / "kept"]
    return subprocess.Popen(
        [sys.executable, "-m", "training.train", *map(str, places), *flags],
        cwd=ROOT,
        env=clean_environment(KENNEL_FEATURE_CACHE=str(folder / "features"), **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(data: Path, folder: Path, *flags: str, **environment: str) -> str:
    """Run it to its end and return what it said."""
    with start(data, folder, *flags, **environment) as process:
        out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    return out


def test_a_stopped_run_goes_on_and_ends_like_one_that_was_never_stopped(
    uninterrupted: bytes, small_dataset: Path, tmp_path: Path
) -> None:
    with start(small_dataset, tmp_path, *FLAGS) as process:
        read_until(process, "epoch=7/120")
        process.send_signal(signal.SIGTERM)
        asked = time.time()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert (tmp_path / "kept" / "head.checkpoint").stat().st_mtime - asked < 5
    # What was kept of the stopped run is a model too, another one.
    assert (tmp_path / "model" / "model.onnx").read_bytes() != uninterrupted
    log = finish(small_dataset, tmp_path, *FLAGS)
    assert "60 of 60 photos' features came from the cache" in log
    assert "goes on from the checkpoint, after epoch" in log
    assert "epoch=5/120" not in log
    assert (tmp_path / "model" / "model.onnx").read_bytes() == uninterrupted


def test_a_checkpoint_at_intervals_is_saved_at_once_when_the_run_is_stopped(
    small_dataset: Path, tmp_path: Path
) -> None:
    """Its next save would have been after an hour."""
    flags = ("--epochs", "1000", "--batch-size", "1", "--checkpoint-seconds", "3600")
    with start(small_dataset, tmp_path, *flags) as process:
        read_until(process, "epoch=3/1000")
        assert not (tmp_path / "kept" / "head.checkpoint").exists()
        process.send_signal(signal.SIGTERM)
        asked = time.time()
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert (tmp_path / "kept" / "head.checkpoint").stat().st_mtime - asked < 5


def test_features_that_were_ready_when_the_run_was_stopped_are_not_computed_again(
    small_dataset: Path, tmp_path: Path
) -> None:
    with start(small_dataset, tmp_path, "--epochs", "1") as process:
        read_until(process, "stage=features done=0")
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    known = next(
        line for line in finish(small_dataset, tmp_path, "--epochs", "1").splitlines() if "from the cache" in line
    )
    assert int(known.split()[0]) > 0


def test_fine_tuning_goes_on_within_an_epoch(small_dataset: Path, run_module: Run, tmp_path: Path) -> None:
    for split, photos in (("train", 4), ("valid", 1)):
        for breed in ("057.Dalmatian", "124.Poodle"):
            (tmp_path / "few" / split / breed).mkdir(parents=True)
            for photo in sorted((small_dataset / split / breed).iterdir())[:photos]:
                shutil.copy(photo, tmp_path / "few" / split / breed)
    flags = ("--epochs", "2", "--unfreeze", "1", "--fine-tune-epochs", "2", "--batch-size", "2", "--amp", "off")
    one_thread = {"OMP_NUM_THREADS": "1"}  # torch's threads wait for each other, for ever on a busy machine
    places = ("--data", tmp_path / "few", "--model-dir", tmp_path / "whole")
    assert run_module("training.train", *places, *flags, **one_thread).returncode == 0
    with start(tmp_path / "few", tmp_path, *flags, **one_thread) as process:
        read_until(process, "epoch=3/4")
        read_until(process, "stage=finetune")
        process.send_signal(signal.SIGTERM)
        asked = time.time()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert (tmp_path / "kept" / "finetune.checkpoint").stat().st_mtime - asked < 5
    log = finish(tmp_path / "few", tmp_path, *flags, **one_thread)
    assert "fine-tuning goes on from the checkpoint" in log
    assert "epoch=3/4" not in log
    whole, resumed = (tmp_path / name / "model.onnx" for name in ("whole", "model"))
    assert resumed.read_bytes() == whole.read_bytes()


def test_killed_at_any_moment_it_goes_on_to_the_same_model(
    uninterrupted: bytes, small_dataset: Path, tmp_path: Path
) -> None:
    chance = Random(7)
    killed_after_checkpoint = 0
    for _ in range(7):
        with start(small_dataset, tmp_path, *FLAGS) as process:
            assert process.stdout is not None
            # By what it has said, since nobody knows how fast the machine is: from the first photo to the export.
            for _ in range(chance.choice((1, 3, 4, 8, 20, 40, 80, 130))):
                process.stdout.readline()
            time.sleep(chance.random() * 0.02)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        if (tmp_path / "kept" / "head.checkpoint").exists():
            killed_after_checkpoint += 1
            said: list[str] = []
            # Of another run, by its words; a damaged one would be said to be unreadable.
            assert Checkpoints(tmp_path / "kept", "none", said.append).load("head") is None
            assert "is of another run" in said[0]
    assert killed_after_checkpoint
    finish(small_dataset, tmp_path, *FLAGS)
    assert (tmp_path / "model" / "model.onnx").read_bytes() == uninterrupted


def test_a_damaged_checkpoint_is_said_and_the_run_begins_again(
    uninterrupted: bytes, small_dataset: Path, tmp_path: Path
) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "head.checkpoint").write_bytes(b"KennelC1 and then nothing that was ever written")
    assert "head.checkpoint cannot be read" in finish(small_dataset, tmp_path, *FLAGS)
    assert (tmp_path / "model" / "model.onnx").read_bytes() == uninterrupted


def test_other_settings_do_not_go_on_from_this_checkpoint(small_dataset: Path, tmp_path: Path) -> None:
    finish(small_dataset, tmp_path, "--epochs", "3")
    log = finish(small_dataset, tmp_path, "--epochs", "4")
    assert "is of another run (other data or settings)" in log
    assert "epoch=1/4" in log


def test_a_full_disk_under_the_checkpoints_does_not_end_the_run(small_dataset: Path, tmp_path: Path) -> None:
    """A file where the folder should be stands for it: nothing can be written there either."""
    (tmp_path / "kept").write_text("in the way")
    Checkpoints(tmp_path / "kept", "x").save("head", State())
    log = finish(small_dataset, tmp_path, "--epochs", "2", "--checkpoint-seconds", "0")
    assert "no checkpoint was written" in log
    assert (tmp_path / "model" / "model.onnx").exists()
