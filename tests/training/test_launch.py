"""Which processes a run has, and that they end together, whoever is asked to stop or dies."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.training.conftest import ROOT, Run, clean_environment, read_until, start
from training.container import Hosts
from training.graph import Head, read_head
from training.launch import Layout, Outcome, Rank, command, plan
from training.settings import Settings
from training.stopping import Stop

TWO = Hosts(("algo-1", "algo-2"), 1)


# -- the plan ----------------------------------------------------------------------------------------------------------


def test_one_process_unless_more_are_asked_for(tmp_path: Path) -> None:
    assert plan(Settings(), Hosts(), {}, tmp_path).size == 1
    assert plan(Settings(processes=3), Hosts(), {}, tmp_path).size == 3
    assert plan(Settings(processes=2), TWO, {}, tmp_path).size == 4
    assert plan(Settings(), TWO, {}, tmp_path).size == 2


def test_one_process_for_each_gpu_where_torch_uses_them(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    torch = Settings(engine="torch")
    assert plan(torch, Hosts(), {}, tmp_path).processes == 2
    assert plan(Settings(unfreeze="2"), Hosts(), {}, tmp_path).processes == 2
    assert plan(Settings(), Hosts(), {}, tmp_path).processes == 1
    assert plan(torch, Hosts(), {"CUDA_VISIBLE_DEVICES": "3"}, tmp_path).processes == 1
    assert plan(torch, Hosts(), {"CUDA_VISIBLE_DEVICES": ""}, tmp_path).processes == 1
    assert plan(torch, Hosts(), {"SM_NUM_GPUS": "4"}, tmp_path).processes == 4
    assert plan(Settings(engine="torch", processes=1), Hosts(), {}, tmp_path).processes == 1


def test_torchrun_is_told_where_the_first_host_is() -> None:
    told = command(Layout(TWO, 2), ["--base", "/opt/ml"], {"MASTER_PORT": "7777"})
    assert "--nnodes=2" in told
    assert "--node-rank=1" in told
    assert "--nproc-per-node=2" in told
    assert "--master-addr=algo-1" in told
    assert "--master-port=7777" in told
    assert told[-4:] == ["-m", "training.train", "--base", "/opt/ml"]
    assert "--standalone" in command(Layout(Hosts(), 2), [], {})


def test_a_rank_that_starts_late_finds_the_stop(tmp_path: Path) -> None:
    (tmp_path / "stop").touch()
    stop = Stop()
    rank = Rank({"TRAINING_RANKS": str(tmp_path), "LOCAL_RANK": "1"})
    rank.announce(stop)
    assert stop.requested
    assert (tmp_path / "1.pid").read_text() == str(os.getpid())
    rank.report(Outcome(143, "stopped"))
    assert json.loads((tmp_path / "1.json").read_text())["code"] == 143


# -- real processes ----------------------------------------------------------------------------------------------------


def head_of(model: Path) -> Head:
    return read_head(onnx.load(model / "model.onnx"))


def difference(one: Head, other: Head) -> float:
    return max(float(np.abs(one.weight - other.weight).max()), float(np.abs(one.bias - other.bias).max()))


@pytest.fixture(scope="module")
def alone(small_dataset: Path, run_module: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of one process."""
    model = tmp_path_factory.mktemp("alone") / "model"
    done = run_module("training.train", "--data", small_dataset, "--model-dir", model, *FLAGS)
    assert done.returncode == 0, done.stderr
    return model


FLAGS = ("--epochs", "6", "--batch-size", "16", "--seed", "3")


def test_two_processes_train_the_same_model_as_one(
    alone: Path, small_dataset: Path, run_module: Run, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    done = run_module("training.train", "--data", small_dataset, "--model-dir", model, *FLAGS, "--processes", "2")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert difference(head_of(alone), head_of(model)) < 1e-5
    card = json.loads((model / "card.json").read_text())
    assert card["distributed"]["processes"] == 2
    assert card["distributed"]["hosts"] == 1
    assert len(card["distributed"]["photos_per_second"]) == 2
    assert 0 < card["distributed"]["efficiency"] <= 1
    # Only one of them speaks.
    assert done.stdout.count("epoch=1/6") == 1
    assert done.stdout.count("model written to") == 1


def host(folder: Path, data: Path, current: str, port: int) -> "subprocess.Popen[str]":
    """One machine of a job on two, both of which are this one."""
    config = folder / "input" / "config"
    config.mkdir(parents=True)
    told = {"current_host": current, "hosts": ["localhost", "algo-2"], "network_interface_name": "lo"}
    (config / "resourceconfig.json").write_text(json.dumps(told))
    (config / "hyperparameters.json").write_text(json.dumps({"epochs": "6", "batch-size": "16", "seed": "3"}))
    if not (folder / "input" / "data").exists():
        shutil.copytree(data, folder / "input" / "data" / "training")
    return subprocess.Popen(
        [sys.executable, "-m", "training.train"],
        cwd=ROOT,
        env=clean_environment(KENNEL_BASE=str(folder), MASTER_PORT=str(port)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def two_hosts(tmp_path: Path, data: Path, other_data: Path | None = None) -> "Iterator[list[subprocess.Popen[str]]]":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hosts = [
        host(tmp_path / "one", data, "localhost", port),
        host(tmp_path / "two", other_data or data, "algo-2", port),
    ]
    try:
        yield hosts
    finally:
        for process in hosts:
            process.kill()
            process.communicate()


def test_two_hosts_train_the_same_model_as_one(alone: Path, small_dataset: Path, tmp_path: Path) -> None:
    with two_hosts(tmp_path, small_dataset) as hosts:
        said = [process.communicate(timeout=100) for process in hosts]
    assert [process.returncode for process in hosts] == [0, 0], said
    assert difference(head_of(alone), head_of(tmp_path / "one" / "model")) < 1e-5
    # SageMaker packs every host's model folder into one archive: the first host alone puts something there.
    assert not (tmp_path / "two" / "model" / "model.onnx").exists()
    assert "epoch=1/6" in said[0][0]
    assert said[1][0] == ""


def test_hosts_with_different_photos_are_refused_on_both(small_dataset: Path, tmp_path: Path) -> None:
    fewer = tmp_path / "fewer"
    shutil.copytree(small_dataset, fewer)
    next((fewer / "train" / "124.Poodle").glob("*.jpg")).unlink()
    with two_hosts(tmp_path, small_dataset, fewer) as hosts:
        said = [process.communicate(timeout=100) for process in hosts]
    assert [process.returncode for process in hosts] == [1, 1], said
    for name in ("one", "two"):
        assert "S3DataDistributionType FullyReplicated" in (tmp_path / name / "output" / "failure").read_text()


def test_sigterm_reaches_every_process_and_the_best_so_far_is_kept(small_dataset: Path, tmp_path: Path) -> None:
    model, kept = tmp_path / "model", tmp_path / "checkpoints"
    flags = ("--processes", "2", "--epochs", "1000", "--batch-size", "1", "--checkpoint-dir", str(kept))
    with start(small_dataset, model, *flags) as process:
        read_until(process, "epoch=2/1000")
        process.send_signal(signal.SIGTERM)
        asked = time.time()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert (model / "model.onnx").exists()
    assert (kept / "head.checkpoint").stat().st_mtime - asked < 5
    assert "stopped after epoch" in out
    assert err == ""


def test_sigterm_while_features_are_made_ends_every_process(small_dataset: Path, tmp_path: Path) -> None:
    with start(small_dataset, tmp_path / "model", "--processes", "2") as process:
        read_until(process, "stage=features done=0")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert err.strip() == "The run was stopped before there was a model to keep."


def test_a_refusal_by_all_processes_is_said_once(small_dataset: Path, tmp_path: Path, run_module: Run) -> None:
    broken = tmp_path / "data"
    shutil.copytree(small_dataset / "train" / "124.Poodle", broken / "train" / "124.Poodle")
    done = run_module("training.train", "--data", broken, "--model-dir", tmp_path / "model", "--processes", "2")
    assert done.returncode == 1
    assert "one class only" in done.stderr
    assert done.stderr.count("\n") == 1


def _children(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            number, _, rest = status.read_text().partition(" ")
            if int(rest.rpartition(")")[2].split()[1]) == pid:
                found.append(int(number))
    return found


def _ranks(launcher: int) -> list[int]:
    return [rank for torchrun in _children(launcher) for rank in _children(torchrun)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("victim", ["first", "launcher"])
def test_when_one_process_is_killed_none_is_left(victim: str, small_dataset: Path, tmp_path: Path) -> None:
    flags = ("--processes", "2", "--epochs", "1000", "--batch-size", "1")
    with start(small_dataset, tmp_path / "model", *flags) as process:
        read_until(process, "epoch=2/1000")
        ranks = sorted(_ranks(process.pid))
        assert len(ranks) == 2
        os.kill(ranks[0] if victim == "first" else process.pid, signal.SIGKILL)
        # Reads until the last one of them has let go of the pipe.
        _, err = process.communicate(timeout=60)
    if victim != "launcher":
        assert process.returncode == 1
        assert "ended without a word" in err or "is gone" in err
    end = time.monotonic() + 10
    while time.monotonic() < end and any(Path(f"/proc/{rank}").exists() for rank in ranks):
        time.sleep(0.1)
    assert [rank for rank in ranks if Path(f"/proc/{rank}").exists()] == []
