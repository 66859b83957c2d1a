"""Two processes against one, each with one thread: how much of a second core's work arrives, and that the model is one.

There is no target: two processes on a machine of two cores share its memory, caches and heat.
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

import numpy as np
import onnx

from tests.bench.rows import Row
from training.graph import read_head

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3
PHOTOS_PER_BREED = 80
BREEDS = 4
DRAWN_SIZE = 560
TUNED_PER_BREED = 12


@dataclass(frozen=True)
class Run:
    """One run: photos a second of all its processes while they made features, and seconds it fine-tuned for."""

    rate: float
    tuning: float
    model: Path


def rows() -> list[Row]:
    from training import sample_data

    breeds = tuple(sample_data.BREEDS)[:BREEDS]
    with tempfile.TemporaryDirectory(prefix="kennel-bench-") as name:
        folder = Path(name)
        many = sample_data.write_dataset(
            folder / "many", photos_per_breed=PHOTOS_PER_BREED, size=DRAWN_SIZE, breeds=breeds
        )
        few = sample_data.write_dataset(
            folder / "few", photos_per_breed=TUNED_PER_BREED, size=DRAWN_SIZE, breeds=breeds
        )
        pairs = [(_run(folder, "many", 1, number), _run(folder, "many", 2, number)) for number in range(ROUNDS)]
        one, two = (median(run.rate for run in side) for side in zip(*pairs, strict=True))
        tuning = ["--unfreeze", "3", "--fine-tune-epochs", "2", "--batch-size", "16", "--amp", "off"]
        tuned = [_run(folder, "few", processes, ROUNDS, *tuning) for processes in (1, 2)]
        apart = [_difference(*pairs[0]), _difference(*tuned)]
    note = f"{many.total} drawn pictures of {DRAWN_SIZE} pixels, one thread a process, {os.cpu_count()} cores"
    cost = f"{few.total} pictures, 3 blocks, 2 epochs, batches of 16, one thread a process, start of torch not counted"
    return [
        Row(
            "features, two processes against one",
            two / one,
            two,
            one,
            "photos/s",
            f"{note}; efficiency {two / one / 2:.0%}; heads differ by {apart[0]:.1g} at most",
        ),
        Row.of_times(
            "fine-tuning, two processes against one",
            tuned[1].tuning,
            tuned[0].tuning,
            "s",
            f"{cost}; efficiency {tuned[0].tuning / tuned[1].tuning / 2:.0%}; heads differ by {apart[1]:.1g} at most",
        ),
    ]


def _run(folder: Path, data: str, processes: int, number: int, *more: str) -> Run:
    model = folder / f"{data}-{processes}-{number}"
    command = [sys.executable, "-m", "training.train", "--data", str(folder / data), "--model-dir", str(model)]
    command += ["--epochs", "5", "--num-workers", "1", "--cache", "off", "--processes", str(processes), *more]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SM_", "KENNEL_"))}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    began = ended = 0.0
    with subprocess.Popen(command, cwd=ROOT, env=kept | threads, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "stage=finetune" in line:
                ended = time.perf_counter()
                began = began or ended
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    shares = json.loads((model / "card.json").read_text(encoding="utf-8"))["distributed"]
    return Run(sum(shares["photos_per_second"]), ended - began, model)


def _difference(one: Run, other: Run) -> float:
    first, second = (read_head(onnx.load(run.model / "model.onnx")) for run in (one, other))
    return float(max(np.abs(first.weight - second.weight).max(), np.abs(first.bias - second.bias).max()))
