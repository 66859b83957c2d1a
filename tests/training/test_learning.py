"""What is saved while a head or a backbone learns, and when."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.surroundings import surroundings
from training.backbones import get
from training.checkpoint import Checkpoints, State
from training.data import Dataset, Split
from training.distributed import Group
from training.errors import Diverged
from training.feature_table import empty_table
from training.fine_tune import FineTuned, Step
from training.graph import Head
from training.head import Epoch, Score, Trained
from training.learning import fine_tune_backbone, learn_head
from training.settings import Settings
from training.stopping import Stop
from training.surroundings import Saver, Surroundings
from training.trainable import Precision
from training.weights import Weights

OnStep = Callable[[Step, Callable[[], State]], None]


DATASET = Dataset(
    Path("dogs"), ("a", "b"), ("a.jpg", "b.jpg"), np.array([0, 1]), {Split.TRAIN: 2, Split.VALID: 0, Split.TEST: 0}
)
HEAD = Head(np.zeros((2, 4), np.float32), np.zeros(2, np.float32))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def giving(number: int) -> Callable[[], State]:
    return lambda: State({"w": np.array([number])}, {"number": number})


def kept(folder: Path) -> object:
    state = Checkpoints(folder / "kept", "run").load("head")
    return None if state is None else state.facts["number"]


def test_states_are_saved_at_intervals_and_at_the_end(tmp_path: Path) -> None:
    clock = Clock()
    here = surroundings(tmp_path, [], chosen=Settings(checkpoint_seconds=10), clock=clock)
    saver = Saver(Checkpoints(tmp_path / "kept", "run"), "head", here)
    for second, expected in ((5, None), (11, 11), (15, 11), (22, 22), (25, 22)):
        clock.now = second
        saver.heard(giving(second))
        assert kept(tmp_path) == expected
    saver.save()
    assert kept(tmp_path) == 25


def test_a_state_is_saved_at_once_when_the_run_is_to_stop(tmp_path: Path) -> None:
    stop = Stop()
    here = surroundings(tmp_path, [], chosen=Settings(checkpoint_seconds=3600), stop=stop)
    saver = Saver(Checkpoints(tmp_path / "kept", "run"), "head", here)
    saver.heard(giving(1))
    assert kept(tmp_path) is None
    stop.request()
    saver.heard(giving(2))
    assert kept(tmp_path) == 2


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverging(*_: object, on_epoch: Callable[[Epoch, Callable[[], State]], None], **__: object) -> None:
        on_epoch(Epoch(1, Score(0.5, 0.9), None), giving(1))
        on_epoch(Epoch(2, Score(0.4, 0.9), None), giving(2))
        raise Diverged("The loss was no number any more in epoch 3, step 7: start again.")

    monkeypatch.setattr("training.learning.train_head", diverging)
    said: list[str] = []
    with pytest.raises(Diverged, match="epoch 3, step 7"):
        learn_head(
            DATASET, empty_table(2, 1, 4), None, Checkpoints(tmp_path / "kept", "run"), surroundings(tmp_path, said)
        )
    assert kept(tmp_path) == 2
    assert any(line.startswith("epoch=2/20 train_loss=0.4") for line in said)


class AnotherWasTold(Group):
    """The first of two processes; only the second one got the signal."""

    size = 2

    def any(self, flag: bool) -> bool:
        return True


def of_two(folder: Path, said: list[str]) -> Surroundings:
    return replace(surroundings(folder, said, chosen=Settings(unfreeze="1")), group=AnotherWasTold())


def test_a_stop_that_another_process_heard_saves_fine_tuning_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = Epoch(2, Score(0.5, 0.9), None)

    def tuning(*_: object, on_step: OnStep, should_stop: Callable[[], bool], **__: object) -> FineTuned:
        now = 3
        assert should_stop()
        on_step(Step(3, 10), lambda: giving(now)())
        now = 2  # the network holds the best epoch's weights when it is given back
        return FineTuned(Weights({}, ""), HEAD, (best, best, best), best, Precision.FP32, lambda _: np.zeros((0, 2)))

    monkeypatch.setattr("training.fine_tune.fine_tune", tuning)
    said: list[str] = []
    here = of_two(tmp_path, said)
    checkpoints = Checkpoints(tmp_path / "kept", "run")
    monkeypatch.setattr(Checkpoints, "load_together", lambda *_: None)
    fine_tune_backbone(DATASET, get("efficientnet_lite0"), Weights({}, ""), Trained(HEAD, (), best), checkpoints, here)
    state = checkpoints.load("finetune")
    assert state is not None
    assert state.facts["number"] == 3
    assert here.stop.requested
    assert said[-1] == "stopped after epoch 23: epoch 22, the best so far, is kept"


def test_a_head_that_ended_because_another_process_was_told_to_stop_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = Epoch(2, Score(0.5, 0.9), None)
    monkeypatch.setattr("training.learning.train_head", lambda *_, **__: Trained(HEAD, (best, best), best))
    monkeypatch.setattr(Checkpoints, "load_together", lambda *_: None)
    said: list[str] = []
    here = of_two(tmp_path, said)
    learn_head(DATASET, empty_table(2, 1, 4), None, Checkpoints(None, "run"), here)
    assert said[-1] == "stopped after epoch 2: epoch 2, the best so far, is kept"
    assert here.stop.requested, "the card says so too"


def test_a_signal_that_comes_while_the_processes_agree_counts_the_next_time(tmp_path: Path) -> None:
    stop = Stop()

    class Asking(Group):
        def any(self, flag: bool) -> bool:
            stop.request()
            return flag

    here = replace(surroundings(tmp_path, [], stop=stop), group=Asking())
    assert not here.agreed_to_stop(), "the others were told that nobody stops"
    assert here.agreed_to_stop()
