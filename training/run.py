"""The steps of a training run, from the photos to the model.

Every photo goes through the backbone once (or comes from the cache), a head learns on those features, then, if it was
asked for, the backbone learns too. The best of it is judged and exported. With several processes each works on its
share; all of them know the result, and the first one writes it.
"""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from training import backbones
from training.cache import FeatureCache
from training.checkpoint import Checkpoints, State
from training.container import Paths
from training.data import Dataset, Split, scan, without
from training.distributed import Group
from training.engines import build_engine
from training.errors import BadDataset
from training.features import Engine, FeatureTable, cache_key, extract_features
from training.head import Epoch, Photos, Trained, train_head, warm_head
from training.metrics import Stage, epoch_line, test_lines
from training.preprocessing import Array, Preprocessing
from training.reporting import Reporter
from training.settings import Settings
from training.stopping import Stop

_NEVER_DECISIVE = ("name", "num_workers", "processes", "cache", "checkpoint_seconds", "wheels", "int8")
"""Settings that a run may be resumed with another value of."""
_POLL_SECONDS = 0.5
"""How often a process asks whether another one was told to stop."""

ImageNet = tuple[Array, Array]
"""Weight [1000, D] and bias [1000] of ImageNet's own head."""


@dataclass(frozen=True)
class Surroundings:
    """What every step of a run needs besides its data."""

    chosen: Settings
    paths: Paths
    group: Group
    stop: Stop
    reporter: Reporter
    threads: int
    clock: Callable[[], float] = time.monotonic


def train(here: Surroundings) -> None:
    """Run the training and write the model folder. Raises TrainingError, OSError."""
    chosen, group, reporter = here.chosen, here.group, here.reporter
    # What can be refused without looking at a photo comes first.
    backbone = backbones.get(chosen.backbone)
    weights = backbones.load_weights(backbone, chosen.weights, here.paths.downloads)
    dataset = _scan(here)
    if group.is_first:
        here.paths.model.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=here.paths.model):
            pass  # a folder that cannot be written to is better found before the work than after it
    engine = build_engine(backbone, weights, chosen.engine, chosen.precision)
    table = _features(dataset, engine, backbone.preprocessing, here)
    dataset, kept = without(dataset, table.readable)
    table.keep(kept)
    for note in dataset.notes:
        reporter.say(f"note: {note}")
    checkpoints = Checkpoints(here.paths.checkpoints, _fingerprint(dataset, table, engine, chosen), reporter.say)
    trained = _head(dataset, table, backbones.imagenet_head(backbone, weights), checkpoints, here)
    _export(dataset, table, trained, here)


def _scan(here: Surroundings) -> Dataset:
    """Get hold of the photos, and see which there are; every process has to see the same ones."""
    here.reporter.begin(Stage.SCAN, 1, "folders")
    dataset = scan(_resolved(here), here.chosen.seed)
    names = hashlib.sha256("\n".join(dataset.files).encode("utf-8", "surrogateescape")).digest()[:8]
    mine = np.frombuffer(names, np.uint8).astype(np.int64)
    total = mine.copy()
    here.group.sum(total)
    if here.group.any(bool((total != mine * here.group.size).any())):
        raise BadDataset(
            "The hosts of this run hold different photos: give each of them all photos "
            "(S3DataDistributionType FullyReplicated), the work is shared out here."
        )
    counts = ", ".join(f"{split} {dataset.count(split)}" for split in Split)
    here.reporter.say(f"{len(dataset.classes)} classes, {len(dataset.files)} photos in {here.paths.source}: {counts}")
    return dataset


def _resolved(here: Surroundings) -> Path:
    return Path(here.paths.source)


def _features(dataset: Dataset, engine: Engine, preprocessing: Preprocessing, here: Surroundings) -> FeatureTable:
    """Every photo's features, in every process; each works on its share of the photos."""
    chosen, group, reporter = here.chosen, here.group, here.reporter
    reporter.begin(Stage.FEATURES, len(dataset.files), "photos")
    polled = here.clock()

    def on_photos(done: int) -> None:
        nonlocal polled
        reporter.reached(Stage.FEATURES, min(done * group.size, len(dataset.files)), len(dataset.files), "photos")
        if here.stop.requested:
            group.tell_stop()
        elif here.clock() - polled >= _POLL_SECONDS:
            polled = here.clock()
            if group.heard_stop():
                here.stop.request()
        here.stop.check()

    key = cache_key(engine, preprocessing, chosen.views)
    with FeatureCache(here.paths.caches, key, flush_seconds=chosen.checkpoint_seconds) as cache:
        table = extract_features(
            dataset.root,
            dataset.files,
            engine,
            preprocessing,
            views=chosen.views,
            threads=here.threads,
            on_photos=on_photos,
            cache=cache,
            shard=(group.rank, group.size),
        )
    for note in cache.notes:
        reporter.say(f"note: {note}")
    table.gather(group)
    for bad in table.unreadable:
        reporter.say(f"skipped {bad.file}: {bad.reason}")
    if table.from_cache:
        reporter.say(f"{table.from_cache} of {len(table)} photos' features came from the cache of an earlier run")
    return table


def _fingerprint(dataset: Dataset, table: FeatureTable, engine: Engine, chosen: Settings) -> str:
    """Names everything that decides what the run ends with."""
    decisive = {name: value for name, value in asdict(chosen).items() if name not in _NEVER_DECISIVE}
    found = hashlib.sha256(json.dumps([decisive, engine.key, dataset.classes], sort_keys=True).encode())
    for array in (dataset.targets, table.digests, np.array(list(dataset.counts.values()))):
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _head(
    dataset: Dataset, table: FeatureTable, imagenet: ImageNet | None, checkpoints: Checkpoints, here: Surroundings
) -> Trained:
    chosen, reporter = here.chosen, here.reporter
    start = None
    if chosen.warm_start and imagenet is not None and not chosen.hidden:
        start, matched = warm_head(dataset.labels, *imagenet)
        reporter.say(f"{matched} of {len(dataset.labels)} labels start from ImageNet's own weights")
    resume = checkpoints.load_together(Stage.HEAD, here.group)
    saver = Saver(checkpoints, Stage.HEAD, here)
    if resume:
        reporter.say(f"goes on from the checkpoint, after epoch {len(resume.facts['epochs'])}")

    def on_epoch(epoch: Epoch, state: Callable[[], State]) -> None:
        reporter.say(_epoch_line(epoch, 0, chosen.epochs))
        reporter.reached(Stage.HEAD, epoch.number, chosen.epochs, "epochs")
        saver.heard(state)

    here.stop.check()
    reporter.begin(Stage.HEAD, chosen.epochs, "epochs")
    try:
        trained = train_head(
            _photos(dataset, table, Split.TRAIN),
            _photos(dataset, table, Split.VALID),
            len(dataset.classes),
            chosen,
            start=start,
            group=here.group,
            on_epoch=on_epoch,
            should_stop=lambda: here.stop.requested,
            resume=resume,
        )
    finally:
        saver.save()
    if len(trained.history) < chosen.epochs:
        why = "stopped" if here.stop.requested else "no better for a while: ended"
        reporter.say(f"{why} after epoch {len(trained.history)}: epoch {trained.best.number}, the best so far, is kept")
    return trained


def _photos(dataset: Dataset, table: FeatureTable, split: Split) -> Photos:
    rows = dataset.rows(split)
    return Photos(table.values[rows], dataset.targets[rows])


def _epoch_line(epoch: Epoch, before: int, more: int) -> str:
    valid = (epoch.valid.loss, epoch.valid.accuracy) if epoch.valid else None
    return epoch_line(before + epoch.number, before + more, (epoch.train.loss, epoch.train.accuracy), valid)


class Saver:
    """Keeps the newest state, and saves it at intervals and at the end; the first process does."""

    def __init__(self, checkpoints: Checkpoints, name: str, here: Surroundings) -> None:
        self._checkpoints, self._name, self._here = checkpoints, name, here
        self._newest: Callable[[], State] | None = None
        self._saved = here.clock()

    def heard(self, state: Callable[[], State]) -> None:
        self._newest = state
        if self._here.clock() - self._saved >= self._here.chosen.checkpoint_seconds:
            self.save()

    def save(self) -> None:
        """Save what was not saved yet."""
        if self._newest is not None and self._here.group.is_first:
            self._checkpoints.save(self._name, self._newest())
        self._newest = None
        self._saved = self._here.clock()


def _export(dataset: Dataset, table: FeatureTable, trained: Trained, here: Surroundings) -> None:
    from training import export
    from training.head import score_head

    if not here.group.is_first:
        return
    tested = {}
    photos = _photos(dataset, table, Split.TEST)
    if len(photos):
        here.reporter.begin(Stage.TEST, len(photos), "photos")
        score = score_head(trained.head, photos)
        for line in test_lines(score.loss, score.accuracy):
            here.reporter.say(line)
        tested = {"test:loss": score.loss, "test:accuracy": score.accuracy}
    here.reporter.begin(Stage.EXPORT, 1, "models")
    card = export.describe(dataset, table, here.chosen, trained, tested, here.stop.requested)
    export.write(dataset, table, trained, card, here.paths)
    here.reporter.reached(Stage.EXPORT, 1, 1, "models")
    here.reporter.say(f"model written to {here.paths.model}")
