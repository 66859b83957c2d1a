"""What goes between the instance's disk and S3: data and checkpoints down, checkpoints and results up."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from training.errors import BadSource
from training.s3_source import Place

_THREADS = 16


def fetch(client: Any, place: Place, folder: Path, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Copy everything below a prefix into a folder; how many files that were. Raises BadSource and botocore's errors.

    A key that leads outside the folder is refused.
    """
    prefix = place.key if not place.key or place.key.endswith("/") else f"{place.key}/"
    wanted: list[tuple[str, Path]] = []
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            name = found["Key"][len(prefix) :]
            if not name or name.endswith("/"):
                continue  # the console's folders
            if any(part in ("", ".", "..") for part in name.split("/")) or "\0" in name:
                raise BadSource(f"{place} holds the key {found['Key']!r}, which is no path of a file: rename it.")
            wanted.append((found["Key"], folder / name))

    def copy(one: tuple[str, Path]) -> None:
        if should_stop():
            return
        key, path = one
        path.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(place.bucket, key, str(path))

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="s3") as pool:
        for _ in pool.map(copy, wanted):
            pass
    return len(wanted)


class Mirror:
    """Keeps a copy of a folder below a prefix: `sync` sends what is new or has changed since the last time."""

    def __init__(self, client: Any, folder: Path, place: Place) -> None:
        self._client = client
        self._folder = folder
        self._place = place
        self._sent: dict[Path, tuple[int, int]] = {}

    def known(self) -> None:
        """What lies in the folder now came from there, and need not be sent."""
        self._sent = {path: _version(path) for path in self._files()}

    def sync(self) -> int:
        """How many files were sent. A file that is gone meanwhile was replaced by a newer one: it comes next time."""
        sent = 0
        for path in self._files():
            try:
                version = _version(path)
                if self._sent.get(path) == version:
                    continue
                send(self._client, path, self._place, path.relative_to(self._folder).as_posix())
            except FileNotFoundError:
                continue
            self._sent[path] = version
            sent += 1
        return sent

    def _files(self) -> list[Path]:
        """Hidden files are half-written: checkpoints are renamed to their names when they are whole."""
        return [
            path
            for path in sorted(self._folder.rglob("*"))
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(self._folder).parts)
        ]


def send(client: Any, path: Path, place: Place, name: str) -> str:
    """Store a file below a prefix; its S3 address."""
    key = f"{place.key.rstrip('/')}/{name}"
    with path.open("rb") as body:  # the file as it is now, even when another takes its name meanwhile
        client.upload_fileobj(body, place.bucket, key)
    return f"s3://{place.bucket}/{key}"


def _version(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size
