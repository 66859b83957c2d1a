"""Photos that a data set holds more than once: byte for byte, or as pictures that look the same."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data import Dataset, Split
from training.perceptual import MOST_PAIRS, Hashes, near

Rows = NDArray[np.int64]


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
    labels = dataset.labels
    parent = np.arange(len(dataset.files))
    _join_equal(parent, digests)
    complete = _join_near(parent, hashes)
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


def _join_equal(parent: Rows, digests: Hashes) -> None:
    _, first, inverse = np.unique(digests, axis=0, return_index=True, return_inverse=True)
    for row, representative in enumerate(first[inverse.reshape(-1)]):
        _join(parent, row, int(representative))


def _join_near(parent: Rows, hashes: Hashes) -> bool:
    told = np.flatnonzero(hashes.any(axis=1))
    if not len(told):
        return True
    # Equal hashes first: a thousand copies of one picture would be half a million pairs.
    distinct, first, inverse = np.unique(hashes[told], axis=0, return_index=True, return_inverse=True)
    for row, representative in zip(told, told[first[inverse.reshape(-1)]], strict=True):
        _join(parent, int(row), int(representative))
    pairs = near(distinct)
    for one, other in told[first[pairs]]:
        _join(parent, int(one), int(other))
    return len(pairs) < MOST_PAIRS


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
    roots = np.array([_root(parent, row) for row in range(len(parent))], dtype=np.int64)
    sizes = np.bincount(roots, minlength=len(parent)) if len(roots) else roots
    members: dict[int, list[int]] = {int(root): [] for root in np.flatnonzero(sizes > 1)}
    for row in np.flatnonzero(sizes[roots] > 1) if len(roots) else ():
        members[int(roots[row])].append(int(row))
    for rows in members.values():
        yield np.array(rows, dtype=np.int64)


def _split(dataset: Dataset, row: int) -> Split:
    return next(split for split in Split if row < dataset.rows(split).stop)
