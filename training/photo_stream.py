"""Photos for fine-tuning: decoded in threads a little ahead of the network, each epoch in a new crop.

Which crop a photo gets follows from the seed, the epoch and its row alone, never from who decodes it.
"""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data import displayed
from training.errors import BadDataset
from training.features import View
from training.images import BadPhoto, load_photo
from training.preprocessing import Array, Preprocessing

_AHEAD = 3
"""Batches that may lie decoded: enough that the network never waits for one slow photo."""


def random_view(seed: int, epoch: int, row: int) -> View:
    """The crop of one photo in one epoch: anywhere in it, mirrored every other time."""
    left, top, side = np.random.default_rng((seed, epoch, row, 1)).random(3)
    return View(float(left), float(top), bool(side < 0.5))


@dataclass(frozen=True)
class PhotoStream:
    """Files below `root` as pixels, decoded by `pool`."""

    root: Path
    preprocessing: Preprocessing
    pool: ThreadPoolExecutor

    def batches(self, batches: Sequence[Sequence[tuple[str, View]]]) -> Generator[Array, None, None]:
        """The pixels [B, 3, s, s] of each batch in turn. Raises BadDataset for a photo that cannot be read any more."""
        waiting: deque[list[Future[Array]]] = deque()
        following = iter(batches)
        try:
            while True:
                while len(waiting) < _AHEAD and (batch := next(following, None)) is not None:
                    waiting.append([self.pool.submit(self._pixels, file, view) for file, view in batch])
                if not waiting:
                    return
                yield np.stack([pixels.result() for pixels in waiting.popleft()])
        finally:
            for left in waiting:
                for pixels in left:
                    pixels.cancel()

    def _pixels(self, file: str, view: View) -> Array:
        try:
            photo = load_photo(self.root / file, target_short_side=self.preprocessing.decoded_side)
        except BadPhoto as bad:
            raise BadDataset(
                f"{displayed(file)} could be read before, but not while fine-tuning: {bad.reason}"
            ) from bad
        return self.preprocessing.values(self.preprocessing.cropped(photo, view.left, view.top), view.mirrored)
