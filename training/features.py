"""Photos to features, once: in threads, with bounded memory, in an order that does not depend on the threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from training.images import BadPhoto
from training.inference import Array, Preprocessing, dog_probability

SAMPLE = 4
"""Photos whose pixels are kept, to check the exported model on."""


@dataclass(frozen=True)
class Engine:
    """What runs the frozen backbone, and how it likes its work cut."""

    extract: Callable[[Array], tuple[Array, Array]]
    """Pixels [N, 3, 224, 224] → (features [N, 1280], ImageNet logits [N, 1000]); called from several threads."""
    batch: int
    """Photos in one call."""


@dataclass(frozen=True)
class Unreadable:
    """A photo that was skipped, and the sentence that says why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Features:
    """What the backbone says about N readable photos, in the order of `paths`."""

    paths: tuple[Path, ...]
    values: Array
    """[N, 1280]"""
    dog: Array
    """[N], the backbone's dog probability"""
    unreadable: tuple[Unreadable, ...]
    sample: Array
    """The first few photos' pixels [≤ SAMPLE, 3, 224, 224], to check the exported model on"""


def extract_features(
    paths: Sequence[Path],
    engine: Engine,
    preprocessing: Preprocessing,
    threads: int,
    on_photos: Callable[[int], None],
) -> Features:
    """Decode every photo and run the backbone on it, in `threads` threads; `on_photos` hears how many are done.

    Each thread decodes and runs its own batch: on CPU cores that is faster than one network on all of them, and no
    more than a few batches are in memory. Results come in the order of `paths` whatever thread was first. What
    `on_photos` raises ends the work.
    """
    batches = [paths[start : start + engine.batch] for start in range(0, len(paths), engine.batch)]
    found: list[_Batch] = []
    done = 0
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="features") as pool:
        try:
            for batch in pool.map(lambda some: _run(some, engine, preprocessing), batches):
                # Only a sample keeps its pixels, the others' memory is wanted back.
                kept = sum(len(earlier.pixels) for earlier in found)
                found.append(batch if kept < SAMPLE else replace(batch, pixels=batch.pixels[:0]))
                done += len(batch.paths) + len(batch.unreadable)
                on_photos(done)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return Features(
        tuple(path for batch in found for path in batch.paths),
        _joined([batch.values for batch in found]),
        _joined([batch.dog for batch in found]),
        tuple(bad for batch in found for bad in batch.unreadable),
        _joined([batch.pixels for batch in found])[:SAMPLE],
    )


@dataclass(frozen=True)
class _Batch:
    paths: tuple[Path, ...]
    values: Array
    dog: Array
    unreadable: tuple[Unreadable, ...]
    pixels: Array


def _run(paths: Sequence[Path], engine: Engine, preprocessing: Preprocessing) -> _Batch:
    readable: dict[Path, Array] = {}
    unreadable: list[Unreadable] = []
    for path in paths:
        try:
            readable[path] = preprocessing.load(path)
        except BadPhoto as bad:
            unreadable.append(Unreadable(path, bad.reason))
    if not readable:
        nothing = np.zeros(0, np.float32)
        return _Batch((), nothing, nothing, tuple(unreadable), nothing)
    pixels = np.stack(list(readable.values()))
    values, imagenet = engine.extract(pixels)
    return _Batch(tuple(readable), values, dog_probability(imagenet), tuple(unreadable), pixels)


def _joined(parts: Sequence[Array]) -> Array:
    """Parts along the first axis; an empty array when no part has anything."""
    filled = [part for part in parts if len(part)]
    return np.concatenate(filled) if filled else np.zeros((0, 0), np.float32)
