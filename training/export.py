"""What a training run leaves behind: the model folder with its card, and the history of its epochs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from training import archive
from training.card import Results
from training.container import Paths
from training.errors import TrainingError
from training.inference import onnx_session
from training.model import model_files, write_model
from training.preprocessing import Array
from training.quantise import quantised

_TOLERANCE = 1e-3
"""How far the exported scores may lie from the trained ones, relative to the largest."""
_ROUGH_TOLERANCE = 2e-2
"""The same where rounding differs: INT8 between one photo a call and several, a GPU's half precision from fp32."""


def export(
    results: Results,
    card: Mapping[str, Any],
    paths: Paths,
    *,
    graph: bytes,
    int8: bytes | None,
    expected: Array,
    wheels: Sequence[Path] = (),
) -> None:
    """Write the model folder, what the page shows of the run, and outside a container model.tar.gz.

    `graph` and `int8` are the model's ONNX files. The one whose numbers the head was trained on has to give the scores
    `expected` [k, C] for the k photos of the table's sample; nothing is written otherwise. Raises TrainingError,
    OSError.
    """
    if results.is_frozen and results.chosen.precision == "int8":
        check(int8 or quantised(graph), results.table.sample, expected, _ROUGH_TOLERANCE)
    else:
        tolerance = _ROUGH_TOLERANCE if results.chosen.uses_torch else _TOLERANCE
        check(graph, results.table.sample, expected, tolerance)
    labels = results.dataset.labels
    write_model(paths.model, graph, labels, card, results.backbone.preprocessing, int8=int8, wheels=wheels)
    if not paths.in_container:
        archive.pack(paths.model, paths.model / "model.tar.gz", model_files(paths.model))
    if paths.output is not None:
        paths.output.mkdir(parents=True, exist_ok=True)
        _write(paths.output / "metrics.json", _history(results, card))
        _write(paths.output / "report.json", results.report.as_dict())


def check(model: bytes, pixels: Array, expected: Array, tolerance: float = _TOLERANCE) -> None:
    """Raise TrainingError unless the ONNX model gives `expected` [k, C] for `pixels` [k, 3, h, w]."""
    exported = onnx_session(model).run(["scores"], {"pixels": pixels})[0]
    difference = float(np.abs(exported - expected).max())
    if not difference <= tolerance * max(1.0, float(np.abs(expected).max())):
        raise TrainingError(
            f"The exported graph does not give the trained scores (they differ by {difference:.3g}): "
            "nothing was written; report this with the versions of torch, onnx and onnxruntime."
        )


def _history(results: Results, card: Mapping[str, Any]) -> dict[str, Any]:
    """Every epoch and every figure; keys as in the card."""
    start = results.trained.start
    return {
        "epochs": [asdict(epoch) for epoch in results.trained.history],
        "start": asdict(start) if start else None,
        "fine_tuning": [asdict(epoch) for epoch in results.tuned],
        **{key: card[key] for key in ("metrics", "calibration", "is_dog", "int8", "warm_start", "evaluation")},
        "labels": results.dataset.labels,
    }


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all, like the model."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
