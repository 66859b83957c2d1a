"""Photos that a data set holds more than once: byte for byte, or as pictures that look the same."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data import Dataset, Split
from training.perceptual import MOST_PAIRS, Hashes, near

Rows = NDArray[np.int64]
_MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93], np.uint64)
"""Odd numbers that turn a hash's four words into one key."""


@dataclass(frozen=True)
class Copies:
    """Photos that show the same picture, in the data set's order; `exact` when all of them are the same bytes."""

    files: tuple[str, ...]
    splits: tuple[Split, ...]
    """[as files] the split of each"""
    labels: tuple[str, ...]
    """[as files] what is shown for the class of each"""
    exact: bool

    @property
    def leaked(self) -> tuple[int, ...]:
        """The positions of valid and test photos whose picture is in a split before theirs: leakage.

        That is train for a valid photo, train or valid for a test photo.
        """
        order = list(Split)
        first = min(order.index(split) for split in self.splits)
        return tuple(at for at, split in enumerate(self.splits) if order.index(split) > first)

    @property
    def disagree(self) -> bool:
        """Whether the same picture is said to show different classes."""
        return len(set(self.labels)) > 1


@dataclass(frozen=True)
class Duplicates:
    """Every group of copies; `complete` is false where the set had too many pairs to name them all."""

    groups: tuple[Copies, ...]
    complete: bool


def find_duplicates(dataset: Dataset, digests: Hashes, hashes: Hashes) -> Duplicates:
    """Group the N photos of a data set by their SHA-256 `digests` [N, 32] and perceptual `hashes` [N, 32].

    A photo belongs to a group when it is close to any other in it. Pictures without any structure (one colour) are only
    compared byte by byte: their hash says nothing.
    """
    parent = np.arange(len(dataset.files))
    # 64 bits of a SHA-256 are as good as all of them to find what is equal.
    _join_equal(parent, np.arange(len(parent)), np.ascontiguousarray(digests).view(np.uint64)[:, 0])
    complete = _join_near(parent, hashes)
    labels = dataset.labels
    groups = tuple(
        Copies(
            tuple(dataset.files[row] for row in rows),
            tuple(_split(dataset, int(row)) for row in rows),
            tuple(labels[dataset.targets[row]] for row in rows),
            exact=bool((digests[rows] == digests[rows[0]]).all()),
        )
        for rows in _groups(parent)
    )
    return Duplicates(groups, complete)


def _join_near(parent: Rows, hashes: Hashes) -> bool:
    told = np.flatnonzero(hashes.any(axis=1))
    words = np.ascontiguousarray(hashes[told]).view(np.uint64)
    # Equal hashes first: a thousand copies of one picture would be half a million pairs.
    distinct = _join_equal(parent, told, (words * _MIX).sum(axis=1, dtype=np.uint64))
    pairs = near(hashes[distinct])
    for one, other in distinct[pairs].tolist():
        _join(parent, one, other)
    return len(pairs) < MOST_PAIRS


def _join_equal(parent: Rows, rows: Rows, keys: NDArray[np.uint64]) -> Rows:
    """Join the rows that have equal keys; returns one row for each key, ascending."""
    order = np.argsort(keys, kind="stable")
    equal = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    for at in equal.tolist():
        _join(parent, int(rows[order[at]]), int(rows[order[at + 1]]))
    return np.sort(rows[np.delete(order, equal + 1)])


def _join(parent: Rows, one: int, other: int) -> None:
    """The two rows' groups become one, named by its lowest row."""
    one, other = _root(parent, one), _root(parent, other)
    parent[max(one, other)] = min(one, other)


def _root(parent: Rows, row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = int(parent[row])
    return row


def _groups(parent: Rows) -> Iterator[Rows]:
    """The rows of each group of two or more, ascending."""
    children = np.flatnonzero(parent != np.arange(len(parent)))
    members: dict[int, list[int]] = {}
    for row in children.tolist():
        root = _root(parent, row)
        members.setdefault(root, [root]).append(row)
    for root in sorted(members):
        yield np.array(members[root], dtype=np.int64)


def _split(dataset: Dataset, row: int) -> Split:
    return next(split for split in Split if row < dataset.rows(split).stop)
