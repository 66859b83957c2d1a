"""The photos of a data set by split and class, before any of them is opened.

    python -m training.data report SOURCE [--json]        what a training run would find in it, and what is wrong
    python -m training.data fetch dogImages [--to DIR]    download and unpack the 133-breed data set

SOURCE is a folder, a .zip, s3://bucket/prefix, https://….zip or dogImages (see training.sources).
"""

import os
import random
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.breeds import display_name
from training.errors import BadDataset

PHOTO_ENDINGS = frozenset((".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif"))
HELD_OUT = 0.15
"""The share of each class that is split off for a missing valid or test folder."""
_FEWEST_TO_SPLIT = 4
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Written between letters in Persian and Indic scripts, and inside emoji."""
_NAMED = 10
"""How many classes one note names."""


class Split(StrEnum):
    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


FOLDERS = {
    Split.TRAIN: ("train", "training"),
    Split.VALID: ("valid", "validation", "val"),
    Split.TEST: ("test", "testing"),
}


@dataclass(frozen=True)
class Unreadable:
    """A photo that was skipped (its path relative to the data set's root), and the sentence that says why."""

    file: str
    reason: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """N photos in C classes. A photo costs a name and a number here, nothing more: sets may be large.

    `notes` say what a reader of the card must know.
    """

    root: Path
    classes: tuple[str, ...]
    """[C] the folders' names, sorted"""
    files: tuple[str, ...]
    """[N] POSIX paths relative to `root`: all train, then all valid, then all test, each by class and name"""
    targets: NDArray[np.int64]
    """[N] the index of each photo's class"""
    counts: Mapping[Split, int]
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> list[str]:
        """[C] what is shown for the classes: one printable line each, all different."""
        names = [displayed(display_name(folder)) for folder in self.classes]
        twice = {name for name, count in Counter(names).items() if count > 1}
        names = [displayed(folder) if name in twice else name for folder, name in zip(self.classes, names, strict=True)]
        unique: dict[str, None] = {}
        for name in names:
            while name in unique:
                name += " (again)"
            unique[name] = None
        return list(unique)

    def count(self, split: Split) -> int:
        return self.counts[split]

    def rows(self, split: Split) -> slice:
        """Where the photos of a split are in `files`, `targets` and every table in that order."""
        before = {Split.TRAIN: (), Split.VALID: (Split.TRAIN,), Split.TEST: (Split.TRAIN, Split.VALID)}[split]
        start = sum(self.counts[earlier] for earlier in before)
        return slice(start, start + self.counts[split])

    def path(self, row: int) -> Path:
        return self.root / self.files[row]


def displayed(name: str) -> str:
    """A file's or folder's name as it may be printed: one line, no control characters, no broken unicode."""
    return "".join(c if c.isprintable() or c in _JOINERS else "\N{REPLACEMENT CHARACTER}" for c in name)


def scan(root: Path, seed: int = 0) -> Dataset:
    """Find the photos below `root`.

    Either train/, valid/ and test/ hold the class folders, or `root` itself does; folders inside a class folder belong
    to that class. A split that is missing is split off from the training photos, the same way for the same seed.
    Raises BadDataset when there are not two classes with training photos, OSError for a folder that cannot be read.
    """
    if not root.is_dir():
        raise BadDataset(f"There is no data folder at {root}: give the folder that holds train/, valid/ and test/.")
    notes: list[str] = []
    inside = _folders(root)
    folders = {split: _folder(inside, names) for split, names in FOLDERS.items()}
    if folders[Split.TRAIN] is None:
        if folders[Split.VALID] or folders[Split.TEST]:
            raise BadDataset(f"{root} has no train/ folder: put one folder of photos for each breed into {root}/train.")
        folders = {Split.TRAIN: root, Split.VALID: None, Split.TEST: None}
        notes.append("no train/ folder: the class folders themselves were taken as training photos")
    elif unused := sorted(displayed(path.name) for path in inside if path not in folders.values()):
        notes.append(f"not used, because only train/, valid/ and test/ are: {_some(unused)}")
    found = {split: _classes(root, folder) if folder else {} for split, folder in folders.items()}
    classes = tuple(sorted(name for name, files in found[Split.TRAIN].items() if files))
    _require_two(classes, folders[Split.TRAIN] or root)
    notes += _left_out(found, set(classes))
    for split in (Split.TEST, Split.VALID):
        if not any(found[split].get(name) for name in classes):
            moved = _hold_out(found, classes, split, seed)
            notes.append(
                f"no {split} photos: {moved} of the training photos were held out for it (seed {seed})"
                if moved
                else f"no {split} photos, and too few training photos to hold some out (a class needs at least "
                f"{_FEWEST_TO_SPLIT}): no {split} metrics"
            )
    files: list[str] = []
    sizes: list[int] = []
    for split in Split:
        for name in classes:
            members = found[split].pop(name, [])
            files += members
            sizes.append(len(members))
    targets = np.repeat(np.tile(np.arange(len(classes)), len(Split)), sizes)
    return Dataset(root, classes, tuple(files), targets, _counts(sizes, len(classes)), tuple(notes))


def without(dataset: Dataset, keep: NDArray[np.bool_]) -> tuple[Dataset, NDArray[np.bool_]]:
    """The data set less the photos where `keep` [N] is false, and less the classes that this empties.

    Also returns the mask [N] of what was really kept: the other splits' photos of an emptied class go with it. Raises
    BadDataset below two classes.
    """
    count = len(dataset.classes)
    training = dataset.rows(Split.TRAIN)
    alive = np.bincount(dataset.targets[training][keep[training]], minlength=count) > 0
    kept = keep & alive[dataset.targets]
    classes = tuple(name for name, lives in zip(dataset.classes, alive, strict=True) if lives)
    _require_two(classes, dataset.root, "readable ")
    notes = dataset.notes
    if not alive.all():
        gone = [name for name, lives in zip(dataset.labels, alive, strict=True) if not lives]
        notes = (*notes, f"classes left out because none of their training photos can be read: {_some(gone)}")
    renumbered = np.cumsum(alive) - 1
    files = tuple(dataset.files[row] for row in np.flatnonzero(kept))
    counts = {split: int(kept[dataset.rows(split)].sum()) for split in Split}
    targets = renumbered[dataset.targets[kept]].astype(np.int64)
    return Dataset(dataset.root, classes, files, targets, counts, notes), kept


_Found = dict[Split, dict[str, list[str]]]


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))


def _folder(folders: Sequence[Path], names: Sequence[str]) -> Path | None:
    """The folder that has the first of the names, whatever its capitals."""
    return next((path for name in names for path in folders if path.name.lower() == name), None)


def _classes(root: Path, folder: Path) -> dict[str, list[str]]:
    """Class → its photos' paths relative to `root`, sorted; hidden files and files that are no photos do not count.

    A class is its folder's name in composed unicode: archives made on a Mac hold the same name in another spelling.
    """
    inside = "" if folder == root else f"{folder.name}/"
    found: dict[str, list[str]] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir() and not entry.name.startswith((".", "__")):
                photos = found.setdefault(unicodedata.normalize("NFC", entry.name), [])
                photos += _photos(Path(entry.path), f"{inside}{entry.name}/")
    for photos in found.values():
        photos.sort()
    return found


def _photos(folder: Path, inside: str) -> Iterator[str]:
    deeper: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith((".", "__")):
                continue
            if os.path.splitext(entry.name)[1].lower() in PHOTO_ENDINGS and entry.is_file():  # noqa: PTH122 - millions
                yield inside + entry.name
            elif entry.is_dir(follow_symlinks=False):  # a link could lead back up, for ever
                deeper.append(entry.name)
    for name in deeper:
        yield from _photos(folder / name, f"{inside}{name}/")


def _left_out(found: _Found, classes: set[str]) -> Iterator[str]:
    """Notes on folders that take no part, because there is nothing in them or nothing to learn them from."""
    for split, by_class in found.items():
        empty = sorted(name for name, files in by_class.items() if not files)
        if empty:
            plural = "s" if len(empty) > 1 else ""
            yield f"{len(empty)} empty class folder{plural} in {split}: {_some([displayed(name) for name in empty])}"
        for name in sorted(by_class):
            files = by_class[name]
            if files and name not in classes:
                plural = "s" if len(files) > 1 else ""
                yield f"{len(files)} photo{plural} in {split}/{displayed(name)} left out: no training photos of it"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _counts(sizes: Sequence[int], classes: int) -> dict[Split, int]:
    return {split: sum(sizes[at * classes : (at + 1) * classes]) for at, split in enumerate(Split)}


def _require_two(classes: Sequence[str], folder: Path, readable: str = "") -> None:
    if not classes:
        raise BadDataset(
            f"{folder} holds no {readable}training photos: put one folder of photos for each breed into it."
        )
    if len(classes) == 1:
        raise BadDataset(
            f"{folder} holds {readable}training photos of one class only ({displayed(display_name(classes[0]))}): "
            "a classifier needs at least two, so add another breed's folder."
        )


def _hold_out(found: _Found, classes: Sequence[str], split: Split, seed: int) -> int:
    """Move a share of each class's training photos into `split`; a class of fewer than four keeps them all.

    Returns how many were moved.
    """
    # Not for secrets: the same seed has to move the same photos.
    chooser = random.Random(f"{seed}-{split}")  # noqa: S311
    count = 0
    for name in classes:
        files = found[Split.TRAIN][name]
        if len(files) < _FEWEST_TO_SPLIT:
            continue
        chosen = set(chooser.sample(range(len(files)), max(1, round(len(files) * HELD_OUT))))
        found[split][name] = [file for at, file in enumerate(files) if at in chosen]
        found[Split.TRAIN][name] = [file for at, file in enumerate(files) if at not in chosen]
        count += len(chosen)
    return count


if __name__ == "__main__":
    from training.data_command import main

    sys.exit(main())
