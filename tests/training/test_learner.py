"""One step of fine-tuning: what counts in it, and what stops it before it does harm."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.backbones import get, load_weights
from training.distributed import ALONE, Group
from training.errors import HostLost
from training.graph import Head
from training.learner import Learner
from training.preprocessing import Array
from training.settings import Settings
from training.trainable import Trainable
from training.weights import Weights

LITE = get("efficientnet_lite0")
CHOSEN = Settings(unfreeze="1", clip=0.0)


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load_weights(LITE, "", Path())


@pytest.fixture(scope="module")
def pixels() -> Array:
    return np.random.default_rng(0).normal(size=(2, 3, 224, 224)).astype(np.float32)


def learner(weights: Weights, settings: Settings = CHOSEN, class_weights: Array | None = None) -> Learner:
    head = Head(np.random.default_rng(1).normal(size=(3, 1280)).astype(np.float32) * 0.02, np.zeros(3, np.float32))
    return Learner(
        Trainable(LITE, weights, head, settings.unfreeze), settings, class_weights, ALONE, torch.device("cpu")
    )


def after_a_step(found: Learner, pixels: Array, targets: list[int]) -> dict[str, Array]:
    found.begin_step()
    found.add(pixels, np.array(targets, np.int64), len(targets), is_last=True)
    assert found.end_step(1e-3)
    return dict(found.state().arrays)


def test_a_photo_without_a_target_does_not_count(weights: Weights, pixels: Array) -> None:
    """It is there for a process that has no photo left, while the others wait for its gradient."""
    with_it = after_a_step(learner(weights), pixels, [1])
    alone = after_a_step(learner(weights), pixels[:1], [1])
    for name, value in alone.items():
        assert np.abs(with_it[name] - value).max() < 1e-5, name


def test_a_class_may_weigh_more(weights: Weights, pixels: Array) -> None:
    """Class 2 with all the weight: the other photo might as well not be there."""
    heavy = np.array([0.0, 0.0, 2.0], np.float32)
    weighted = after_a_step(learner(weights, class_weights=heavy), pixels, [0, 2])
    alone = after_a_step(learner(weights), pixels[1:], [2])
    assert np.abs(weighted["now/head.0.weight"] - alone["now/head.0.weight"]).max() < 1e-5


def test_a_gradient_that_is_no_number_takes_no_step(weights: Weights, pixels: Array) -> None:
    found = learner(weights)
    before = found.state().arrays
    found.begin_step()
    found.add(np.full_like(pixels, np.nan), np.array([0, 1]), 2, is_last=True)
    assert not found.end_step(1e-3)
    for name, value in found.state().arrays.items():
        assert np.array_equal(value, before[name])


def test_smoothed_labels_are_learned_less_surely(weights: Weights, pixels: Array) -> None:
    sure, unsure = (
        after_a_step(learner(weights, replace(CHOSEN, label_smoothing=share)), pixels, [0, 1]) for share in (0.0, 0.4)
    )
    assert np.abs(sure["first/head.0.bias"]).sum() > np.abs(unsure["first/head.0.bias"]).sum()


def test_a_lost_process_is_said_in_words(weights: Weights, pixels: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    found = learner(weights)
    pair = Group()
    pair.size = 2
    monkeypatch.setattr(found, "_group", pair)

    def gone(*arguments: object) -> None:
        raise RuntimeError(said)

    monkeypatch.setattr(found, "_gradient", gone)
    said = "[gloo/transport/tcp/pair.cc:534] Connection closed by peer"
    with pytest.raises(HostLost, match="Another process of this run is gone"):
        found.add(pixels, np.array([0]), 1, is_last=True)
    said = "something else"
    with pytest.raises(RuntimeError, match="something else"):
        found.add(pixels, np.array([0]), 1, is_last=True)
