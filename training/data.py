"""The photos of a data set by split and class, before any of them is opened."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from training.breeds import display_name
from training.errors import BadDataset

PHOTO_ENDINGS = frozenset((".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif"))
HELD_OUT = 0.15
"""The share of each class that is split off for a missing valid or test folder."""


class Split(StrEnum):
    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


_FOLDERS = {
    Split.TRAIN: ("train", "training"),
    Split.VALID: ("valid", "validation", "val"),
    Split.TEST: ("test", "testing"),
}


@dataclass(frozen=True)
class Example:
    """One photo file, the index of its class and the split it belongs to."""

    path: Path
    label: int
    split: Split


@dataclass(frozen=True)
class Dataset:
    """`classes` are folder names, `labels` what is shown for them; `notes` say what a reader of the card must know."""

    root: Path
    classes: tuple[str, ...]
    examples: tuple[Example, ...]
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> list[str]:
        shown = [display_name(folder) for folder in self.classes]
        twice = {name for name, count in Counter(shown).items() if count > 1}
        return [folder if name in twice else name for folder, name in zip(self.classes, shown, strict=True)]

    def count(self, split: Split) -> int:
        return sum(example.split is split for example in self.examples)


def scan(root: Path, seed: int = 0) -> Dataset:
    """Find the photos below `root`.

    Either train/, valid/ and test/ hold the class folders, or `root` itself does. A split that is missing is split off
    from the training photos, the same way for the same seed. Raises BadDataset when there are not two classes with
    training photos.
    """
    if not root.is_dir():
        raise BadDataset(f"There is no data folder at {root}: give the folder that holds train/, valid/ and test/.")
    notes: list[str] = []
    folders = {split: _folder(root, names) for split, names in _FOLDERS.items()}
    if folders[Split.TRAIN] is None:
        if folders[Split.VALID] or folders[Split.TEST]:
            raise BadDataset(f"{root} has no train/ folder: put one folder of photos for each breed into {root}/train.")
        folders = {Split.TRAIN: root, Split.VALID: None, Split.TEST: None}
        notes.append("no train/ folder: the class folders themselves were taken as training photos")
    found = {split: _classes(folder) if folder else {} for split, folder in folders.items()}
    classes = tuple(sorted(name for name, photos in found[Split.TRAIN].items() if photos))
    _require_two(classes, folders[Split.TRAIN] or root)
    examples: list[Example] = []
    for split, by_class in found.items():
        for name in sorted(by_class):
            if name in classes:
                examples += [Example(path, classes.index(name), split) for path in by_class[name]]
            elif by_class[name]:
                notes.append(f"{len(by_class[name])} photos in {split}/{name} left out: no training photos of it")
    for split, share in ((Split.TEST, HELD_OUT), (Split.VALID, HELD_OUT)):
        if not any(example.split is split for example in examples):
            examples, moved = _hold_out(examples, split, share, seed)
            notes.append(
                f"no {split} photos: {moved} of the training photos were held out for it (seed {seed})"
                if moved
                else f"no {split} photos, and too few training photos to hold some out: no {split} metrics"
            )
    return Dataset(root, classes, tuple(examples), tuple(notes))


def without(dataset: Dataset, unreadable: Iterable[Path]) -> Dataset:
    """The data set less some photos, and less the classes that this empties. Raises BadDataset below two classes."""
    gone = set(unreadable)
    kept = [example for example in dataset.examples if example.path not in gone]
    alive = sorted({example.label for example in kept if example.split is Split.TRAIN})
    notes = list(dataset.notes)
    dropped = [dataset.classes[label] for label in range(len(dataset.classes)) if label not in alive]
    if dropped:
        notes.append(f"classes left out because none of their training photos can be read: {', '.join(dropped)}")
    classes = tuple(dataset.classes[label] for label in alive)
    _require_two(classes, dataset.root, "readable ")
    renumbered = {old: new for new, old in enumerate(alive)}
    examples = tuple(replace(e, label=renumbered[e.label]) for e in kept if e.label in renumbered)
    return Dataset(dataset.root, classes, examples, tuple(notes))


def _folder(root: Path, names: Sequence[str]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _classes(folder: Path) -> dict[str, list[Path]]:
    """Class folder → its photos, sorted; hidden files and files that are no photos by their ending do not count."""
    return {
        entry.name: sorted(
            path
            for path in entry.iterdir()
            if path.suffix.lower() in PHOTO_ENDINGS and not path.name.startswith(".") and path.is_file()
        )
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.name.startswith((".", "__"))
    }


def _require_two(classes: Sequence[str], folder: Path, readable: str = "") -> None:
    if not classes:
        raise BadDataset(
            f"{folder} holds no {readable}training photos: put one folder of photos for each breed into it."
        )
    if len(classes) == 1:
        raise BadDataset(
            f"{folder} holds {readable}training photos of one class only ({display_name(classes[0])}): "
            "a classifier needs at least two, so add another breed's folder."
        )


def _hold_out(examples: list[Example], split: Split, share: float, seed: int) -> tuple[list[Example], int]:
    """Move a share of each class's training photos into `split`; a class of fewer than four keeps them all."""
    by_class: dict[int, list[int]] = {}
    for position, example in enumerate(examples):
        if example.split is Split.TRAIN:
            by_class.setdefault(example.label, []).append(position)
    # Not for secrets: the same seed has to move the same photos.
    chooser = random.Random(f"{seed}-{split}")  # noqa: S311
    moved = list(examples)
    count = 0
    for label in sorted(by_class):
        positions = by_class[label]
        if len(positions) < 4:
            continue
        for position in chooser.sample(positions, max(1, round(len(positions) * share))):
            moved[position] = replace(moved[position], split=split)
            count += 1
    return moved, count
