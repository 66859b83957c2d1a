"""What a run's model says about itself: card.json, read out of model.tar.gz without unpacking it."""

import json
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, cast

from dashboard.core.aws import Aws
from dashboard.core.errors import ServiceFault
from dashboard.core.runs import artifact

CARD = "card.json"
MOST_CARD = 4 * 1024 * 1024
MOST_ARCHIVE = 512 * 1024 * 1024
"""Bytes of an archive that are read in search of its card, packed; what lies behind them is not looked at."""
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class ModelCard:
    """A model's card. `summary` are sentences; the others are its figures as training wrote them (training/card.py)."""

    summary: tuple[str, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    archive_bytes: int = 0  # of model.tar.gz

    @property
    def text(self) -> str:
        """The whole card, to be downloaded."""
        return json.dumps(self.card, indent=2, ensure_ascii=False)


def read_card(aws: Aws, artifact_uri: str) -> ModelCard | None:
    """The card in the model.tar.gz at `artifact_uri`; None when there is none within the first MOST_ARCHIVE bytes.

    Streams the archive and stops at the card. Raises InvalidInput for an address that is none, NotFound when the
    archive was deleted, ServiceFault for one that is no gzipped tar, and the errors of `Aws.call`.
    """
    where = artifact.place(artifact_uri)
    with aws.translated("s3", "GetObject", where):
        answer = aws.call("s3", "GetObject", **where)
        size = int(answer.get("ContentLength", 0))
        body = _Limited(answer["Body"])
        try:
            text = _card(body)
        except (tarfile.TarError, EOFError, zlib.error) as error:
            if not body.is_used_up:
                raise ServiceFault(
                    "the model's archive cannot be read",
                    f"{artifact_uri}: {error}",
                    "train again, or see the file in S3",
                ) from error
            text = None
        finally:
            answer["Body"].close()
    return None if text is None else card_from(text, artifact_uri, size)


def card_from(text: bytes, where: str, size: int) -> ModelCard:
    """Raises ServiceFault for a card that is no JSON object."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise ServiceFault("the model's card cannot be read", f"card.json in {where} is no JSON object", "train again")

    def part(name: str) -> dict[str, Any]:
        found = told.get(name)
        return found if isinstance(found, dict) else {}

    summary = told.get("summary", [])
    return ModelCard(
        summary=tuple(str(one) for one in summary) if isinstance(summary, list) else (),
        metrics=part("metrics"),
        calibration=part("calibration"),
        data=part("data"),
        versions={str(name): str(value) for name, value in part("versions").items()},
        card=told,
        archive_bytes=size,
    )


def _card(body: "_Limited") -> bytes | None:
    with tarfile.open(fileobj=cast("IO[bytes]", body), mode="r|gz", bufsize=_CHUNK) as archive:
        for member in archive:
            if member.name.removeprefix("./") != CARD or not member.isfile():
                continue
            if member.size > MOST_CARD:
                raise tarfile.ReadError(f"its card has {member.size:,} bytes")
            held = archive.extractfile(member)
            return held.read() if held else None
    return None


class _Limited:
    """A stream that ends after MOST_ARCHIVE bytes."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._left = MOST_ARCHIVE

    @property
    def is_used_up(self) -> bool:
        return self._left <= 0

    def read(self, size: int) -> bytes:
        data: bytes = self._body.read(min(size, self._left)) if self._left > 0 else b""
        self._left -= len(data)
        return data
