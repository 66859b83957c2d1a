"""Where photos come from: a folder, a zip, S3 or an https address becomes a folder that training.data can scan.

What is downloaded or unpacked goes into a cache folder and is found there the next time, without a network.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from training.data import FOLDERS, PHOTO_ENDINGS
from training.errors import BadSource

if TYPE_CHECKING:
    from training.download import OnProgress, Remote

DOG_IMAGES = "https://s3-us-west-1.amazonaws.com/udacity-aind/dog-project/dogImages.zip"
"""The 133-breed data set of the reference projects: 8,351 photos, 1.1 GB."""
NAMED = {"dogimages": DOG_IMAGES}
"""Data sets that can be asked for by name, in small letters."""
_FORMS = "a folder, a .zip file, s3://bucket/prefix, https://….zip or dogImages"
_WRAPPED = 4
"""How many folders that hold nothing but the next one are stepped into."""
_SPLITS = frozenset(name for names in FOLDERS.values() for name in names)


def default_cache(environ: Mapping[str, str] = os.environ) -> Path:
    """Where downloads go when nobody says: $KENNEL_HOME/data or ~/.cache/kennel/data."""
    home = environ.get("KENNEL_HOME")
    return (Path(home) if home else Path.home() / ".cache" / "kennel") / "data"


def resolve(source: str, cache: Path, on_progress: "OnProgress | None" = None, *, s3: Any = None) -> Path:
    """The folder with the photos of `source`; downloads and unpacks below `cache` what is not there yet.

    `on_progress` hears (done, total or 0, "bytes" or "photos"); what it raises ends the work. `s3` is a client of
    boto3, made when one is needed. A folder that only wraps another one is stepped into. Raises BadSource, DiskFull.
    """
    hears = on_progress or (lambda done, total, unit: None)
    path = Path(source).expanduser()
    if path.is_dir():
        return _in_folder(path, cache, hears)
    if path.is_file():
        return _in_zip(path, cache, hears)
    address = NAMED.get(source.lower(), source)
    if address.startswith("s3://"):
        return _in_s3(address, cache, hears, s3)
    if "://" in address:
        from training.web_file import WebFile, require_https

        require_https(address)
        name = unquote(PurePosixPath(urlsplit(address).path).name)
        return _downloaded(WebFile(address), _safe(name), cache / _key(address), hears)
    raise BadSource(f"There is nothing at {source}: give {_FORMS}.")


def fetch(name: str, directory: Path, on_progress: "OnProgress | None" = None) -> Path:
    """Download and unpack a named data set, or an https address, right into `directory`. Raises BadSource, DiskFull."""
    from training.web_file import WebFile

    address = NAMED.get(name.lower(), name)
    if not address.startswith(("https://", "http://")):
        raise BadSource(f"{name} cannot be fetched: give dogImages, or the https address of a .zip.")
    file = _safe(unquote(PurePosixPath(urlsplit(address).path).name))
    return _downloaded(WebFile(address), file, directory, on_progress or (lambda done, total, unit: None))


def _in_folder(folder: Path, cache: Path, on_progress: "OnProgress") -> Path:
    """The folder itself, what it wraps, or what its only zip holds (a training channel may be one uploaded zip)."""
    found = _stepped_in(folder)
    folders, files = _visible(found)
    zipped = [file for file in files if file.suffix.lower() == ".zip"]
    return _in_zip(zipped[0], cache, on_progress) if len(zipped) == 1 and not folders else found


def _in_zip(archive: Path, cache: Path, on_progress: "OnProgress") -> Path:
    if archive.suffix.lower() != ".zip":
        raise BadSource(f"{archive} is a file but no .zip: give {_FORMS}.")
    status = archive.stat()
    version = f"{archive.resolve()} {status.st_size} {status.st_mtime_ns}"
    # Named by its path alone: when the zip changes, the new photos replace the old ones.
    directory = cache / _key(str(archive.resolve()))
    unpacked = directory / _stem(archive.name)
    with _alone(directory):
        if _source_of(unpacked) != version:
            _unpack(archive, unpacked, version, on_progress)
    return _stepped_in(unpacked)


def _in_s3(source: str, cache: Path, on_progress: "OnProgress", client: Any) -> Path:
    from training import s3_source

    place = s3_source.Place.parse(source)
    directory = cache / _key(str(place))
    name = _safe(PurePosixPath(place.key).name or place.bucket)
    client = client or s3_source.connect()
    if place.key.lower().endswith(".zip"):
        file = s3_source.S3File(place, client)
        # Another version of the object is another folder: the new photos must not be taken for the old ones.
        return _downloaded(file, name, cache / _key(f"{place} {file.version()}"), on_progress)
    with _alone(directory):
        if s3_source.mirror(client, place, directory / name, on_progress):
            return _stepped_in(directory / name)
        zipped = s3_source.zips(client, place)
    if len(zipped) != 1:
        what = "no photos" if not zipped else f"no photos but {len(zipped)} zips"
        raise BadSource(f"There are {what} below {place}: give the prefix that holds train/, valid/ and test/.")
    return _in_s3(f"s3://{zipped[0].bucket}/{zipped[0].key}", cache, on_progress, client)


def _downloaded(remote: "Remote", name: str, directory: Path, on_progress: "OnProgress") -> Path:
    """A zip from elsewhere, downloaded into `directory` and unpacked beside itself."""
    from training.download import download

    unpacked, source = directory / _stem(name), f"from {remote.name}"
    with _alone(directory):
        _require_ours(unpacked)
        if _source_of(unpacked) != source:
            archive = directory / f"{unpacked.name}.zip"
            download(remote, archive, on_progress)
            _unpack(archive, unpacked, source, on_progress)
    return _stepped_in(unpacked)


def _unpack(archive: Path, directory: Path, source: str, on_progress: "OnProgress") -> None:
    from training.zips import unpack

    if directory.exists():
        shutil.rmtree(directory)
    unpack(archive, directory, on_progress, source)


def _require_ours(directory: Path) -> None:
    if directory.exists() and not _source_of(directory):
        raise BadSource(f"{directory} is there already and was not unpacked here: choose another folder.")


def _source_of(directory: Path) -> str:
    """What the photos of a folder were unpacked from; empty for a folder that was not made here."""
    try:
        return (directory / ".source").read_text(encoding="utf-8")
    except OSError:
        return ""


def _stepped_in(folder: Path) -> Path:
    """The folder, or the one that it only wraps, as a zip of a folder does."""
    for _ in range(_WRAPPED):
        folders, files = _visible(folder)
        photos = any(file.suffix.lower() in PHOTO_ENDINGS for file in files)
        if photos or len(folders) != 1 or folders[0].name.lower() in _SPLITS:
            break
        if not _visible(folders[0])[0]:
            break  # the only class, not a wrapping
        folder = folders[0]
    return folder


def _visible(folder: Path) -> tuple[list[Path], list[Path]]:
    """Folders and files of a folder that are not hidden. Raises BadSource when it cannot be read."""
    try:
        entries = [path for path in folder.iterdir() if not path.name.startswith((".", "__"))]
    except OSError as error:
        raise BadSource(f"{folder} cannot be read ({error.strerror or error}): check who may read it.") from error
    folders = [path for path in entries if path.is_dir()]
    return folders, [path for path in entries if path not in folders]


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Only one process at a time downloads to or unpacks in a folder; the others wait and then find it there."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / ".lock").open("w")
    except OSError as error:
        why = error.strerror or error
        raise BadSource(f"{directory} cannot be written to ({why}): choose another folder for downloads.") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _key(source: str) -> str:
    return hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _stem(name: str) -> str:
    return name[:-4] if name.lower().endswith(".zip") and len(name) > 4 else name


def _safe(name: str) -> str:
    """A name from elsewhere as a file's name here."""
    return re.sub(r"[^\w.-]+", "_", name).strip(".")[:100] or "data"
