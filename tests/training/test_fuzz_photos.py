"""Some thousand damaged photos of every format: each is refused in a sentence or opens, and nothing else happens."""

import json
import subprocess
import sys

from tests.training.conftest import ROOT, clean_environment

COUNT = 4000
MEMORY = 1200
"""MiB: a photo of 50 megapixels with transparency takes 150 + 200 MB, and a copy of each while it is converted."""


def test_damaged_photos_never_crash_hang_or_take_all_memory() -> None:
    """In a process of its own, because a decoder that crashes would take the tests along."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.training.fuzz_photos", "20261121", str(COUNT), str(MEMORY)],
        cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["opened"] + found["refused"] == COUNT
    # Were the damage too mild or too coarse, the decoders would hardly be tried.
    assert found["refused"] > COUNT / 4
    assert found["opened"] > COUNT / 10
    assert found["grown"] < MEMORY
