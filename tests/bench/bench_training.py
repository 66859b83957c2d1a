"""Whole training runs, process and all, against the plain torch loops that people write for them.

Each of ours is set against two loops: the reference (ResNet-50, what a user gains) and the same loop with our backbone
(what our engineering gives). Both decode every photo and run the backbone in every epoch, as the reference projects do.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.rows import Row

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3
PHOTOS_PER_BREED = 167
"""Of six breeds: 1,002 photos."""
DRAWN_SIZE = 560
"""Pixels; the reference data set's photos have about this long side."""
MANY = 20
"""Epochs of the longer runs."""


@dataclass(frozen=True)
class Plain:
    """A plain loop that ran for two epochs: the seconds of the whole process, of its second epoch, and its accuracy."""

    name: str
    whole: float
    second: float
    accuracy: dict[int, float]
    """Share of test photos that are right, after so many epochs"""

    def seconds(self, epochs: int) -> float:
        """Of a whole process; epochs after the second are taken to last as long as the second did."""
        return self.whole + (epochs - 2) * self.second


@dataclass(frozen=True)
class Kind:
    """One of our runs."""

    epochs: int
    precision: str
    is_warm: bool = False

    @property
    def words(self) -> str:
        start = ", features cached" if self.is_warm else ""
        return f"{self.epochs} epoch{'s' * (self.epochs > 1)} in {self.precision}{start}"


KINDS = (
    Kind(1, "fp32"),
    Kind(MANY, "fp32"),
    Kind(1, "int8"),
    Kind(MANY, "int8"),
    Kind(MANY, "int8", is_warm=True),
)
"""In the order in which they run; a warm run finds what the one before it has left."""
PLAIN = {"resnet50": "a ResNet-50 loop", "lite0": "the same loop with our backbone"}


def rows() -> list[Row]:
    from training.sample_data import write_dataset

    with tempfile.TemporaryDirectory(prefix="kennel-bench-") as name:
        folder = Path(name)
        written = write_dataset(folder / "data", photos_per_breed=PHOTOS_PER_BREED, size=DRAWN_SIZE)
        taken: dict[Kind, list[float]] = {kind: [] for kind in KINDS}
        accuracy: dict[Kind, float] = {}
        plain: list[Plain] = []
        # In turns, so that a noisy minute of the machine hits all of them.
        for number, backbone in enumerate([*PLAIN, None]):
            for kind in KINDS:
                seconds, accuracy[kind] = _ours(kind, folder, f"cache-{number}-{kind.precision}-{kind.epochs}")
                taken[kind].append(seconds)
            if backbone:
                plain.append(_plain(backbone, folder))
        about = f"{written.total:,} drawn pictures of {DRAWN_SIZE} pixels, whole process, {os.cpu_count()} cores"
        return [
            _row(kind, median(taken[kind]), accuracy[kind], loop, about)
            for kind in KINDS
            for loop in plain
        ]  # fmt: skip


def _row(kind: Kind, seconds: float, accuracy: float, loop: Plain, about: str) -> Row:
    extrapolated = ""
    if kind.epochs > 2:
        extrapolated = f"its epochs 3 to {kind.epochs} extrapolated from the second, {loop.second:.1f} s each; "
    random = " with random weights, so that figure says nothing about ResNet-50" if loop.name == "resnet50" else ""
    note = (
        f"{about}; {extrapolated}test accuracy {accuracy:.1%} against {loop.accuracy[kind.epochs]:.1%}{random}"
    )  # fmt: skip
    return Row.of_times(
        f"training, {kind.words}, against {PLAIN[loop.name]}", seconds, loop.seconds(kind.epochs), "s", note
    )


def _ours(kind: Kind, folder: Path, cache: str) -> tuple[float, float]:
    """Seconds of the whole process, and the accuracy on test that it prints."""
    command = [sys.executable, "-m", "training.train", "--data", str(folder / "data")]
    command += ["--model-dir", str(folder / "model"), "--cache", str(folder / cache)]
    command += ["--epochs", str(kind.epochs), "--precision", kind.precision]
    began = time.perf_counter()
    run = subprocess.run(command, cwd=ROOT, env=_environment(), check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    from training import metrics

    read = [metrics.parse(line) for line in run.stdout.splitlines()]
    found = next(line.values["test:accuracy"] for line in read if line and "test:accuracy" in line.values)
    if kind.is_warm and "came from the cache" not in run.stdout:
        raise RuntimeError("the warm run computed its features again")
    return seconds, found


def _plain(backbone: str, folder: Path) -> Plain:
    command = [sys.executable, "-m", "tests.bench.plain_training", str(folder / "data"), str(folder / "plain.pth")]
    command += ["--backbone", backbone, "--epochs", "2", "--replay", str(MANY)]
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        whole = time.perf_counter() - began
        replayed = json.loads(process.stdout.readline())
    accuracy = {int(epochs): share for epochs, share in replayed.items()}
    return Plain(backbone, whole, told["epoch_seconds"][1], accuracy)


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("SM_", "KENNEL_"))}
