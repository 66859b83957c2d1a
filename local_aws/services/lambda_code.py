"""Deployment packages: zips, kept once by their content, with the limits that Lambda has."""

import base64
import hashlib
import io
import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from local_aws.engine.lambda_package import LARGEST_UNZIPPED
from local_aws.engine.objects import Objects
from local_aws.errors import ServiceError
from local_aws.services.lambda_names import invalid

LARGEST_ZIP = 50 * 1024 * 1024
"""Bytes of a zip that a request carries (Lambda quotas, "Deployment package")."""
MOST_FILES = 20_000


@dataclass(frozen=True)
class Code:
    """sha256: as Lambda tells it, in base64; size: of the zip, in bytes."""

    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        return base64.b64decode(self.sha256).hex() + ".zip"


class CodeStore:
    """Zips in a folder. objects: S3, for packages that are named there."""

    def __init__(self, folder: Path, objects: Objects) -> None:
        self.folder = folder
        self._objects = objects

    def keep(self, told: dict[str, Any]) -> Code:
        """Keep what ZipFile or S3Bucket and S3Key of a request hold. Raises ServiceError for what is no package."""
        data = self._read(told)
        _check(data)
        code = Code(base64.b64encode(hashlib.sha256(data).digest()).decode(), len(data))
        path = self.folder / code.file_name
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.urandom(4).hex()}.new")
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        return code

    def path(self, sha256: str) -> Path:
        return self.folder / Code(sha256, 0).file_name

    def keep_only(self, used: Iterable[str]) -> None:
        """Delete the packages that no function has any more."""
        names = {Code(sha256, 0).file_name for sha256 in used}
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if path.name not in names:
                    path.unlink(missing_ok=True)

    def _read(self, told: dict[str, Any]) -> bytes:
        zipped, bucket, key = told.get("ZipFile"), told.get("S3Bucket"), told.get("S3Key")
        if zipped is not None and not (bucket or key):
            data = bytes(zipped)
            if len(data) > LARGEST_ZIP:
                raise ServiceError(
                    "RequestEntityTooLargeException", f"Zipped size must be smaller than {LARGEST_ZIP} bytes", 413
                )
            return data
        if zipped is not None or not bucket or not key:
            raise invalid("Please provide a source for function code.")
        try:
            found = self._objects.get(bucket, key)
        except ServiceError as error:
            raise invalid(
                f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
            ) from error
        if found.size > LARGEST_UNZIPPED:
            raise invalid(f"Unzipped size must be smaller than {LARGEST_UNZIPPED} bytes")
        return found.path.read_bytes()


def _check(data: bytes) -> None:
    """Raises ServiceError for what cannot be unpacked, or would be unpacked to somewhere else."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError):
        raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.") from None
    if sum(entry.file_size for entry in entries) > LARGEST_UNZIPPED:
        raise invalid(f"Unzipped size must be smaller than {LARGEST_UNZIPPED} bytes")
    if not entries:
        raise invalid("Uploaded file must be a non-empty zip")
    if len(entries) > MOST_FILES:
        raise invalid(f"The package has {len(entries):,} files, and the embedded AWS unpacks at most {MOST_FILES:,}.")
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
            raise invalid(f"The package holds a file outside of it: {entry.filename[:200]}")
