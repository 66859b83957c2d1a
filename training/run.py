"""A training run, from the photos to the model.

Every photo goes through the backbone once (or comes from the cache), a head learns on those features, then, if it was
asked for, the backbone learns too. The best of it is judged and exported. With several processes each works on its
share; all of them know the result, and the first one writes it.
"""

import hashlib
import json
import tempfile
from dataclasses import asdict, replace

import numpy as np

from training import backbones, report
from training.backbones import Backbone
from training.checkpoint import Checkpoints
from training.data import Dataset, without
from training.engines import build_engine
from training.feature_table import FeatureTable
from training.features import take_sample
from training.graph import Head
from training.head import warm_head
from training.intake import compute_features, find_photos
from training.judging import Learnt, finish, frozen, wheels
from training.learning import fine_tune_backbone, learn_head
from training.network import Network
from training.preprocessing import Array
from training.settings import Settings, without_effect
from training.surroundings import Surroundings
from training.weights import Weights

_NEVER_DECISIVE = ("name", "num_workers", "processes", "cache", "checkpoint_seconds", "wheels", "int8")
"""Settings that a run may be resumed with another value of."""


def train(here: Surroundings) -> None:
    """Run the training and write the model folder. Raises TrainingError, OSError."""
    chosen, reporter = here.chosen, here.reporter
    if idle := without_effect(chosen):
        reporter.say(f"note: without unfreeze there is no fine-tuning, so this has no effect: {', '.join(idle)}")
    # What can be refused without looking at a photo comes first.
    backbone = backbones.get(chosen.backbone)
    weights = backbones.load_weights(backbone, chosen.weights, here.paths.downloads)
    engine = build_engine(backbone, weights, chosen.engine, chosen.precision)
    wheels(chosen.wheels)
    if not chosen.is_frozen:
        _require_blocks(backbone, weights, chosen)
    if here.is_first:
        _require_writable(here)
    dataset = find_photos(here)
    table, shares = compute_features(dataset, engine, backbone.preprocessing, here)
    dataset, kept = without(dataset, table.readable)
    table.keep(kept)
    if here.is_first and not len(table.sample):  # of this process's own share no photo is left
        take_sample(table, dataset.root, dataset.files, range(len(dataset.files)), backbone.preprocessing)
    findings = report.build(dataset, table.digests, table.hashes, table.sizes, table.unreadable)
    for line in findings.lines():
        reporter.say(line)
    checkpoints = Checkpoints(here.paths.checkpoints, _fingerprint(dataset, table, engine.key, chosen), reporter.say)
    start, warm = _warm_start(dataset, backbones.imagenet_head(backbone, weights), here)
    trained = learn_head(dataset, table, start, checkpoints, here)
    learnt = frozen(weights, trained.head, table)
    if not chosen.is_frozen and not here.agreed_to_stop():
        tuned = fine_tune_backbone(dataset, backbone, weights, trained, checkpoints, here)
        if tuned.best.number:
            learnt = Learnt(
                tuned.weights,
                tuned.head,
                lambda rows: tuned.scores([dataset.files[row] for row in rows]),
                tuned.history,
                tuned.best,
            )
        else:  # it never got better: the model is the one before, of a frozen backbone
            learnt = replace(learnt, fine_tuned=tuned.history)
    if here.is_first:
        finish(dataset, table, findings, backbone, trained, learnt, warm, shares.as_dict(), here)


def _require_writable(here: Surroundings) -> None:
    """A folder that cannot be written to is better found before the work than after it. Raises OSError."""
    here.paths.model.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=here.paths.model):
        pass


def _require_blocks(backbone: Backbone, weights: Weights, chosen: Settings) -> None:
    """Raises BadSettings when the backbone has fewer blocks than are to learn. Imports torch."""
    from training.backbone import load_network
    from training.trainable import unfrozen

    names = [name for name, _ in load_network(backbone, weights).named_parameters()]
    unfrozen(backbone, names, chosen.unfreeze)


def _fingerprint(dataset: Dataset, table: FeatureTable, engine: str, chosen: Settings) -> str:
    """Names everything that decides what the run ends with."""
    decisive = {name: value for name, value in asdict(chosen).items() if name not in _NEVER_DECISIVE}
    found = hashlib.sha256(json.dumps([decisive, engine, dataset.classes], sort_keys=True).encode())
    for array in (dataset.targets, table.digests, np.array(list(dataset.counts.values()))):
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _warm_start(
    dataset: Dataset, imagenet: tuple[Array, Array] | None, here: Surroundings
) -> tuple[Head | None, int | None]:
    """The head to begin with, and how many labels ImageNet knows; None for a cold start."""
    if not here.chosen.warm_start or imagenet is None:
        return None, None
    if not Network(len(dataset.classes), imagenet[0].shape[1], here.chosen.hidden).takes_linear:
        here.reporter.say(
            f"note: the head starts cold: {here.chosen.hidden} hidden units cannot take over ImageNet's own weights "
            f"for {len(dataset.classes)} classes, which need {2 * len(dataset.classes)}"
        )
        return None, None
    start, matched = warm_head(dataset.labels, *imagenet)
    here.reporter.say(f"{matched} of {len(dataset.labels)} labels start from ImageNet's own weights")
    return start, matched
