"""A folder or a zip of photos on Kennel's own machine, looked through without bringing it anywhere."""

import os
from collections.abc import Iterator
from pathlib import Path

from dashboard.core.data.fetching import explained
from dashboard.core.data.layout import MOST_BYTES, MOST_FILES, Layout, lay_out
from dashboard.core.errors import InvalidInput
from training.zips import Limits, opened

LIMITS = Limits(files=MOST_FILES, bytes=MOST_BYTES)
_MOST_LOOKED = 4 * MOST_FILES
"""Files of a folder that are looked at: somebody may name the root of a disk."""


def place(told: str) -> Path:
    """The path that somebody named. Raises InvalidInput where there is no folder and no zip."""
    path = Path(told.strip()).expanduser()
    if told.strip() and path.is_absolute() and (path.is_dir() or (path.is_file() and path.suffix.lower() == ".zip")):
        return path
    raise InvalidInput(
        f"{told.strip()[:200] or 'nothing'} cannot be sent",
        "on Kennel's machine there is no folder and no zip of that name" if path.is_absolute() else "it begins nowhere",
        "give the whole path, like /home/ada/dogImages",
        field="place",
    )


def look(path: Path) -> Layout:
    """What would be sent of a folder or a zip. Raises InvalidInput as `lay_out` does, and for what cannot be read."""
    if path.is_file():
        with explained(), opened(path, LIMITS) as (_, members):
            return lay_out((member.as_posix(), entry.file_size) for entry, member in members)
    try:
        return lay_out(_files(path))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read", error.strerror or str(error), "check who may read it") from error


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Every file below a folder with its bytes, but for links, which may lead anywhere."""
    looked = 0
    for parent, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(one for one in folders if not one.startswith((".", "__")))
        for file in files:
            looked += 1
            if looked > _MOST_LOOKED:
                raise InvalidInput(
                    f"{folder} holds more than {_MOST_LOOKED:,} files",
                    "",
                    "name the folder of the photos",
                    field="place",
                )
            found = Path(parent) / file
            if not found.is_symlink() and found.is_file():
                yield found.relative_to(folder).as_posix(), found.stat().st_size


def _raise(error: OSError) -> None:
    raise error
