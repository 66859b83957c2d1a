"""The first process of an instance: runs the user data at the first start, then keeps the instance up until its end.

    python -I -S instance_init.py BOOT.json

As cloud-init does: user data that begins with #! is a script, run once, as root, its output on the console and in
/var/log/cloud-init-output.log; scripts in /var/lib/cloud/scripts/per-boot run at every start. When all that has ended
the instance goes on running, as on AWS. Signals: TERM and USR1 shut it down (exit code POWERED_OFF), HUP starts it anew
(REBOOTED), USR2 halts it: everything ends, and the instance stays (EC2 counts a halted one as running).
Standard library only: it runs alone in the instance's own world.
"""

# it must start in milliseconds, and exec is the point:
# ruff: noqa: PTH101, PTH103, PTH112, PTH118, PTH120, PTH123, PTH208, S606

import contextlib
import json
import os
import select
import signal
import sys
import time

POWERED_OFF, REBOOTED = 60, 61
SCRIPT = "lib/cloud/instance/scripts/part-001"
_USER_DATA = "lib/cloud/instance/user-data.txt"
_PER_BOOT = "lib/cloud/scripts/per-boot"
_LOG = "log/cloud-init-output.log"
_READ = 65536
_READS = 64  # at once: a script that never stops printing must not keep the instance from going down
_WORDS = {signal.SIGHUP: "starts anew", signal.SIGUSR2: "is halted", signal.SIGTERM: "shuts down"}


def say(text: str) -> None:
    """One line on the console."""
    os.write(1, f"[kennel] {text}\n".encode())


def write_file(path: str, text: bytes, mode: int) -> None:
    with open(path, "wb") as file:
        file.write(text)
    os.chmod(path, mode)


def everyone(number: int) -> None:
    """Signal every other process of the instance. Without a process namespace, those of its process group."""
    try:
        if os.getpid() == 1:
            os.kill(-1, number)
        else:
            before = signal.signal(number, signal.SIG_IGN) if number != signal.SIGKILL else None
            if number != signal.SIGKILL:  # the leash kills what is left when this process has ended
                os.killpg(0, number)
                signal.signal(number, before)
    except ProcessLookupError:
        return


def reap() -> dict[int, int]:
    """Collect every child that has ended: wait status by process id."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status


def has_children() -> bool:
    """Whether a child is left; one that has ended is collected on the way."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


class Init:
    """boot: what BOOT.json says: first (start), user_data (a file), var (a folder), pid (a file), grace (seconds)."""

    def __init__(self, boot: dict[str, object]) -> None:
        self._boot = boot
        self._var = str(boot["var"])
        self._asked: list[int] = []
        self._wake, wake_write = os.pipe()
        self._printed, self._output = os.pipe()  # what the scripts, and all that they leave running, print
        for end in (self._wake, wake_write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
            signal.signal(number, lambda got, _: self._asked.append(got))
        signal.signal(signal.SIGCHLD, lambda *_: None)
        os.makedirs(os.path.join(self._var, "log"), exist_ok=True)
        write_file(str(boot["pid"]), str(os.getpid()).encode(), 0o644)  # for shutdown and the like
        self._log = os.open(os.path.join(self._var, _LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)

    def run(self) -> int:
        """Stay until the instance goes down; the exit code that says how."""
        if self._boot["title"]:
            say(str(self._boot["title"]))
        waiting = self._scripts()
        current = 0
        while True:
            if not current and waiting:
                script = waiting.pop(0)
                current = self._start(script)
            ready, _, _ = select.select([self._wake, self._printed], [], [])
            if self._printed in ready:
                self._pass_on()
            if self._wake in ready:
                os.read(self._wake, 4096)
            ended = reap()
            if current in ended:
                self._pass_on()
                code = os.waitstatus_to_exitcode(ended[current])
                say(f"{script} ended" + (f" with exit code {code}" if code else ""))
                current = 0
            if self._asked:
                asked = signal.Signals(self._asked.pop(0))
                say(f"The instance {_WORDS.get(asked, _WORDS[signal.SIGTERM])}")
                self._end_all()
                if asked != signal.SIGUSR2:
                    return REBOOTED if asked == signal.SIGHUP else POWERED_OFF
                waiting, current = [], 0  # halted: nothing runs, and the instance stays

    def _scripts(self) -> list[str]:
        found = []
        if self._boot["first"] and (script := self._user_data()):
            found.append(script)
        folder = os.path.join(self._var, _PER_BOOT)
        if os.path.isdir(folder):
            paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
            found += [path for path in paths if os.access(path, os.X_OK)]
        return found

    def _user_data(self) -> str:
        """Lay the user data out as cloud-init does; the script to run, or "" when it is none."""
        with open(str(self._boot["user_data"]), "rb") as file:
            text = file.read()
        kept, path = os.path.join(self._var, _USER_DATA), os.path.join(self._var, SCRIPT)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_file(kept, text, 0o600)
        if text.startswith(b"#!"):
            write_file(path, text, 0o700)
            return path
        if text:
            start = ascii(text[:24].decode("utf-8", "replace"))
            say(f"Unhandled non-multipart (text/x-not-multipart) userdata: {start} does not begin with #!")
        return ""

    def _start(self, script: str) -> int:
        child = os.fork()
        if child:
            return child
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDONLY)
        for descriptor, place in ((null, 0), (self._output, 1), (self._output, 2)):
            os.dup2(descriptor, place)
        try:
            os.execv(script, [script])
        except OSError as wrong:
            os.write(2, f"{script} cannot be run: {wrong.strerror}\n".encode())
        os._exit(126)

    def _pass_on(self) -> None:
        """Carry what was printed to the console and into the log."""
        for _ in range(_READS):
            if not select.select([self._printed], [], [], 0)[0]:
                return
            data = os.read(self._printed, _READ)
            os.write(1, data)
            os.write(self._log, data)

    def _end_all(self) -> None:
        """SIGTERM to all, SIGKILL to what is left after the grace period; what they print meanwhile is kept."""
        everyone(signal.SIGTERM)
        end = time.monotonic() + float(str(self._boot["grace"]))
        while has_children() and time.monotonic() < end:
            select.select([self._wake, self._printed], [], [], 0.05)
            self._pass_on()
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, 4096)
            reap()
        everyone(signal.SIGKILL)
        self._pass_on()


def main(arguments: list[str]) -> int:
    with open(arguments[0], encoding="utf-8") as file:
        boot = json.load(file)
    return Init(boot).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
