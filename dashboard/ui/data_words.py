"""What the page Data says of data sets, reports, corrections and buckets: sentences, figures and rows. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from dashboard.core.data.buckets import Bucket, Flaw
from dashboard.core.data.contents import Contents
from dashboard.core.data.datasets import Dataset
from dashboard.core.data.report import Report
from dashboard.core.data.reviews import Correction, Verdict
from dashboard.core.data.work import Progress, Stage
from dashboard.core.format import ago, count, money, plain, size
from dashboard.core.overview import Severity
from dashboard.ui.strip import Figure
from dashboard.ui.tones import Tone, label
from training.breeds import display_name

GIB = Decimal(1024**3)
TONES = {Severity.CRITICAL: Tone.FAILED, Severity.WARNING: Tone.WAITING, Severity.HINT: Tone.STOPPED}
STAGES = {
    Stage.WAITING: Tone.WAITING,
    Stage.DONE: Tone.DONE,
    Stage.FAILED: Tone.FAILED,
    Stage.STOPPED: Tone.STOPPED,
    Stage.BROKEN_OFF: Tone.WAITING,
}
VERDICTS = {Verdict.ACCEPTED: Tone.DONE, Verdict.RELABELLED: Tone.DONE, Verdict.REJECTED: Tone.STOPPED}


def sentence(
    datasets: Sequence[Dataset], corrections: Sequence[Correction] | None, buckets: Sequence[Bucket] | None
) -> str:
    """The page's live sentence. None: it could not be read."""
    photos = sum(one.photos for one in datasets)
    said = [f"{count(len(datasets), 'data set')} with {count(photos, 'photo')}" if datasets else "no data set yet"]
    waiting = sum(one.is_waiting for one in corrections or ())
    said += [f"{count(waiting, 'correction waits', 'corrections wait')}"] if waiting else []
    unsafe = sum(one.is_unsafe for one in buckets or ())
    said += [f"{count(unsafe, 'bucket is', 'buckets are')} not safe"] if unsafe else []
    return ", ".join(said)


def figures(
    datasets: Sequence[Dataset],
    corrections: Sequence[Correction] | None,
    buckets: Sequence[Bucket] | None,
    per_gib: Decimal | None,
    money_word: str,
) -> list[Figure]:
    """The strip. per_gib: USD a GiB and month of S3's Standard class, None unknown."""
    usable = sum(not one.problem for one in datasets)
    photos, held = sum(one.photos for one in datasets), sum(one.size for one in datasets)
    classes = max((one.classes for one in datasets), default=0)
    cost = None if per_gib is None else Decimal(held) / GIB * per_gib
    waiting = None if corrections is None else sum(one.is_waiting for one in corrections)
    unsafe = None if buckets is None else sum(one.is_unsafe for one in buckets)
    public = sum(Flaw.PUBLIC in one.flaws for one in buckets or ())
    return [
        Figure("sets", "Data sets", f"{len(datasets)}", f"{usable} can be trained on"),
        Figure("photos", "Photos", f"{photos:,}", f"up to {count(classes, 'class', 'classes')} in one"),
        Figure("size", f"Size{money_word}", size(held), f"{money(cost)} a month in S3 Standard"),
        Figure(
            "corrections",
            "Corrections waiting",
            "unknown" if waiting is None else f"{waiting}",
            "they could not be read"
            if corrections is None
            else f"of {len(corrections)} that visitors sent"
            if corrections
            else "visitors sent none",
        ),
        Figure(
            "buckets",
            "Buckets not safe",
            "unknown" if unsafe is None else f"{unsafe}",
            "they could not be read" if buckets is None else f"of {len(buckets)}, {public or 'none'} public",
            tone=Tone.FAILED if public else Tone.WAITING if unsafe else "",
        ),
    ]


def state_of(one: Dataset) -> tuple[str, str]:
    """A data set's state as tone and word."""
    if not one.is_whole:
        return Tone.RUNNING, "being drawn"
    if one.is_uploading:
        return Tone.WAITING, "not whole"
    if one.problem:
        return Tone.FAILED, "cannot be trained on"
    return Tone.DONE, "ready"


def rows(datasets: Sequence[Dataset]) -> list[dict[str, Any]]:
    """The table of data sets."""
    return [
        {
            "Data set": one.name,
            "State": [label(*state_of(one))],
            "Photos": one.photos,
            "Classes": one.classes,
            "Train": one.splits.get("train", 0),
            "Valid": one.splits.get("valid", 0),
            "Test": one.splits.get("test", 0),
            "Size": size(one.size),
            "Origin": "sample" if one.is_sample else "",
        }
        for one in datasets
    ]


def class_rows(classes: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    """The table behind the chart of classes, the largest first."""
    ordered = sorted(classes.items(), key=lambda one: (-one[1].get("train", 0), one[0]))
    return [
        {
            "Class": display_name(name),
            "Train": of.get("train", 0),
            "Valid": of.get("valid", 0),
            "Test": of.get("test", 0),
            "Folder": name,
        }
        for name, of in ordered
    ]


def classes_finding(classes: Mapping[str, Mapping[str, int]]) -> str:
    """What the chart of classes shows, in a sentence."""
    trained = {name: of.get("train", 0) for name, of in classes.items()}
    if not any(trained.values()):
        return "No class has training photos"
    least, most = min(trained.values()), max(trained.values())
    small = min(trained, key=lambda name: (trained[name], name))
    if least == most:
        return f"Each of the {len(trained)} classes has {count(most, 'training photo')}"
    ratio = f", {plain(round(most / least, 1))} times as many in the largest" if least and most >= least * 1.5 else ""
    return f"{len(trained)} classes have {least:,} to {most:,} training photos, fewest {display_name(small)}{ratio}"


def report_rows(report: Report) -> dict[str, str]:
    """What a report counted."""
    incomplete = report.leaking or report.exact or report.near
    copies = f"{count(report.exact, 'group')} of the same file, {report.near:,} that look the same"
    return {
        "Read": f"{count(report.photos, 'photo')} of {count(report.classes, 'class', 'classes')}",
        "Unreadable": f"{report.unreadable_count:,}",
        "Copies": copies if incomplete else "none",
        "Across splits": f"{count(report.leaked, 'photo')} of valid and test that an earlier split shows too"
        if report.leaked
        else "none",
        "Two labels": f"{count(report.contradictions, 'picture')} in folders of different classes"
        if report.contradictions
        else "none",
        "Tiny": f"{report.tiny_count:,} with a side below {report.shorter_than} pixels",
        "Balance": "every class has as many photos"
        if report.imbalance == 1
        else f"{plain(report.imbalance)} : 1, from {report.largest} to {report.smallest}",
    }


def report_table(report: Report) -> list[dict[str, Any]]:
    """Every file that a report names, with what is the matter."""
    found = [{"What": "unreadable", "File": file, "Why": why} for file, why in report.unreadable]
    found += [
        {"What": "tiny", "File": file, "Why": f"{width} × {height} pixels"} for file, width, height in report.tiny
    ]
    for number, group in enumerate(report.groups, 1):
        words = [
            "the same file" if group.is_exact else "looks the same",
            *(["across splits"] if group.is_across_splits else []),
            *(["two labels"] if group.is_across_classes else []),
        ]
        found += [
            {"What": f"copies, group {number}", "File": file, "Why": ", ".join(words)} for file, _, _ in group.files
        ]
    return found


def work_line(one: Progress) -> str:
    """How far a piece of work is."""
    if one.problem is not None:
        said = (one.problem.what, one.problem.why, one.problem.next_step)
        return " · ".join(text for text in said if text)
    if one.stage.is_over:
        return one.said
    if not one.total:
        return ""
    if one.stage is Stage.FETCHING and one.total > 1_000_000:
        return f"{size(one.done)} of {size(one.total)}"
    kept = f", {one.kept:,} were there already" if one.kept else ""
    return f"{one.done:,} of {one.total:,} photos{kept}"


def sent(one: Correction, now: datetime) -> str:
    """When a visitor sent it: "5 min ago"."""
    told = moment(one.corrected)
    return ago(told, now) if told else "unknown"


def moment(text: str) -> datetime | None:
    """A moment with its zone, as it was written down; None for anything else."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    return told if told.tzinfo else None


def correction_rows(corrections: Sequence[Correction]) -> list[dict[str, Any]]:
    """The table of those that were decided about."""
    return [
        {
            "Verdict": [label(VERDICTS[one.verdict], one.verdict.value)],
            "Label": one.label,
            "Visitor said": one.breed,
            "Model said": one.said[0][0] if one.said else "",
            "In": one.version,
            "Decided": moment(one.decided),
        }
        for one in corrections
        if one.verdict is not None
    ]


def bucket_rows(buckets: Sequence[Bucket]) -> list[dict[str, Any]]:
    """The table of buckets."""
    return [
        {
            "Bucket": one.name,
            "State": [bucket_state(one)],
            "Region": one.region or "unknown",
            "Objects": held(one, one.objects, lambda number: f"{number:,}"),
            "Size": held(one, one.size, size),
            "Public": yes(one.is_public),
            "Public access blocked": yes(one.is_blocked),
            "Encrypted": "unknown" if one.encryption is None else one.encryption or "no",
            "TLS only": yes(one.has_tls),
            "Versions": yes(one.is_versioned),
        }
        for one in buckets
    ]


def bucket_state(one: Bucket) -> str:
    """A bucket's worst, with its shape."""
    if one.grave:
        return label(TONES[one.grave[0].severity], one.grave[0].value)
    if one.unread:
        return label(Tone.AHEAD, "not all known")
    rest = [flaw for flaw in one.flaws if flaw.is_unsafe]
    return label(Tone.STOPPED, rest[0].value) if rest else label(Tone.DONE, "safe")


def held(one: Bucket, number: int | None, written: Any) -> str:
    """A number of what is in a bucket; "over" where only its first thousand objects were counted."""
    if number is None:
        return "unknown"
    return str(written(number)) if one.is_counted else f"over {written(number)}"


def yes(told: bool | None) -> str:
    return "unknown" if told is None else "yes" if told else "no"


def summary(one: Contents) -> str:
    """ "1,002 photos of 6 classes, 834 in train, 84 in valid, 84 in test, 12 MiB"."""
    where = ", ".join(f"{number:,} in {split}" for split, number in one.splits.items() if number)
    more = "" if one.is_counted else "more than "
    classes = count(len(one.classes), "class", "classes")
    return f"{more}{count(len(one.photos), 'photo')} of {classes}, {where}, {size(one.bytes)}"


def unchanged(splits: Mapping[str, int]) -> str:
    """What a new version leaves alone, and what that says of a model that learns from it. splits: photos by split."""
    if splits.get("test"):
        kept = "valid and test" if splits.get("valid") else "test"
        return f"{kept}: the new model is measured on the same photos as the old one"
    return "nothing is held out by name: each training holds out a part of train by itself, of other photos than before"
