"""What is saved while a head or a backbone learns, and when."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.training.surroundings import surroundings
from training.checkpoint import Checkpoints, State
from training.data import Dataset, Split
from training.errors import Diverged
from training.feature_table import empty_table
from training.head import Epoch, Score
from training.learning import learn_head
from training.settings import Settings
from training.stopping import Stop
from training.surroundings import Saver


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
    dataset = Dataset(
        tmp_path, ("a", "b"), ("a.jpg", "b.jpg"), np.array([0, 1]), {Split.TRAIN: 2, Split.VALID: 0, Split.TEST: 0}
    )
    with pytest.raises(Diverged, match="epoch 3, step 7"):
        learn_head(
            dataset, empty_table(2, 1, 4), None, Checkpoints(tmp_path / "kept", "run"), surroundings(tmp_path, said)
        )
    assert kept(tmp_path) == 2
    assert any(line.startswith("epoch=2/20 train_loss=0.4") for line in said)
