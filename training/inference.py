"""From photo bytes to breeds with a model folder: the same code in the serving process, in predict and in AWS.

This file is shipped inside every model archive as code/inference.py, beside images.py, and holds the four functions
that AWS's PyTorch inference image looks for: model_fn, input_fn, predict_fn and output_fn. It needs Pillow, numpy and
onnxruntime, never torch.
"""

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

if __package__:
    from training.images import load_photo
else:  # in a model archive, where images.py lies beside this file
    from images import load_photo  # type: ignore[import-not-found,no-redef,unused-ignore]

FIRST_DOG, LAST_DOG = 151, 268
"""ImageNet's dog classes, both ends included."""
TOP = 5
LARGEST_SIDE = 4096
"""Pixels that a model's preprocessing may ask for."""
JSON = "application/json"
BREEDS_PROFILE = "application/json; profile=breeds"

Array = NDArray[np.float32]


class BadModel(Exception):  # noqa: N818 - the name says what it is
    """A model folder that cannot be served. `str()` is a sentence that says which file is wrong, and how."""


class UnsupportedContent(Exception):  # noqa: N818
    """A request in a form that is not spoken here. `str()` is a sentence that names the forms that are."""


@dataclass(frozen=True)
class Preprocessing:
    """How a photo becomes the model's input: short side, centre crop, (value − mean) / scale."""

    short_side: int = 256
    crop: int = 224
    mean: float = 127.0
    scale: float = 128.0

    def check(self) -> None:
        """Raises TypeError or ValueError when no photo could be prepared like this."""
        if not (isinstance(self.crop, int) and isinstance(self.short_side, int)):
            raise TypeError("pixels come in whole numbers")
        if not 1 <= self.crop <= self.short_side <= LARGEST_SIDE:
            raise ValueError(f"crop {self.crop} and short side {self.short_side} do not fit")
        if not (math.isfinite(self.mean) and math.isfinite(self.scale) and self.scale):
            raise ValueError(f"mean {self.mean} and scale {self.scale} are of no use")

    def pixels(self, photo: Image.Image) -> Array:
        """An RGB photo as [3, crop, crop]. Only the crop is resampled, so the photo's shape costs nothing."""
        width, height = photo.size
        factor = self.short_side / min(width, height)
        wide, tall = max(round(width * factor), self.crop), max(round(height * factor), self.crop)
        left, top = (wide - self.crop) // 2, (tall - self.crop) // 2
        across, down = width / wide, height / tall
        box = (left * across, top * down, (left + self.crop) * across, (top + self.crop) * down)
        small = photo.resize((self.crop, self.crop), Image.Resampling.BICUBIC, box=box)
        values = np.asarray(small, dtype=np.float32).transpose(2, 0, 1)
        return np.ascontiguousarray((values - np.float32(self.mean)) * np.float32(1 / self.scale))

    def load(self, source: bytes | Path) -> Array:
        """Photo bytes or a file as [3, crop, crop]. Raises BadPhoto."""
        return self.pixels(load_photo(source, target_short_side=self.short_side))


@dataclass(frozen=True)
class Outputs:
    """What a model says about N photos: scores [N, C] (log-odds) and imagenet [N, 1000] (logits)."""

    scores: Array
    imagenet: Array


@dataclass(frozen=True)
class Prediction:
    """The answer for one photo; `breeds` holds the most likely first."""

    breeds: tuple[tuple[str, float], ...]
    is_dog: bool | None
    dog_probability: float
    scores: Array


class Model:
    """A model folder, loaded: labels, preprocessing, card and a way to run the network."""

    def __init__(
        self, labels: Sequence[str], preprocessing: Preprocessing, card: dict[str, Any], run: Callable[[Array], Outputs]
    ) -> None:
        self.labels = tuple(labels)
        self.preprocessing = preprocessing
        self.card = card
        self.run = run

    @property
    def name(self) -> str:
        return str(self.card.get("name", "model"))

    @property
    def dog_threshold(self) -> float | None:
        """The dog probability from which a photo counts as a dog; None where the card says that it cannot be told."""
        threshold = self.card.get("is_dog", {}).get("threshold")
        return None if threshold is None else float(threshold)

    def predict(self, pixels: Array, top: int = TOP) -> list[Prediction]:
        """One prediction for each of the [N, 3, 224, 224] pixels."""
        outputs = self.run(pixels)
        probabilities = softmax(outputs.scores)
        dogs = dog_probability(outputs.imagenet)
        threshold = self.dog_threshold
        answers = []
        for scores, shares, dog in zip(outputs.scores, probabilities, dogs, strict=True):
            order = np.argsort(-shares, kind="stable")[:top]
            breeds = tuple((self.labels[k], float(shares[k])) for k in order)
            is_dog = None if threshold is None else bool(dog >= threshold)
            answers.append(Prediction(breeds, is_dog, float(dog), scores))
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


def load_model(directory: Path, threads: int | None = None, spinning: bool = True) -> Model:
    """Load a model folder: model.onnx, labels.json, preprocessing.json, card.json. Raises BadModel.

    `threads` and `spinning` are those of onnx_session.
    """
    labels = _read_json(directory / "labels.json").get("labels")
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise BadModel(f"{directory / 'labels.json'} holds no list of labels: export the model again.")
    try:
        preprocessing = Preprocessing(**_read_json(directory / "preprocessing.json"))
        preprocessing.check()
    except (TypeError, ValueError) as error:
        raise BadModel(f"{directory / 'preprocessing.json'} is not understood ({error}): export it again.") from error
    card = _read_json(directory / "card.json")
    _check_card(card, directory / "card.json")
    try:
        session = onnx_session(directory / "model.onnx", threads, spinning)
        classes = next(output.shape[1] for output in session.get_outputs() if output.name == "scores")
    # onnxruntime's own errors are direct children of Exception, one class for each kind of damage.
    except Exception as error:
        raise BadModel(f"{directory / 'model.onnx'} cannot be loaded: {error}") from error
    if classes != len(labels):
        raise BadModel(f"model.onnx has {classes} scores but labels.json names {len(labels)}: export the model again.")

    def run(pixels: Array) -> Outputs:
        return Outputs(*session.run(["scores", "imagenet"], {"pixels": pixels}))

    return Model(labels, preprocessing, card, run)


def _check_card(card: dict[str, Any], path: Path) -> None:
    is_dog = card.get("is_dog", {})
    threshold = is_dog.get("threshold") if isinstance(is_dog, dict) else "none at all"
    if threshold is not None and (isinstance(threshold, bool) or not isinstance(threshold, (int, float))):
        raise BadModel(f"{path} has a dog threshold that is no number ({threshold!r}): export the model again.")


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


# -- the four functions of AWS's inference image ----------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """The bytes of one photo, and when they arrived (seconds of time.perf_counter)."""

    body: bytes
    started: float


@dataclass(frozen=True)
class Answer:
    """Predictions by the model `name`, and how long they took from the bytes on."""

    name: str
    predictions: tuple[Prediction, ...]
    milliseconds: float


def model_fn(model_dir: str, context: object = None) -> Model:
    """Load the model that serves requests, several at once and beside other processes. Raises BadModel."""
    return load_model(Path(model_dir), spinning=False)


def input_fn(body: bytes | bytearray, content_type: str | None, context: object = None) -> Request:
    """Take one photo; how it is decoded is the model's to say. Raises UnsupportedContent for what is no image."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind != "application/x-image":
        raise UnsupportedContent(
            f"Content type {kind or 'missing'} is not spoken here: send a photo as image/jpeg, image/png or image/webp."
        )
    return Request(bytes(body), time.perf_counter())


def predict_fn(request: Request, model: Model, context: object = None) -> Answer:
    """Decode the photo and run the model. Raises BadPhoto for a photo that cannot be used."""
    predictions = tuple(model.predict(model.preprocessing.load(request.body)[None]))
    return Answer(model.name, predictions, (time.perf_counter() - request.started) * 1000)


def output_fn(answer: Answer, accept: str | None, context: object = None) -> str:
    """The answer as JSON: raw scores [[…]], or with `application/json; profile=breeds` names, probabilities and dog.

    Raises UnsupportedContent for another type than JSON.
    """
    offers = [[part.strip().lower() for part in offer.split(";")] for offer in (accept or "*/*").split(",")]
    wanted = next((offer for offer in offers if offer[0] in (JSON, "*/*", "application/*")), None)
    if wanted is None:
        raise UnsupportedContent(f"Answers are {JSON} only, not {accept}: ask for that.")
    scores = [[round(score, 6) for score in prediction.scores.tolist()] for prediction in answer.predictions]
    if "profile=breeds" not in (part.replace('"', "").replace(" ", "") for part in wanted[1:]):
        return json.dumps(scores)
    return json.dumps(
        {
            "model": answer.name,
            "predictions": [
                [{"breed": breed, "probability": share} for breed, share in prediction.breeds]
                for prediction in answer.predictions
            ],
            "is_dog": [prediction.is_dog for prediction in answer.predictions],
            "dog_probability": [prediction.dog_probability for prediction in answer.predictions],
            "scores": scores,
            "milliseconds": round(answer.milliseconds, 2),
        }
    )
