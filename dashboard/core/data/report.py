"""What `training.data report` found in a data set, read from its JSON; kept by the fingerprint of the photos."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.core.errors import ServiceFault

FOLDER = "data_reports"
MOST = 8 * 1024 * 1024


@dataclass(frozen=True)
class Group:
    """Photos that show the same picture: their files, and whether they lie in several splits or classes."""

    files: tuple[tuple[str, str, str], ...]  # file, split, label
    photos: int
    is_exact: bool
    is_across_splits: bool
    is_across_classes: bool


@dataclass(frozen=True)
class Report:
    """The findings. Counts are of all, lists name the first hundred. leaked: photos of valid and test that an earlier
    split shows too."""

    photos: int
    classes: int
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    unreadable_count: int
    tiny: tuple[tuple[str, int, int], ...]
    tiny_count: int
    shorter_than: int
    groups: tuple[Group, ...]
    exact: int
    near: int
    leaking: int
    leaked: int
    contradictions: int
    imbalance: float
    smallest: str
    largest: str

    @property
    def is_clean(self) -> bool:
        return not self.warnings


def parse(text: str) -> Report:
    """Read the JSON that `python -m training.data report --json` prints. Raises ServiceFault for anything else."""
    try:
        return _report(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ServiceFault(
            "this data report cannot be read", f"{type(error).__name__}", "have it made again"
        ) from error


def keep(home: Path, fingerprint: str, text: str) -> Report:
    """Keep a report for whatever data set has this content, and read it. Raises ServiceFault."""
    found = parse(text)
    place = _place(home, fingerprint)
    aside = place.with_suffix(f".{os.getpid()}.new")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8")
        aside.replace(place)
    except OSError as error:
        raise ServiceFault("the data report cannot be kept", error.strerror or str(error), "free some space") from error
    return found


def kept(home: Path, fingerprint: str) -> Report | None:
    """The report on this content, if there was one made here; one that cannot be read is none."""
    try:
        with _place(home, fingerprint).open(encoding="utf-8") as file:
            return parse(file.read(MOST))
    except (OSError, ServiceFault):
        return None


def _place(home: Path, fingerprint: str) -> Path:
    return home / FOLDER / f"{fingerprint}.json"


def _report(told: Mapping[str, Any]) -> Report:
    copies, balance = told["duplicates"], told["imbalance"]
    leakage = told["leakage"]
    groups = tuple(
        Group(
            tuple((one["file"], one["split"], one["label"]) for one in group["files"]),
            int(group["photos"]),
            bool(group["exact"]),
            bool(group["across_splits"]),
            bool(group["across_classes"]),
        )
        for group in copies["groups"]
    )
    return Report(
        photos=int(told["photos"]["total"]),
        classes=len(told["classes"]),
        warnings=tuple(map(str, told["warnings"])),
        notes=tuple(map(str, told["notes"])),
        unreadable=tuple((one["file"], one["reason"]) for one in told["unreadable"]["files"]),
        unreadable_count=int(told["unreadable"]["count"]),
        tiny=tuple((one["file"], int(one["width"]), int(one["height"])) for one in told["tiny"]["files"]),
        tiny_count=int(told["tiny"]["count"]),
        shorter_than=int(told["tiny"]["shorter_than"]),
        groups=groups,
        exact=int(copies["exact"]["groups"]),
        near=int(copies["near"]["groups"]),
        leaking=int(leakage["groups"]),
        leaked=sum(int(number) for split, number in leakage.items() if split != "groups"),
        contradictions=int(told["contradictions"]),
        imbalance=float(balance["ratio"]),
        smallest=f"{balance['smallest']['label']} ({balance['smallest']['photos']})",
        largest=f"{balance['largest']['label']} ({balance['largest']['photos']})",
    )
