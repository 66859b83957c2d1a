"""A model folder at work: labels, preprocessing, card and a network that ONNX Runtime runs.

This file also travels inside model archives; it needs numpy and onnxruntime, never torch.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

if __package__:
    from training.preprocessing import Array, Preprocessing
else:  # in a model archive, where preprocessing.py lies beside this file
    from preprocessing import Array, Preprocessing  # type: ignore[import-not-found,no-redef,unused-ignore]

FIRST_DOG, LAST_DOG = 151, 268
"""ImageNet's dog classes, both ends included."""
TOP = 5
COLDEST, HOTTEST = 0.01, 100.0
"""Temperatures of a card: wider than calibration finds any (0.05 to 20), and far from what overflows in float32."""
PRECISIONS = {"fp32": "model.onnx", "int8": "model.int8.onnx"}
"""The graphs that a model folder may hold; the first is always there."""


class BadModel(Exception):  # noqa: N818 - the name says what it is
    """A model folder that cannot be served. `str()` is a sentence that says which file is wrong, and how."""


@dataclass(frozen=True)
class Outputs:
    """What a model says about N photos.

    `scores` [N, C] are log-odds, `imagenet` [N, 1000] the frozen backbone's own logits (None where it has none any
    more), `maps` [N, C, h, w] where the scores come from: their mean over the places is the score (None for heads with
    a hidden layer).
    """

    scores: Array
    imagenet: Array | None = None
    maps: Array | None = None


@dataclass(frozen=True)
class Prediction:
    """The answer for one photo; `breeds` holds the most likely first."""

    breeds: tuple[tuple[str, float], ...]
    is_dog: bool | None
    dog_probability: float | None
    scores: Array
    heat: Array | None = None
    """Where the first breed's score comes from: [h, w], or None where the model cannot tell."""


class Model:
    """A model folder, loaded: labels, preprocessing, card and a way to run the network."""

    def __init__(
        self,
        labels: Sequence[str],
        preprocessing: Preprocessing,
        card: Mapping[str, Any],
        run: Callable[[Array], Outputs],
        precision: str = "fp32",
    ) -> None:
        self.labels = tuple(labels)
        self.preprocessing = preprocessing
        self.card = card
        self.run = run
        self.precision = precision

    @property
    def name(self) -> str:
        # Half a surrogate pair, which JSON may hold as an escape, cannot be sent as UTF-8.
        return str(self.card.get("name", "model")).encode(errors="replace").decode()

    @property
    def dog_threshold(self) -> float | None:
        """The dog probability from which a photo counts as a dog; None where the card says that it cannot be told."""
        threshold = self.card.get("is_dog", {}).get("threshold")
        return None if threshold is None else float(threshold)

    @property
    def temperature(self) -> float:
        """What the scores are divided by before they become probabilities: the card's calibration, else 1."""
        return float(self.card.get("calibration", {}).get("temperature") or 1.0)

    def predict(self, pixels: Array, top: int = TOP) -> list[Prediction]:
        """One prediction for each of the pixels [N, 3, crop, crop]."""
        outputs = self.run(pixels)
        probabilities = softmax(outputs.scores / np.float32(self.temperature))
        dogs = None if outputs.imagenet is None else dog_probability(outputs.imagenet)
        threshold = self.dog_threshold
        answers = []
        for n, (scores, shares) in enumerate(zip(outputs.scores, probabilities, strict=True)):
            order = np.argsort(-shares, kind="stable")[:top]
            breeds = tuple((self.labels[k], float(shares[k])) for k in order)
            dog = None if dogs is None else float(dogs[n])
            is_dog = None if threshold is None or dog is None else dog >= threshold
            # Copied, because a view would keep the maps of every other class and photo in memory.
            heat = None if outputs.maps is None else outputs.maps[n, order[0]].copy()
            answers.append(Prediction(breeds, is_dog, dog, scores, heat))
        return answers


def softmax(logits: Array) -> Array:
    """Probabilities along the last axis."""
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True), dtype=np.float32)


def dog_probability(imagenet: Array) -> Array:
    """How much of ImageNet's probability lies on its 118 dog classes: [N, 1000] logits → [N] in 0..1."""
    return np.asarray(softmax(imagenet)[:, FIRST_DOG : LAST_DOG + 1].sum(axis=1), dtype=np.float32)


def onnx_session(model: Path | bytes, threads: int | None = None, spinning: bool = True) -> Any:
    """An ONNX Runtime session on the CPU with `threads` threads an inference (default: one for each core).

    Spinning threads wait for their next piece of work at full speed: a quarter faster alone, but they take the cores
    from whatever else this machine does between two requests.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spinning else "0")
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def load_model(
    directory: Path, threads: int | None = None, spinning: bool = True, precision: str | None = None
) -> Model:
    """Load a model folder: model.onnx (or model.int8.onnx), labels.json, preprocessing.json, card.json.

    `threads` and `spinning` are those of onnx_session. `precision` is "fp32" or "int8"; None takes KENNEL_PRECISION,
    and where that is not set INT8 if the card says that it agrees with fp32 well enough. Raises BadModel.
    """
    labels = _read_json(directory / "labels.json").get("labels")
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise BadModel(f"{directory / 'labels.json'} holds no list of labels: export the model again.")
    try:
        preprocessing = Preprocessing.of(_read_json(directory / "preprocessing.json"))
    except (TypeError, ValueError) as error:
        raise BadModel(f"{directory / 'preprocessing.json'} is not understood ({error}): export it again.") from error
    card = _read_json(directory / "card.json")
    _check_card(card, directory / "card.json")
    precision = precision or os.environ.get("KENNEL_PRECISION") or ("int8" if card["int8"]["default"] else "fp32")
    if precision not in PRECISIONS:
        raise BadModel(f"KENNEL_PRECISION is {precision!r}: it is fp32 or int8, or not set at all.")
    file = PRECISIONS[precision]
    if not (directory / file).is_file():
        other = "it is served in fp32 only, so ask for fp32." if precision == "int8" else "export the model again."
        raise BadModel(f"{directory} holds no {file} for {precision}: {other}")
    try:
        session = onnx_session(directory / file, threads, spinning)
        shapes = {output.name: output.shape for output in session.get_outputs()}
        classes, side = shapes["scores"][1], session.get_inputs()[0].shape[2]
    # onnxruntime's own errors are direct children of Exception, one class for each kind of damage.
    except Exception as error:
        raise BadModel(f"{directory / file} cannot be loaded: {error}") from error
    if classes != len(labels):
        raise BadModel(f"{file} has {classes} scores but labels.json names {len(labels)}: export the model again.")
    if isinstance(side, int) and side != preprocessing.crop:
        raise BadModel(
            f"{file} takes {side} pixels but preprocessing.json cuts out {preprocessing.crop}: export the model again."
        )
    wanted = [name for name in ("scores", "imagenet", "maps") if name in shapes]

    def run(pixels: Array) -> Outputs:
        return Outputs(**dict(zip(wanted, session.run(wanted, {"pixels": pixels}), strict=True)))

    return Model(labels, preprocessing, card, run, precision)


def _check_card(card: dict[str, Any], path: Path) -> None:
    """Fill in what older cards leave out. Raises BadModel for what would only fail later, at the first photo."""
    for name in ("is_dog", "calibration", "int8"):
        card[name] = {} if card.get(name) is None else card[name]
        if not isinstance(card[name], dict):
            raise BadModel(f"{path} says nothing about {name} that can be read: export the model again.")
    threshold, temperature = card["is_dog"].get("threshold"), card["calibration"].get("temperature")
    if threshold is not None and not _is_number(threshold):
        raise BadModel(f"{path} has a dog threshold that is no number ({threshold!r}): export the model again.")
    if temperature is not None and not (_is_number(temperature) and COLDEST <= temperature <= HOTTEST):
        raise BadModel(
            f"{path} has a temperature that is no number from {COLDEST:g} to {HOTTEST:g} ({temperature!r}): "
            "export the model again."
        )
    if not isinstance(card["int8"].setdefault("default", False), bool):
        raise BadModel(f"{path} does not say with true or false whether INT8 is the default: export the model again.")


def _is_number(value: object) -> bool:
    # Compared, because math.isfinite raises OverflowError for a whole number that no float holds.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadModel(f"{path} cannot be read ({error.strerror or error}): this is no complete model.") from error
    except ValueError as error:
        raise BadModel(f"{path} is not JSON ({error}): export the model again.") from error
    if not isinstance(found, dict):
        raise BadModel(f"{path} is not a JSON object: export the model again.")
    return found
