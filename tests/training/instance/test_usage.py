"""How much of the machine a run uses."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from training.instance.usage import Sampler

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measured from /proc")


def test_a_busy_child_counts_as_one_core(tmp_path: Path) -> None:
    sampler = Sampler(tmp_path)
    assert "CPUUtilization" not in sampler.measure()
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        end = time.monotonic() + 20
        while (found := sampler.measure()).get("CPUUtilization", 0.0) < 20 and time.monotonic() < end:
            time.sleep(0.3)
    finally:
        busy.kill()
        busy.wait()
    assert found["CPUUtilization"] >= 20
    assert 0 < found["MemoryUtilization"] < 100
    assert 0 < found["DiskUtilization"] <= 100


def test_memory_that_is_taken_shows(tmp_path: Path) -> None:
    sampler = Sampler(tmp_path)
    before = sampler.measure()["MemoryUtilization"]
    block = bytearray(200 * 1024 * 1024)
    block[::4096] = b"x" * len(block[::4096])
    total = float(Path("/proc/meminfo").read_text().split()[1]) * 1024
    assert sampler.measure()["MemoryUtilization"] - before > 0.5 * 100 * len(block) / total


def test_where_nothing_can_be_measured_nothing_is_told(tmp_path: Path) -> None:
    assert Sampler(tmp_path, proc=tmp_path).measure() == {}
