"""How a run is asked to stop."""

import os
import signal

import pytest

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
