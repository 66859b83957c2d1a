"""Output where nobody reads any more."""

import subprocess
import sys
from pathlib import Path

from tests.training.conftest import ROOT, clean_environment

_TALKS = """
from training.terminal import write_line
for number in range(20_000):
    write_line(f"line {number}")
raise SystemExit(7)
"""


def test_a_reader_that_goes_does_not_end_the_work() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _TALKS],
        cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "line 0\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 7


def test_a_terminal_that_knows_ascii_only_gets_escapes(small_dataset: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training.data", "report", str(small_dataset)],
        cwd=ROOT, env=clean_environment() | {"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "train 42 \\xb7 valid 9" in done.stdout
