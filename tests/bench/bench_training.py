"""Photo bytes to scores, and one training run, against the plain torch code that people write for them."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.rows import Row

ROOT = Path(__file__).resolve().parents[2]
PHOTO_ROUNDS = 3
TRAINING_ROUNDS = 3
DRAWN_SIZE = 560
"""Pixels; the reference data set's photos have about this long side."""


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="kennel-bench-") as folder:
        return [*photo_rows(Path(folder)), *training_rows(Path(folder))]


def photo_rows(folder: Path) -> list[Row]:
    """One photo at a time, from the file's bytes to its scores; medians of each photo, averaged."""
    from training.model import build_starter

    photos, which = _photos(folder)
    mine, resnet, lite0 = _a_photo(photos, build_starter(folder / "starter"), ("ours", "resnet50", "lite0"))
    note = f"{len(photos)} {which}, one at a time, {_cores()} cores"
    return [
        Row.of_times("photo bytes → scores, against ResNet-50 in torch", mine, resnet, "ms a photo", note),
        Row.of_times("photo bytes → scores, against our backbone in torch", mine, lite0, "ms a photo", note),
    ]


def training_rows(folder: Path) -> list[Row]:
    """Whole processes, one epoch on 500 photos, taken in turns."""
    from training.sample_data import BREEDS, write_dataset

    data = folder / "data"
    written = write_dataset(data, photos_per_breed=100, size=DRAWN_SIZE, breeds=tuple(BREEDS)[:5])
    ours = ["training.train", "--data", str(data), "--model-dir", str(folder / "model"), "--epochs", "1"]
    plain = ["tests.bench.plain_training", str(data), str(folder / "plain.pth"), "--backbone"]
    mine: list[float] = []
    resnet: list[float] = []
    lite0: list[float] = []
    for index in range(TRAINING_ROUNDS):
        mine.append(_process(ours))
        if index == 0:
            resnet.append(_process([*plain, "resnet50"]))
        else:
            lite0.append(_process([*plain, "lite0"]))
    note = f"{written.total} drawn pictures of {DRAWN_SIZE} pixels, whole process, 1 epoch, {_cores()} cores"
    own = median(mine)
    return [
        Row.of_times("one training run, against a ResNet-50 loop in torch", own, median(resnet), "s", note),
        Row.of_times("one training run, against the same loop with our backbone", own, median(lite0), "s", note),
    ]


def _photos(folder: Path) -> tuple[list[Path], str]:
    """The real photos where they are, else drawn ones; and the words for them."""
    real = Path(os.environ.get("KENNEL_PHOTOS", ROOT.parent / "shared" / "photos"))
    if files := sorted(real.glob("*.jpg")):
        return files, "real photos"
    from training.sample_data import write_dataset

    write_dataset(folder / "drawn", photos_per_breed=8, size=DRAWN_SIZE)
    return sorted((folder / "drawn").rglob("*.jpg")), "drawn pictures"


def _a_photo(photos: list[Path], model: Path, ways: tuple[str, ...]) -> list[float]:
    """Milliseconds a photo of each way: for every photo the median of its rounds, all ways in turn."""
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker(way, model, photos)) for way in ways]
        total = [0.0] * len(ways)
        for index in range(len(photos)):
            taken: list[list[float]] = [[] for _ in ways]
            for _ in range(PHOTO_ROUNDS):
                for seconds, worker in zip(taken, workers, strict=True):
                    worker.stdin.write(f"{index}\n")
                    worker.stdin.flush()
                    seconds.append(float(worker.stdout.readline()))
            total = [sum_ + median(seconds) for sum_, seconds in zip(total, taken, strict=True)]
    return [seconds * 1000 / len(photos) for seconds in total]


@contextmanager
def _worker(way: str, model: Path, photos: list[Path]) -> Iterator[Any]:
    """A ready process of tests.bench.photo_worker, ended by closing its input."""
    command = [sys.executable, "-m", "tests.bench.photo_worker", way, str(model), *map(str, photos)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the worker for {way} ended before it was ready")
        yield process


def _process(module: list[str]) -> float:
    started = time.perf_counter()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SM_", "KENNEL_BASE"))}
    subprocess.run([sys.executable, "-m", *module], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _cores() -> int:
    return os.cpu_count() or 1
