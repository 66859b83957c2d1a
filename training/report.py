"""What is in a data set and what is wrong with it, as lines to read and as JSON for a page, before anything is trained.

Photos and classes by split, what cannot be read, copies within and across splits (leakage: the test would ask what was
learnt by heart), classes with few photos, tiny photos.
"""

import hashlib
import io
import statistics
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training import report_text
from training.data import Dataset, Split, Unreadable, displayed, without
from training.duplicates import Copies, Duplicates, find_duplicates
from training.images import MAX_BYTES, READABLE, BadPhoto, load_photo
from training.perceptual import BITS, Hashes, perceptual_hash
from training.preprocessing import Preprocessing

_LISTED = 100
"""How many files or groups a list of the JSON names; a group names as many files."""
_BATCH = 64

Sizes = NDArray[np.int32]


@dataclass(frozen=True)
class ClassCount:
    """How many readable photos of one class each split has."""

    label: str
    photos: Mapping[Split, int]


@dataclass(frozen=True)
class Tiny:
    """A photo with a side shorter than report_text.TINY pixels."""

    file: str
    width: int
    height: int


@dataclass(frozen=True)
class Report:
    """The findings on one data set. File names are relative to its folder."""

    name: str
    photos: Mapping[Split, int]
    classes: tuple[ClassCount, ...]
    unreadable: tuple[Unreadable, ...]
    duplicates: Duplicates
    tiny: tuple[Tiny, ...]
    notes: tuple[str, ...]

    @property
    def total(self) -> int:
        return sum(self.photos.values())

    @property
    def smallest(self) -> ClassCount:
        """The class with the fewest training photos."""
        return min(self.classes, key=lambda one: one.photos[Split.TRAIN])

    @property
    def largest(self) -> ClassCount:
        return max(self.classes, key=lambda one: one.photos[Split.TRAIN])

    @property
    def imbalance(self) -> float:
        """Training photos of the largest class for each one of the smallest."""
        return self.largest.photos[Split.TRAIN] / self.smallest.photos[Split.TRAIN]

    @property
    def leaking(self) -> tuple[Copies, ...]:
        """Groups of copies that lie in more than one split."""
        return tuple(group for group in self.duplicates.groups if group.leaked)

    @property
    def leaked(self) -> dict[Split, int]:
        """How many valid and test photos show a picture that an earlier split has too."""
        found = [group.splits[at] for group in self.duplicates.groups for at in group.leaked]
        return {split: found.count(split) for split in (Split.VALID, Split.TEST)}

    @property
    def contradictions(self) -> tuple[Copies, ...]:
        """Groups of copies that lie in folders of different classes."""
        return tuple(group for group in self.duplicates.groups if group.disagree)

    def warnings(self) -> list[str]:
        """One sentence for each thing to put right, the gravest first."""
        return report_text.warnings(self)

    def lines(self) -> list[str]:
        """The report to read: figures, then what is wrong with examples, then the data set's notes."""
        return list(report_text.lines(self))

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON; counts are of all, lists name the first 100."""
        exact = [group for group in self.duplicates.groups if group.exact]
        near = [group for group in self.duplicates.groups if not group.exact]
        return {
            "name": displayed(self.name),
            "photos": report_text.by_name(self.photos) | {"total": self.total},
            "classes": [{"label": one.label, **report_text.by_name(one.photos)} for one in self.classes],
            "imbalance": {
                "ratio": round(self.imbalance, 2),
                "smallest": {"label": self.smallest.label, "photos": self.smallest.photos[Split.TRAIN]},
                "median": statistics.median(one.photos[Split.TRAIN] for one in self.classes),
                "largest": {"label": self.largest.label, "photos": self.largest.photos[Split.TRAIN]},
            },
            "unreadable": {
                "count": len(self.unreadable),
                "files": [{"file": displayed(bad.file), "reason": bad.reason} for bad in self.unreadable[:_LISTED]],
            },
            "duplicates": {
                "exact": {"groups": len(exact), "photos": sum(len(group.files) for group in exact)},
                "near": {"groups": len(near), "photos": sum(len(group.files) for group in near)},
                "complete": self.duplicates.complete,
                "groups": [_group(group) for group in report_text.gravest_first(self.duplicates.groups)[:_LISTED]],
            },
            "leakage": {"groups": len(self.leaking), **report_text.by_name(self.leaked)},
            "contradictions": len(self.contradictions),
            "tiny": {
                "count": len(self.tiny),
                "shorter_than": report_text.TINY,
                "files": [
                    {"file": displayed(one.file), "width": one.width, "height": one.height}
                    for one in self.tiny[:_LISTED]
                ],
            },
            "notes": list(self.notes),
            "warnings": self.warnings(),
        }


def build(
    dataset: Dataset, digests: Hashes, hashes: Hashes, sizes: Sizes, unreadable: Sequence[Unreadable] = ()
) -> Report:
    """The report on a data set of N readable photos.

    In the order of `dataset.files`: `digests` [N, 32] are SHA-256 of the files, `hashes` [N, 32] perceptual hashes of
    the centre crops, `sizes` [N, 2] width and height in pixels. `unreadable` are the photos that were left out of it.
    """
    count = len(dataset.classes)
    by_split = {split: np.bincount(dataset.targets[dataset.rows(split)], minlength=count) for split in Split}
    classes = tuple(
        ClassCount(label, {split: int(by_split[split][at]) for split in Split})
        for at, label in enumerate(dataset.labels)
    )
    tiny = tuple(
        Tiny(dataset.files[row], int(sizes[row, 0]), int(sizes[row, 1]))
        for row in np.flatnonzero(sizes.min(axis=1) < report_text.TINY)
    )
    return Report(
        dataset.root.name,
        dict(dataset.counts),
        classes,
        tuple(unreadable),
        find_duplicates(dataset, digests, hashes),
        tiny,
        dataset.notes,
    )


def inspect(dataset: Dataset, threads: int, on_photos: Callable[[int], None]) -> Report:
    """Decode every photo, in `threads` threads, and report; `on_photos` hears how many are done.

    Raises BadDataset when what can be read is not enough to train on.
    """
    count = len(dataset.files)
    digests, hashes = np.zeros((count, 32), np.uint8), np.zeros((count, BITS // 8), np.uint8)
    sizes = np.zeros((count, 2), np.int32)
    keep = np.zeros(count, np.bool_)
    unreadable: list[Unreadable] = []
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="inspect") as pool:
        for start in range(0, count, _BATCH):
            rows = range(start, min(start + _BATCH, count))
            for row, found in zip(rows, pool.map(lambda row: _look(dataset, row), rows), strict=True):
                if isinstance(found, str):
                    unreadable.append(Unreadable(dataset.files[row], found))
                else:
                    digests[row], hashes[row], sizes[row] = found
                    keep[row] = True
            on_photos(rows.stop)
    readable, kept = without(dataset, keep)
    return build(readable, digests[kept], hashes[kept], sizes[kept], unreadable)


def _group(group: Copies) -> dict[str, Any]:
    found = zip(group.files[:_LISTED], group.splits, group.labels, strict=False)
    return {
        "exact": group.exact,
        "across_splits": bool(group.leaked),
        "across_classes": group.disagree,
        "photos": len(group.files),
        "files": [{"file": displayed(file), "split": str(split), "label": label} for file, split, label in found],
    }


def _look(dataset: Dataset, row: int) -> tuple[Hashes, Hashes, tuple[int, int]] | str:
    """A photo's digest, hash and size, or the sentence that says why it cannot be read."""
    preprocessing = Preprocessing()
    try:
        with dataset.path(row).open("rb") as file:
            body = file.read(MAX_BYTES + 1)
        photo = load_photo(body, target_short_side=preprocessing.decoded_side)
    except BadPhoto as bad:
        return bad.reason
    except OSError as error:
        return f"This file cannot be read ({error.strerror or error}): check its path."
    digest = np.frombuffer(hashlib.sha256(body).digest(), np.uint8)
    return digest, perceptual_hash(preprocessing.cropped(photo)), _size(body, photo)


def _size(body: bytes, photo: Image.Image) -> tuple[int, int]:
    """The size that the file says: a large photo may have been decoded smaller than it is."""
    try:
        with Image.open(io.BytesIO(body), formats=READABLE) as header:
            return header.size
    except OSError:  # HEIF, which is never decoded smaller
        return photo.size
