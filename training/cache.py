"""Features that are known already, by the content of the photo: a second run on the same photos starts at the head.

A folder for each key (whatever decides the features of a photo), in it segment files that are written once and never
changed: aside, flushed to the disk, renamed. So a killed process leaves whole files only, several processes may write
at the same time, and a folder that is copied file by file (SageMaker's checkpoints) is never half of anything.

A segment is a header (magic, count, features, checksum of the digests), the photos' digests, and one record a photo:
perceptual hash, size, dog probability, features, and a checksum over the digest and all that. Records are read one at a
time where they are, so that knowing many photos takes no memory.
"""

import contextlib
import hashlib
import os
import struct
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
LIMIT_BYTES = 4 * 2**30
"""How much one directory may hold; the keys used longest ago go first."""
FLUSH_SECONDS = 15.0
_FLUSH_BYTES = 4 * 2**20
_HEADER = struct.Struct("<4sIIII")
"""magic, photos, views, features of a view, CRC-32 of the digests"""
_MAGIC = b"KFT1"
_DIGEST = _HASH = 32
_FACTS = struct.Struct(f"<{_HASH}siif")
"""perceptual hash, width, height, dog probability"""
_CHECK = struct.Struct("<I")
_ENDING = ".features"


@dataclass(frozen=True)
class Known:
    """What an earlier run found out about a photo."""

    values: Array
    """[V, D]"""
    dog: float
    perceptual: NDArray[np.uint8]
    """[32]"""
    size: tuple[int, int]
    """Width and height in pixels"""


def key_of(*parts: str) -> str:
    """A folder's name for whatever decides the features."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, eq=False)
class _Segment:
    path: Path
    views: int
    features: int
    first: int
    """Where the first record begins, in bytes"""

    @property
    def record_bytes(self) -> int:
        return _FACTS.size + 4 * self.views * self.features + _CHECK.size


class FeatureCache:
    """The features kept below one or several directories; read from all of them, written to each.

    A directory that cannot be read or written, a full disk or a damaged file never ends a run: it is put down in
    `notes`, in words. Used from several threads. Close it, or use it in a `with` statement.
    """

    def __init__(
        self,
        directories: Sequence[Path],
        key: str,
        *,
        flush_seconds: float = FLUSH_SECONDS,
        limit_bytes: int = LIMIT_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.notes: list[str] = []
        self._folders = [directory / key for directory in directories]
        self._flush_seconds = flush_seconds
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._flushed = clock()
        self._lock = threading.Lock()
        self._segments: list[_Segment] = []
        self._pending: list[tuple[bytes, bytes]] = []
        self._shape = (0, 0)
        starts: list[NDArray[np.uint64]] = []
        places: list[NDArray[np.uint32]] = []
        for folder in self._folders:
            self._open_folder(folder, starts, places)
        # Sorted beginnings of digests instead of a dictionary: a twentieth of the memory.
        merged = np.concatenate(starts) if starts else np.zeros(0, np.uint64)
        order = np.argsort(merged, kind="stable")
        self._starts = merged[order]
        self._places = (np.concatenate(places) if places else np.zeros((0, 2), np.uint32))[order]

    def __enter__(self) -> "FeatureCache":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """How many photos were known at the start."""
        return len(np.unique(self._starts))

    def get(self, digest: bytes, views: int, features: int) -> Known | None:
        """What is known about the photo with this SHA-256, None when that is nothing or it is damaged."""
        start = np.frombuffer(digest[:8], "<u8")[0]
        at = int(np.searchsorted(self._starts, start))
        while at < len(self._starts) and self._starts[at] == start:
            segment, number = self._segments[self._places[at][0]], int(self._places[at][1])
            at += 1
            if (segment.views, segment.features) != (views, features):
                continue
            record = _read_at(segment.path, segment.record_bytes, segment.first + number * segment.record_bytes)
            # The checksum covers the whole digest, so that a photo with the same beginning is no match either.
            if (
                len(record) == segment.record_bytes
                and zlib.crc32(record[: -_CHECK.size], zlib.crc32(digest)) == (_CHECK.unpack(record[-_CHECK.size :])[0])
            ):
                perceptual, width, height, dog = _FACTS.unpack(record[: _FACTS.size])
                values = np.frombuffer(record, "<f4", views * features, _FACTS.size).reshape(views, features)
                return Known(values, dog, np.frombuffer(perceptual, np.uint8), (width, height))
        return None

    def add(
        self, digest: bytes, values: Array, dog: float, perceptual: NDArray[np.uint8], size: tuple[int, int]
    ) -> None:
        """Remember a photo; it is on the disk after the next flush, which comes by itself every few seconds."""
        record = _FACTS.pack(perceptual.tobytes(), int(size[0]), int(size[1]), dog) + values.astype("<f4").tobytes()
        record += _CHECK.pack(zlib.crc32(record, zlib.crc32(digest)))
        with self._lock:
            if self._shape != values.shape:
                self._write()
                self._shape = (values.shape[0], values.shape[1])
            self._pending.append((digest, record))
            due = self._clock() - self._flushed >= self._flush_seconds
            if due or len(self._pending) * len(record) >= _FLUSH_BYTES:
                self._write()

    def flush(self) -> None:
        """Put everything on the disk."""
        with self._lock:
            self._write()

    def close(self) -> None:
        """Flush, and make room where a directory holds too much. The cache answers nothing more."""
        self.flush()
        self._segments.clear()
        self._starts = self._starts[:0]
        for folder in self._folders:
            self._make_room(folder)

    def _open_folder(self, folder: Path, starts: list[NDArray[np.uint64]], places: list[NDArray[np.uint32]]) -> None:
        try:
            paths = sorted(path for path in folder.iterdir() if path.suffix == _ENDING)
        except FileNotFoundError:
            return
        except OSError as error:
            self._note(f"the feature cache {folder} cannot be read ({error.strerror or error})")
            return
        for path in paths:
            try:
                with path.open("rb", buffering=0) as file:
                    found = _read_digests(file)
            except FileNotFoundError:  # another process has just made room
                continue
            except OSError as error:
                self._note(f"{path} cannot be read ({error.strerror or error})")
                continue
            if found is None:
                self._note(f"{path} was damaged and is removed: its photos are worked on again")
                with contextlib.suppress(OSError):  # it may be gone already, and it is ignored in any case
                    path.unlink()
                continue
            views, features, digests = found
            first = _HEADER.size + _DIGEST * len(digests)
            place = np.zeros((len(digests), 2), np.uint32)
            place[:, 0], place[:, 1] = len(self._segments), np.arange(len(digests))
            self._segments.append(_Segment(path, views, features, first))
            starts.append(digests[:, :8].copy().view("<u8")[:, 0])
            places.append(place)
        with contextlib.suppress(OSError):  # only the order in which keys go depends on it
            os.utime(folder)

    def _write(self) -> None:
        """The pending photos as one new segment in every folder; called with the lock held."""
        pending, self._pending = self._pending, []
        self._flushed = self._clock()
        if not pending:
            return
        digests = b"".join(digest for digest, _ in pending)
        header = _HEADER.pack(_MAGIC, len(pending), *self._shape, zlib.crc32(digests))
        content = b"".join([header, digests, *(record for _, record in pending)])
        name = hashlib.sha256(content).hexdigest()[:32] + _ENDING
        for folder in list(self._folders):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                _write_whole(folder / name, content)
            except OSError as error:
                self._folders.remove(folder)
                self._note(f"no features are kept in {folder} ({error.strerror or error})")

    def _make_room(self, mine: Path) -> None:
        """Remove whole keys, those used longest ago first, and at last segments of this key, until the rest fits."""
        try:
            folders = [folder for folder in mine.parent.iterdir() if folder.is_dir() and folder != mine]
            by_age = [*sorted(folders, key=lambda folder: folder.stat().st_mtime), mine]
            files = [
                [*sorted(folder.iterdir(), key=lambda f: f.stat().st_mtime)] for folder in by_age if folder.is_dir()
            ]
            total = sum(path.stat().st_size for some in files for path in some)
            for folder, some in zip(by_age, files, strict=False):
                for path in some:
                    if total <= self._limit_bytes:
                        return
                    total -= path.stat().st_size
                    path.unlink()
                if folder != mine:
                    folder.rmdir()
        except OSError as error:  # another process makes room at the same time, or files came in between
            self._note(f"{mine.parent} could not be made smaller ({error.strerror or error})")

    def _note(self, words: str) -> None:
        self.notes.append(words)


def _read_at(path: Path, count: int, place: int) -> bytes:
    """`count` bytes from `place` on, fewer where the file is shorter or gone.

    Files are not held open: a cache may have more of them than a process may open.
    """
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(place)
            return file.read(count)
    except OSError:  # another process has made room; the photo is worked on again
        return b""


def _read_digests(file: RawIOBase) -> tuple[int, int, NDArray[np.uint8]] | None:
    """Views, features and digests [N, 32] of a segment; None when it is damaged or not as long as it says."""
    header = file.read(_HEADER.size) or b""
    if len(header) < _HEADER.size:
        return None
    magic, count, views, features, check = _HEADER.unpack(header)
    record = _FACTS.size + 4 * views * features + _CHECK.size
    if magic != _MAGIC or os.fstat(file.fileno()).st_size != _HEADER.size + count * (_DIGEST + record):
        return None
    digests = file.read(count * _DIGEST) or b""
    if zlib.crc32(digests) != check:
        return None
    return views, features, np.frombuffer(digests, np.uint8).reshape(count, _DIGEST)


def _write_whole(path: Path, content: bytes) -> None:
    """Aside, on the disk, renamed: the file is there in full or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
