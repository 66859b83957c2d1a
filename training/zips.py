"""Unpacking a zip of photos that may come from anywhere.

Only photos are unpacked, as plain files below one folder. What would lead outside it, hides a link, or grows out of all
proportion is refused before anything is written; the folder appears under its name only when it is complete.
"""

import contextlib
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from training.data import PHOTO_ENDINGS, displayed
from training.download import OnProgress, full_or_bad, require_room
from training.errors import BadSource

_DRIVE = re.compile(r"[A-Za-z]:(/|$)")
_UTF8 = 0x800
_ENCRYPTED = 0x1
_CHUNK = 1024 * 1024
_END, _END_64, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_TAIL = 76 + 22 + 65_535
"""The longest that these three and a comment can be."""
_ENTRY_BYTES = 256
"""What one file takes in the directory, with a long name."""
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error)


@dataclass(frozen=True)
class Limits:
    """What a zip may hold at most. The 133-breed data set has 8,351 photos and 1.1 GB."""

    files: int = 200_000
    bytes: int = 200 * 1024**3
    growth: int = 200
    """How many times its own size it may unpack to, from `free_growth` bytes on; photos hardly shrink at all"""
    free_growth: int = 1024**3


def unpack(
    archive: Path,
    directory: Path,
    on_progress: OnProgress,
    marker: str = "",
    limits: Limits = Limits(),
) -> None:
    """Unpack the photos of `archive` to `directory`, which must not exist and appears when it is complete.

    A file named .source with the text `marker` is put beside them. Raises BadSource for what is damaged, hostile or
    holds no photos, DiskFull.
    """
    partial = directory.with_name(f".{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        _require_few_entries(archive, limits)
        with zipfile.ZipFile(archive) as zipped:
            members = _members(zipped, archive, limits)
            require_room(partial, sum(entry.file_size for entry, _ in members), archive.name)
            _extract(zipped, members, partial, on_progress)
        (partial / ".source").write_text(marker, encoding="utf-8")
        partial.rename(directory)
    except _DAMAGE as error:
        raise _damaged(archive, error) from error
    except OSError as error:
        raise full_or_bad(error, partial, archive.name) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


Member = tuple[zipfile.ZipInfo, PurePosixPath]


@contextlib.contextmanager
def opened(archive: Path, limits: Limits = Limits()) -> Iterator[tuple[zipfile.ZipFile, Sequence[Member]]]:
    """The archive and its photos with where they would go, checked as `unpack` does, for whoever takes them one by one.

    Raises BadSource for what is damaged, hostile or holds no photos.
    """
    _require_few_entries(archive, limits)
    try:
        zipped = zipfile.ZipFile(archive)
    except (*_DAMAGE, OSError) as error:
        raise _damaged(archive, error) from error
    with zipped:
        yield zipped, _members(zipped, archive, limits)


def content(zipped: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of one photo, no more than its entry says. Raises BadSource when it is damaged."""
    try:
        with zipped.open(entry) as source:
            return source.read(entry.file_size)
    except (*_DAMAGE, OSError) as error:
        raise _damaged(Path(zipped.filename or entry.filename), error) from error


def _members(zipped: zipfile.ZipFile, archive: Path, limits: Limits) -> Sequence[Member]:
    """The photos and where they go, in the archive's order; every entry is checked, whether a photo or not."""
    found: list[Member] = []
    for entry in zipped.infolist():
        name = _name(entry)
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or _DRIVE.match(name):
            raise BadSource(f"{archive} holds {displayed(name)!r}, which leads outside its folder: it is not used.")
        kind = entry.external_attr >> 16
        if kind and stat.S_IFMT(kind) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise BadSource(
                f"{archive} holds {displayed(name)!r}, which is no ordinary file: zip the photos themselves."
            )
        if name.endswith("/") or any(part.startswith((".", "__")) for part in path.parts):
            continue
        if path.suffix.lower() in PHOTO_ENDINGS:
            if entry.flag_bits & _ENCRYPTED:
                raise BadSource(f"{archive} is locked with a password: unpack it and give the folder.")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise BadSource(f"{archive} is compressed in an unusual way: zip it again, or give the folder.")
            found.append((entry, path))
    if not found:
        raise BadSource(f"{archive} holds no photos: zip a folder with train/, valid/ and test/, or with one a breed.")
    total = sum(entry.file_size for entry, _ in found)
    packed = archive.stat().st_size
    if len(found) > limits.files or total > limits.bytes:
        raise BadSource(
            f"{archive} unpacks to {len(found):,} photos and {total / 2**20:,.0f} MiB, more than the "
            f"{limits.files:,} and {limits.bytes / 2**20:,.0f} MiB allowed here: unpack it and give the folder."
        )
    if total > limits.free_growth and total > limits.growth * packed:
        raise BadSource(
            f"{archive} unpacks to {total / packed:,.0f} times its size, which photos never do: it is not used."
        )
    return found


def _damaged(archive: Path, error: Exception) -> BadSource:
    return BadSource(f"{archive} is damaged or cut short ({error}): download or zip it again.")


def _name(entry: zipfile.ZipInfo) -> str:
    """The entry's name with / between folders, in the letters that were meant.

    Some Windows programs write \\ between folders; a Mac's Finder writes UTF-8 without saying so.
    """
    name = entry.filename
    if not entry.flag_bits & _UTF8 and not name.isascii():
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _extract(zipped: zipfile.ZipFile, members: Sequence[Member], directory: Path, on_progress: OnProgress) -> None:
    made: set[Path] = set()
    for done, (entry, path) in enumerate(members, start=1):
        target = directory / path
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        try:
            source = zipped.open(entry)
        except OSError as error:  # an offset that lies before the file
            raise zipfile.BadZipFile(str(error)) from error
        # No more than the size that was checked comes out of it, whatever the compressed bytes hold.
        with source, target.open("wb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
        on_progress(done, len(members), "photos")


def _require_few_entries(archive: Path, limits: Limits) -> None:
    """Refuse a directory of entries that would fill the memory, before zipfile reads all of it.

    Its size is in the last record of the file, or in the one before it (zip64) where that is there.
    """
    try:
        with archive.open("rb") as file:
            file.seek(max(0, archive.stat().st_size - _TAIL))
            tail = file.read()
    except OSError as error:
        raise BadSource(f"{archive} cannot be read ({error.strerror or error}): check its path.") from error
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        raise BadSource(f"{archive} is no zip, or its end is missing: download or zip it again.")
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    if at >= 76 and tail[at - 20 : at - 16] == _LOCATOR_64 and tail[at - 76 : at - 72] == _END_64:
        size = int.from_bytes(tail[at - 36 : at - 28], "little")
    if size > limits.files * _ENTRY_BYTES:
        raise BadSource(f"{archive} lists far more than {limits.files:,} files: unpack it and give the folder.")
