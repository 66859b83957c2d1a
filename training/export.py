"""What a training run leaves behind: the model folder with its card, and the history of its epochs."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from training import archive
from training.data import Dataset, Split
from training.errors import TrainingError
from training.feature_table import FeatureTable
from training.graph import build_graph
from training.head import Trained
from training.inference import onnx_session
from training.model import DOG_REASON, DOG_THRESHOLD, MODEL_FILES, make_card, write_model
from training.settings import Paths, Settings
from training.weights import packaged_weights

_DOGS_AMONG_TRAINING = 0.9
"""The dog threshold is only used where this share of the training photos passes it; real dog photos all do."""
_TOLERANCE = 1e-3
"""How far the exported scores may lie from the trained ones, relative to the largest."""


def describe(
    dataset: Dataset,
    features: FeatureTable,
    chosen: Settings,
    trained: Trained,
    tested: Mapping[str, float],
    stopped: bool,
) -> dict[str, Any]:
    """The model's card; `tested` holds the test metrics, `stopped` says that not all epochs were wanted any more."""
    best = trained.best
    figures = {"train:loss": best.train.loss, "train:accuracy": best.train.accuracy}
    if best.valid:
        figures |= {"valid:loss": best.valid.loss, "valid:accuracy": best.valid.accuracy}
    notes = list(dataset.notes)
    if stopped and len(trained.history) < chosen.epochs:
        notes.append(f"stopped on request after {len(trained.history)} of {chosen.epochs} epochs")
    about = {
        "name": dataset.root.name,
        "classes": len(dataset.classes),
        "photos": {str(split): dataset.count(split) for split in Split},
        "unreadable": {
            "count": len(features.unreadable),
            "files": [{"file": bad.file, "reason": bad.reason} for bad in features.unreadable],
        },
        "notes": notes,
    }
    card = make_card(chosen.name or "trained", about, figures | dict(tested), _is_dog(dataset, features))
    return card | {"hyperparameters": asdict(chosen) | {"best_epoch": best.number}}


def _is_dog(dataset: Dataset, features: FeatureTable) -> dict[str, Any]:
    """The dog threshold, or none where the training photos themselves would not pass it (drawings, other animals)."""
    dogs = features.dog[dataset.rows(Split.TRAIN)]
    share = float((dogs >= DOG_THRESHOLD).mean())
    if share < _DOGS_AMONG_TRAINING:
        reason = f"only {share:.0%} of the training photos look like dogs to the backbone, so it cannot tell here"
        return {"threshold": None, "reason": reason}
    return {"threshold": DOG_THRESHOLD, "reason": f"{DOG_REASON}; {share:.0%} of the training photos pass"}


def write(dataset: Dataset, features: FeatureTable, trained: Trained, card: Mapping[str, Any], paths: Paths) -> None:
    """Write the model folder, the history of the run and, outside a container, model.tar.gz.

    Raises TrainingError when the exported graph does not give the scores that were trained.
    """
    graph = build_graph(packaged_weights(), trained.head)
    sample = features.sample
    exported = onnx_session(graph.SerializeToString()).run(["scores"], {"pixels": sample})[0]
    expected = features.values[features.sample_rows, 0] @ trained.head.weight.T + trained.head.bias
    difference = float(np.abs(exported - expected).max())
    if not difference <= _TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise TrainingError(
            f"The exported graph does not give the trained scores (they differ by {difference:.3g}): "
            "nothing was written; report this with the versions of torch, onnx and onnxruntime."
        )
    write_model(paths.model, graph, dataset.labels, card)
    if not paths.in_container:
        archive.pack(paths.model, paths.model / "model.tar.gz", MODEL_FILES)
    if paths.output is not None:
        paths.output.mkdir(parents=True, exist_ok=True)
        history = {"epochs": [asdict(epoch) for epoch in trained.history], "metrics": card["metrics"]}
        (paths.output / "metrics.json").write_text(json.dumps(history, indent=2) + "\n", encoding="utf-8")
