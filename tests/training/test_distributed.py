"""What processes tell each other; test_launch runs whole trainings in several."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from tests.training.conftest import ROOT, clean_environment
from training.distributed import ALONE, from_first, is_member, join
from training.errors import HostLost

_MEMBER = """
import json, sys
import numpy as np
from training.checkpoint import Checkpoints, State
from training.distributed import from_first, join
from pathlib import Path
group = join()
found = {"rank": group.rank, "size": group.size, "first": group.is_first}
for kind in ("float32", "float64", "int64", "int32", "uint8"):
    array = np.arange(6).reshape(2, 3).astype(kind) + group.rank
    group.sum(array)
    found[kind] = array.tolist()
found["any"] = [group.any(group.rank == 1), group.any(False)]
found["text"] = from_first(group, b"from zero" if group.is_first else b"nothing of this").decode()
found["nothing"] = from_first(group, b"").decode()
found["heard before"] = group.heard_stop()
group.barrier()
if group.rank == 1:
    group.tell_stop()
group.barrier()
found["heard"] = group.heard_stop()
kept = Checkpoints(Path(sys.argv[1]) / str(group.rank), "run")
if group.is_first:
    kept.save("head", State({"w": np.arange(5.0)}, {"epoch": 4}))
state = kept.load_together("head", group)
found["state"] = [state.arrays["w"].tolist(), state.facts]
found["no state"] = kept.load_together("other", group) is None
group.barrier()
group.close()
print(json.dumps(found))
"""
_LEAVER = """
import numpy as np
from training.distributed import join
from training.errors import HostLost
group = join()
if group.rank == 1:
    import os
    os._exit(9)
try:
    group.sum(np.zeros(100))
except HostLost as lost:
    print(lost)
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def two(script: str, *arguments: str) -> list[tuple[int, str]]:
    """Both processes' exit codes and what they printed, as torchrun would start them."""
    port = str(free_port())
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            cwd=ROOT,
            env=clean_environment(**common, RANK=str(rank), LOCAL_RANK=str(rank)),
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=60)[0] for process in started]
    return [(process.returncode, text) for process, text in zip(started, said, strict=True)]


def test_alone_there_is_nobody_to_wait_for() -> None:
    array = np.arange(3.0)
    ALONE.sum(array)
    assert array.tolist() == [0, 1, 2]
    assert ALONE.any(True)
    assert not ALONE.any(False)
    assert not ALONE.heard_stop()
    assert ALONE.is_first
    assert from_first(ALONE, b"text") == b"text"


def test_without_torchrun_a_process_is_alone_and_torch_is_not_imported() -> None:
    assert join({}) is ALONE
    assert not is_member({"WORLD_SIZE": "1", "RANK": "0"})
    code = "import sys; from training.distributed import join; join({}); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_two_processes_agree_on_everything(tmp_path: os.PathLike[str]) -> None:
    found = two(_MEMBER, str(tmp_path))
    assert [code for code, _ in found] == [0, 0]
    first, second = (json.loads(text) for _, text in found)
    assert (first.pop("rank"), second.pop("rank")) == (0, 1)
    assert (first.pop("first"), second.pop("first")) == (True, False)
    assert first == second
    for kind in ("float32", "float64", "int64", "int32", "uint8"):
        assert first[kind] == [[1, 3, 5], [7, 9, 11]]
    assert first["any"] == [True, False]
    assert (first["text"], first["nothing"]) == ("from zero", "")
    assert (first["heard before"], first["heard"]) == (False, True)
    # Only the first one's folder holds a checkpoint.
    assert first["state"] == [[0, 1, 2, 3, 4], {"epoch": 4}]
    assert first["no state"] is True


def test_a_process_that_is_gone_is_said_in_words() -> None:
    (code, said), (left, _) = two(_LEAVER)
    assert (code, left) == (0, 9)
    assert "Another process of this run is gone" in said
    assert "goes on from the last checkpoint" in said


def test_processes_that_never_meet_are_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    monkeypatch.setattr("training.distributed._PATIENCE", timedelta(seconds=1))
    environ = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    monkeypatch.setattr(os, "environ", {**os.environ, **environ})
    with pytest.raises(HostLost, match="did not find each other"):
        join(environ)
