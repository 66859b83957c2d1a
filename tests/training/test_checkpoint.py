"""A checkpoint is the whole old one or the whole new one, whatever happens, and says so when it is neither."""

import errno
import io
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from random import Random

import numpy as np
import pytest

from tests.training.conftest import ROOT, clean_environment
from training.checkpoint import Checkpoints, State


def a_state(number: int = 7) -> State:
    arrays = {"head/weight": np.full((3, 4), number, np.float32), "steps": np.arange(number), "none": np.zeros((0, 2))}
    return State(arrays, {"epoch": number, "history": [[1, 0.5, None]], "labels": ["Åland 🐶"]})


def same(one: State | None, other: State) -> bool:
    return (
        one is not None
        and one.facts == other.facts
        and list(one.arrays) == list(other.arrays)
        and all(
            one.arrays[name].dtype == array.dtype and np.array_equal(one.arrays[name], array)
            for name, array in other.arrays.items()
        )
    )


def test_what_was_saved_comes_back_to_the_bit(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path / "new" / "folder", "run")
    assert kept.load("head") is None
    assert kept.save("head", a_state(3))
    assert kept.save("head", a_state(4))
    assert same(kept.load("head"), a_state(4))
    assert [path.name for path in kept.directory.iterdir()] == ["head.checkpoint"] if kept.directory else False


def test_without_a_folder_nothing_is_kept() -> None:
    nowhere = Checkpoints(None, "run")
    assert not nowhere.save("head", a_state())
    assert nowhere.load("head") is None


def test_another_runs_checkpoint_is_not_taken_up(tmp_path: Path) -> None:
    said: list[str] = []
    Checkpoints(tmp_path, "one").save("head", a_state())
    assert Checkpoints(tmp_path, "two", said.append).load("head") is None
    assert "is of another run (other data or settings)" in said[0]


def test_damage_anywhere_is_noticed(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path, "run")
    kept.save("head", a_state())
    file = tmp_path / "head.checkpoint"
    whole = file.read_bytes()
    chance = Random(5)
    cuts = [whole[: chance.randrange(len(whole))] for _ in range(100)]
    flips = []
    for _ in range(400):
        changed = bytearray(whole)
        changed[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        flips.append(bytes(changed))
    for content in (b"", b"text", *cuts, *flips):
        file.write_bytes(content)
        assert kept.load("head") is None


def test_damage_is_said_in_words(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "head.checkpoint").write_bytes(b"\x00" * 500)
    assert Checkpoints(tmp_path, "run", said.append).load("head") is None
    assert "head.checkpoint cannot be read" in said[0]
    assert "starts from the beginning" in said[0]


def test_nothing_in_a_checkpoint_is_unpickled(tmp_path: Path) -> None:
    """A file whose checksum is right, and that holds a pickle."""
    body = io.BytesIO()
    np.savez(body, evil=np.array([object()], dtype=object))
    head = struct.pack("<8sI", b"KennelC1", zlib.crc32(body.getvalue()))
    (tmp_path / "head.checkpoint").write_bytes(head + body.getvalue())
    said: list[str] = []
    assert Checkpoints(tmp_path, "run", said.append).load("head") is None
    assert "allow_pickle=False" in said[0]


def test_a_full_disk_keeps_the_old_checkpoint_and_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    kept = Checkpoints(tmp_path, "run", said.append)
    kept.save("head", a_state(3))

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert not kept.save("head", a_state(4))
    assert "no checkpoint was written" in said[0]
    assert "No space left on device" in said[0]
    assert same(kept.load("head"), a_state(3))
    assert [path.name for path in tmp_path.iterdir()] == ["head.checkpoint"]


_WRITER = """
import sys
import numpy as np
from pathlib import Path
from training.checkpoint import Checkpoints, State
kept = Checkpoints(Path(sys.argv[1]), "run")
number = 0
while True:
    number += 1
    kept.save("head", State({"w": np.full(300_000, number, np.float32)}, {"number": number}))
    if number == 1:
        print("first", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a signal of POSIX")
def test_kill_9_at_any_moment_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    chance = Random(11)
    kept = Checkpoints(tmp_path, "run")
    for _ in range(25):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)],
            cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            assert process.stdout.readline() == "first\n"
            time.sleep(chance.random() * 0.05)
            process.send_signal(signal.SIGKILL)
        state = kept.load("head")
        assert state is not None
        assert (state.arrays["w"] == state.facts["number"]).all()
        assert len(state.arrays["w"]) == 300_000
