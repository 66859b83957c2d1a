"""Bringing things here: a zip, gone on with where it broke off, and the photos of a data set."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.data.contents import Contents, Photo
from dashboard.core.data.sending import batches
from dashboard.core.data.work import Stage, Teller
from dashboard.core.errors import InvalidInput, KennelError, Refused, ServiceFault
from dashboard.core.format import size
from dashboard.core.parallel import gather
from dashboard.core.s3_address import parts
from training.download import Interrupted, Part, Remote, download
from training.errors import BadSource, DiskFull
from training.images import MAX_BYTES
from training.sources import DOG_IMAGES
from training.web_file import WebFile

DOGS = "dogImages"
"""The data set of the reference projects, by the name that `training.data` knows it by."""
ROOM = 2 * 1024**3
"""Bytes that stay free on this machine's disk, whatever is brought or sent."""


@dataclass(frozen=True)
class InS3:
    """A zip in S3, for training.download: its parts, and its ETag as its version."""

    aws: Aws
    address: str

    @property
    def name(self) -> str:
        return self.address

    def open(self, start: int, version: str) -> Part:
        bucket, key = parts(self.address)
        goes_on = bool(start and version)
        wanted = {"Range": f"bytes={start}-", "IfMatch": version} if goes_on else {}
        try:
            told = self.aws.call("s3", "GetObject", Bucket=bucket, Key=key, **wanted)
        except KennelError as error:
            if error.is_temporary:
                raise Interrupted(f"{error.what}: {error.why}") from error
            if goes_on:
                return self.open(0, "")  # another object by now, or a shorter one
            raise
        begin = start if goes_on else 0
        return Part(_Body(self.aws, told["Body"]), begin, begin + int(told["ContentLength"]), str(told["ETag"]))


@dataclass(frozen=True)
class _Body:
    aws: Aws
    body: Any

    def read(self, amount: int, /) -> bytes:
        try:
            with self.aws.translated("s3", "GetObject"):
                return bytes(self.body.read(amount))
        except (OSError, KennelError) as error:
            raise Interrupted(f"the connection broke: {error}") from error

    def close(self) -> None:
        self.body.close()


def remote(aws: Aws, source: str, dogs: str = DOG_IMAGES) -> Remote:
    """What a source names: dogImages at its address, or a zip in S3. Raises InvalidInput for anything else."""
    if source == DOGS:
        return WebFile(dogs)
    bucket, key = parts(source)
    if source.startswith("s3://") and bucket and key.lower().endswith(".zip"):
        return InS3(aws, source)
    raise InvalidInput(
        f"{source or 'nothing'} is no zip that can be imported",
        "it is neither dogImages nor the address of a zip in S3",
        "give an address like s3://bucket/dogImages.zip",
        field="source",
    )


def fetch(found: Remote, target: Path, teller: Teller) -> None:
    """Bring a zip to a file, which appears when it is whole. Raises Stopped, InvalidInput with the reason why it cannot
    be had, Refused where there is no room, and the errors of `Aws.call`.
    """
    teller.tell(Stage.FETCHING)
    with explained():
        download(found, target, lambda done, total, unit: teller.tell(done=done, total=total))


@contextmanager
def explained() -> Iterator[None]:
    """Inside, what `training` says of sources becomes an error of ours, with its sentence."""
    try:
        yield
    except DiskFull as full:
        raise Refused("there is no room on Kennel's machine", str(full)) from full
    except BadSource as bad:
        raise InvalidInput("this source cannot be used", str(bad), field="source") from bad


def mirror(
    aws: Aws, contents: Contents, folder: Path, teller: Teller, free: Callable[[Path], int] | None = None
) -> None:
    """Bring a data set's photos below a folder as SPLIT/CLASS/FILE; those that are there in full are left.

    Raises Stopped, Refused where there is no room, ServiceFault for a disk that cannot be written to, and the errors of
    `Aws.call`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [one for one in contents.photos if not _is_there(folder, one)]
    room = (free or _free)(folder) - ROOM
    needed = sum(one.size for one in missing)
    if needed > room:
        raise Refused(
            f"{contents.name} cannot be looked through here",
            f"its photos have {size(needed)}, and the disk of Kennel's machine has {size(max(0, room))} for them",
            "free some space, or run python -m training.data report on a machine with room",
        )

    def one(photo: Photo) -> None:
        target = folder / photo.split / photo.label / photo.file
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{photo.etag or 'photo'}.partial")
        where = {"Bucket": contents.bucket, "Key": photo.key}
        with aws.translated("s3", "GetObject", where), aws.call("s3", "GetObject", **where)["Body"] as body:
            # a photo that is too large is told as such by the report: more than one byte too much need not come
            partial.write_bytes(body.read(MAX_BYTES + 1))
        partial.replace(target)

    teller.tell(Stage.FETCHING, done=len(contents.photos) - len(missing), total=len(contents.photos))
    try:
        for some in batches(missing, 64):
            gather(one, some, workers=8)
            teller.tell(done=teller.now.done + len(some))
    except OSError as error:
        raise ServiceFault(
            "a photo cannot be kept on Kennel's machine", error.strerror or str(error), "free some space, then go on"
        ) from error


def _is_there(folder: Path, photo: Photo) -> bool:
    try:
        return (folder / photo.split / photo.label / photo.file).stat().st_size == min(photo.size, MAX_BYTES + 1)
    except OSError:
        return False


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
