"""Photos to features, once: decoding in threads ahead of the network, in batches, with bounded memory."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from training.images import BadPhoto
from training.inference import Array, Preprocessing, dog_probability

Extract = Callable[[Array], tuple[Array, Array]]
"""Pixels [N, 3, 224, 224] → (features [N, 1280], ImageNet logits [N, 1000])."""
BATCH = 8
"""Photos in one run of the network: on two cores larger batches are slower, they no longer fit the cache."""
AHEAD = 96
"""Photos decoded ahead of the network at most, 0.6 MB each."""


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
    """The first few photos' pixels [≤ BATCH, 3, 224, 224], to compare engines on"""


class Decoder:
    """Decodes photos in threads, in order, never more than AHEAD of what was taken. Starts when it is entered."""

    def __init__(self, paths: Sequence[Path], preprocessing: Preprocessing, threads: int) -> None:
        self._paths = paths
        self._preprocessing = preprocessing
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="decode")
        self._waiting: deque[Future[Array]] = deque()
        self._next = 0

    def __enter__(self) -> Self:
        self._fill()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __iter__(self) -> Iterator[tuple[Path, Array | BadPhoto]]:
        for path in self._paths:
            decoded = self._waiting.popleft()
            self._fill()
            try:
                yield path, decoded.result()
            except BadPhoto as bad:
                yield path, bad

    def _fill(self) -> None:
        while self._next < len(self._paths) and len(self._waiting) < AHEAD:
            self._waiting.append(self._pool.submit(self._preprocessing.load, self._paths[self._next]))
            self._next += 1


def extract_features(
    decoded: Iterator[tuple[Path, Array | BadPhoto]], extract: Extract, on_photos: Callable[[int], None]
) -> Features:
    """Run the network over all decoded photos; `on_photos` is told after each batch how many are done."""
    paths: list[Path] = []
    values: list[Array] = []
    dogs: list[Array] = []
    unreadable: list[Unreadable] = []
    batch: list[Array] = []
    sample: Array | None = None

    def run() -> None:
        nonlocal sample
        pixels = np.stack(batch)
        sample = pixels if sample is None else sample
        features, imagenet = extract(pixels)
        values.append(features)
        dogs.append(dog_probability(imagenet))
        batch.clear()

    for done, (path, pixels) in enumerate(decoded, start=1):
        if isinstance(pixels, BadPhoto):
            unreadable.append(Unreadable(path, pixels.reason))
        else:
            paths.append(path)
            batch.append(pixels)
            if len(batch) == BATCH:
                run()
                on_photos(done)
    if batch:
        run()
    if len(unreadable) or len(paths) % BATCH:
        on_photos(len(paths) + len(unreadable))
    return Features(
        tuple(paths),
        np.concatenate(values) if values else np.zeros((0, 0), np.float32),
        np.concatenate(dogs) if dogs else np.zeros(0, np.float32),
        tuple(unreadable),
        sample if sample is not None else np.zeros((0, 3, 0, 0), np.float32),
    )
