""" "Wrong? Tell us": a visitor's photo and what is really on it, kept in S3 as new training data.

Off unless KENNEL_FEEDBACK=1. Below feedback/ of Kennel's bucket lies a data set as training reads it
(train/BREED/PHOTO.jpg), photos of no dog apart from it (not-a-dog/PHOTO.jpg: they are no breed), and beside them what
the model had said (notes/PHOTO.json). A photo is named by its content: it is kept once, and a second correction
replaces the first. No name, address or place of the visitor is kept.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import InvalidInput, NotFound, Refused, ServiceFault
from dashboard.core.serving.classify import Answer, Photo
from training import breeds

SETTING = "KENNEL_FEEDBACK"
PREFIX = "feedback/"
NO_DOG = "Not a dog"
KEPT = (
    "Kept: this photo as the model saw it, without place and hidden data, what the model said, your correction and the "
    "time. Not kept: who you are, the file's name, your address. It becomes training data once a person has looked at "
    "it."
)
_MOST_NOTE = 64 * 1024
_NO_FOLDER = re.compile(r"[^\w.()'-]+")


@dataclass(frozen=True)
class Correction:
    """One photo with the breed that is on it, as it is kept. digest: of the JPEG, which names both objects."""

    digest: str
    breed: str
    photo_key: str
    note_key: str


def is_on(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether corrections are asked for: only with KENNEL_FEEDBACK=1."""
    return environ.get(SETTING) == "1"


def choices(said: Answer) -> tuple[str, ...]:
    """What a visitor may correct an answer to: its own breeds first, then all others by name, then no dog at all."""
    first = [one for one in dict.fromkeys(one.breed for one in said.predictions) if one != NO_DOG]
    known = {breeds.written(breed.name) for breed in breeds.table()} - set(first)
    return (*first, *sorted(known), NO_DOG)


def folder(account: Account) -> str:
    """Where corrections lie: the address of a data set, to be trained on like any other."""
    return f"s3://{account.bucket}/{PREFIX}"


def keep(
    aws: Aws, photo: Photo, said: Answer, breed: str, now: datetime, environ: Mapping[str, str] = os.environ
) -> Correction:
    """Keep a photo under the breed that a visitor chose. The same photo again is kept once, under the newer breed.

    Raises Refused where corrections are off, InvalidInput for a breed that was no choice, ReadOnly, and the errors of
    `Aws.call`.
    """
    if not is_on(environ):
        raise Refused("this correction was not kept", "corrections are off here", f"set {SETTING}=1 to collect them")
    if breed not in choices(said):
        raise InvalidInput(f'"{breed}" is no breed that can be chosen', "", "choose one of the list", field="breed")
    correction = _named(photo, breed)
    before = _note(aws, correction.note_key)
    note = {
        "breed": breed,
        "photo": correction.photo_key,
        "model": said.model,
        "said": [{"breed": one.breed, "probability": one.probability} for one in said.predictions],
        "is_dog": said.is_dog,
        "corrected": now.astimezone(UTC).isoformat(timespec="seconds"),
    }
    # The photo first: a note without its photo would be a correction of nothing.
    _put(aws, correction.photo_key, photo.jpeg, "image/jpeg")
    _put(aws, correction.note_key, json.dumps(note, indent=2, ensure_ascii=False).encode(), "application/json")
    earlier = before.get("photo")
    if isinstance(earlier, str) and earlier != correction.photo_key and earlier.startswith(PREFIX):
        _delete(aws, earlier)
    return correction


def take_back(aws: Aws, correction: Correction) -> None:
    """Delete what was kept of a photo; what is gone already is fine. Raises the errors of `Aws.call`.

    A newer correction of the same photo, which somebody else may have sent, stays.
    """
    if _note(aws, correction.note_key).get("photo", correction.photo_key) != correction.photo_key:
        return  # keeping the newer one removed this one's photo
    _delete(aws, correction.photo_key)
    _delete(aws, correction.note_key)


def _named(photo: Photo, breed: str) -> Correction:
    digest = hashlib.sha256(photo.jpeg).hexdigest()[:32]
    # A breed may be any text that a model answers: as a folder's name it leads nowhere but there.
    label = _NO_FOLDER.sub("_", breed).strip("._")
    place = "not-a-dog" if breed == NO_DOG else f"train/{label or 'unnamed'}"
    return Correction(digest, breed, f"{PREFIX}{place}/{digest}.jpg", f"{PREFIX}notes/{digest}.json")


def _note(aws: Aws, key: str) -> dict[str, Any]:
    """What was kept of this photo before; {} for nothing."""
    where = {"Bucket": aws.account.bucket, "Key": key}
    try:
        with aws.translated("s3", "GetObject", where), aws.call("s3", "GetObject", **where)["Body"] as body:
            told = json.loads(body.read(_MOST_NOTE))
    except NotFound:
        return {}
    except ValueError as error:
        raise ServiceFault(
            "an earlier correction of this photo cannot be read",
            f"s3://{where['Bucket']}/{key} is no JSON",
            "delete it",
        ) from error
    return told if isinstance(told, dict) else {}


def _put(aws: Aws, key: str, body: bytes, kind: str) -> None:
    aws.call("s3", "PutObject", Bucket=aws.account.bucket, Key=key, Body=body, ContentType=kind)


def _delete(aws: Aws, key: str) -> None:
    with suppress(NotFound):
        aws.call("s3", "DeleteObject", Bucket=aws.account.bucket, Key=key)
