"""Photos and zips in S3, through boto3 and whatever credentials, region and endpoint it finds.

Only what is not there yet is copied: a photo that has its object's size and time is left alone, a zip goes on where it
broke off.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from training.data import PHOTO_ENDINGS, displayed
from training.download import Interrupted, OnProgress, Part, full_or_bad, require_room
from training.errors import BadSource

_THREADS = 16
_CHUNK = 1024 * 1024
_NAME = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """A bucket and a prefix (or a key) in it."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, source: str) -> "Place":
        """Raises BadSource for what is no s3:// address."""
        match = _NAME.fullmatch(source)
        if not match:
            raise BadSource(f"{source} is no address in S3: write s3://bucket/prefix or s3://bucket/file.zip.")
        return cls(match[1], match[2] or "")

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{displayed(self.key)}"


@dataclass(frozen=True)
class S3File:
    """One object, as a file to download."""

    place: Place
    client: Any

    @property
    def name(self) -> str:
        return str(self.place)

    def open(self, start: int, version: str) -> Part:
        wanted: dict[str, str] = {"Range": f"bytes={start}-", "IfMatch": version} if start and version else {}
        try:
            found = self.client.get_object(Bucket=self.place.bucket, Key=self.place.key, **wanted)
        except _errors() as error:
            if wanted and _code(error) in ("412", "PreconditionFailed", "416", "InvalidRange"):
                return self.open(0, "")
            if wanted and not _code(error):
                raise Interrupted(str(error).rstrip(".")) from error
            raise _meaning(error, self.place) from error
        begin = start if wanted else 0
        return Part(_Body(found["Body"]), begin, begin + found["ContentLength"], found["ETag"])

    def version(self) -> str:
        """Changes when the object does. Raises BadSource."""
        try:
            return str(self.client.head_object(Bucket=self.place.bucket, Key=self.place.key)["ETag"])
        except _errors() as error:
            raise _meaning(error, self.place) from error


@dataclass(frozen=True)
class _Body:
    body: Any

    def read(self, amount: int, /) -> bytes:
        try:
            return bytes(self.body.read(amount))
        except OSError as error:
            raise Interrupted(f"the connection broke: {error}") from error
        except _errors() as error:
            raise Interrupted(f"the connection broke: {error}") from error

    def close(self) -> None:
        self.body.close()


def connect() -> Any:
    """An S3 client. Raises BadSource where boto3 is missing or set up wrongly."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise BadSource(
            "s3:// needs boto3, which is not installed here: pip install boto3, or give a folder."
        ) from error
    try:
        return boto3.client("s3", config=Config(retries={"mode": "standard"}, max_pool_connections=_THREADS))
    except BotoCoreError as error:
        raise BadSource(f"S3 cannot be used ({str(error).rstrip('.')}): check the profile and the region.") from error


def mirror(client: Any, place: Place, directory: Path, on_progress: OnProgress) -> bool:
    """Make `directory` hold the photos below a prefix, and no others; False (and no folder) when there are none.

    Raises BadSource, DiskFull. What was copied before an interruption is kept.
    """
    objects = [found for found in _listed(client, place) if PurePosixPath(found.key).suffix.lower() in PHOTO_ENDINGS]
    if not objects:
        return False
    try:
        directory.mkdir(parents=True, exist_ok=True)
        missing = [found for found in objects if not _is_there(found, directory)]
        require_room(directory, sum(found.size for found in missing), str(place))
        done = len(objects) - len(missing)
        with ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="s3") as pool:
            try:
                for _ in pool.map(lambda found: _copy(client, place, found, directory), missing):
                    done += 1
                    on_progress(done, len(objects), "photos")
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        _remove_others(directory, {found.file for found in objects})
    except OSError as error:
        raise full_or_bad(error, directory / "x", str(place)) from error
    return True


def zips(client: Any, place: Place) -> list[Place]:
    """The zips directly below a prefix."""
    return [
        Place(place.bucket, found.key)
        for found in _listed(client, place)
        if found.key.lower().endswith(".zip") and "/" not in found.file
    ]


@dataclass(frozen=True)
class _Object:
    key: str
    file: str
    """The key below the prefix: where it goes in the folder"""
    size: int
    time: float


def _listed(client: Any, place: Place) -> Iterator[_Object]:
    prefix = place.key if not place.key or place.key.endswith("/") else f"{place.key}/"
    try:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=prefix):
            for found in page.get("Contents", ()):
                file = found["Key"][len(prefix) :]
                if not file or file.endswith("/"):
                    continue  # the console's folders
                if any(part in ("", ".", "..") for part in file.split("/")) or "\0" in file:
                    raise BadSource(
                        f"{place} holds the key {displayed(found['Key'])!r}, which is no path of a file: rename it."
                    )
                yield _Object(found["Key"], file, found["Size"], found["LastModified"].timestamp())
    except _errors() as error:
        raise _meaning(error, place) from error


def _is_there(found: _Object, directory: Path) -> bool:
    try:
        status = (directory / found.file).stat()
    except OSError:
        return False
    return status.st_size == found.size and status.st_mtime == found.time


def _copy(client: Any, place: Place, found: _Object, directory: Path) -> None:
    target = directory / found.file
    target.parent.mkdir(parents=True, exist_ok=True)
    # Named by its own hash, because a long name has no room for more.
    partial = directory / f".{hashlib.sha256(found.file.encode('utf-8', 'surrogateescape')).hexdigest()[:24]}.partial"
    try:
        body = client.get_object(Bucket=place.bucket, Key=found.key)["Body"]
        with body, partial.open("wb") as file:
            shutil.copyfileobj(body, file, _CHUNK)
        # The time says which version this is.
        os.utime(partial, (found.time, found.time))
        partial.replace(target)
    except _errors() as error:
        raise _meaning(error, Place(place.bucket, found.key)) from error
    finally:
        partial.unlink(missing_ok=True)


def _remove_others(directory: Path, wanted: set[str]) -> None:
    """Photos that are no longer in the bucket must not be trained on."""
    for path in sorted(directory.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(directory).as_posix() not in wanted:
            path.unlink()


_BAD_CREDENTIALS = frozenset(
    ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "MissingAuthenticationToken")
)


def _errors() -> tuple[type[Exception], ...]:
    """What boto3 raises; asked for only when something was raised, so that nothing is imported for it before."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    return BotoCoreError, ClientError, HTTPError


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _meaning(error: Exception, place: Place) -> BadSource:
    """What boto3's error means to the person who named the source."""
    from botocore import exceptions

    code = _code(error)
    if code in ("AccessDenied", "403", "AllAccessDisabled"):
        return BadSource(
            f"{place} may not be read ({code}): this needs s3:ListBucket on arn:aws:s3:::{place.bucket} and "
            f"s3:GetObject on arn:aws:s3:::{place.bucket}/*."
        )
    if code in ("NoSuchBucket", "NoSuchKey", "404"):
        return BadSource(f"There is nothing at {place} ({code}): check the bucket's name, the key and the account.")
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return BadSource(f"{place} needs AWS credentials and there are none: choose a profile or a role.")
    if code in _BAD_CREDENTIALS:
        return BadSource(f"{place} refuses these AWS credentials ({code}): sign in again, or choose another profile.")
    if isinstance(error, exceptions.EndpointConnectionError | exceptions.ConnectTimeoutError):
        return BadSource(f"{place} cannot be reached: check the network, AWS_ENDPOINT_URL and the region.")
    return BadSource(f"{place} cannot be read ({str(error).rstrip('.')}): try again, or give a folder.")
