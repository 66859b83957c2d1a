"""Where the files of a folder or a zip belong in a data set: split, class and name, as training.data has it. Pure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dashboard.core.errors import InvalidInput
from dashboard.core.format import count, size
from training.data import FOLDERS, PHOTO_ENDINGS, Split
from training.images import MAX_BYTES

MOST_FILES = 100_000
"""Photos of one data set that Kennel counts and shows."""
MOST_BYTES = 50 * 1024**3
LONGEST_KEY = 700
"""Bytes of UTF-8 behind the data set's name; S3 takes 1,024 in all."""
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SPLIT_OF = {name: split for split, names in FOLDERS.items() for name in names}
_WRAPPED = 4
NO_PHOTO, NO_CLASS, EMPTY, LARGE, UNUSED, LONG = (
    "no photos by their names",
    "in no class folder",
    "empty",
    f"larger than {size(MAX_BYTES)}",
    "outside train/, valid/ and test/",
    "with a path that is too long",
)


@dataclass(frozen=True)
class Placed:
    """A photo: what it is called where it comes from, where it goes below the data set's name, and its bytes."""

    path: str
    key: str
    size: int


@dataclass(frozen=True)
class Layout:
    """What would be sent. `left_out` counts the other files by why; classes: photos by class and split."""

    photos: tuple[Placed, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, Mapping[Split, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        return sum(one.size for one in self.photos)

    @property
    def splits(self) -> Mapping[Split, int]:
        return {split: sum(one.get(split, 0) for one in self.classes.values()) for split in Split}

    @property
    def sentence(self) -> str:
        """ "6,680 photos of 133 classes in train, 835 in valid, 836 in test, 1.1 GiB"."""
        where = [f"{number:,} in {split}" for split, number in self.splits.items() if number]
        classes = count(len(self.classes), "class", "classes")
        return f"{count(len(self.photos), 'photo')} of {classes}: {', '.join(where)}, {size(self.bytes)}"


def lay_out(files: Iterable[tuple[str, int]]) -> Layout:
    """Find splits and classes in paths with their sizes in bytes, as a browser or a zip gives them.

    Folders that only wrap another one are left away; class folders without splits are training photos; what is deeper
    belongs to its class. Raises InvalidInput for paths that lead elsewhere, for no photo at all, for no training photo,
    and for more than a data set may have.
    """
    left: Counter[str] = Counter()
    found: list[tuple[list[str], str, int]] = []
    for told, length in files:
        parts = _parts(told)
        if any(part.startswith((".", "__")) for part in parts):
            continue
        if not parts[-1].lower().endswith(tuple(PHOTO_ENDINGS)):
            left[NO_PHOTO] += 1
        elif length == 0 or length > MAX_BYTES:
            left[LARGE if length else EMPTY] += 1
        else:
            found.append((parts, told, length))
    if not found:
        raise InvalidInput(
            "there is no photo in it",
            f"{_told(left)}" if left else "it holds no file",
            "give a folder with train/, valid/ and test/, or with one folder for each class",
            field="files",
        )
    if len(found) > MOST_FILES or sum(length for *_, length in found) > MOST_BYTES:
        total = sum(length for *_, length in found)
        raise InvalidInput(
            f"{count(len(found), 'photo')} of {size(total)} are too many",
            f"a data set has at most {MOST_FILES:,} photos and {size(MOST_BYTES)} here",
            "make several data sets of it",
            field="files",
        )
    photos, notes = _placed(_unwrapped(found), left)
    classes: dict[str, Counter[Split]] = {}
    for one in photos:
        split, label, _ = one.key.split("/")
        classes.setdefault(label, Counter())[Split(split)] += 1
    if not any(of.get(Split.TRAIN) for of in classes.values()):
        raise InvalidInput(
            "there is no photo to train on",
            "none of them is in a class folder of train/",
            "put one folder of photos for each class into train/",
            field="files",
        )
    return Layout(
        photos, dict(left), {label: dict(of) for label, of in sorted(classes.items())}, (*notes, *_said(classes))
    )


def _parts(told: str) -> list[str]:
    """A path's parts. Raises InvalidInput for one that leads outside of its folder."""
    path = unicodedata.normalize("NFC", told.replace("\\", "/"))
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or _DRIVE.match(path) or _CONTROL.search(path):
        shown = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", path)[:100]
        raise InvalidInput(
            f'"{shown}" leads outside of its folder',
            "no folder of photos holds such a name",
            "leave it out",
            field="files",
        )
    return [part for part in parts if part not in ("", ".")] or [""]


_Found = Sequence[tuple[list[str], str, int]]


def _unwrapped(found: _Found) -> _Found:
    for _ in range(_WRAPPED):
        first = {parts[0] for parts, *_ in found}
        inside = {len(parts) for parts, *_ in found}
        # the only class is no wrapping, and neither is a split
        if len(first) != 1 or min(inside) < 2 or max(inside) < 3 or next(iter(first)).lower() in _SPLIT_OF:
            return found
        found = [(parts[1:], told, length) for parts, told, length in found]
    return found


def _placed(found: _Found, left: Counter[str]) -> tuple[tuple[Placed, ...], list[str]]:
    has_splits = any(parts[0].lower() in FOLDERS[Split.TRAIN] and len(parts) > 2 for parts, *_ in found)
    if not has_splits and any(parts[0].lower() in _SPLIT_OF and len(parts) > 2 for parts, *_ in found):
        raise InvalidInput(
            "there is no train/ folder",
            "valid/ or test/ alone cannot be trained on",
            "put one folder of photos for each class into train/",
            field="files",
        )
    notes = [] if has_splits else ["No train/ folder: the class folders themselves are taken as training photos."]
    taken: set[str] = set()
    photos = []
    for parts, told, length in sorted(found, key=lambda one: one[0]):
        split = _SPLIT_OF.get(parts[0].lower()) if has_splits else Split.TRAIN
        inside = parts[1:] if has_splits else parts
        if split is None or len(inside) < 2:
            left[UNUSED if split is None else NO_CLASS] += 1
            continue
        label, name = inside[0], "_".join(inside[1:])
        key = _free(f"{split}/{label}/{name}", taken)
        if len(key.encode()) > LONGEST_KEY:
            left[LONG] += 1
            continue
        taken.add(key.casefold())
        photos.append(Placed(told, key, length))
    return tuple(photos), notes


def _free(key: str, taken: set[str]) -> str:
    """A key that no other photo has, also where capitals do not count: the data set is copied to such disks too."""
    stem, dot, ending = key.rpartition(".")
    number, free = 1, key
    while free.casefold() in taken:
        number += 1
        free = f"{stem}-{number}{dot}{ending}"
    return free


def _said(classes: Mapping[str, Mapping[Split, int]]) -> list[str]:
    said = [
        f"No {split}/: a training holds out 15 % of its photos for that by itself."
        for split in (Split.VALID, Split.TEST)
        if not any(of.get(split) for of in classes.values())
    ]
    untrained = [label for label, of in classes.items() if not of.get(Split.TRAIN)]
    if untrained:
        named = ", ".join(untrained[:5]) + (" …" if len(untrained) > 5 else "")
        said.append(f"{count(len(untrained), 'class', 'classes')} without training photos, not learnt: {named}.")
    if len(classes) - len(untrained) == 1:
        said.append("There is only one class: a classifier needs two or more.")
    return said


def _told(left: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {why}" for why, number in left.items())
