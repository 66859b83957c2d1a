"""A model.tar.gz that somebody brings: looked at without unpacking it, and sent to S3 in parts.

Nothing of it is run or loaded here: a model is loaded where it is served, in a process of its own. What is checked is
what training/model.py writes and training/archive.py would unpack: names, sizes, and that the small files say what
they must.
"""

import gzip
import hashlib
import json
import tarfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, KennelError, NotFound
from dashboard.core.format import count, size
from dashboard.core.runs.artifact import place

MOST = 1024**3
"""Bytes of an archive that is taken."""
MOST_UNPACKED, MOST_FILES = 2 * 1024**3, 1000
MOST_HEADERS = 8 * 1024**2
"""Bytes of an archive that are no file's content: names and headers, which the tar reader keeps in memory."""
MOST_TEXT = 4 * 1024**2
"""Bytes of each of the small files that are read."""
NEEDED = ("model.onnx", "labels.json", "preprocessing.json", "code/inference.py")
TEXTS = ("labels.json", "preprocessing.json", "card.json")
PREFIX = "models/imported/"
PART = 8 * 1024**2
"""Bytes of one part of an upload; S3 takes 5 MiB at least and 10,000 parts."""
_CHUNK = 1024**2
_BRING = "bring the model.tar.gz of a run, or pack one with python -m training.train"
Report = Callable[[float], None]


@dataclass(frozen=True)
class Inspected:
    """What is in an archive. `digest`: SHA-256 of its bytes; `labels` in the order of its scores."""

    digest: str
    bytes: int
    unpacked: int
    labels: tuple[str, ...]
    card: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The model's name by its card; "" without one."""
        told = self.card.get("name")
        return told if isinstance(told, str) else ""

    @property
    def metrics(self) -> Mapping[str, Any]:
        told = self.card.get("metrics")
        return told if isinstance(told, dict) else {}

    @property
    def sentence(self) -> str:
        """ "12 labels, 18 MiB packed, 25 MiB unpacked"."""
        return f"{count(len(self.labels), 'label')}, {size(self.bytes)} packed, {size(self.unpacked)} unpacked"


class _Counted:
    """A gzip stream that never gives more than may be unpacked, however the archive lies about its sizes.

    told: bytes that the headers which were read so far announce.
    """

    def __init__(self, zipped: gzip.GzipFile) -> None:
        self._zipped = zipped
        self.given = 0
        self.told = 0

    def read(self, wanted: int = -1) -> bytes:
        if not 0 <= wanted <= _CHUNK or self.given > self.told + MOST_HEADERS:
            # tarfile would read a member's name of gigabytes into memory at once, or a thousand of a megabyte
            raise tarfile.ReadError("a file in it has a name or a header that is too long")
        return self.rest(wanted)

    def rest(self, wanted: int) -> bytes:
        """What comes after the last file counts only as what is unpacked."""
        data = self._zipped.read(wanted)
        self.given += len(data)
        if self.given > MOST_UNPACKED:
            raise _too_much()
        return data


def inspect(file: Path) -> Inspected:
    """Look through an archive. Raises InvalidInput with the reason for one that cannot be served."""
    packed = file.stat().st_size
    if packed > MOST:
        raise _refused(f"it has {size(packed)}, and {size(MOST)} is the most")
    texts: dict[str, bytes] = {}
    names: set[str] = set()
    first = b""
    try:
        with gzip.open(file) as zipped:
            counted = _Counted(zipped)
            with tarfile.open(fileobj=counted, mode="r|", bufsize=_CHUNK) as archive:  # type: ignore[call-overload]
                for number, member in enumerate(archive, 1):
                    name = _checked(member, number)
                    counted.told += member.size
                    if member.isdir():
                        continue
                    names.add(name)
                    if name in TEXTS:
                        texts[name] = _text(archive, member)
                    elif name == "model.onnx":
                        held = archive.extractfile(member)
                        first = held.read(2) if held else b""
            while counted.rest(_CHUNK):
                pass  # to the end: what is cut off or damaged shows by its checksum only there
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        reason = "it does not begin like one" if isinstance(error, gzip.BadGzipFile) else error
        raise _refused(f"it is no complete gzipped tar ({getattr(error, 'strerror', None) or reason})") from error
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise _refused(f"it lacks {', '.join(missing)}", _BRING)
    if first[:1] != b"\x08":  # an ONNX model begins with its ir_version, protobuf's field 1
        raise _refused("its model.onnx is no ONNX model", _BRING)
    labels = _labels(texts["labels.json"])
    if not isinstance(_json(texts["preprocessing.json"], "preprocessing.json"), dict):
        raise _refused("its preprocessing.json is no JSON object", _BRING)
    card, warnings = _card(texts.get("card.json"))
    return Inspected(digest_of(file), packed, counted.given, labels, card, warnings)


def digest_of(file: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def key_of(found: Inspected) -> str:
    """Where an archive belongs below Kennel's bucket: by its content, so that it is sent once."""
    return f"{PREFIX}{found.digest[:16]}/model.tar.gz"


def upload(aws: Aws, file: Path, found: Inspected, report: Report) -> str:
    """Send an archive to the account's bucket in parts, unless it is there already; its address.

    report: is told the share that was sent, 0 to 1. What was sent of an upload that fails is removed. Raises the errors
    of `Aws.call`.
    """
    where = {"Bucket": aws.account.bucket, "Key": key_of(found)}
    address = f"s3://{where['Bucket']}/{where['Key']}"
    try:
        if aws.call("s3", "HeadObject", **where).get("ContentLength") == found.bytes:
            report(1.0)
            return address
    except NotFound:
        pass
    upload_id = aws.call("s3", "CreateMultipartUpload", **where, ContentType="application/gzip")["UploadId"]
    try:
        with file.open("rb") as opened:
            parts = _send(aws, opened, where, upload_id, found.bytes, report)
        aws.call("s3", "CompleteMultipartUpload", **where, UploadId=upload_id, MultipartUpload={"Parts": parts})
    except (KennelError, OSError):
        with suppress(KennelError):  # why the upload failed is what matters
            aws.call("s3", "AbortMultipartUpload", **where, UploadId=upload_id)
        raise
    return address


def download(aws: Aws, address: str, file: Path, report: Report) -> None:
    """Bring what lies at an S3 address into a file. Raises InvalidInput for more than MOST bytes, and NotFound."""
    where = place(address)
    with aws.translated("s3", "GetObject", where):
        answer = aws.call("s3", "GetObject", **where)
        length = int(answer.get("ContentLength", 0))
        with answer["Body"] as body:
            if length > MOST:
                raise _refused(f"it has {size(length)}, and {size(MOST)} is the most")
            brought = 0
            with file.open("wb") as opened:
                while data := body.read(_CHUNK):
                    opened.write(data)
                    brought += len(data)
                    if brought > MOST:
                        raise _refused(f"it has more than {size(MOST)}, which is the most")
                    report(min(1.0, brought / max(1, length)))


def _send(
    aws: Aws, opened: IO[bytes], where: Mapping[str, str], upload_id: str, whole: int, report: Report
) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    while data := opened.read(PART):
        number = len(parts) + 1
        told = aws.call("s3", "UploadPart", **where, UploadId=upload_id, PartNumber=number, Body=data)
        parts.append({"ETag": told["ETag"], "PartNumber": number})
        report(min(1.0, number * PART / whole))
    return parts


def _checked(member: tarfile.TarInfo, number: int) -> str:
    """A member's name. Raises InvalidInput for what training/archive.py would refuse to unpack."""
    if number > MOST_FILES:
        raise _refused(f"it holds more than {MOST_FILES:,} files")
    if member.size > MOST_UNPACKED:
        raise _too_much()
    if member.size < 0 or member.issparse():
        raise _refused(f"it holds {member.name[:80]!r}, which is no ordinary file")
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise _refused(f"it holds {member.name[:80]!r}, which leads outside its folder")
    if not (member.isreg() or member.isdir()):
        raise _refused(f"it holds {member.name[:80]!r}, which is no ordinary file")
    return str(name)


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > MOST_TEXT:
        raise _refused(f"its {member.name[:80]} has {size(member.size)}")
    held = archive.extractfile(member)
    return held.read() if held else b""


def _labels(text: bytes) -> tuple[str, ...]:
    told = _json(text, "labels.json")
    labels = told.get("labels") if isinstance(told, dict) else told
    if not isinstance(labels, list) or not labels or not all(isinstance(one, str) and one for one in labels):
        raise _refused("its labels.json holds no list of labels", _BRING)
    return tuple(labels)


def _card(text: bytes | None) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    if text is None:
        return {}, ("it has no card.json: nobody knows how good it is",)
    told = _json(text, "card.json")
    if not isinstance(told, dict):
        raise _refused("its card.json is no JSON object", _BRING)
    return told, () if told.get("metrics") else ("its card has no figures: nobody measured it",)


def _json(text: bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(f"its {name} is no JSON", _BRING) from error


def _too_much() -> InvalidInput:
    return _refused(f"it unpacks to more than {size(MOST_UNPACKED)}")


def _refused(why: str, next_step: str = "") -> InvalidInput:
    return InvalidInput("this archive was not imported", why, next_step or "bring another one", field="archive")
