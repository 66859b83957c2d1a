"""model.tar.gz: packed from a folder without holding it in memory, and unpacked without trusting it."""

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from local_aws.engine.errors import ClientFaultError
from local_aws.engine.objects import SPARE_BYTES

COMPRESSION = 1  # weights hardly compress; level 6 takes twice as long for 1 % less
LARGEST = 10 * 1024**3  # bytes unpacked
MOST_FILES = 100_000
PIECE = 1024 * 1024  # bytes
LARGEST_READ = 2 * PIECE  # what a reader of pieces asks for, and no more


class _Gzip(gzip.GzipFile):
    """Gzip that gives no more than a piece at once: tarfile would read a name of ten gigabytes whole into memory."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= LARGEST_READ:
            raise tarfile.ReadError("an entry has a name or a header that is too long")
        return super().read(size)


def has_files(folder: Path) -> bool:
    return folder.is_dir() and any(not path.is_dir() for path in folder.rglob("*"))


def files(folder: Path) -> list[Path]:
    """Its regular files, sorted; links are left out, since they may lead anywhere."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def pack(folder: Path, archive: Path, more: Sequence[Path] = ()) -> None:
    """Write the contents of `folder` (not the folder itself) to a gzipped tar. Raises OSError.

    more: folders whose contents join them; of a name that several have, the first one's file is kept.
    """
    packed: set[str] = set()

    def ours(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if not (entry.isreg() or entry.isdir() or entry.issym() or entry.islnk()):
            return None  # pipes, sockets and devices are nothing to keep
        if not entry.isdir():
            if entry.name in packed:
                return None
            packed.add(entry.name)
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(archive, "w:gz", compresslevel=COMPRESSION, dereference=False) as tar:
        for one in (folder, *more):
            for path in sorted(one.iterdir()):
                tar.add(path, path.name, filter=ours)


def unpack(archive: Path, folder: Path, *, largest: int = LARGEST) -> None:
    """Extract a gzipped tar into `folder`, which must exist. Links become copies of what they name in the archive.

    Raises ClientFaultError for what is no such archive, is larger than `largest` bytes or than the disk has room for,
    holds too many files, or has an entry that would land outside the folder or is neither file nor folder.
    """
    room = min(largest, shutil.disk_usage(folder).free - SPARE_BYTES)
    try:
        with _Gzip(archive) as packed, tarfile.open(fileobj=packed, mode="r:") as tar:
            for count, entry in enumerate(tar):
                if entry.size > room or count >= MOST_FILES:
                    raise _too_large(largest)
                target = _inside(folder, entry)
                if entry.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                room -= _write(tar, entry, target, room, largest)
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as wrong:
        raise ClientFaultError(f"the model archive cannot be unpacked, it must be a gzipped tar: {wrong}") from wrong


def _inside(folder: Path, entry: tarfile.TarInfo) -> Path:
    name = entry.name.lstrip("/")
    if ".." in name.split("/") or "\x00" in name:
        raise ClientFaultError(f"the model archive has an entry that leads out of its folder: {entry.name!r}")
    return folder / name


def _write(tar: tarfile.TarFile, entry: tarfile.TarInfo, target: Path, room: int, largest: int) -> int:
    """Write one entry; the bytes it took. tarfile's own extract would make links, and older ones unsafe ones."""
    try:
        source = tar.extractfile(entry)
    except (KeyError, RecursionError):
        source = None
    if source is None:
        raise ClientFaultError(f"the model archive has an entry that is no file or folder of it: {entry.name!r}")
    size = 0
    with source, target.open("wb") as file:
        while piece := source.read(PIECE):
            size += len(piece)
            if size > room:
                raise _too_large(largest)
            file.write(piece)
    target.chmod(0o755 if entry.mode & 0o100 else 0o644)
    return size


def _too_large(largest: int) -> ClientFaultError:
    return ClientFaultError(
        f"the model archive unpacks to more than {largest} bytes, {MOST_FILES} files or this machine's free disk space"
    )
