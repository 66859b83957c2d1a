"""How much of the machine a run uses, measured from /proc and nvidia-smi, in the names and units of SageMaker.

CPUUtilization is 100 for each core that is busy, GPUUtilization 100 for each GPU; the others are percent of the whole.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

EVERY_SECONDS = 2.0
_PUT_EVERY = 5
"""Measurements in one call: each call costs money."""


@dataclass(frozen=True)
class _Sample:
    at: float
    cpu_seconds: float


class Sampler:
    """Measures this process and all below it; on an instance, that is what there is."""

    def __init__(self, folder: Path, proc: Path = Path("/proc"), clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._proc = proc
        self._clock = clock
        self._smi = shutil.which("nvidia-smi")
        self._last: _Sample | None = None

    def measure(self) -> dict[str, float]:
        """The metrics since the last call; without CPUUtilization the first time, and nothing where /proc is not."""
        if not (self._proc / "meminfo").is_file():
            return {}
        seconds, pages = self._tree()
        now = _Sample(self._clock(), seconds)
        usage = shutil.disk_usage(self._folder)
        found = {
            "MemoryUtilization": 100.0 * pages * os.sysconf("SC_PAGE_SIZE") / self._memory(),
            "DiskUtilization": 100.0 * usage.used / usage.total,
        }
        if self._last is not None and now.at > self._last.at:
            busy = max(0.0, now.cpu_seconds - self._last.cpu_seconds)
            found["CPUUtilization"] = 100.0 * busy / (now.at - self._last.at)
        self._last = now
        return found | self._gpus()

    def _tree(self) -> tuple[float, int]:
        """CPU seconds and resident pages of this process and everything below it, children that ended included."""
        parents: dict[int, int] = {}
        facts: dict[int, tuple[int, int]] = {}
        for entry in self._proc.iterdir():
            if not entry.name.isdigit():
                continue
            try:
                text = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except OSError:
                continue  # it ended while we looked
            # fields 4 (ppid), 14–17 (times of it and of its children that ended) and 24 (rss) of proc(5)
            parents[int(entry.name)] = int(text[1])
            facts[int(entry.name)] = (sum(int(ticks) for ticks in text[11:15]), int(text[21]))
        mine = {os.getpid()}
        grown = True
        while grown:
            more = {pid for pid, parent in parents.items() if parent in mine} - mine
            mine |= more
            grown = bool(more)
        known = [facts[pid] for pid in mine if pid in facts]
        ticks = os.sysconf("SC_CLK_TCK")
        return sum(time for time, _ in known) / ticks, sum(pages for _, pages in known)

    def _memory(self) -> float:
        first = (self._proc / "meminfo").read_text().splitlines()[0]  # "MemTotal:  16384 kB"
        return float(first.split()[1]) * 1024

    def _gpus(self) -> dict[str, float]:
        if not self._smi:
            return {}
        asked = [self._smi, "--query-gpu=utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits"]
        try:
            done = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True)
            rows = [[float(value) for value in line.split(",")] for line in done.stdout.splitlines() if line.strip()]
        except (OSError, ValueError, subprocess.SubprocessError):
            self._smi = None  # a driver that does not answer now will not later: the other metrics go on
            return {}
        if not rows:
            return {}
        return {
            "GPUUtilization": sum(row[0] for row in rows),
            "GPUMemoryUtilization": 100.0 * sum(row[1] for row in rows) / sum(row[2] for row in rows),
        }


class UsageShipper:
    """Puts measurements into CloudWatch from a thread of its own, high resolution, several in a call."""

    def __init__(self, client: Any, namespace: str, host: str, sampler: Sampler) -> None:
        self._client = client
        self._namespace = namespace
        self._dimensions = [{"Name": "Host", "Value": host}]
        self._sampler = sampler
        self._waiting: list[dict[str, Any]] = []
        self._closed = threading.Event()
        self._complained = False
        self._thread = threading.Thread(target=self._work, name="usage", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Send what was measured."""
        self._closed.set()
        self._thread.join()

    def _work(self) -> None:
        rounds = 0
        while not self._closed.wait(EVERY_SECONDS if rounds else 0.0):
            rounds += 1
            self._keep(self._sampler.measure())
            if rounds % _PUT_EVERY == 0:
                self._put()
        self._keep(self._sampler.measure())
        self._put()

    def _keep(self, found: Mapping[str, float]) -> None:
        now = datetime.now(UTC)
        for name, value in found.items():
            self._waiting.append(
                {
                    "MetricName": name,
                    "Dimensions": self._dimensions,
                    "Timestamp": now,
                    "Value": value,
                    "Unit": "Percent",
                    "StorageResolution": 1,
                }
            )

    def _put(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            self._client.put_metric_data(Namespace=self._namespace, MetricData=waiting)
        except (BotoCoreError, ClientError) as error:
            if not self._complained:  # the training matters more than its chart
                self._complained = True
                print(f"The use of this machine cannot be sent to CloudWatch: {error}", file=sys.stderr, flush=True)
