"""The four functions that AWS's PyTorch inference image looks for: model_fn, input_fn, predict_fn and output_fn.

This file is shipped inside every model archive as code/inference.py, beside the others of Kennel that it needs; the
serving process of an endpoint instance and the command line use the very same ones. It needs Pillow, numpy and
onnxruntime, never torch.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path

if __package__:
    from training.classifier import FIRST_DOG as FIRST_DOG
    from training.classifier import LAST_DOG as LAST_DOG
    from training.classifier import TOP as TOP
    from training.classifier import BadModel as BadModel
    from training.classifier import Model as Model
    from training.classifier import Outputs as Outputs
    from training.classifier import Prediction as Prediction
    from training.classifier import dog_probability as dog_probability
    from training.classifier import load_model as load_model
    from training.classifier import onnx_session as onnx_session
    from training.classifier import softmax as softmax
    from training.preprocessing import Array as Array
    from training.preprocessing import Preprocessing as Preprocessing
else:  # in a model archive, where the others lie beside this file
    from classifier import Model, Prediction, load_model  # type: ignore[import-not-found,no-redef,unused-ignore]

JSON = "application/json"
BREEDS_PROFILE = "application/json; profile=breeds"


class UnsupportedContent(Exception):  # noqa: N818
    """A request in a form that is not spoken here. `str()` is a sentence that names the forms that are."""


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
