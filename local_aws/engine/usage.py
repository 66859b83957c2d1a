"""What a tree of processes uses of this machine, read from /proc as often as somebody asks."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_TIMES_AS_LONG = 20
"""How much longer than a look at a folder took the next one is put off: at most a twentieth of a core goes into it."""
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Usage:
    """In percent. cpu: of one core, so up to 100 × cores; memory: of what it was given; disk: of its room."""

    cpu: float
    memory: float
    disk: float


class Sampler:
    """Samples one process and everything below it. The first sample covers the time since this was made.

    folder: what it keeps on disk; room: the bytes that count as 100 % of that, 0 where nobody set a limit.
    memory: the bytes that count as 100 %; this machine's, found out, when left away.
    """

    def __init__(
        self,
        root_pid: int,
        folder: Path,
        room: int = 0,
        *,
        memory: int | None = None,
        proc: Path = Path("/proc"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root = root_pid
        self._folder = folder
        self._room = room
        self._memory = memory or memory_bytes(proc)
        self._proc = proc
        self._clock = clock
        self._at = clock()
        self._disk = 0.0
        self._disk_due = self._at
        self._seconds = self._processor_seconds(self._tree())

    def sample(self) -> Usage | None:
        """Since the sample before; None where the system has no /proc or the process has ended."""
        tree = self._tree()
        if not tree:
            return None
        at, seconds = self._clock(), self._processor_seconds(tree)
        # what ended meanwhile is in its parent's time; a tree that lost a whole branch may show less than before
        cpu = max(0.0, 100 * (seconds - self._seconds) / max(at - self._at, 0.001))
        self._at, self._seconds = at, seconds
        memory = 100 * sum(_resident(self._proc / str(pid)) for pid in tree) / self._memory if self._memory else 0.0
        return Usage(cpu, min(memory, 100.0), self.disk())

    def disk(self) -> float:
        """The disk it uses, in percent of its room. A folder that takes long to go through is looked at less often."""
        begun = self._clock() if self._room else 0.0
        if self._room and begun >= self._disk_due:
            self._disk = 100 * folder_bytes(self._folder) / self._room
            self._disk_due = begun + (self._clock() - begun) * _TIMES_AS_LONG
        return self._disk

    def _tree(self) -> dict[int, list[bytes]]:
        """The fields of each process's stat, from its state on, by process id; of the root and all below it."""
        found: dict[int, list[bytes]] = {}
        children: dict[int, list[int]] = {}
        try:
            entries = [path.name for path in self._proc.iterdir()]
        except OSError:
            return {}
        for entry in entries:
            if not entry.isdigit():
                continue
            try:
                fields = (self._proc / entry / "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue  # it ended while we looked
            if fields:
                found[int(entry)] = fields
                children.setdefault(int(fields[1]), []).append(int(entry))
        tree, queue = {}, [self._root] if self._root in found else []
        while queue:
            pid = queue.pop()
            tree[pid] = found[pid]
            queue += children.get(pid, [])
        return tree

    def _processor_seconds(self, tree: dict[int, list[bytes]]) -> float:
        # user and system time of each, and of the children that it has seen the end of
        return sum(int(ticks) for fields in tree.values() for ticks in fields[11:15]) / _TICKS


def memory_bytes(proc: Path = Path("/proc"), limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """What this machine, or the container that this is, may use; 0 where the system does not say."""
    found = []
    try:
        found.append(int((proc / "meminfo").read_text().split("MemTotal:")[1].split()[0]) * 1024)
        found.append(int(limit.read_text()))
    except (OSError, IndexError, ValueError):  # no such file, or "max"
        pass
    return min(found, default=0)


def folder_bytes(folder: Path) -> int:
    """What the files below a folder take on the disk; links are not followed, and a file with two names counts once."""
    total, seen = 0, set()
    queue = [os.fspath(folder)]
    while queue:
        try:
            with os.scandir(queue.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        queue.append(entry.path)
                    elif status.st_nlink > 1:
                        if status.st_ino in seen:
                            continue
                        seen.add(status.st_ino)
                    total += status.st_blocks * 512
        except OSError:
            continue  # it went, or was locked away, while we looked
    return total


def _resident(process: Path) -> int:
    """Bytes in memory; what several share is divided among them where the system says so."""
    try:
        for line in (process / "smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, IndexError, ValueError):
        pass
    try:
        return int((process / "statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
