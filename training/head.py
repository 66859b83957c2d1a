"""The linear head: standardised features, AdamW, a cosine schedule, the best epoch kept."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.errors import Diverged
from training.graph import Head
from training.inference import Array
from training.settings import Settings

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Photos:
    """Features [N, 1280] and class indices [N] of one split."""

    features: Array
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy (nats) and the share of photos whose most likely class is right."""

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Epoch:
    """One pass over the training photos; `valid` is None without validation photos."""

    number: int
    train: Score
    valid: Score | None


@dataclass(frozen=True)
class Trained:
    """The head of the best epoch, to be applied to raw features, and every epoch's scores."""

    head: Head
    history: tuple[Epoch, ...]
    best: Epoch


def train_head(
    train: Photos,
    valid: Photos,
    classes: int,
    settings: Settings,
    on_epoch: Callable[[Epoch], None],
    should_stop: Callable[[], bool],
    device: torch.device,
) -> Trained:
    """Train until the last epoch or until `should_stop`, at least one epoch.

    The best epoch is the one with the lowest validation loss (without validation photos: the last). Weights start at
    zero and only the order of photos is random, so a seed decides everything. Raises Diverged.
    """
    mean, spread = _spread(train.features)
    x, y = _tensors(train, mean, spread, device)
    valid_x, valid_y = _tensors(valid, mean, spread, device)
    weight = torch.zeros(classes, x.shape[1], device=device, requires_grad=True)
    bias = torch.zeros(classes, device=device, requires_grad=True)
    optimiser = _AdamW([weight, bias], settings.weight_decay)
    order = torch.Generator().manual_seed(settings.seed)
    steps_an_epoch = math.ceil(len(train) / settings.batch_size)
    steps = settings.epochs * steps_an_epoch
    history: list[Epoch] = []
    best: tuple[Epoch, Tensor, Tensor] | None = None
    for number in range(1, settings.epochs + 1):
        total = right = 0.0
        shuffled = torch.randperm(len(train), generator=order).to(device)
        for step, chosen in enumerate(torch.split(shuffled, settings.batch_size)):
            done = (number - 1) * steps_an_epoch + step
            learning_rate = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done / steps))
            scores = functional.linear(x[chosen], weight, bias)
            loss = functional.cross_entropy(scores, y[chosen])
            value = loss.item()
            if not math.isfinite(value):
                raise Diverged(
                    f"The loss was no number any more in epoch {number}, step {step + 1}: "
                    f"start again with a learning_rate below {settings.learning_rate:g}."
                )
            optimiser.step(torch.autograd.grad(loss, (weight, bias)), learning_rate)
            total += value * len(chosen)
            right += (scores.argmax(dim=1) == y[chosen]).sum().item()
        scored = _score(valid_x, valid_y, weight, bias) if len(valid) else None
        epoch = Epoch(number, Score(total / len(train), right / len(train)), scored)
        history.append(epoch)
        on_epoch(epoch)
        if best is None or scored is None or best[0].valid is None or scored.loss < best[0].valid.loss:
            best = (epoch, weight.detach().clone(), bias.detach().clone())
        if should_stop():
            break
    assert best is not None  # noqa: S101 - settings have at least one epoch
    return Trained(_raw_head(best[1], best[2], mean, spread), tuple(history), best[0])


class _AdamW:
    """AdamW (Loshchilov and Hutter, arXiv:1711.05101) for a few tensors, with its usual constants.

    torch.optim's own imports torch's whole compiler at its first step, which takes longer than training this head.
    """

    def __init__(self, parameters: Sequence[Tensor], weight_decay: float) -> None:
        self._parameters = parameters
        self._weight_decay = weight_decay
        self._first = [torch.zeros_like(parameter) for parameter in parameters]
        self._second = [torch.zeros_like(parameter) for parameter in parameters]
        self._steps = 0

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], learning_rate: float) -> None:
        self._steps += 1
        first_share, second_share = 1 - 0.9**self._steps, 1 - 0.999**self._steps
        for parameter, gradient, first, second in zip(
            self._parameters, gradients, self._first, self._second, strict=True
        ):
            parameter.mul_(1 - learning_rate * self._weight_decay)
            first.lerp_(gradient, 0.1)
            second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
            root = (second / second_share).sqrt_().add_(1e-8)
            parameter.addcdiv_(first, root, value=-learning_rate / first_share)


def score_head(head: Head, photos: Photos) -> Score:
    """A head's loss and accuracy on photos; there has to be at least one."""
    x, y = torch.from_numpy(photos.features), torch.from_numpy(photos.labels)
    return _score(x, y, torch.from_numpy(head.weight), torch.from_numpy(head.bias))


def _score(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor) -> Score:
    with torch.inference_mode():
        scores = functional.linear(x, weight, bias)
        loss = functional.cross_entropy(scores, y).item()
        return Score(loss, (scores.argmax(dim=1) == y).float().mean().item())


def _spread(features: Array) -> tuple[Array, Array]:
    """Each feature's mean, and what it is divided by: its deviation times √D, so that a step means the same for any D.

    Features that hardly vary are not blown up: a deviation counts as a tenth of the average one at least.
    """
    deviation = features.std(axis=0)
    floor = max(float(deviation.mean()) * 0.1, 1e-6)
    return features.mean(axis=0), np.maximum(deviation, floor) * np.float32(math.sqrt(features.shape[1]))


def _tensors(photos: Photos, mean: Array, spread: Array, device: torch.device) -> tuple[Tensor, Tensor]:
    standard = (photos.features - mean) / spread if len(photos) else np.zeros((0, len(mean)), np.float32)
    return torch.from_numpy(standard).to(device), torch.from_numpy(photos.labels).to(device)


def _raw_head(weight: Tensor, bias: Tensor, mean: Array, spread: Array) -> Head:
    """The same head for features that are not standardised: W/s and b − (W/s)·μ."""
    raw = weight.double().cpu().numpy() / spread
    shifted = bias.double().cpu().numpy() - raw @ mean.astype(np.float64)
    return Head(raw.astype(np.float32), shifted.astype(np.float32))
