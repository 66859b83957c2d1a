"""S3 as the engine needs it: files by bucket and key, and where a prefix of keys lies on disk."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local_aws.engine.errors import ClientFaultError

SPARE_BYTES = 256 * 1024 * 1024  # left free on the disk, so that a job cannot fill it


class StoredObject(Protocol):
    """An object in S3 that is a file on this machine."""

    @property
    def key(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def path(self) -> Path: ...


class Objects(Protocol):
    """The part of the embedded S3 that the engine calls. Raises ServiceError NoSuchBucket, NoSuchKey."""

    def bucket_region(self, bucket: str) -> str: ...
    def find(self, bucket: str, prefix: str) -> Sequence[StoredObject]: ...
    def get(self, bucket: str, key: str) -> StoredObject: ...
    def add_file(self, bucket: str, key: str, source: Path, content_type: str = ...) -> StoredObject: ...


@dataclass(frozen=True)
class Location:
    """An s3:// address."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "Location":
        """Raises ClientFaultError when it is not s3://bucket[/key]."""
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not bucket:
            raise ClientFaultError(f"{uri} is not an address of the form s3://bucket/key")
        return cls(bucket, key)

    def below(self, *names: str) -> "Location":
        return Location(self.bucket, "/".join([self.key.rstrip("/"), *names]).lstrip("/"))

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def relative_names(prefix: str, objects: Sequence[StoredObject]) -> Iterator[tuple[str, StoredObject]]:
    """Each object of a prefix with its name below the folder that receives it; folder markers are left out.

    A prefix that is a folder gives names below that folder; one that is part of names gives names from its last
    slash on; one that is a whole key gives that file's name.
    """
    is_folder = prefix.endswith("/") or any(found.key.startswith(prefix + "/") for found in objects)
    start = prefix.rstrip("/") + "/" if is_folder and prefix else prefix[: prefix.rfind("/") + 1]
    for found in objects:
        if found.key.startswith(start) and not found.key.endswith("/"):
            yield found.key[len(start) :], found


def fetch(
    objects: Objects,
    source: Location,
    folder: Path,
    stopped: Callable[[], bool] = lambda: False,
    *,
    share: tuple[int, int] = (0, 1),
) -> int:
    """Copy every object below a prefix into `folder`; bytes copied. share: (i, N) for the i-th of N hosts' objects.

    Copies, not links: what runs here may change its files. Stops early, between two files, when `stopped()`.
    Raises ClientFaultError when nothing is there, a key leads out of the folder, or the disk is too small.
    """
    everything = list(relative_names(source.key, objects.find(source.bucket, source.key)))
    found = dict(everything[share[0] :: share[1]])
    if not everything:
        raise ClientFaultError(f"Data download failed: no S3 objects found under {source.uri}")
    size = sum(one.size for one in found.values())
    room = shutil.disk_usage(folder).free - SPARE_BYTES
    if size > room:
        raise ClientFaultError(
            f"Data download failed: {source.uri} holds {size} bytes and this machine's disk has room for {max(0, room)}"
        )
    for name, one in found.items():
        if stopped():
            break
        if name.startswith("/") or ".." in name.split("/") or "\x00" in name:
            raise ClientFaultError(f"Data download failed: the key {one.key!r} leads out of the channel's folder")
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            copy(objects, source.bucket, one, target)
        except OSError as wrong:
            raise ClientFaultError(
                f"Data download failed: {one.key!r} cannot become a file: {wrong.strerror}"
            ) from wrong
    return size


def copy(objects: Objects, bucket: str, found: StoredObject, target: Path) -> None:
    """Copy an object's bytes; those it has now, when it was replaced since it was found. Raises NoSuchKey, OSError."""
    while True:
        try:
            shutil.copyfile(found.path, target)
            return
        except FileNotFoundError:
            gone = found.path
            found = objects.get(bucket, found.key)
            if found.path == gone:
                raise
