"""Labels that visitors corrected, looked at one by one, and the new version of a data set that is made of them.

serving/feedback.py keeps a photo and its note below feedback/; what a person decided about it lies beside them, in
decisions/. Nothing that a visitor sent is trained on before somebody looked at it. Photos go to train/ only: what a
model is measured on stays the same, so that versions can be compared.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.data import names
from dashboard.core.data.contents import Contents
from dashboard.core.data.work import Added, Kind, Work
from dashboard.core.errors import AlreadyExists, InvalidInput, NotFound, Refused
from dashboard.core.parallel import gather
from dashboard.core.serving.feedback import NO_DOG, PREFIX
from training.breeds import display_name, same_breed, table, written

NOTES, DECISIONS = f"{PREFIX}notes/", f"{PREFIX}decisions/"
MOST = 500
"""Corrections that are read, the newest."""
_MOST_TEXT = 64 * 1024
_NO_FOLDER = re.compile(r"[^\w.()'-]+")
_DIGEST = re.compile(r"[0-9a-f]{8,64}")
_PHOTO = re.compile(rf"{PREFIX}(?:(?!\.)[\w.()'-]+/){{1,2}}[0-9a-f]{{8,64}}\.jpg")
"""As serving/feedback.py names photos; anything else, a note may say, is not one of them."""
_MOST_SAID = 20
_SUFFIX = re.compile(r"-v(\d{1,4})$")


class Verdict(StrEnum):
    """What a person said of a correction."""

    ACCEPTED = "accepted"
    RELABELLED = "relabelled"
    REJECTED = "rejected"

    @property
    def is_good(self) -> bool:
        """Whether the photo may be learnt from."""
        return self is not Verdict.REJECTED


@dataclass(frozen=True)
class Correction:
    """A visitor's photo. said: the model's breeds with their probabilities, the first first; breed: what the visitor
    said; label: what is true by the verdict, "" before there is one; version: the data set that it was added to."""

    digest: str
    photo_key: str
    breed: str
    said: tuple[tuple[str, float], ...] = ()
    model: str = ""
    corrected: str = ""
    verdict: Verdict | None = None
    label: str = ""
    decided: str = ""
    version: str = ""

    @property
    def note_key(self) -> str:
        return f"{NOTES}{self.digest}.json"

    @property
    def is_waiting(self) -> bool:
        """Whether nobody decided about it yet."""
        return self.verdict is None

    @property
    def may_be_learnt(self) -> bool:
        """Whether it is a breed that a person agreed to: a photo of no dog is no breed."""
        return self.verdict is not None and self.verdict.is_good and self.label != NO_DOG


def read(aws: Aws) -> tuple[Correction, ...]:
    """The newest corrections, those that wait first. () when there is none. Raises the errors of `Aws.call`."""
    notes, decisions = _listed(aws, NOTES), _listed(aws, DECISIONS)
    newest = sorted(notes, key=lambda name: notes[name], reverse=True)[:MOST]

    def one(digest: str) -> Correction | None:
        note = _text(aws, f"{NOTES}{digest}.json")
        decision = _text(aws, f"{DECISIONS}{digest}.json") if digest in decisions else {}
        return _correction(digest, note, decision)

    found = [one for one in gather(one, newest) if one is not None]
    return tuple(sorted(found, key=lambda one: not one.is_waiting))


def decide(aws: Aws, seen: Correction, verdict: Verdict, label: str, now: datetime) -> Correction:
    """Keep what a person decided. Raises Refused when the visitor corrected it once more meanwhile, InvalidInput for no
    label, NotFound when it was taken back.
    """
    if verdict.is_good and not label.strip():
        raise InvalidInput("no label was chosen", "", "choose what is on the photo", field="label")
    note = _text(aws, seen.note_key)
    if not note:
        raise NotFound("this correction is not there any more", "whoever sent it took it back", "go on with the next")
    if _short(note.get("corrected", "")) != seen.corrected:
        raise Refused("this correction is another one by now", "it was corrected once more", "look at it again")
    told = {
        "verdict": verdict.value,
        "label": label.strip() if verdict.is_good else "",
        "corrected": seen.corrected,
        "decided": now.astimezone(UTC).isoformat(timespec="seconds"),
    }
    _put(aws, seen.digest, told)
    found = _correction(seen.digest, note, told)
    if found is None:
        raise Refused("this correction cannot be read", "its note names no photo", "reject it")
    return found


def take_back(aws: Aws, seen: Correction) -> None:
    """The correction waits again. One that is in a version stays in it. Raises the errors of `Aws.call`."""
    aws.call("s3", "DeleteObject", Bucket=aws.account.bucket, Key=f"{DECISIONS}{seen.digest}.json")


def used(aws: Aws, notes: Iterable[str], version: str) -> None:
    """Write down, beside each of these notes, which data set its photo is in now."""

    def one(note: str) -> None:
        digest = note.removeprefix(NOTES).removesuffix(".json")
        if told := _text(aws, f"{DECISIONS}{digest}.json"):
            _put(aws, digest, {**told, "version": version})

    gather(one, notes)


@dataclass(frozen=True)
class VersionPlan:
    """A new data set of `base` and the photos that were agreed to. new: classes that the base lacks."""

    work: Work
    base: Contents
    labels: Mapping[str, int]
    new: tuple[str, ...] = ()
    left: Mapping[str, int] = field(default_factory=dict)


def plan_version(
    base: Contents, reviewed: Sequence[Correction], name: str, token: str, taken: Iterable[str] = ()
) -> VersionPlan:
    """What a version would hold. Raises InvalidInput for the name, or where there is nothing to add, and AlreadyExists
    for a name that is taken."""
    target = names.check(name)
    if target in set(taken):
        raise AlreadyExists(f"there is a data set {target} already", "two are not mixed", "choose another name")
    there = {one.file for one in base.photos}
    classes = list(base.classes)
    added, labels, new = [], dict[str, int](), dict[str, str]()
    left = {"of no dog": 0, "in it already": 0}
    for one in reviewed:
        if one.verdict is None or not one.verdict.is_good:
            continue
        file = f"{one.digest}.jpg"
        if not one.may_be_learnt or file in there:
            left["of no dog" if not one.may_be_learnt else "in it already"] += 1
            continue
        folder = next((label for label in classes if same_breed(display_name(label), one.label)), "")
        folder = folder or new.setdefault(one.label.casefold(), _NO_FOLDER.sub("_", one.label).strip("._") or "unnamed")
        labels[folder] = labels.get(folder, 0) + 1
        added.append(Added(one.photo_key, f"train/{folder}/{file}", one.note_key))
    if not added:
        raise InvalidInput(
            f"there is nothing to add to {base.name}",
            "no correction was accepted that is of a dog and not in it already",
            "review some first",
        )
    work = Work(token, Kind.VERSION, target, base=base.name, added=tuple(added))
    return VersionPlan(work, base, labels, tuple(sorted(set(new.values()))), {why: n for why, n in left.items() if n})


def next_name(base: str, taken: Iterable[str]) -> str:
    """ "dogs" → "dogs-v2", "dogs-v2" → "dogs-v3"; the first that is free."""
    stem, number = base, 1
    if found := _SUFFIX.search(base):
        stem, number = base[: found.start()], int(found[1])
    there = set(taken)
    while True:
        number += 1
        if f"{stem}-v{number}" not in there:
            return f"{stem}-v{number}"


def labels(classes: Iterable[str]) -> tuple[str, ...]:
    """What a person may say is on a photo: the classes of a data set, then all other breeds, then no dog."""
    first = [display_name(label) for label in classes]
    known = {written(one.name) for one in table()} - set(first)
    return (*dict.fromkeys(first), *sorted(known), NO_DOG)


def _correction(digest: str, note: Mapping[str, Any], decision: Mapping[str, Any]) -> Correction | None:
    """None for a note that says nothing of use: it was sent by somebody unknown."""
    key, breed = note.get("photo"), note.get("breed")
    if not isinstance(key, str) or not _PHOTO.fullmatch(key) or not isinstance(breed, str) or not breed.strip():
        return None
    told = note.get("said")
    said = [
        (_short(one["breed"]), float(one["probability"]))
        for one in (told[:_MOST_SAID] if isinstance(told, list) else ())
        if isinstance(one, dict)
        and isinstance(one.get("breed"), str)
        and isinstance(one.get("probability"), (int, float))
        and 0 <= one["probability"] <= 1
    ]
    corrected = _short(note.get("corrected", ""))
    is_of_this = decision.get("corrected") == corrected  # else it was corrected once more since
    verdict = decision.get("verdict") if is_of_this else None
    known = Verdict(verdict) if isinstance(verdict, str) and verdict in Verdict._value2member_map_ else None
    return Correction(
        digest,
        key,
        _short(breed),
        tuple(said),
        _short(note.get("model", "")),
        corrected,
        known,
        _short(decision.get("label", "")) if known else "",
        _short(decision.get("decided", "")) if known else "",
        _short(decision.get("version", "")) if known else "",
    )


def _short(told: object) -> str:
    """A line that can be shown, whatever it is; half a character, which JSON can hold, is a question mark."""
    return str(told)[:100].encode(errors="replace").decode()


def _listed(aws: Aws, prefix: str) -> dict[str, datetime]:
    """Digest → when it was written last."""
    try:
        pages = list(aws.pages("s3", "ListObjectsV2", Bucket=aws.account.bucket, Prefix=prefix))
    except NotFound:
        return {}
    found = {}
    for one in (one for page in pages for one in page.get("Contents", [])):
        digest = one["Key"].removeprefix(prefix).removesuffix(".json")
        if _DIGEST.fullmatch(digest):
            found[digest] = one.get("LastModified", datetime.min.replace(tzinfo=UTC))
    return found


def _text(aws: Aws, key: str) -> dict[str, Any]:
    """A small JSON object; {} for none, and for what is none."""
    where = {"Bucket": aws.account.bucket, "Key": key}
    try:
        with aws.translated("s3", "GetObject", where), aws.call("s3", "GetObject", **where)["Body"] as body:
            told = json.loads(body.read(_MOST_TEXT))
    except (NotFound, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _put(aws: Aws, digest: str, told: Mapping[str, Any]) -> None:
    body = json.dumps(told, indent=2, ensure_ascii=False).encode()
    key = f"{DECISIONS}{digest}.json"
    aws.call("s3", "PutObject", Bucket=aws.account.bucket, Key=key, Body=body, ContentType="application/json")
