"""What a process tree uses: its processor time, children that ended included, its memory and its files."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_aws.engine.usage import Sampler, folder_bytes, memory_bytes
from tests.local_aws.engine_world import eventually

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")


@contextmanager
def running(source: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that has printed its first line."""
    process = subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


COMPUTES = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"


def test_a_process_that_computes_uses_its_seconds_and_one_that_waits_uses_none(tmp_path: Path) -> None:
    clock = iter((0.0, 0.0, 1.0, 1.0))
    works = f"print(flush=True)\ninput()\n{COMPUTES}\nprint(flush=True)\ninput()"
    with running(works) as busy, running("print(flush=True)\ninput()") as idle:
        samplers = [Sampler(process.pid, tmp_path, clock=lambda: next(clock)) for process in (busy, idle)]
        assert busy.stdin is not None
        assert busy.stdout is not None
        busy.stdin.write("\n")
        busy.stdin.flush()
        busy.stdout.readline()
        used, unused = (sampler.sample() for sampler in samplers)
    assert used is not None
    assert unused is not None
    assert used.cpu == pytest.approx(30, abs=5), "0.3 of 1.0 s"
    assert unused.cpu < 5


def test_the_time_of_children_counts_also_when_they_have_ended(tmp_path: Path) -> None:
    source = f"import subprocess, sys\nprint(flush=True)\nsubprocess.run([sys.executable, '-c', {COMPUTES!r}])\ninput()"
    clock = iter((0.0, 1.0))
    with running(source) as parent:
        sampler = Sampler(parent.pid, tmp_path, clock=lambda: next(clock))
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        assert eventually(children.read_text)
        assert eventually(lambda: not children.read_text())
        used = sampler.sample()
    assert used is not None
    assert used.cpu >= 29


def test_memory_is_a_share_of_the_machines(tmp_path: Path) -> None:
    with running("held = b'x' * 100_000_000\nprint(flush=True)\ninput()") as process:
        used = Sampler(process.pid, tmp_path, memory=1_000_000_000).sample()
    assert used is not None
    assert 10 <= used.memory < 15
    assert memory_bytes() > 100_000_000


def test_the_disk_is_a_share_of_the_room_and_files_with_two_names_count_once(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/data").write_bytes(os.urandom(1_000_000))
    os.link(tmp_path / "below/data", tmp_path / "again")
    (tmp_path / "link").symlink_to("/usr")
    with running("print(flush=True)\ninput()") as process:
        used = Sampler(process.pid, tmp_path, room=10_000_000).sample()
    assert used is not None
    assert 10 <= used.disk < 11
    assert folder_bytes(tmp_path / "gone") == 0


def test_a_process_that_has_ended_uses_nothing(tmp_path: Path) -> None:
    with running("print(flush=True)\ninput()") as process:
        sampler = Sampler(process.pid, tmp_path)
    assert sampler.sample() is None


def test_where_the_system_has_no_proc_nothing_is_known(tmp_path: Path) -> None:
    assert Sampler(os.getpid(), tmp_path, proc=tmp_path / "none").sample() is None


def test_a_folder_that_takes_long_is_looked_at_less_often(tmp_path: Path) -> None:
    times = iter((0.0, 1.0, 1.5, 2.0, 10.9, 11.0, 11.0))
    (tmp_path / "a").write_bytes(os.urandom(10_000))
    sampler = Sampler(os.getpid(), tmp_path, room=100_000, clock=lambda: next(times))
    first = sampler.disk()
    (tmp_path / "b").write_bytes(os.urandom(10_000))
    assert [sampler.disk(), sampler.disk()] == [first, first], "the first look took half a second"
    assert sampler.disk() > first
