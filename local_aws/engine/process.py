"""A child process on the leash, as the server holds it."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")


class LeashedProcess:
    """A running command whose stdout and stderr come out of one pipe, `output` (a file descriptor the caller closes).

    It dies with this process, however this process ends. `code` is the exit code, 128 + signal when one killed it.
    """

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, descriptors: Sequence[int] = ()
    ) -> None:
        """Start `command` in `folder`. A command that cannot be found ends with code 127 and says so in its output.

        descriptors: file descriptors of this process that the command gets under the same numbers.
        """
        lifeline_read, self._lifeline = os.pipe()
        self._closing = threading.Lock()
        self.output, output_write = os.pipe()
        try:
            self._leash = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LEASH), str(lifeline_read), *command],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output_write,
                stderr=output_write,
                pass_fds=(lifeline_read, *descriptors),
                umask=0o022,  # a container's, not the server's
                start_new_session=True,  # Ctrl-C in a terminal reaches the server, which then decides
            )
        except BaseException:
            os.close(self.output)
            self.kill()
            raise
        finally:
            os.close(lifeline_read)
            os.close(output_write)

    @property
    def pid(self) -> int:
        """The leash's process id; the command is its child."""
        return self._leash.pid

    @property
    def code(self) -> int | None:
        return self._leash.poll()

    def terminate(self) -> None:
        """SIGTERM to the command's process group."""
        self._leash.terminate()

    def kill(self) -> None:
        """End the command and everything it started, at once."""
        with self._closing:
            if self._lifeline >= 0:
                os.close(self._lifeline)
                self._lifeline = -1

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit code, or None when it still runs after `timeout` seconds."""
        try:
            code = self._leash.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self.kill()  # only gives the pipe back: the leash has ended
        return code
