"""The table of breeds: which ImageNet classes are dogs, what we call them, and what else people call them.

`breeds.csv` holds one row for each of ImageNet's 118 dog classes (151..268) and one for each of the 133 reference
breeds that ImageNet does not know. Columns: `imagenet_index` (empty when unknown to ImageNet), `breed` (the name we
show; the reference's own where both mean the same), `aliases` (separated by semicolons), `reference` (the folder name
of the reference data set, empty when it has no such breed). Three ImageNet classes are all "Poodle".
"""

import csv
import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FIRST_DOG, LAST_DOG = 151, 268
"""ImageNet's dog classes, both ends included."""

_TABLE = Path(__file__).with_name("breeds.csv")
_FOLDER_NUMBER = re.compile(r"^(\d+\.|n\d{8}-)")
"""`001.Affenpinscher` of the reference data, `n02085620-Chihuahua` of ImageNet and Stanford Dogs."""


_SMALL = frozenset({"and", "of", "the", "de", "des", "du", "la", "der", "von"})
"""Words inside a breed's name that kennel clubs write small: "Bouvier des Flandres", "Black and Tan Coonhound"."""


@dataclass(frozen=True)
class Breed:
    """One row of the table."""

    imagenet_index: int | None
    name: str
    aliases: tuple[str, ...]
    reference: str | None


@functools.cache
def table() -> tuple[Breed, ...]:
    """All rows of breeds.csv, in the file's order."""
    with _TABLE.open(newline="", encoding="utf-8") as rows:
        return tuple(
            Breed(
                imagenet_index=int(row["imagenet_index"]) if row["imagenet_index"] else None,
                name=row["breed"],
                aliases=tuple(alias for alias in row["aliases"].split(";") if alias),
                reference=row["reference"] or None,
            )
            for row in csv.DictReader(rows)
        )


def starter_labels() -> tuple[list[str], list[int]]:
    """The names that ImageNet's own head can answer with, and for each of its dog classes the index of its name.

    Returns (labels, groups): 116 names in ImageNet's order, and 118 indices into them (the three poodles share one).
    """
    labels: list[str] = []
    groups: list[int] = []
    for breed in table():
        if breed.imagenet_index is None:
            continue
        if breed.name not in labels:
            labels.append(breed.name)
        groups.append(labels.index(breed.name))
    return labels, groups


def imagenet_classes(labels: Sequence[str]) -> list[list[int]]:
    """For each label ImageNet's classes of that breed, by name or alias: one, several (Poodle: three) or none."""
    known: dict[str, list[int]] = {}
    for breed in table():
        if breed.imagenet_index is not None:
            # A breed may have the same name twice, with hyphens and without.
            for name in {_plain(name) for name in (breed.name, *breed.aliases)}:
                known.setdefault(name, []).append(breed.imagenet_index)
    return [known.get(_plain(display_name(label)), []) for label in labels]


def is_breed(label: str) -> bool:
    """Whether a label is a breed of the table, known to ImageNet or not."""
    return _canonical(label) in _names().values()


def display_name(folder: str) -> str:
    """The name shown for a class folder: `001.Affenpinscher` → "Affenpinscher"; one line, underscores become spaces."""
    return " ".join(_FOLDER_NUMBER.sub("", folder).replace("_", " ").split()) or folder


def written(label: str) -> str:
    """A breed's name as kennel clubs write it, for a person to read: "Pembroke welsh corgi" → "Pembroke Welsh Corgi".

    A label that is no breed of the table is left as it is.
    """
    if not is_breed(label):
        return label
    words = display_name(label).split()
    return " ".join("-".join(_capital(part, first=place == 0) for part in word.split("-"))
                    for place, word in enumerate(words))  # fmt: skip


def _capital(word: str, *, first: bool) -> str:
    return word if not first and word.casefold() in _SMALL else word[:1].upper() + word[1:]


def same_breed(one: str, other: str) -> bool:
    """Whether two names mean the same breed, by name, alias or folder name, whatever their case and hyphens."""
    return _canonical(one) == _canonical(other)


def _canonical(name: str) -> str:
    plain = _plain(display_name(name))
    return _names().get(plain, plain)


def _plain(name: str) -> str:
    """A name as it is compared: without case, hyphens and accents (macOS writes those as characters of their own)."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(letters.casefold().replace("-", " ").replace("_", " ").split())


@functools.cache
def _names() -> dict[str, str]:
    return {_plain(name): _plain(breed.name) for breed in table() for name in (breed.name, *breed.aliases)}
