"""A job's checkpoint folder, kept in S3 while it trains and filled from there before it starts."""

import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from local_aws.engine import artifacts
from local_aws.engine.errors import ClientFaultError
from local_aws.engine.job import Checkpoint
from local_aws.engine.objects import SPARE_BYTES, Objects, copy, relative_names
from local_aws.engine.opt_ml import OptMl
from local_aws.errors import ServiceError

log = logging.getLogger(__name__)

SYNC_SECONDS = 2.0
_LONGEST_KEY = 1024  # bytes, in S3
_MOST_SAID = 100  # reasons, of one job
_Version = tuple[int, int]  # bytes, time of change in nanoseconds


class CheckpointFolders:
    """The checkpoint folders of all hosts of a job; each host gets what is in S3 and adds what it writes.

    As in SageMaker a file that a job deletes stays in S3, and all hosts share one prefix: hosts that write the same
    name overwrite each other. A file is taken when it did not change while it was copied.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        places: Sequence[OptMl],
        objects: Objects,
        scratch: Path,
        note: Callable[[str], None],
        *,
        seconds: float = SYNC_SECONDS,
    ) -> None:
        """note: hears, once for each reason, why a checkpoint could not be stored; the training goes on."""
        self._checkpoint = checkpoint
        self._places = places
        self._objects = objects
        self._scratch = scratch
        self._note = note
        self._seconds = seconds
        self._stored: dict[Path, _Version] = {}
        self._said: set[str] = set()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def download(self, stopped: Callable[[], bool] = lambda: False) -> int:
        """Fill the folders with what earlier runs left in S3; bytes copied. Raises ClientFaultError."""
        target = self._checkpoint.target
        try:
            found = dict(relative_names(_folder(target.key), self._objects.find(target.bucket, _folder(target.key))))
        except ServiceError as error:
            raise ClientFaultError(f"Checkpoint download failed: {target.uri}: {error.message}") from error
        size = sum(one.size for one in found.values()) * len(self._places)
        if size > shutil.disk_usage(self._scratch).free - SPARE_BYTES:
            raise ClientFaultError(
                f"Checkpoint download failed: {target.uri} holds more than this machine has room for"
            )
        for place in self._places:
            folder = place.folder / self._checkpoint.folder
            for name, one in found.items():
                if stopped():
                    return size
                if name.startswith("/") or ".." in name.split("/") or "\x00" in name:
                    raise ClientFaultError(f"Checkpoint download failed: the key {one.key!r} leads out of the folder")
                path = folder / name
                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    copy(self._objects, target.bucket, one, path)
                except ServiceError as refused:
                    raise ClientFaultError(f"Checkpoint download failed: {target.uri}: {refused.message}") from refused
                except OSError as wrong:
                    raise ClientFaultError(
                        f"Checkpoint download failed: {one.key!r} cannot become a file: {wrong.strerror}"
                    ) from wrong
                self._stored[path] = _version(path)
        return size

    def start(self) -> None:
        """Store what changes from now on, in a thread."""
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Store what changed last; the job's processes must have ended."""
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            self._store_changes()
        self._store_changes()

    def _store_changes(self) -> None:
        for place in self._places:
            folder = place.own(self._checkpoint.folder)
            if folder is None:
                self._tell(f"/opt/ml/{self._checkpoint.folder} is a link, so nothing of it is kept in S3")
                continue
            try:
                files = artifacts.files(folder)
            except OSError:  # a folder went while we looked; the next round finds what is left
                continue
            for path in files:
                no_key = self._is_no_key(path, folder)
                if no_key:
                    self._tell(f"checkpoint {ascii(path.name)[1:-1][:100]} was not stored in S3: {no_key}")
                    continue
                try:
                    version = _version(path)
                    if self._stored.get(path) != version and self._store(path, folder, version):
                        self._stored[path] = version
                except FileNotFoundError:
                    continue  # written aside and renamed meanwhile
                except (ServiceError, OSError) as error:
                    why = error.message if isinstance(error, ServiceError) else error.strerror
                    self._tell(f"checkpoint {path.name} was not stored in {self._checkpoint.target.uri}: {why}")
                except Exception:  # the next round tries it again
                    log.exception("checkpoint %s", path)

    def _is_no_key(self, path: Path, folder: Path) -> str:
        """Why S3 has no key for a file, "" when it has."""
        try:
            key = self._checkpoint.target.below(*path.relative_to(folder).parts).key.encode()
        except UnicodeEncodeError:
            return "its name is not UTF-8"
        return f"its key would be longer than {_LONGEST_KEY} bytes" if len(key) > _LONGEST_KEY else ""

    def _store(self, path: Path, folder: Path, version: _Version) -> bool:
        """Whether it was whole: a file that is being written is stored when it rests."""
        with TemporaryDirectory(dir=self._scratch) as aside:
            still = Path(aside, "checkpoint")
            shutil.copyfile(path, still, follow_symlinks=False)
            if still.is_symlink() or _version(path) != version:
                return False
            target = self._checkpoint.target.below(*path.relative_to(folder).parts)
            self._objects.add_file(target.bucket, target.key, still)
        return True

    def _tell(self, sentence: str) -> None:
        if sentence not in self._said and len(self._said) < _MOST_SAID:
            self._said.add(sentence)
            self._note(sentence)


def _version(path: Path) -> _Version:
    status = path.lstat()
    return status.st_size, status.st_mtime_ns


def _folder(key: str) -> str:
    return key.rstrip("/") + "/" if key.strip("/") else ""
