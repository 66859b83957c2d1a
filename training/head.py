"""The head: trained on features that are there already, by AdamW under a cosine schedule, the best epoch kept.

Every random choice follows from the seed and the epoch's number, so the same seed gives the same bits in equally many
processes, and a run that goes on from a State ends with the bits of one that was never interrupted.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.adamw import AdamW
from training.blas import one_thread
from training.breeds import FIRST_DOG, LAST_DOG, imagenet_classes, is_breed
from training.checkpoint import State
from training.distributed import ALONE, Group
from training.errors import Diverged, Stopped
from training.graph import Head
from training.network import Array, Loss, Network, Scale, balanced, head_scores
from training.settings import Settings

Targets = NDArray[np.int64]
_ROWS = 256
"""Photos at a time where a whole split is looked at."""


@dataclass(frozen=True)
class Photos:
    """One split: features [N, V, D] of V views of each photo, view 0 being the centre, and class indices [N]."""

    features: Array
    targets: Targets

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy (nats, neither smoothed nor weighted) and the share of photos whose top class is right."""

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Epoch:
    """One pass over the training photos, or number 0: the start itself. `valid` is None without validation photos."""

    number: int
    train: Score
    valid: Score | None


@dataclass(frozen=True)
class Trained:
    """The head of the best epoch, to be applied to raw features, and every epoch's scores.

    `start` is epoch 0, the scores of a warm start before any step; `best` may be it, `history` never holds it.
    """

    head: Head
    history: tuple[Epoch, ...]
    best: Epoch
    start: Epoch | None = None


def train_head(
    train: Photos,
    valid: Photos,
    classes: int,
    settings: Settings,
    *,
    start: Head | None,
    group: Group,
    on_epoch: Callable[[Epoch, Callable[[], State]], None],
    should_stop: Callable[[], bool],
    resume: State | None,
) -> Trained:
    """Train until the last epoch, until `patience` runs out or until `should_stop`.

    The best epoch is the one with the lowest validation loss (without validation photos: the last). `start` is a linear
    head to begin with; a hidden layer takes one only if it has two units for each class. Every process of `group` holds
    the same photos, takes its share of every batch, and gets the same result. `on_epoch` hears of each whole epoch,
    with a function that gives the State to resume from; a stop is heeded between two steps, and what was not a whole
    epoch is dropped. Raises Diverged, and Stopped when there is no whole epoch and no start to keep.
    """
    run = _Run(train, valid, Network(classes, train.features.shape[2], settings.hidden), settings, group)
    # A loss that is no number is found and said, so numpy need not warn.
    with one_thread(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if resume is None:
            run.begin(start)
        else:
            run.restore(resume)
        while not run.is_over and run.epoch(should_stop):
            on_epoch(run.history[-1], _giving(run.state))
    return run.trained()


def _giving(state: State) -> Callable[[], State]:
    return lambda: state


class _Run:
    """A training under way: parameters, moments, the best so far and the epochs behind it."""

    def __init__(self, train: Photos, valid: Photos, network: Network, settings: Settings, group: Group) -> None:
        self._train, self._valid, self._network, self._settings, self._group = train, valid, network, settings, group
        self._weights = balanced(train.targets, network.classes) if settings.class_weights == "balanced" else None
        # What the processes have to agree on travels behind the gradient, so that a step is one message.
        self._sums = np.empty(network.size + 3, np.float32)
        self._steps = math.ceil(len(train) / settings.batch_size)
        self.history: list[Epoch] = []
        self._start: Epoch | None = None
        self._best: Epoch | None = None

    def begin(self, start: Head | None) -> None:
        self._scale = _scale(self._train.features, self._group)
        self._parameters = self._network.fresh(self._settings.seed)
        anchor = None
        if start is not None and not self._network.takes_linear:
            raise ValueError("a hidden layer takes a linear head to begin with only if it has two units for each class")
        if start is not None:
            self._parameters = self._network.of_raw_head(start, self._scale, self._settings.seed)
            anchor = self._parameters.copy()
        moments = np.zeros((2, self._network.size), np.float32)
        self._optimiser = AdamW(self._settings.weight_decay, anchor, moments[0], moments[1])
        if start is not None:
            scores = [score_head(start, photos, self._group) for photos in (self._train, self._valid) if len(photos)]
            if not all(math.isfinite(score.loss) for score in scores):
                raise Diverged(self._diverged(0, 0, self._train.features[:, 0]))
            self._start = self._best = Epoch(0, scores[0], scores[1] if len(scores) > 1 else None)
            self._best_parameters = self._parameters.copy()

    @property
    def is_over(self) -> bool:
        done = len(self.history)
        if done >= self._settings.epochs:
            return True
        waited = done - self._best.number if self._best else 0
        return 0 < self._settings.patience <= waited and len(self._valid) > 0

    def epoch(self, should_stop: Callable[[], bool]) -> bool:
        """One pass; False when it was stopped, and then nothing of it counts."""
        number = len(self.history) + 1
        chance = np.random.default_rng((self._settings.seed, number))
        photos, views = self._train.features.shape[:2]
        order: Targets = np.asarray(chance.permutation(photos))
        seen: Targets = np.asarray(chance.integers(views, size=photos)) if views > 1 else np.zeros(photos, np.int64)
        loss = right = 0.0
        for step in range(self._steps):
            chosen = order[step * self._settings.batch_size : (step + 1) * self._settings.batch_size]
            found = self._step(number, step, chosen, seen[chosen], should_stop())
            if found is None:
                return False
            loss, right = loss + found[0], right + found[1]
        # A last step may have broken what only the next loss would show; an infinite moment would never move again.
        if not all(np.isfinite(array).all() for array in (self._parameters, self._optimiser.second)):
            raise Diverged(self._diverged(number, self._steps, self._train.features[:, 0]))
        valid = None
        if len(self._valid):
            valid = score_head(self._network.raw_head(self._parameters, self._scale), self._valid, self._group)
            if not math.isfinite(valid.loss):
                raise Diverged(self._diverged(number, self._steps, self._valid.features[:, 0]))
        epoch = Epoch(number, Score(loss / photos, right / photos), valid)
        self.history.append(epoch)
        self._keep(epoch)
        return True

    def _keep(self, epoch: Epoch) -> None:
        """Remember the epoch if it is the best, and where the run stands: the next one changes everything in place."""
        optimiser, parameters = self._optimiser, self._parameters.copy()
        if self._best is None or epoch.valid is None or self._best.valid is None:
            is_better = True
        else:
            is_better = epoch.valid.loss < self._best.valid.loss
        if is_better:
            self._best, self._best_parameters = epoch, parameters
        arrays = {
            "parameters": parameters,
            "best": self._best_parameters,
            "first": optimiser.first.copy(),
            "second": optimiser.second.copy(),
            "mean": self._scale.mean,
            "spread": self._scale.spread,
        }
        if optimiser.anchor is not None:
            arrays["anchor"] = optimiser.anchor
        facts = {
            "steps": optimiser.steps,
            "epochs": [_as_row(before) for before in self.history],
            "start": _as_row(self._start) if self._start else None,
            "best": self._best.number if self._best else None,
        }
        self.state = State(arrays, facts)

    def _step(self, number: int, step: int, chosen: Targets, views: Targets, stop: bool) -> tuple[float, float] | None:
        """One step on this process's share of a batch: (sum of losses, right ones) of the batch, None on a stop."""
        mine = slice(self._group.rank, None, self._group.size)
        own, y = chosen[mine], self._train.targets[chosen[mine]]
        sums = self._sums
        x = self._train.features[own, views[mine]]
        loss = Loss(self._settings.label_smoothing, self._weights, len(chosen))
        sums[-3:-1] = self._network.gradient(self._parameters, self._scale.apply(x), y, loss, sums[:-3])
        sums[-1] = stop
        self._group.sum(sums)
        if sums[-1]:
            return None
        value = float(sums[-3])
        if not math.isfinite(value):
            raise Diverged(self._diverged(number, step + 1, self._train.features[chosen, views]))
        done = (number - 1) * self._steps + step
        cosine = 0.5 * (1 + math.cos(math.pi * done / (self._settings.epochs * self._steps)))
        self._optimiser.step(self._parameters, sums[:-3], self._settings.learning_rate * cosine)
        return value, float(sums[-2])

    def _diverged(self, number: int, step: int, features: Array) -> str:
        """The sentence for a loss that is no number; whose fault it is shows in the features [N, D] it came from."""
        where = f"The loss was no number any more in epoch {number}, step {step}"
        if not (np.isfinite(features).all() and np.isfinite(self._scale.mean).all()):
            return (
                f"{where}, because the backbone gave no numbers for a photo: "
                "check its weights, or start again with --engine onnx --cache off."
            )
        return f"{where}: start again with a learning_rate below {self._settings.learning_rate:g}."

    def restore(self, state: State) -> None:
        arrays, facts = state.arrays, state.facts
        self._scale = Scale(arrays["mean"], arrays["spread"])
        anchor = arrays.get("anchor")
        self._optimiser = AdamW(
            self._settings.weight_decay, anchor, arrays["first"].copy(), arrays["second"].copy(), facts["steps"]
        )
        self._parameters, self._best_parameters = arrays["parameters"].copy(), arrays["best"]
        self.history = [_from_row(row) for row in facts["epochs"]]
        self._start = _from_row(facts["start"]) if facts["start"] else None
        known = [*self.history, *([self._start] if self._start else [])]
        self._best = next((epoch for epoch in known if epoch.number == facts["best"]), None)

    def trained(self) -> Trained:
        if self._best is None:
            raise Stopped("The run was stopped before there was a model to keep.")
        head = self._network.raw_head(self._best_parameters, self._scale)
        return Trained(head, tuple(self.history), self._best, self._start)


def _as_row(epoch: Epoch) -> list[float | None]:
    valid = (epoch.valid.loss, epoch.valid.accuracy) if epoch.valid else (None, None)
    return [epoch.number, epoch.train.loss, epoch.train.accuracy, *valid]


def _from_row(row: list[float]) -> Epoch:
    number, loss, accuracy, valid_loss, valid_accuracy = row
    return Epoch(int(number), Score(loss, accuracy), None if valid_loss is None else Score(valid_loss, valid_accuracy))


def score_head(head: Head, photos: Photos, group: Group = ALONE) -> Score:
    """A head's loss and accuracy on the centre view of photos; there has to be at least one.

    The processes of `group` share the work and get the same Score.
    """
    sums = np.zeros(2)
    mine = range(group.rank * _ROWS, len(photos), group.size * _ROWS)
    for rows in (slice(first, first + _ROWS) for first in mine):
        scores, y = head_scores(head, photos.features[rows, 0]), photos.targets[rows]
        sums += Loss(0.0, None, len(photos)).slope(scores, y)
    group.sum(sums)
    return Score(float(sums[0] / len(photos)), float(sums[1] / len(photos)))


def _scale(features: Array, group: Group) -> Scale:
    """Each feature's mean, and what it is divided by: its deviation times √D, so that a step means the same for any D.

    Measured on the centre views [N, V, D]. Features that hardly vary are not blown up: a deviation counts as a tenth of
    the average one at least.
    """
    photos, _, count = features.shape
    blocks = [slice(first, first + _ROWS) for first in range(group.rank * _ROWS, photos, group.size * _ROWS)]
    total = np.zeros(count)
    for rows in blocks:
        total += features[rows, 0].sum(axis=0)
    group.sum(total)
    mean = (total / photos).astype(np.float32)
    total[:] = 0
    for rows in blocks:
        off = features[rows, 0] - mean
        total += np.einsum("nd,nd->d", off, off)
    group.sum(total)
    deviation = np.sqrt(total / photos)
    floor = max(float(deviation.mean()) * 0.1, 1e-6)
    return Scale(mean, (np.maximum(deviation, floor) * math.sqrt(count)).astype(np.float32))


def warm_head(labels: Sequence[str], weight: Array, bias: Array) -> tuple[Head, int]:
    """A head that starts with what ImageNet's own (`weight` [1000, D], `bias` [1000]) knows, and how many labels do.

    A label with an ImageNet class starts as that class. One with several (Poodle has three) starts as their mean, its
    log-odds raised as their probabilities add up. Another breed starts as the average dog, and what is no known breed
    as the average of everything else, so that neither is right or wrong about anything yet.
    """
    dogs = np.arange(FIRST_DOG, LAST_DOG + 1)
    others = np.setdiff1d(np.arange(len(bias)), dogs)
    known = imagenet_classes(labels)
    rows = [found or (dogs if is_breed(label) else others) for found, label in zip(known, labels, strict=True)]
    more = np.array([math.log(len(found)) if found else 0.0 for found in known])
    warm_weight = np.stack([weight[row].mean(axis=0) for row in rows]).astype(np.float32)
    warm_bias = np.array([bias[row].mean() for row in rows]) + more
    return Head(warm_weight, warm_bias.astype(np.float32)), sum(1 for found in known if found)
