"""Imports of models as they go on: one at a time, in the background, whatever page is open."""

import json
import logging
import os
import secrets
import shutil
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from dashboard.child import Child, environment, log_file
from dashboard.core import noting
from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, Refused, ServiceFault
from dashboard.core.home import home
from dashboard.core.serving.importing import Convert, Kind, Progress, Stage, Wanted, carry_out

logger = logging.getLogger(__name__)
CONVERT_SECONDS = 900.0
LEFT_SECONDS = 86_400.0
KEPT = 20
"""Imports that are remembered, the newest."""
MOST_AT_ONCE = 8
"""Imports that are not over yet; each may have a quarter of a gigabyte on disk."""
_KILLED = 128 + 9


class Imports:
    """What is being imported and what was. Safe to share between threads.

    done: called after each import, whatever became of it. convert: as `in_a_process`.
    """

    def __init__(self, folder: Path, done: Callable[[], None], convert: Convert | None = None) -> None:
        self._folder = folder
        self._done = done
        self._convert = convert or in_a_process
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # a network of 100 MB takes a gigabyte while it is converted
        self._told: OrderedDict[str, Progress] = OrderedDict()
        _clear(folder)

    def all(self) -> tuple[tuple[str, Progress], ...]:
        """Every import by its token, the newest first."""
        with self._lock:
            return tuple(reversed(self._told.items()))

    def start(self, aws: Aws, wanted: Wanted, data: bytes | memoryview = b"") -> None:
        """Import in the background what `data` holds, or what lies at its address in S3.

        The same token again starts nothing. Raises Refused while too many go on, ServiceFault when there is no room.
        """
        with self._lock:
            if wanted.token in self._told:
                return
            if sum(not one.stage.is_over for one in self._told.values()) >= MOST_AT_ONCE:
                raise Refused(
                    f"{wanted.name} was not imported",
                    f"{MOST_AT_ONCE} imports wait for each other already",
                    "try again when one is over",
                )
            self._told[wanted.token] = Progress(wanted)
            over = [token for token, one in self._told.items() if one.stage.is_over]
            for token in over[: max(0, len(self._told) - KEPT)]:
                del self._told[token]
        folder = self._folder / secrets.token_hex(8)
        file = folder / ("brought.tar.gz" if wanted.kind is Kind.ARCHIVE else "brought.pth")
        try:
            folder.mkdir(parents=True)
            file.write_bytes(data)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            with self._lock:
                del self._told[wanted.token]
            raise ServiceFault(
                f"{wanted.name} was not imported", f"{file} cannot be written ({error.strerror})", "free some space"
            ) from error
        work = threading.Thread(
            target=noting.going_on(self._work),
            args=(aws, replace(wanted, file=file), folder),
            name="import",
            daemon=True,
        )
        work.start()

    def dismiss(self, *tokens: str) -> None:
        """Those that are over are no longer shown."""
        with self._lock:
            for token in tokens:
                if token in self._told and self._told[token].stage.is_over:
                    del self._told[token]

    def _work(self, aws: Aws, wanted: Wanted, folder: Path) -> None:
        try:
            with self._turn:
                carry_out(aws, wanted, folder, self._convert, self._report)
        except Exception:  # nobody waits for this thread: it tells of everything, or the page would wait for ever
            logger.exception("the import of %s failed", wanted.name)
            problem = ServiceFault(
                "the import failed",
                "something happened that Kennel does not know how to explain",
                "try again; if it stays, report the last lines of the dashboard's log",
            )
            self._report(Progress(wanted, Stage.FAILED, problem=problem))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            self._done()

    def _report(self, told: Progress) -> None:
        if told.problem is not None and told.stage.is_over:
            noting.failed(told.problem)
        elif told.stage.is_over:
            noting.came(f"{told.wanted.name} is imported")
        with self._lock:
            if told.wanted.token in self._told:
                self._told[told.wanted.token] = told


def _clear(folder: Path, now: Callable[[], float] = time.time) -> None:
    """Remove what an import left behind whose process was killed; not what another one may be working on."""
    for left in folder.glob("*"):
        if now() - left.stat().st_mtime > LEFT_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def in_a_process(
    wanted: Wanted,
    folder: Path,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """training/import_reference.py in a process that ends with this one; the archive that it made.

    Raises InvalidInput with its own sentence when the file is no such model, or it takes longer than 15 minutes, and
    ServiceFault when the process is killed.
    """
    made = folder / "model.tar.gz"
    command = [sys.executable, "-m", "training.import_reference", str(wanted.file), "--out", str(folder / "model")]
    command += ["--tar", str(made), "--name", wanted.group]
    if wanted.labels:
        labels = folder / "labels.json"
        labels.write_text(json.dumps(list(wanted.labels), ensure_ascii=False), encoding="utf-8")
        command += ["--labels", str(labels)]
    if wanted.normalised:
        command.append("--normalised")
    child = Child(command, environ=environment(environ), log=log_file(home(environ), "imports"))
    try:
        deadline = clock() + CONVERT_SECONDS
        while child.code is None:
            if clock() > deadline:
                raise _refused(wanted, f"it took longer than {CONVERT_SECONDS / 60:.0f} minutes")
            sleep(0.2)
    finally:
        child.stop()
    if child.code != 0:
        if child.code == _KILLED:
            raise ServiceFault(
                f"{wanted.name} was not imported",
                "the process that read it was killed, most likely because this machine had too little memory",
                "try again when less runs here, or bring a smaller model",
            )
        said = child.said(1).replace(str(wanted.file), wanted.name)
        raise _refused(wanted, said or f"the import ended with code {child.code}")
    return made


def _refused(wanted: Wanted, why: str) -> InvalidInput:
    return InvalidInput(
        f"{wanted.name} was not imported",
        why,
        "bring the state dict of a ResNet-50 with a head of one or two layers, or name its labels",
        field="file",
    )
