"""model.tar.gz: packing a model folder, and unpacking one that came from anywhere."""

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

MAX_BYTES = 2 * 1024**3
"""The most that an archive may unpack to."""
MAX_FILES = 1000
_CHUNK = 1024 * 1024


class BadArchive(Exception):  # noqa: N818 - the name says what it is
    """An archive that is not unpacked. `str()` is a sentence that says why."""


class _Gzip(gzip.GzipFile):
    """Gzip that gives no more than a piece at once: tarfile would read a member's name of gigabytes into memory."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _CHUNK:
            raise tarfile.ReadError("a member has a name or a header that is too long")
        return super().read(size)


def pack(directory: Path, archive: Path, files: Sequence[str]) -> Path:
    """Write `files` of `directory` as a gzipped tar; it appears under its name only when it is complete.

    The content is stored, not compressed: network weights shrink by 7 % only, and that costs half a second.
    """
    partial = archive.with_name(f".{archive.name}.partial")
    try:
        with (
            partial.open("wb") as raw,
            gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=0, filename="", mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w") as tar,
        ):
            for name in files:
                tar.add(directory / name, arcname=name, filter=_anonymous)
        partial.replace(archive)
    finally:
        partial.unlink(missing_ok=True)
    return archive


def unpack(archive: Path, directory: Path, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES) -> None:
    """Unpack regular files and folders below `directory`, which is created.

    Raises BadArchive for links, devices, names that lead outside, more than `max_bytes` or `max_files`, and for what is
    no gzipped tar; what was unpacked until then is removed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with _Gzip(archive) as zipped, tarfile.open(fileobj=zipped, mode="r:") as tar:
            _extract(tar, archive, directory, max_bytes, max_files)
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        shutil.rmtree(directory, ignore_errors=True)
        reason = getattr(error, "strerror", None) or error
        raise BadArchive(f"{archive} cannot be unpacked ({reason}): is it a complete model.tar.gz?") from error
    except BadArchive:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def _extract(tar: tarfile.TarFile, archive: Path, directory: Path, max_bytes: int, max_files: int) -> None:
    total = 0
    for count, member in enumerate(tar, start=1):
        # Sizes are checked from the header, before the tar reader decompresses the content.
        total += member.size
        if count > max_files or total > max_bytes:
            raise BadArchive(
                f"{archive} unpacks to more than {max_files:,} files or {max_bytes / 2**20:,.0f} MiB: it is not used."
            )
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts or "\\" in member.name:
            raise BadArchive(f"{archive} holds {member.name!r}, which leads outside its folder: it is not used.")
        target = directory / name
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        source = tar.extractfile(member) if member.isreg() else None
        if source is None:
            raise BadArchive(f"{archive} holds {member.name!r}, which is no ordinary file: it is not used.")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
        target.chmod(0o644)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """No owner and no time: the same model packs to the same bytes anywhere."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member
