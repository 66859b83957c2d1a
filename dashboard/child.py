"""A process that Kennel starts, and that cannot outlive whoever started it."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from dashboard.core.home import REPOSITORY

LEASH = REPOSITORY / "local_aws" / "engine" / "leash.py"
TAIL_BYTES = 16_384

# What points at a person's own AWS settings without being a secret: a chosen profile cannot be read without it.
PROFILE_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "AWS_REGION", "AWS_DEFAULT_REGION")

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def environment(environ: Mapping[str, str], *, profile: bool = False, **more: str) -> dict[str, str]:
    """The environment of a child: no AWS_* variable, so that no real key is ever used by accident.

    With `profile`, where a chosen profile's files and region are is passed on. PYTHONUNBUFFERED makes logs current.
    A proxy is passed on, but not for this machine's own addresses: the embedded AWS would be out of reach.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith("AWS_")}
    if profile:
        kept |= {name: environ[name] for name in PROFILE_FILES if name in environ}
    direct = environ.get("no_proxy") or environ.get("NO_PROXY")
    no_proxy = ",".join([direct, *LOOPBACK] if direct else LOOPBACK)
    # Both spellings: programs differ in which one they read.
    return kept | {"PYTHONUNBUFFERED": "1", "no_proxy": no_proxy, "NO_PROXY": no_proxy} | more


class Child:
    """A command in its own session, held on a leash: it and all it starts end with `stop`, or with this process.

    Even `kill -9` of this process ends them: the kernel then closes the pipe that the leash watches.
    """

    def __init__(
        self, command: Sequence[str], *, environ: Mapping[str, str], log: Path, read_output: bool = False
    ) -> None:
        """Start it. stderr, and stdout unless `read_output`, are appended to the file `log`."""
        lifeline, self._lifeline = os.pipe()
        self.log = log
        try:
            with log.open("ab") as file:
                self._log_start = file.tell()
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(LEASH), str(lifeline), *command],
                    cwd=REPOSITORY,
                    env=dict(environ),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE if read_output else file,
                    stderr=file,
                    pass_fds=(lifeline,),
                    # Ctrl-C in the terminal is for this process, which then stops the children in order.
                    start_new_session=True,
                )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(lifeline)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> IO[bytes] | None:
        """Its stdout, when it was started with `read_output`; whoever reads it to its end closes it."""
        return self._process.stdout

    @property
    def code(self) -> int | None:
        """Its exit code, 128 + signal when a signal ended it; None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """SIGTERM, and do not wait."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait for its end, however long that takes. Returns the exit code."""
        return self._process.wait()

    def stop(self, patience: float = 10.0) -> int:
        """SIGTERM, `patience` seconds to end, then kill it and all below it. Returns the exit code."""
        if self.code is None:
            self.ask_to_stop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        self.kill()
        return self._process.wait()

    def kill(self) -> None:
        """End it and all below it now."""
        lifeline, self._lifeline = self._lifeline, -1  # at once: two threads may end the same child
        if lifeline >= 0:
            os.close(lifeline)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)

    def said(self, lines: int = 12) -> str:
        """The last lines that it wrote to its log since it was started."""
        with self.log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_start, end - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
        return "\n".join(text.strip().splitlines()[-lines:])


def log_file(home: Path, name: str, most: int = 5 * 1024 * 1024) -> Path:
    """`home/logs/name.log`; one that has grown beyond `most` bytes is moved to `name.old.log` first."""
    file = home / "logs" / f"{name}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.stat().st_size > most:
        file.replace(file.with_suffix(".old.log"))
    return file
