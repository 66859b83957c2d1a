"""Filling the sample account on a first start: for the launcher, and for the dashboard started without it.

A lock file says while somebody fills it, so that two Kennels of one folder do not do it twice, and a page can ask
cheaply; the kernel lets go of it however its holder ends. Markers say what of it was completed: an account of an older
Kennel gets what that one did not make yet, and nothing that somebody deleted from it comes back.
"""

import fcntl
import logging
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from dashboard.child import Child, environment, log_file

LOCK = "sample-account-lock"
# Beside the account: who deletes its folder starts anew.
DONE, REPLAYED, MARKED = "sample-account-done", "sample-replays-done", "sample-replays-marked"
ROLED = "sample-roles-done"
# What an account of an older Kennel may lack, by the marker that says it has it; in the order in which it is added.
PARTS = {"roles": ROLED, "replays": REPLAYED, "marks": MARKED}

logger = logging.getLogger(__name__)


class Filling:
    """The sample account being filled, in a child of this process; first it waits for another one that does so."""

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self.log = log_file(home, "sample-account")
        self._state = home / "aws"
        self._environ = environment(environ)
        self._lock = threading.Lock()
        self._stopping = False
        self._child: Child | None = None
        self._code: int | None = None
        self._thread = threading.Thread(target=self._fill, name="sample-account", daemon=True)
        self._thread.start()

    @property
    def child(self) -> Child | None:
        """The process that fills it, once it runs."""
        return self._child

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    @property
    def has_failed(self) -> bool:
        """It ended before the account was complete; the next start goes on with it."""
        return self.is_over and self._code != 0 and not self._stopping

    def stop(self) -> None:
        """End it, and start nothing any more."""
        with self._lock:
            self._stopping = True
            child = self._child
        if child:
            child.stop()

    def _fill(self) -> None:
        with (self._state / LOCK).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if is_done(self._state):
                self._code = 0
                return
            with self._lock:
                if self._stopping:
                    return
                command = [sys.executable, "-m", "local_aws.sample_account", "--state", str(self._state)]
                if (self._state / DONE).exists():
                    missing = [part for part, marker in PARTS.items() if not (self._state / marker).exists()]
                    command += ["--only", *missing]
                try:
                    self._child = Child(command, environ=self._environ, log=self.log)
                except OSError as error:
                    logger.warning("the sample account cannot be filled: %s", error)
                    return
            self._code = self._child.wait()
            if self._code == 0:
                for marker in (*PARTS.values(), DONE):
                    (self._state / marker).touch()
            elif not self._stopping:
                logger.warning("the sample account is not complete; the next start goes on. Its log: %s", self.log)
            self._child.kill()


def fill(home: Path, environ: Mapping[str, str] = os.environ) -> Filling | None:
    """Fill the account of a state folder whose embedded AWS answers; None when it is complete already."""
    return None if is_done(home / "aws") else Filling(home, environ)


def is_done(state: Path) -> bool:
    """Whether all of the sample account in the embedded AWS's folder was completed once."""
    return all((state / marker).exists() for marker in (DONE, *PARTS.values()))


def is_filling(state: Path) -> bool:
    """Whether some process fills it at this moment."""
    try:
        with (state / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return not is_done(state)
    except FileNotFoundError:
        pass
    return False
