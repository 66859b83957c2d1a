"""The head's own gradients and steps, against torch's autograd and torch's AdamW."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from training.adamw import AdamW
from training.graph import Head
from training.network import Array, Loss, Network, Scale, balanced, head_scores

CLASSES, FEATURES, PHOTOS = 7, 24, 50


def photos() -> tuple[Array, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    chance = np.random.default_rng(0)
    targets = chance.integers(CLASSES, size=PHOTOS)
    return chance.normal(size=(PHOTOS, FEATURES)).astype(np.float32), targets.astype(np.int64)


def random_parameters(network: Network) -> Array:
    return np.random.default_rng(1).normal(size=network.size).astype(np.float32)


def torch_scores(network: Network, parameters: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Written from the docstring's words: relu units over √U, then the scores."""
    if not network.hidden:
        weight = parameters[: CLASSES * FEATURES].reshape(CLASSES, FEATURES)
        return functional.linear(x, weight, parameters[CLASSES * FEATURES :])
    first = network.hidden * FEATURES
    weight, bias = parameters[:first].reshape(network.hidden, FEATURES), parameters[first : first + network.hidden]
    units = functional.linear(x, weight, bias).relu() / math.sqrt(network.hidden)
    rest = parameters[first + network.hidden :]
    last = CLASSES * network.hidden
    return functional.linear(units, rest[:last].reshape(CLASSES, network.hidden), rest[last:])


@pytest.mark.parametrize("hidden", [0, 12])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_gradient_is_autograds(hidden: int, smoothing: float, weighted: bool) -> None:
    network, (x, y) = Network(CLASSES, FEATURES, hidden), photos()
    parameters = random_parameters(network)
    weights = balanced(y, CLASSES) if weighted else None
    gradient = np.empty(network.size, np.float32)
    total, right = network.gradient(parameters, x, y, Loss(smoothing, weights, PHOTOS), gradient)

    leaf = torch.from_numpy(parameters).double().requires_grad_(True)
    scores = torch_scores(network, leaf, torch.from_numpy(x).double())
    smoothed = functional.cross_entropy(scores, torch.from_numpy(y), reduction="none", label_smoothing=smoothing)
    share = torch.from_numpy(weights)[torch.from_numpy(y)] if weights is not None else torch.ones(PHOTOS)
    (smoothed * share).mean().backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    assert np.abs(gradient - leaf.grad.numpy()).max() < 1e-6
    assert total / PHOTOS == pytest.approx(functional.cross_entropy(scores, torch.from_numpy(y)).item(), rel=1e-6)
    assert right == int((scores.argmax(dim=1).numpy() == y).sum())


def test_scores_too_large_for_a_float_are_no_number_and_not_silently_right() -> None:
    network, (x, y) = Network(CLASSES, FEATURES, 0), photos()
    parameters = random_parameters(network) * np.float32(1e38)
    with np.errstate(all="ignore"):
        total, _ = network.gradient(parameters, x, y, Loss(0.0, None, PHOTOS), np.empty(network.size, np.float32))
    assert not math.isfinite(total)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_a_step_is_torchs_adamw(decay: float) -> None:
    """100,000 parameters, so that they are updated in more than one block."""
    chance = np.random.default_rng(0)
    start = chance.normal(size=100_000).astype(np.float32)
    ours, theirs = start.copy(), torch.from_numpy(start.copy()).requires_grad_(True)
    optimiser = AdamW(decay, None, np.zeros_like(ours), np.zeros_like(ours))
    reference = torch.optim.AdamW([theirs], lr=0.02, weight_decay=decay)
    for _ in range(20):
        gradient = (chance.normal(size=len(start)) * 1e-3).astype(np.float32)
        theirs.grad = torch.from_numpy(gradient.copy())
        reference.step()
        optimiser.step(ours, gradient, 0.02)
    assert np.abs(ours - theirs.detach().numpy()).max() < 1e-5


def test_decay_towards_an_anchor_is_decay_of_the_difference() -> None:
    chance = np.random.default_rng(0)
    anchor = chance.normal(size=1000).astype(np.float32)
    near, far = anchor + np.float32(0.5), np.full(1000, 0.5, np.float32)
    for parameters, towards in ((near, anchor), (far, None)):
        optimiser = AdamW(0.5, towards, np.zeros(1000, np.float32), np.zeros(1000, np.float32))
        for step in range(5):
            gradient = np.random.default_rng(step).normal(size=1000).astype(np.float32)
            optimiser.step(parameters, gradient, 0.02)
    assert np.abs((near - anchor) - far).max() < 1e-6


def test_a_raw_head_gives_the_scores_of_standardised_features() -> None:
    features = (photos()[0] * np.geomspace(0.01, 10, FEATURES) + 5).astype(np.float32)
    scale = Scale(features.mean(axis=0), features.std(axis=0) * np.float32(math.sqrt(FEATURES)))
    for hidden in (0, 12):
        network = Network(CLASSES, FEATURES, hidden)
        parameters = random_parameters(network)
        expected = torch_scores(network, torch.from_numpy(parameters), torch.from_numpy(scale.apply(features.copy())))
        head = network.raw_head(parameters, scale)
        assert np.abs(head_scores(head, features) - expected.numpy()).max() < 5e-4


@pytest.mark.parametrize("hidden", [0, 2 * CLASSES, 64])
def test_a_linear_head_can_be_begun_with(hidden: int) -> None:
    features = (photos()[0] * np.geomspace(0.1, 10, FEATURES)).astype(np.float32)
    scale = Scale(features.mean(axis=0), features.std(axis=0) * np.float32(math.sqrt(FEATURES)))
    chance = np.random.default_rng(2)
    start = Head(chance.normal(size=(CLASSES, FEATURES)).astype(np.float32), np.arange(CLASSES, dtype=np.float32))
    network = Network(CLASSES, FEATURES, hidden)
    assert network.takes_linear
    head = network.raw_head(network.of_raw_head(start, scale, seed=0), scale)
    expected = features @ start.weight.T + start.bias
    assert np.abs(head_scores(head, features) - expected).max() < 1e-5 * np.abs(expected).max()
    assert not Network(CLASSES, FEATURES, 2 * CLASSES - 1).takes_linear


def test_balanced_weights_make_every_class_count_the_same() -> None:
    targets = np.array([0] * 6 + [1] * 3 + [3], np.int64)
    weights = balanced(targets, 4)
    counted = [weights[targets[targets == k]].sum() for k in (0, 1, 3)]
    assert counted == pytest.approx([10 / 3] * 3)
    assert weights[targets].mean() == pytest.approx(1)
    assert np.isfinite(weights).all()
