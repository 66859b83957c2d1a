"""A photo's way from its bytes to scores, alone and in two workers, against the plain torch code that people write."""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.photo_worker import BATCH
from tests.bench.rows import Row

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3
QUIET = 0.1
"""Seconds between two measurements: the threads of the one before spin on for a while, on the cores of the next."""
DRAWN_SIZE = 560
OURS = ("fp32", "int8")
PLAIN = {"resnet50": "ResNet-50 in torch", "lite0": "our backbone in torch"}
WAYS = (*OURS, *PLAIN)
_ALONE = "resnet50 alone"


@dataclass(frozen=True)
class Photos:
    """Files and, where they are photos of known dogs, their breeds."""

    files: list[Path]
    words: str
    breeds: dict[int, str] = field(default_factory=dict)


def rows() -> list[Row]:
    from training.model import build_starter

    with tempfile.TemporaryDirectory(prefix="kennel-bench-") as name:
        photos = _photos(Path(name))
        model = build_starter(Path(name) / "starter")
        return [*_single(photos, model), *_two_workers(photos, model)]


def _single(photos: Photos, model: Path) -> list[Row]:
    """The p50 over the photos, each the median of its rounds; all cores for one photo, all ways in turn."""
    cores = os.cpu_count() or 1
    with ExitStack() as stack:
        workers = {way: stack.enter_context(_worker(way, cores, model, photos.files)) for way in WAYS}
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        right = dict.fromkeys(WAYS, 0)
        answers = dict.fromkeys(WAYS, 0)
        for number in range(len(photos.files)):
            for way, worker in workers.items():
                time.sleep(QUIET)
                _ask(worker, [number])  # wakes its threads: every way is measured at work
                seconds[way].append(median(_ask(worker, [number])["seconds"] for _ in range(ROUNDS)))
            if number in photos.breeds:
                for way, worker in workers.items():
                    breed = _ask(worker, [number])["breed"]
                    answers[way] += breed is not None
                    right[way] += breed is not None and _same(breed, photos.breeds[number])
    p50 = {way: 1000 * median(seconds[way]) for way in WAYS}
    about = f"{len(photos.files)} {photos.words}, one at a time, p50, {cores} cores"
    result = []
    for way in OURS:
        for plain, words in PLAIN.items():
            note = about
            if photos.breeds:
                theirs = f"{right[plain]}" if answers[plain] else "no figure (random weights)"
                note += f"; breed right on {right[way]} of {len(photos.breeds)} dogs against {theirs}"
            result.append(
                Row.of_times(f"photo → scores in {way}, against {words}", p50[way], p50[plain], "ms a photo", note)
            )
    return result


def _two_workers(photos: Photos, model: Path) -> list[Row]:
    """Two processes of one core each, at work at the same time, as an endpoint with two workers is.

    Against the plain code in the same arrangement, and against the reference as its projects serve it: one process with
    all cores.
    """
    cores = os.cpu_count() or 1
    # Large and small photos are dealt out evenly.
    by_size = sorted(range(len(photos.files)), key=lambda number: photos.files[number].stat().st_size)
    hands = [by_size[0::2], by_size[1::2]]
    with ExitStack() as stack:
        teams = {
            way: [(stack.enter_context(_worker(way, 1, model, photos.files)), hand) for hand in hands] for way in WAYS
        }
        teams[_ALONE] = [(stack.enter_context(_worker("resnet50", cores, model, photos.files)), by_size)]
        seconds: dict[str, list[float]] = {name: [] for name in teams}
        for _ in range(ROUNDS):
            for name, team in teams.items():
                time.sleep(QUIET)
                began = time.perf_counter()
                for worker, hand in team:
                    _send(worker, hand)
                for worker, _ in team:
                    _hear(worker)
                seconds[name].append(time.perf_counter() - began)
    each = {name: 1000 * median(taken) / len(photos.files) for name, taken in seconds.items()}
    note = f"{len(photos.files)} {photos.words}, means; ours in two workers of one core each, {BATCH} photos a call;"
    sides = {name: (f"{words} in two workers", f"{note} theirs too, one photo a call") for name, words in PLAIN.items()}
    sides[_ALONE] = (
        "ResNet-50 in torch in one",
        f"{note} theirs one worker with {cores} cores, as the reference is served",
    )
    return [
        Row.of_times(
            f"photos → scores in two workers in {way}, against {words}", each[way], each[side], "ms a photo", so
        )
        for way in OURS
        for side, (words, so) in sides.items()
    ]


def _same(one: str, other: str) -> bool:
    from training.breeds import same_breed

    return same_breed(one, other)


def _photos(folder: Path) -> Photos:
    """The real photos where they are, else drawn ones."""
    real = Path(os.environ.get("KENNEL_PHOTOS", ROOT.parent / "shared" / "photos"))
    if (real / "labels.csv").exists():
        with (real / "labels.csv").open(newline="") as table:
            known = list(csv.DictReader(table))
        breeds = {number: row["label"] for number, row in enumerate(known) if row["is_dog"] == "1"}
        return Photos([real / row["file"] for row in known], "real photos", breeds)
    from training.sample_data import write_dataset

    write_dataset(folder / "drawn", photos_per_breed=8, size=DRAWN_SIZE)
    return Photos(sorted((folder / "drawn").rglob("*.jpg")), "drawn pictures")


@contextmanager
def _worker(way: str, threads: int, model: Path, files: Sequence[Path]) -> Iterator[Any]:
    """A ready process of tests.bench.photo_worker, ended by closing its input."""
    command = [sys.executable, "-m", "tests.bench.photo_worker", way, str(threads), str(model), *map(str, files)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the worker for {way} ended before it was ready")
        yield process


def _send(worker: Any, numbers: Sequence[int]) -> None:
    worker.stdin.write(" ".join(map(str, numbers)) + "\n")
    worker.stdin.flush()


def _hear(worker: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(worker.stdout.readline())
    return told


def _ask(worker: Any, numbers: Sequence[int]) -> dict[str, Any]:
    _send(worker, numbers)
    return _hear(worker)
