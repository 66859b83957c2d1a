"""One large file from elsewhere: resumed where it broke off, never mixed from two versions, known by its hash.

Beside the file lies NAME.sha256 (as `sha256sum -c` reads it), written when the file was first complete; whatever is
under that name later has to have that hash. What was downloaded of an unfinished file stays for the next run.
"""

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from training.errors import BadSource, DiskFull

OnProgress = Callable[[int, int, str], None]
"""Hears how much is done, of how much (0 where nobody knows), and in what unit: "bytes" or "photos"."""
_CHUNK = 1024 * 1024
_TRIES = 6
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class Interrupted(Exception):  # noqa: N818 - the name says what it is
    """The rest may come at another try. `str()` says what happened, without a full stop."""


class Stream(Protocol):
    """`read` raises Interrupted when the connection breaks."""

    def read(self, amount: int, /) -> bytes: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Part:
    """What a server sends: the bytes from `start` on, of `total` (None where it does not say)."""

    stream: Stream
    start: int
    total: int | None
    version: str
    """Changes when the file does; empty where the server does not say, and then nothing is resumed"""


class Remote(Protocol):
    """A file elsewhere."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def open(self, start: int, version: str) -> Part:
        """The bytes from `start` on if the file is still this version, else all of them.

        Raises Interrupted, or BadSource when another try would not help.
        """


def download(
    remote: Remote,
    target: Path,
    on_progress: OnProgress,
    *,
    sleep: Callable[[float], None] = time.sleep,
    tries: int = _TRIES,
) -> str:
    """Bring a file to `target`, which appears when it is complete; returns its SHA-256 (hex).

    Raises BadSource when it cannot be had or is not what was downloaded the first time, DiskFull.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_file():
        return verified(target, remote.name)
    partial = target.with_name(f".{target.name}.partial")
    failures = 0
    while True:
        before = _version_of(partial)[1]
        try:
            _continue(remote, partial, on_progress)
            break
        except Interrupted as broken:
            have = _version_of(partial)[1]
            failures = 1 if have - before >= _CHUNK else failures + 1
            if failures >= tries:
                advice = f"{have / 2**20:,.1f} MiB are kept, start again to go on from there" if have else "try later"
                raise BadSource(f"{remote.name} cannot be downloaded ({broken}): {advice}.") from broken
            sleep(min(2.0**failures, 30.0))
        except OSError as error:
            raise full_or_bad(error, partial, remote.name) from error
    found = _sha256(partial)
    known = _record(target)
    if known and found != known:
        partial.unlink()
        raise BadSource(
            f"{remote.name} is not what it was when it was first downloaded (SHA-256 {found[:12]}…, then "
            f"{known[:12]}…): if the change is meant, delete {_record_path(target)} and start again."
        )
    _facts(partial).unlink(missing_ok=True)
    partial.replace(target)
    if not known:
        _write(_record_path(target), f"{found}  {target.name}\n")
    return found


def verified(target: Path, name: str) -> str:
    """The SHA-256 of a downloaded file. Raises BadSource when it is not the one recorded at the first download."""
    found, known = _sha256(target), _record(target)
    if known and found != known:
        raise BadSource(
            f"{target} was changed or damaged since it was downloaded from {name} (its SHA-256 is {found[:12]}…, not "
            f"{known[:12]}…): delete it, and it is downloaded again."
        )
    if not known:
        _write(_record_path(target), f"{found}  {target.name}\n")
    return found


def require_room(directory: Path, wanted: int, name: str) -> None:
    """Raises DiskFull when `directory` has no room for `wanted` more bytes."""
    free = shutil.disk_usage(directory).free
    if wanted > free:
        raise DiskFull(
            f"{name} needs {wanted / 2**20:,.0f} MiB and {directory} has {free / 2**20:,.0f} MiB left: "
            "free some space, or choose another folder."
        )


def full_or_bad(error: OSError, path: Path, name: str) -> BadSource | DiskFull:
    """What a failed write means."""
    why = error.strerror or str(error)
    if error.errno in _FULL:
        return DiskFull(f"There is no room for {name} at {path.parent} ({why}): free some space and start again.")
    return BadSource(f"{name} cannot be written to {path.parent} ({why}): choose another folder.")


def _continue(remote: Remote, partial: Path, on_progress: OnProgress) -> None:
    """One attempt: append to what is there, or begin anew when the file is another one by now."""
    version, have = _version_of(partial)
    part = remote.open(have, version)
    try:
        if part.start not in (0, have):
            raise BadSource(f"{remote.name} cannot be resumed: the server answered with another part than asked for.")
        if part.total is not None:
            require_room(partial.parent, part.total - part.start, remote.name)
        if part.start == 0:
            partial.unlink(missing_ok=True)
            _write(_facts(partial), json.dumps({"version": part.version}))
        done = part.start
        with partial.open("ab") as file:
            while chunk := part.stream.read(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                on_progress(done, part.total or 0, "bytes")
            file.flush()
            os.fsync(file.fileno())
    finally:
        part.stream.close()
    if part.total is not None and done < part.total:
        raise Interrupted(f"the connection ended after {done:,} of {part.total:,} bytes")
    if part.total is not None and done > part.total:
        partial.unlink()
        raise BadSource(f"{remote.name} is longer than its server says ({part.total:,} bytes): it is not used.")


def _version_of(partial: Path) -> tuple[str, int]:
    """The version that the partial file is of, and how many bytes of it there are; none where it is not known."""
    try:
        version = json.loads(_facts(partial).read_text(encoding="utf-8")).get("version")
        return (version, partial.stat().st_size) if version and isinstance(version, str) else ("", 0)
    except (OSError, ValueError, AttributeError):
        return "", 0


def _facts(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _record_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.sha256")


def _record(target: Path) -> str:
    """The hash that was recorded at the first download, empty before it."""
    try:
        return _record_path(target).read_text(encoding="utf-8").split()[0].lower()
    except (FileNotFoundError, IndexError):
        return ""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f"{path.name}.new")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
