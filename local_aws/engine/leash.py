"""A tiny parent that holds one command on a leash: the command, and all it starts, dies with the server.

    python -I -S leash.py LIFELINE_FD COMMAND…

The server keeps the write end of a pipe whose read end is LIFELINE_FD. However the server ends, `kill -9` included,
the kernel closes that end, and everything below this process is killed. SIGTERM is passed on to the command's group.
When the command ends, whatever it left running is killed, and the leash exits with the command's code (128 + signal).
Standard library only and no site: it must start in milliseconds and work wherever Python does.
"""

# pathlib would double the time this takes to start, and exec is the point:
# ruff: noqa: PTH123, PTH208, S606

import ctypes
import errno
import os
import select
import signal
import sys
import time

KILLED = 128 + signal.SIGKILL
CANNOT_RUN = 127
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LINUX = sys.platform == "linux"
_FIRST_TO_GO = "500"  # of 1,000: whom the kernel ends when this machine's memory is used up, the server (0) last


def prctl(option: int, value: int) -> None:
    """Linux's prctl; elsewhere nothing, and the process group alone has to do."""
    if _LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies. Lost when credentials change, so set again after that."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def go_before_the_server() -> None:
    """Have the kernel, out of memory, end this process and its children rather than the server."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(_FIRST_TO_GO)
    except OSError:  # no Linux, or a system that does not allow it: the kernel chooses by size
        return


def descendants(root: int) -> list[int]:
    """Process ids of everything below `root`, zombies left out; empty where there is no /proc."""
    children: dict[int, list[int]] = {}
    try:
        entries = os.listdir("/proc")
    except OSError:
        return []
    for entry in entries:
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as stat:
                state, parent = stat.read().rpartition(b")")[2].split()[:2]
        except (OSError, ValueError):
            continue  # it ended while we looked
        if state not in (b"Z", b"X"):
            children.setdefault(int(parent), []).append(int(entry))
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def kill_all(group: int, patience: float = 5.0) -> None:
    """Kill the group and every descendant, again until none is left (a dying process may still fork)."""
    end = time.monotonic() + patience
    while True:
        signal_group(group, signal.SIGKILL)
        left = descendants(os.getpid())
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        reap()
        if not left or time.monotonic() > end:
            return
        time.sleep(0.005)


def signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # nobody is left in it
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


def run(command: list[str], announce: int) -> None:
    """In the child: become leader of an own session, then the command. `announce` is closed once signals reach it."""
    parent = os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    die_with_parent()
    if os.getppid() != parent:
        os._exit(KILLED)
    os.close(announce)
    go_before_the_server()
    try:
        os.execvp(command[0], command)
    except OSError as wrong:
        os.write(2, f"cannot run {command[0]}: {os.strerror(wrong.errno or errno.EIO)}\n".encode())
        os._exit(CANNOT_RUN)


def silence() -> None:
    """Let go of the command's output, so that it ends when the command does."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def main(arguments: list[str]) -> int:
    lifeline, command = int(arguments[0]), arguments[1:]
    os.set_inheritable(lifeline, False)
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    stops: list[int] = []
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda got, _: stops.append(got))
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    started, announce = os.pipe()
    child = os.fork()
    if child == 0:
        run(command, announce)
    os.close(announce)
    os.read(started, 1)  # a signal that is passed on before the child has its session would be lost
    os.close(started)
    silence()
    while True:
        ready, _, _ = select.select([lifeline, wake_read], [], [])
        if wake_read in ready:
            os.read(wake_read, 4096)
        while stops:
            signal_group(child, stops.pop())
        ended = reap()
        if child in ended:
            kill_all(child)
            status = ended[child]
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        if lifeline in ready:
            kill_all(child)
            return KILLED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
