"""Fine-tuning: the last blocks of the backbone, or all of it, learn together with the head, on the photos themselves.

A step takes `batch_size` × `accumulate` photos in small batches whose gradients are added up. Batch norms keep their
statistics, so that a sum of small batches is one large batch, however they are cut and whoever computes them: several
processes give the model of one. Every random choice follows from the seed, the epoch and the photo.
"""

import contextlib
import math
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from training.backbones import Backbone
from training.checkpoint import State
from training.data import Dataset, Split
from training.distributed import Group
from training.errors import Diverged
from training.features import View
from training.graph import Head
from training.head import Epoch, Score
from training.learner import Learner, Targets, named
from training.network import Loss, balanced
from training.photo_stream import PhotoStream, random_view
from training.preprocessing import Array
from training.settings import Settings
from training.torch_engine import default_device
from training.trainable import Precision, Trainable, choose_precision
from training.weights import Weights

_SMALL = 8
"""Photos computed at once on a CPU: about a second's work for ResNet-50, so that a stop is heeded soon."""
_WARM_UP = 0.05
"""The share of all steps in which the learning rate rises to its full height."""


@dataclass(frozen=True)
class FineTuned:
    """The backbone and head of the best epoch; `best` may be number 0: then both are what it started with."""

    weights: Weights
    head: Head
    history: tuple[Epoch, ...]
    best: Epoch
    precision: Precision
    scores: Callable[[Sequence[str]], Array]
    """Files of the data set → scores [N, C] of the best epoch, in float32."""


@dataclass(frozen=True)
class Step:
    """How far it is: `done` of `total` steps."""

    done: int
    total: int


def fine_tune(
    dataset: Dataset,
    backbone: Backbone,
    weights: Weights,
    head: Head,
    settings: Settings,
    *,
    start: Epoch,
    group: Group,
    on_epoch: Callable[[Epoch, Callable[[], State]], None],
    on_step: Callable[[Step, Callable[[], State]], None],
    should_stop: Callable[[], bool],
    resume: State | None,
    threads: int,
    device: torch.device | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> FineTuned:
    """Train what `settings.unfreeze` names and the head, until the last epoch, until `patience` runs out or a stop.

    `start` is the head's best epoch before. The best epoch is the one with the lowest validation loss (without
    validation photos: the last). `on_step` hears of every step, and once more on a stop, with a function that gives the
    State to resume from, until `fine_tune` returns; a stop is heeded within one small batch, and a step that was not
    whole is dropped. Every process of `group` gives the same photos, settings and `resume`, asks `should_stop` at the
    same moments, has to get the same answer from it, and gets the same result. Raises Diverged, BadSettings,
    BadDataset, HostLost.
    """
    device = device or default_device()
    model = Trainable(backbone, weights, head, settings.unfreeze)
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    targets = dataset.targets[dataset.rows(Split.TRAIN)]
    class_weights = balanced(targets, len(dataset.classes)) if settings.class_weights == "balanced" else None
    small = settings.batch_size if device.type == "cuda" else min(_SMALL, settings.batch_size)
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="photos") as pool:
        stream = PhotoStream(dataset.root, backbone.preprocessing, pool)
        # Measured before the processes are tied together: each computes on its own here.
        precision = None
        if resume is None:
            precision = choose_precision(model, settings.amp, device, backbone.input_size, small, clock)
        learner = Learner(model, settings, class_weights, group, device)
        run = _Run(dataset, learner, model, stream, settings, group, small, should_stop)
        if resume is not None:
            run.restore(resume)
        elif precision is not None:
            run.begin(start, precision)
        while not run.is_over and run.epoch(on_step):
            on_epoch(run.history[-1], run.state)
    model.put(run.best_arrays)

    def scores(files: Sequence[str]) -> Array:
        batches = [files[first : first + _SMALL] for first in range(0, len(files), _SMALL)]
        with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="photos") as photos:
            pixels = PhotoStream(dataset.root, backbone.preprocessing, photos).batches(
                [[(file, View()) for file in batch] for batch in batches]
            )
            found = [learner.scores(batch) for batch in pixels]
        return np.concatenate(found) if found else np.zeros((0, len(dataset.classes)), np.float32)

    # What never got better is given back as it was, with ImageNet's classifier, which a changed backbone loses.
    best = model.tuned() if run.best.number else (weights, head)
    return FineTuned(*best, tuple(run.history), run.best, learner.precision, scores)


class _Run:
    """A fine-tuning under way: the order of the photos, how far the epoch is, and the best so far."""

    def __init__(
        self,
        dataset: Dataset,
        learner: Learner,
        model: Trainable,
        stream: PhotoStream,
        settings: Settings,
        group: Group,
        small: int,
        should_stop: Callable[[], bool],
    ) -> None:
        self._dataset, self._learner, self._model, self._stream = dataset, learner, model, stream
        self._settings, self._group, self._small = settings, group, small
        self._should_stop = should_stop
        self._photos, self._valid = dataset.count(Split.TRAIN), dataset.count(Split.VALID)
        self._batch = settings.batch_size * settings.accumulate
        self._steps = math.ceil(self._photos / self._batch)
        self.history: list[Epoch] = []
        self._step = 0
        self._sums = np.zeros(2)

    def begin(self, start: Epoch, precision: Precision) -> None:
        # All processes take what the first one measured.
        chosen = np.array([list(Precision).index(precision) if self._group.is_first else 0], np.int64)
        self._group.sum(chosen)
        self._learner.use(list(Precision)[int(chosen[0])])
        self.best_arrays = self._model.arrays()
        valid = self._score_valid()
        if valid is not None and not math.isfinite(valid.loss):
            raise Diverged(
                "The scores are no numbers before fine-tuning has changed anything: check the backbone's weights, or "
                "train the head with a smaller learning_rate."
            )
        self._start = self.best = Epoch(0, start.train, valid or start.valid)

    @property
    def is_over(self) -> bool:
        done = len(self.history)
        is_tired = 0 < self._settings.patience <= done - self.best.number and self._valid > 0
        return is_tired or done >= self._settings.fine_tune_epochs

    def epoch(self, on_step: Callable[[Step, Callable[[], State]], None]) -> bool:
        """The rest of one pass; False when it was stopped."""
        number = len(self.history) + 1
        total = self._steps * self._settings.fine_tune_epochs
        order = np.random.default_rng((self._settings.seed, number)).permutation(self._photos)
        plan = [self._share(order, step) for step in range(self._step, self._steps)]
        with contextlib.closing(
            self._stream.batches([self._photos_of(number, rows) for share in plan for rows in share])
        ) as pixels:
            for share in plan:
                done = (number - 1) * self._steps + self._step
                if not self._take_step(number, share, pixels, done / total):
                    on_step(Step(done, total), self.state)
                    return False
                self._step += 1
                on_step(Step(done + 1, total), self.state)
        valid = self._score_valid()
        if valid is None and self._valid:
            on_step(Step(number * self._steps, total), self.state)
            return False
        if valid is not None and not math.isfinite(valid.loss):
            raise Diverged(self._diverged(number))
        loss, right = self._sums / self._photos
        self._keep(Epoch(number, Score(float(loss), float(right)), valid))
        return True

    def _keep(self, epoch: Epoch) -> None:
        self.history.append(epoch)
        self._step, self._sums = 0, np.zeros(2)
        if epoch.valid is None or self.best.valid is None or epoch.valid.loss < self.best.valid.loss:
            self.best, self.best_arrays = epoch, self._model.arrays()

    def _share(self, order: Targets, step: int) -> list[Targets]:
        """This process's rows of a step, in small batches; every process gets as many, some perhaps empty."""
        rows = order[step * self._batch : (step + 1) * self._batch]
        largest = math.ceil(len(rows) / self._group.size)
        own = rows[self._group.rank :: self._group.size]
        return [own[start : start + self._small] for start in range(0, largest, self._small)]

    def _photos_of(self, epoch: int, rows: Targets) -> list[tuple[str, View]]:
        """A small batch's photos. Without any it is one that does not count: the others wait for its gradient."""
        # Training photos come first in the data set.
        own = [(self._dataset.files[row], random_view(self._settings.seed, epoch, int(row))) for row in rows]
        return own or [(self._dataset.files[0], View())]

    def _take_step(
        self, number: int, share: list[Targets], pixels: Generator[Array, None, None], progress: float
    ) -> bool:
        """One step of the optimiser; False when it was stopped before its end, and then nothing has changed."""
        photos = min(self._batch, self._photos - self._step * self._batch)
        found = np.zeros(2)
        self._learner.begin_step()
        for position, rows in enumerate(share):
            if self._should_stop():
                return False
            is_last = position + 1 == len(share)
            found += self._learner.add(next(pixels), self._dataset.targets[rows], photos, is_last)
        self._group.sum(found)
        rising = min(1.0, (progress * self._steps * self._settings.fine_tune_epochs + 1) / self._warm_up_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * progress))
        rate = self._settings.fine_tune_learning_rate * rising * cosine
        if not (np.isfinite(found).all() and self._learner.end_step(rate)):
            raise Diverged(self._diverged(number))
        self._sums = self._sums + found
        return True

    @property
    def _warm_up_steps(self) -> float:
        return max(1.0, _WARM_UP * self._steps * self._settings.fine_tune_epochs)

    def _score_valid(self) -> Score | None:
        """The validation photos' score, None without any or on a stop. Shared by the processes."""
        if not self._valid:
            return None
        first = self._dataset.rows(Split.VALID).start
        every = np.arange(first, first + self._valid)
        found = np.zeros(2)
        batches = [every[start : start + self._small] for start in range(0, self._valid, self._small)]
        rounds = math.ceil(len(batches) / self._group.size)
        own = batches[self._group.rank :: self._group.size]
        photos = [[(self._dataset.files[row], View()) for row in batch] for batch in own]
        with contextlib.closing(self._stream.batches(photos)) as pixels:
            for turn in range(rounds):
                if self._should_stop():
                    return None
                if turn < len(own):
                    scores, targets = self._learner.scores(next(pixels)), self._dataset.targets[own[turn]]
                    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # found and said by the caller
                        found += Loss(0.0, None, self._valid).slope(scores, targets)
        self._group.sum(found)
        return Score(float(found[0] / self._valid), float(found[1] / self._valid))

    def _diverged(self, number: int) -> str:
        return (
            f"The loss was no number any more in fine-tuning epoch {number}, step {min(self._step + 1, self._steps)}: "
            f"start again with a fine_tune_learning_rate below {self._settings.fine_tune_learning_rate:g}."
        )

    def state(self) -> State:
        """Where it stands after the last whole step."""
        learner = self._learner.state()
        best = {f"best/{name}": value for name, value in self.best_arrays.items()}
        facts = {
            "epochs": [_as_row(epoch) for epoch in (self._start, *self.history)],
            "best": self.best.number,
            "step": self._step,
            "sums": self._sums.tolist(),
        }
        return State({**learner.arrays, **best}, {**learner.facts, **facts})

    def restore(self, state: State) -> None:
        facts = state.facts
        self._learner.restore(state)
        self.best_arrays = named("best/", state.arrays)
        self._start, *self.history = [_from_row(row) for row in facts["epochs"]]
        self.best = next(epoch for epoch in (self._start, *self.history) if epoch.number == facts["best"])
        self._step, self._sums = facts["step"], np.array(facts["sums"])


def _as_row(epoch: Epoch) -> list[float | None]:
    valid = (epoch.valid.loss, epoch.valid.accuracy) if epoch.valid else (None, None)
    return [epoch.number, epoch.train.loss, epoch.train.accuracy, *valid]


def _from_row(row: Sequence[Any]) -> Epoch:
    number, loss, accuracy, valid_loss, valid_accuracy = row
    valid = None if valid_loss is None else Score(valid_loss, valid_accuracy)
    return Epoch(int(number), Score(loss, accuracy), valid)
