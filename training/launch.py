"""Start the processes of a run under torchrun: several on this machine, or this host's share of a job on several hosts.

The process that a person or SageMaker started stays, as the launcher. It passes SIGTERM on to each of its processes by
their numbers, because torchrun itself would kill them after 30 seconds, which may be less than an export takes. Each
process leaves its exit code and its sentence in a folder, from which the launcher makes its own.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from training.container import Hosts
from training.settings import Settings, cores
from training.stopping import Stop

PORT = "29500"
_FOLDER = "TRAINING_RANKS"
_ALIVE = "launcher"
"""The file that the launcher holds a lock on as long as it lives."""
_NOISE = re.compile(r"^[IWE]\d{4} \d\d:\d\d:\d\d|^\*+$")
"""How lines of torchrun's own log begin."""


@dataclass(frozen=True)
class Layout:
    """How many processes there are, where."""

    hosts: Hosts
    processes: int
    """On each host."""

    @property
    def size(self) -> int:
        return len(self.hosts.names) * self.processes


@dataclass(frozen=True)
class Outcome:
    """How a process ended: its exit code and, unless that is 0, the sentence that says why."""

    code: int
    sentence: str = ""
    is_symptom: bool = False
    """It only ended because another one was gone."""
    trace: str = ""
    """Where an unexpected error came from."""


def plan(chosen: Settings, hosts: Hosts, environ: Mapping[str, str], devices: Path = Path("/dev")) -> Layout:
    """One process on each host, or one for each GPU where torch uses them, or as many as were asked for."""
    usual = max(1, _gpus(environ, devices)) if chosen.uses_torch else 1
    return Layout(hosts, chosen.processes or usual)


def _gpus(environ: Mapping[str, str], devices: Path) -> int:
    """How many GPUs torch would see, without its import."""
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([one for one in visible.split(",") if one.strip() not in ("", "-1")])
    if environ.get("SM_NUM_GPUS", "").isdigit():
        return int(environ["SM_NUM_GPUS"])
    return sum(1 for device in devices.glob("nvidia[0-9]*") if device.name[len("nvidia") :].isdigit())


def command(layout: Layout, arguments: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """torchrun's command line for this host."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={layout.processes}"]
    if len(layout.hosts.names) == 1:
        torchrun.append("--standalone")
    else:
        port = environ.get("MASTER_PORT") or PORT
        torchrun += [f"--nnodes={len(layout.hosts.names)}", f"--node-rank={layout.hosts.index}"]
        torchrun += [f"--master-addr={layout.hosts.names[0]}", f"--master-port={port}"]
    return [*torchrun, "-m", "training.train", *arguments]


def relaunch(layout: Layout, arguments: Sequence[str], environ: Mapping[str, str], stop: Stop) -> Outcome:
    """Run this host's processes to their end. The first of them all prints to this process's stdout."""
    with tempfile.TemporaryDirectory(prefix="kennel-ranks-") as name, _lock(Path(name) / _ALIVE):
        folder = Path(name)
        # In a session of its own: Ctrl-C and a group's SIGTERM reach this process alone, which passes them on.
        with subprocess.Popen(
            command(layout, arguments, environ),
            env=_environment(layout, environ, folder),
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            assert process.stderr is not None  # noqa: S101 - asked for above
            tail: deque[str] = deque(maxlen=40)
            reader = threading.Thread(target=_read, args=(process.stderr, tail))
            reader.start()
            told = False
            while process.poll() is None:
                if stop.requested and not told:
                    told = True
                    _pass_on(folder)
                time.sleep(0.05)
            reader.join()
        return _outcome(folder, layout.processes, tail, process.returncode)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock on a file while inside; waits for whoever holds it. Windows has none, and nobody waits there."""
    with path.open("a") as file:
        if os.name != "nt":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _environment(layout: Layout, environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    threads = str(max(1, cores() // layout.processes))
    package = str(Path(__file__).resolve().parents[1])
    usual = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    if layout.hosts.interface and (Path("/sys/class/net") / layout.hosts.interface).exists():
        usual |= {"GLOO_SOCKET_IFNAME": layout.hosts.interface, "NCCL_SOCKET_IFNAME": layout.hosts.interface}
    path = os.pathsep.join(filter(None, (package, environ.get("PYTHONPATH", ""))))
    return usual | dict(environ) | {"PYTHONPATH": path, _FOLDER: str(folder)}


def _read(lines: IO[str], tail: deque[str]) -> None:
    for line in lines:
        if not _NOISE.match(line):
            tail.append(line)


def _pass_on(folder: Path) -> None:
    """SIGTERM to every process that has said its number; the others find the file when they start."""
    (folder / "stop").touch()
    for told in folder.glob("*.pid"):
        try:
            os.kill(int(told.read_text()), signal.SIGTERM)
        except (ProcessLookupError, ValueError):
            continue  # it has ended, or finds the file as soon as it has written its number


def _outcome(folder: Path, processes: int, tail: Sequence[str], code: int) -> Outcome:
    found = [Outcome(**json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]
    failed = [outcome for outcome in found if outcome.code]
    causes = [outcome for outcome in failed if not outcome.is_symptom]
    if causes:
        return max(causes, key=lambda outcome: outcome.code == 1)
    if len(found) < processes or (code and not failed):
        last = "".join(tail)[-600:].strip() or "nothing"
        return Outcome(1, f"A process of the run ended without a word, killed or for lack of memory; last said: {last}")
    return failed[0] if failed else Outcome(0)


class Rank:
    """This process as one of several that a launcher started; does nothing when none did."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        folder = environ.get(_FOLDER)
        self._folder = Path(folder) if folder else None
        self._name = environ.get("LOCAL_RANK", "0")

    @property
    def is_launched(self) -> bool:
        return self._folder is not None

    def announce(self, stop: Stop) -> None:
        """Tell the launcher where to send a signal."""
        if self._folder is None:
            return
        partial = self._folder / f".{self._name}"
        partial.write_text(str(os.getpid()))
        partial.replace(self._folder / f"{self._name}.pid")
        if (self._folder / "stop").exists():
            stop.request()

    def report(self, outcome: Outcome) -> None:
        """Leave the outcome for the launcher."""
        if self._folder is None:
            return
        partial = self._folder / f".{self._name}"
        partial.write_text(json.dumps(vars(outcome)))
        partial.replace(self._folder / f"{self._name}.json")

    def end_with_launcher(self) -> None:
        """From now on this process ends when the launcher is killed, even with -9; checkpoints are always valid."""
        if self._folder is not None and os.name != "nt":
            threading.Thread(target=_wait_for_end, args=(self._folder,), daemon=True).start()


def _wait_for_end(folder: Path) -> None:
    # The kernel gives the lock away when the launcher ends, however it ends.
    with contextlib.suppress(FileNotFoundError), _lock(folder / _ALIVE):
        os._exit(1)
