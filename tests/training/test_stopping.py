"""How a run is asked to stop."""

import os
import signal
import subprocess
import sys

import pytest

from tests.training.conftest import ROOT, clean_environment
from training.errors import Stopped
from training.stopping import Stop, listening


def test_a_signal_asks_and_only_while_somebody_listens() -> None:
    before = signal.getsignal(signal.SIGTERM)
    stop = Stop()
    with listening(stop):
        stop.check()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested
        with pytest.raises(Stopped, match="before there was a model"):
            stop.check()
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_twice_means_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    stop = Stop()
    with listening(stop):
        signal.raise_signal(signal.SIGINT)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


_ENDS = """
import atexit, sys, time
from training.stopping import Stop, listening
def wind_up():
    print("written", flush=True)
    sys.stdin.readline()
atexit.register(wind_up)
with listening(Stop(), to_the_end=True):
    pass
"""


def test_a_stop_after_the_result_changes_nothing() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _ENDS],
        cwd=ROOT, env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGTERM)
        process.communicate("end\n", timeout=60)
    assert process.returncode == 0
