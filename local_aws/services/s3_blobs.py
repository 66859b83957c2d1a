"""The bytes of S3 objects: immutable files under random names, so that no key ever becomes a path.

A blob is written in `incoming/`, moved to `blobs/` once whole and on disk, and only then named in the index. What the
index does not name is nothing: it is swept away after a death in the middle.
"""

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from local_aws.services.s3_checksums import checksum

COPY_PIECE = 64 * 1024 * 1024  # bytes


@dataclass(frozen=True)
class Blob:
    """A whole blob on disk: size in bytes, etag as S3 gives it (hex MD5), checksums by their name on the wire."""

    name: str
    size: int
    etag: str
    checksums: dict[str, str]


class Intake:
    """One blob being written: hashed as it comes. Use as a context manager: leaving without `commit` leaves nothing."""

    def __init__(self, partial: Path, final: Path, algorithms: Iterable[str]) -> None:
        self._partial = partial
        self._final = final
        self._file: IO[bytes] | None = None
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._checksums = {name: checksum(name) for name in sorted(algorithms)}
        self.size = 0

    def write(self, data: bytes) -> None:
        file, view = self._opened(), memoryview(data)
        while view:
            view = view[file.write(view) :]
        self._md5.update(data)
        for one in self._checksums.values():
            one.update(data)
        self.size += len(data)

    def commit(self) -> Blob:
        """Put the blob where the index may name it, on disk."""
        file = self._opened()
        os.fsync(file.fileno())
        file.close()
        self._partial.replace(self._final)
        sync_folder(self._final.parent)
        return Blob(self._final.name, self.size, self.md5.hex(), self.checksums)

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = self._partial.open("xb", buffering=0)
        return self._file

    @property
    def md5(self) -> bytes:
        return self._md5.digest()

    @property
    def checksums(self) -> dict[str, str]:
        """Name on the wire → base64."""
        return {name: one.value() for name, one in self._checksums.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
        self._partial.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Blobs:
    """All blobs of a directory."""

    def __init__(self, directory: Path, *, random_name: Callable[[], str] = lambda: secrets.token_hex(16)) -> None:
        self._blobs = directory / "blobs"
        self._incoming = directory / "incoming"
        self._dirty = directory / "running"  # there while blobs and index may disagree
        self._random_name = random_name
        for folder in (self._incoming, *(self._blobs / f"{i:02x}" for i in range(256))):
            folder.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        return self._blobs / name[:2] / name

    def intake(self, algorithms: Iterable[str] = ()) -> Intake:
        name = self._random_name()
        return Intake(self._incoming / name, self.path(name), algorithms)

    def link(self, name: str) -> str:
        """A second name for the same bytes: a copy that costs nothing, as blobs never change."""
        new = self._random_name()
        os.link(self.path(name), self.path(new))
        sync_folder(self.path(new).parent)
        return new

    def join(self, sources: Sequence[Path]) -> str:
        """A new blob of the files one after the other (copied by the kernel); its name."""
        name = self._random_name()
        partial = self._incoming / name
        try:
            with partial.open("xb", buffering=0) as out:
                for source in sources:
                    with source.open("rb", buffering=0) as file:
                        _append(file, out)
                os.fsync(out.fileno())
            partial.replace(self.path(name))
        finally:
            partial.unlink(missing_ok=True)
        sync_folder(self.path(name).parent)
        return name

    def discard(self, names: Iterable[str]) -> None:
        for name in names:
            self.path(name).unlink(missing_ok=True)

    def start(self, named: Callable[[], set[str]]) -> None:
        """Sweep away what a death in the middle left. named: all blobs of the index, asked only when needed."""
        if self._dirty.exists():
            for partial in self._incoming.iterdir():
                partial.unlink()
            keep = named()
            for folder in self._blobs.iterdir():
                for blob in os.scandir(folder):
                    if blob.name not in keep:
                        Path(blob.path).unlink()
        self._dirty.touch()

    def stop(self) -> None:
        self._dirty.unlink(missing_ok=True)


def _append(source: IO[bytes], out: IO[bytes]) -> None:
    try:
        while os.copy_file_range(source.fileno(), out.fileno(), COPY_PIECE):
            pass
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        shutil.copyfileobj(source, out, 1024 * 1024)  # both stand where the kernel stopped
