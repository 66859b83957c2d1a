"""Work on data sets as it goes on in the background, whatever page is open: what it is, how far, and how it is stopped.

Each piece of work has a folder in Kennel's home with what it needs (the photos of an upload, a zip that is fetched), so
that one that was stopped, failed, or was broken off by the end of the server goes on from there.
"""

import logging
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from dashboard.core import noting
from dashboard.core.aws import Aws
from dashboard.core.data import doing
from dashboard.core.data.doing import PHOTOS, Inspect
from dashboard.core.data.fetching import ROOM
from dashboard.core.data.layout import Placed
from dashboard.core.data.work import Kind, Progress, Stage, Work
from dashboard.core.errors import KennelError, NotFound, Refused, ServiceFault

logger = logging.getLogger(__name__)
KEPT = 12
"""Pieces of work that are remembered when they are over."""
AT_ONCE = 2
MOST_WAITING = 12
_LOOK = 0.2
"""Seconds after which work that waits for its turn looks whether it was stopped."""
_WORK = "work.json"


class Jobs:
    """The work on one account's data sets. Safe to share between threads.

    done: called after each piece of work. dogs: the address of dogImages.
    """

    def __init__(self, folder: Path, done: Callable[[], None], inspect: Inspect, *, dogs: str = "") -> None:
        self._folder = folder
        self._done = done
        self._inspect = inspect
        self._dogs = {"dogs": dogs} if dogs else {}
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._told: OrderedDict[str, Progress] = OrderedDict()
        self._stops: dict[str, threading.Event] = {}
        for work in _left(folder):
            self._told[work.token] = Progress(
                work, Stage.BROKEN_OFF, said="Kennel was ended while it went on; it can go on from where it was."
            )

    def all(self) -> tuple[Progress, ...]:
        """Every piece of work, the newest first."""
        with self._lock:
            return tuple(reversed(self._told.values()))

    def on(self, name: str) -> Progress | None:
        """The work that changes a data set right now."""
        return next(
            (one for one in self.all() if name in (one.work.name, one.work.base) and not one.stage.is_over), None
        )

    def left(self, name: str) -> Progress | None:
        """The work on a data set that broke off and may go on."""
        return next((one for one in self.all() if name in (one.work.name, one.work.base) and one.stage.may_go_on), None)

    def room(self) -> int:
        """Bytes that uploads may take on this machine's disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return max(0, shutil.disk_usage(self._folder).free - ROOM)

    def start(
        self,
        aws: Aws,
        work: Work,
        photos: Iterable[tuple[Placed, bytes | memoryview]] = (),
        zipped: bytes | memoryview = b"",
    ) -> None:
        """Begin a piece of work; what it is made from is written down first. The same token again starts nothing.

        Raises Refused while too much goes on or another one is about the same data set, ServiceFault without room.
        """
        with self._lock:
            if work.token in self._told:
                return
            self._require_free(work)
            self._told[work.token] = Progress(work)
            self._forget_old()
        folder = self._folder / work.token
        try:
            folder.mkdir(parents=True)
            for placed, data in photos:
                target = folder / PHOTOS / placed.key
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            if zipped:
                (folder / work.file).write_bytes(zipped)
            (folder / _WORK).write_text(work.as_json(), encoding="utf-8")  # last: what is not whole is not gone on with
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            with self._lock:
                del self._told[work.token]
            raise ServiceFault(
                f"cannot {work.words}", f"{folder} cannot be written ({error.strerror})", "free some space"
            ) from error
        self._begin(aws, work)

    def go_on(self, aws: Aws, token: str) -> None:
        """Begin again what was stopped, failed or broken off. Raises NotFound, and Refused as `start` does."""
        with self._lock:
            told = self._told.get(token)
            if told is None:
                raise NotFound("this work is not known any more", "it was dismissed", "begin it anew")
            if not told.stage.may_go_on:
                return
            self._require_free(told.work)
            self._told[token] = Progress(told.work)
        self._begin(aws, told.work)

    def stop(self, token: str) -> None:
        """Ask a piece of work to stop after the photos that are on their way."""
        with self._lock:
            if (event := self._stops.get(token)) is not None:
                event.set()

    def dismiss(self, token: str) -> None:
        """What is over is no longer shown, and what it kept here is removed."""
        with self._lock:
            told = self._told.get(token)
            if told is None or not told.stage.is_over:
                return
            del self._told[token]
        shutil.rmtree(self._folder / token, ignore_errors=True)

    def _require_free(self, work: Work) -> None:
        going = [one.work for one in self._told.values() if not one.stage.is_over]
        if len(going) >= MOST_WAITING:
            raise Refused(f"cannot {work.words}", f"{MOST_WAITING} pieces of work wait already", "try again later")
        names = {name for name in (work.name, work.base) if name}
        other = next((one for one in going if names & {one.name, one.base}), None)
        # two that only read the same data set do not hinder each other
        if other is not None and not (work.kind is other.kind is Kind.REPORT and work.name != other.name):
            raise Refused(f"cannot {work.words} now", f"this goes on: {other.words}", "wait for it, or stop it")

    def _forget_old(self) -> None:
        over = [token for token, one in self._told.items() if one.stage is Stage.DONE]
        for token in over[: max(0, len(self._told) - KEPT)]:
            del self._told[token]

    def _begin(self, aws: Aws, work: Work) -> None:
        event = threading.Event()
        with self._lock:
            self._stops[work.token] = event
        run = noting.going_on(self._run)
        threading.Thread(target=run, args=(aws, work, event), name="data", daemon=True).start()

    def _run(self, aws: Aws, work: Work, event: threading.Event) -> None:
        folder = self._folder / work.token
        try:
            if self._has_turn(event):
                try:
                    last = doing.carry_out(aws, work, folder, self._hear, event.is_set, self._inspect, **self._dogs)
                finally:
                    self._turns.release()
            else:
                last = Progress(work, Stage.STOPPED, said="It had not begun yet; it can go on.")
                self._hear(last)
        except Exception:  # nobody waits for this thread: it tells of everything, or the page would wait for ever
            logger.exception("%s failed", work.words)
            problem: KennelError = ServiceFault(
                f"{work.words} was broken off",
                "something happened that Kennel does not know how to explain",
                "let it go on; if it stays, report the last lines of the dashboard's log",
            )
            last = Progress(work, Stage.FAILED, problem=problem)
            self._hear(last)
        if last.problem is not None:
            noting.failed(last.problem)
        if last.stage is Stage.DONE:
            shutil.rmtree(folder, ignore_errors=True)
        with self._lock:
            self._stops.pop(work.token, None)
        self._done()

    def _has_turn(self, stopped: threading.Event) -> bool:
        """Wait for it; False when somebody stopped the work before."""
        while not stopped.is_set():
            if self._turns.acquire(timeout=_LOOK):
                return True
        return False

    def _hear(self, told: Progress) -> None:
        with self._lock:
            if told.work.token in self._told:
                before = self._told[told.work.token]
                self._told[told.work.token] = replace(told, kept=told.kept or before.kept)


def _left(folder: Path) -> list[Work]:
    """What a server that is gone was at. A folder that was never whole is removed."""
    found = []
    for place in sorted(folder.glob("*"), key=os.path.getmtime):
        try:
            found.append(Work.parse((place / _WORK).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            shutil.rmtree(place, ignore_errors=True)
    return found
