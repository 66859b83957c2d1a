"""The report on a data set in words: what a training run prints before it starts, and the sentences a page shows."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from training.data import Split, displayed
from training.duplicates import Copies

if TYPE_CHECKING:
    from training.report import Report

TINY = 100
"""Pixels: a photo with a shorter side is too small to show what tells breeds apart; the network sees 224."""
IMBALANCE = 5.0
"""From this ratio of the largest to the smallest class on, weighting the classes is advised."""
NAMED = 5
"""How many examples follow a sentence."""


def lines(report: "Report") -> Iterator[str]:
    """Figures, then each fault with examples, then the data set's notes."""
    photos = " · ".join(f"{split} {count:,}" for split, count in report.photos.items())
    yield f"{counted(report.total, 'photo')} of {counted(len(report.classes), 'class', 'classes')}: {photos}"
    yield _spread(report)
    for bad in report.unreadable[:NAMED]:
        yield f"skipped {displayed(bad.file)}: {bad.reason}"
    yield from _more(len(report.unreadable), "skipped")
    if not report.duplicates.groups:
        yield "no photo is there twice, and no two look the same"
    for sentence, examples in _faults(report):
        yield f"warning: {sentence}"
        yield from (f"    {example}" for example in examples[:NAMED])
        yield from (f"    {line}" for line in _more(len(examples), ""))
    yield from (f"note: {note}" for note in report.notes)


def warnings(report: "Report") -> list[str]:
    """One sentence for each fault, the gravest first."""
    return [sentence for sentence, _ in _faults(report)]


def gravest_first(groups: Sequence[Copies]) -> list[Copies]:
    """Copies across splits, then those under different classes, then the others."""
    return sorted(groups, key=lambda group: (not group.leaked, not group.disagree))


def counted(count: int, one: str, several: str = "") -> str:
    """`1 photo`, `8,351 photos`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def _spread(report: "Report") -> str:
    sizes = [one.photos[Split.TRAIN] for one in report.classes]
    small, large = report.smallest, report.largest
    if min(sizes) == max(sizes):
        return f"training photos a class: {min(sizes):,} each"
    return (
        f"training photos a class: {min(sizes):,} ({small.label}) to {max(sizes):,} ({large.label}), "
        f"median {statistics.median(sizes):g}"
    )


def _faults(report: "Report") -> Iterator[tuple[str, list[str]]]:
    """Each fault's sentence and its examples."""
    yield from _leakage(report)
    if report.contradictions:
        many = counted(len(report.contradictions), "picture lies", "pictures lie")
        yield (
            f"{many} in folders of different classes, so one of the labels is wrong: keep the right one.",
            [_alike(group.files, group.exact) for group in report.contradictions],
        )
    if report.unreadable:
        many = counted(len(report.unreadable), "photo")
        them = "it" if len(report.unreadable) == 1 else "them"
        # Said before a run and, in the model's card, after it.
        are = "is" if len(report.unreadable) == 1 else "are"
        yield f"{many} cannot be read and {are} left out: replace or delete {them}.", []
    within = [group for group in report.duplicates.groups if not group.leaked and not group.disagree]
    if within:
        spare = sum(len(group.files) - 1 for group in within)
        yield (
            f"{counted(spare, 'photo is a copy', 'photos are copies')} of another one in the same split and class: "
            "it counts that much more; delete the copies.",
            [_alike(group.files, group.exact) for group in within],
        )
    if not report.duplicates.complete:
        yield "So many photos look alike that not all pairs were compared: are these frames of a film?", []
    yield from _classes(report)
    if report.tiny:
        many = counted(len(report.tiny), "photo has", "photos have")
        yield (
            f"{many} a side shorter than {TINY} pixels: too small to show a breed; use larger ones.",
            [f"{displayed(one.file)} ({one.width} × {one.height})" for one in report.tiny],
        )


def _leakage(report: "Report") -> Iterator[tuple[str, list[str]]]:
    leaked = {split: count for split, count in report.leaked.items() if count}
    if leaked:
        shares = " and ".join(
            f"{count:,} of {counted(report.photos[split], f'{split} photo')} ({count / report.photos[split]:.1%})"
            for split, count in leaked.items()
        )
        yield (
            f"leakage: {shares} show a picture that an earlier split has too, so the figures on them flatter the "
            "model: keep one copy of each picture.",
            [_alike(group.files, group.exact) for group in report.leaking],
        )


def _classes(report: "Report") -> Iterator[tuple[str, list[str]]]:
    if report.imbalance >= IMBALANCE:
        yield (
            f"the largest class ({report.largest.label}) has {report.imbalance:.1f} times the training photos of the "
            f"smallest ({report.smallest.label}): train with --class-weights balanced, or add photos.",
            [],
        )
    for split in (Split.VALID, Split.TEST):
        absent = [one.label for one in report.classes if not one.photos[split]]
        if absent and report.photos[split]:
            many = counted(len(absent), "class has", "classes have")
            yield f"{many} no {split} photos, so nothing is known of how well it goes there.", absent


def _alike(files: Sequence[str], exact: bool) -> str:
    """`test/a.jpg = train/b.jpg`, with ≈ where they only look the same."""
    names = [displayed(file) for file in files[:3]]
    more = f" … and {len(files) - 3:,} more" if len(files) > 3 else ""
    return (" = " if exact else " ≈ ").join(names) + more


def _more(count: int, what: str) -> Iterator[str]:
    if count > NAMED:
        yield f"{what} … and {count - NAMED:,} more".strip()


def by_name(counts: Mapping[Split, int]) -> dict[str, int]:
    return {str(split): count for split, count in counts.items()}
