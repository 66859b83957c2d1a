"""The one large thing of a training run: every photo's features, and what else was found out while it was decoded."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.data import Unreadable
from training.distributed import Group
from training.preprocessing import Array

DIGEST_BYTES = HASH_BYTES = 32
_ROWS_AT_ONCE = 256


@dataclass
class FeatureTable:
    """What the backbone says about N photos in V views; row i is the i-th file of the data set.

    Rows of photos that cannot be read, and of another process's photos, are zero.
    """

    values: Array
    """[N, V, D]"""
    dog: Array
    """[N], the backbone's dog probability, NaN where it has no ImageNet head"""
    digests: NDArray[np.uint8]
    """[N, 32] SHA-256 of the files"""
    hashes: NDArray[np.uint8]
    """[N, 32] perceptual hashes of the centre crops"""
    sizes: NDArray[np.int32]
    """[N, 2] width and height in pixels, as the files say"""
    readable: NDArray[np.bool_]
    """[N]"""
    unreadable: tuple[Unreadable, ...] = ()
    sample: Array = field(default_factory=lambda: np.zeros((0, 0, 0, 0), np.float32))
    """Pixels of a few readable photos [≤ SAMPLE, 3, h, w] in the first view"""
    sample_rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """The rows of the sample's photos"""
    from_cache: int = 0
    """Photos that were neither decoded nor run, because their features were known"""

    def __len__(self) -> int:
        return len(self.readable)

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Drop the rows outside `mask` [N], in place: the table never needs twice its memory."""
        rows = np.flatnonzero(mask)
        if len(rows) == len(mask):
            return
        renumbered = np.cumsum(mask) - 1
        stays = mask[self.sample_rows]
        self.sample, self.sample_rows = self.sample[stays], renumbered[self.sample_rows[stays]]
        for name in ("values", "dog", "digests", "hashes", "sizes", "readable"):
            column = getattr(self, name)
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                moved = rows[start : start + _ROWS_AT_ONCE]
                # Rows only ever move forwards, so none is overwritten before it has moved.
                column[start : start + len(moved)] = column[moved]
            setattr(self, name, column[: len(rows)])

    def gather(self, group: Group) -> None:
        """Add up the tables of all processes, each of which has filled in its own share of the rows."""
        for column in (self.values, self.dog, self.digests, self.hashes, self.sizes):
            flat = column.reshape(len(column), -1)
            for start in range(0, len(flat), _ROWS_AT_ONCE):
                part = flat[start : start + _ROWS_AT_ONCE]
                total = part if part.dtype == np.float32 else part.astype(np.int32)
                group.sum(total)
                part[:] = total
        readable = self.readable.astype(np.int32)
        group.sum(readable)
        self.readable[:] = readable > 0
        counted = np.array([self.from_cache], np.int64)
        group.sum(counted)
        self.from_cache = int(counted[0])
        self.unreadable = _gathered(self.unreadable, group)


def empty_table(photos: int, views: int, features: int) -> FeatureTable:
    """A table of so many photos, of which nothing is known yet; memory is only taken as rows are filled in."""
    return FeatureTable(
        values=np.zeros((photos, views, features), np.float32),
        dog=np.zeros(photos, np.float32),
        digests=np.zeros((photos, DIGEST_BYTES), np.uint8),
        hashes=np.zeros((photos, HASH_BYTES), np.uint8),
        sizes=np.zeros((photos, 2), np.int32),
        readable=np.zeros(photos, np.bool_),
    )


def _gathered(unreadable: Sequence[Unreadable], group: Group) -> tuple[Unreadable, ...]:
    """Every process's unreadable photos, in the same order everywhere. Only sums can be sent: texts go as numbers."""
    mine = np.frombuffer(json.dumps([[bad.file, bad.reason] for bad in unreadable]).encode(), np.uint8)
    lengths = np.zeros(group.size, np.int64)
    lengths[group.rank] = len(mine)
    group.sum(lengths)
    ends = np.cumsum(lengths)
    text = np.zeros(int(ends[-1]), np.int32)
    text[ends[group.rank] - len(mine) : ends[group.rank]] = mine
    group.sum(text)
    found: list[Unreadable] = []
    for start, end in zip(ends - lengths, ends, strict=True):
        found += [Unreadable(file, reason) for file, reason in json.loads(text[start:end].astype(np.uint8).tobytes())]
    return tuple(sorted(found, key=lambda bad: bad.file))
