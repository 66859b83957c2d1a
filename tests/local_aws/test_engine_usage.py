"""What a process tree uses: its processor time, children that ended included, its memory and its files."""

import os
import subprocess
import sys
import time
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


def test_a_process_that_computes_uses_a_core_and_one_that_waits_uses_none(tmp_path: Path) -> None:
    with running("print(flush=True)\nwhile True: pass") as busy, running("print(flush=True)\ninput()") as idle:
        samplers = [Sampler(process.pid, tmp_path) for process in (busy, idle)]
        time.sleep(0.5)
        used, unused = (sampler.sample() for sampler in samplers)
    assert used is not None
    assert unused is not None
    assert 20 < used.cpu < 130, "two cores may be shared with others"
    assert unused.cpu < 5


def test_the_time_of_children_counts_also_when_they_have_ended(tmp_path: Path) -> None:
    child = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    source = f"import subprocess, sys\nprint(flush=True)\nsubprocess.run([sys.executable, '-c', {child!r}])\ninput()"
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
