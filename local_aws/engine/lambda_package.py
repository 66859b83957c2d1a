"""A function's package, unpacked for one environment."""

import zipfile
from pathlib import Path, PurePosixPath

LARGEST_UNZIPPED = 250 * 1024 * 1024
"""Bytes (Lambda quotas, "Deployment package")."""
_CHUNK = 256 * 1024


def unpack(package: Path, folder: Path) -> None:
    """Put a checked package's files below a folder; nothing in it is a link. Raises OSError, zipfile.BadZipFile."""
    left = LARGEST_UNZIPPED
    with zipfile.ZipFile(package) as archive:
        for entry in archive.infolist():
            target = folder.joinpath(*PurePosixPath(entry.filename).parts)
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, target.open("wb") as file:
                while chunk := source.read(_CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise zipfile.BadZipFile("it holds more than it says")
                    file.write(chunk)
            mode = entry.external_attr >> 16 & 0o777
            target.chmod((mode or 0o644) | 0o400)
