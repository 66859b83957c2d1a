"""The four functions that AWS's PyTorch inference image looks for: model_fn, input_fn, predict_fn and output_fn.

This file is shipped inside every model archive as code/inference.py, beside the others of Kennel that it needs; the
serving process of an endpoint instance and the command line use the very same ones. It needs Pillow, numpy and
onnxruntime, never torch.

In AWS's image each worker process takes one request at a time, so nothing is batched there across requests; the photos
of one request are. Its limits are those of photo_request and fetch, and its queue is the model server's own.
"""

import functools
import json
import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

if __package__:
    from training import photo_request
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
    from training.images import BadPhoto, load_photo
    from training.overlay import data_url, overlay
    from training.photo_request import BadRequest, NotAcceptable, Request
    from training.photo_request import UnsupportedContent as UnsupportedContent
    from training.preprocessing import Array as Array
    from training.preprocessing import Preprocessing as Preprocessing
else:  # in a model archive, where the others lie beside this file
    import photo_request  # type: ignore[import-not-found,no-redef,unused-ignore]
    from classifier import Model, Prediction, load_model  # type: ignore[import-not-found,no-redef,unused-ignore]
    from images import BadPhoto, load_photo  # type: ignore[import-not-found,no-redef,unused-ignore]
    from overlay import data_url, overlay  # type: ignore[import-not-found,no-redef,unused-ignore]
    from photo_request import (  # type: ignore[import-not-found,no-redef,unused-ignore]
        BadRequest,
        NotAcceptable,
        Request,
    )

JSON = "application/json"
BREEDS_PROFILE = "application/json; profile=breeds"
OVERLAY_PROFILE = f"{BREEDS_PROFILE}; overlay=true"
_NO_MAPS = "Only a model with a linear head can show where it looked: train one without a hidden layer."

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Answer:
    """Predictions by the model `name`, and how long they took from the bytes on.

    `crops` are what the network saw of each photo.
    """

    name: str
    predictions: tuple[Prediction, ...]
    crops: tuple[Image.Image, ...]
    milliseconds: float


def predict_together(requests: Sequence[Request], model: Model) -> list[Answer | BadPhoto]:
    """One answer for each request, in order, from one run of the model over the photos of all of them.

    A request with a photo that cannot be used gets that BadPhoto and does not harm the others. Every request's photos
    must be here.
    """
    found: list[tuple[Image.Image, ...] | BadPhoto] = []
    for request in requests:
        try:
            found.append(_crops(request, model))
        except BadPhoto as bad:
            found.append(bad)
    crops = [crop for own in found if not isinstance(own, BadPhoto) for crop in own]
    if not crops:
        return [own for own in found if isinstance(own, BadPhoto)]
    values = [model.preprocessing.values(crop) for crop in crops]
    predictions = iter(model.predict(values[0][None] if len(values) == 1 else np.stack(values)))
    now = time.perf_counter()
    return [
        own
        if isinstance(own, BadPhoto)
        else Answer(model.name, tuple(next(predictions) for _ in own), own, (now - request.started) * 1000)
        for request, own in zip(requests, found, strict=True)
    ]


def _crops(request: Request, model: Model) -> tuple[Image.Image, ...]:
    """What the network sees of each photo."""
    crops = []
    for number, photo in enumerate(request.photos):
        try:
            decoded = load_photo(photo, target_short_side=model.preprocessing.decoded_side)
        except BadPhoto as bad:
            raise BadPhoto(request.sentence(number, bad.reason)) from bad
        crops.append(model.preprocessing.cropped(decoded))
    return tuple(crops)


def _in_the_words_of_its_caller(function: _F) -> _F:
    """In a model archive, a refusal becomes AWS's toolkit's own error.

    sagemaker-inference answers 500 to every error but its own, also to a photo that is none.
    """
    if __package__:
        return function

    @functools.wraps(function)
    def translated(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (BadPhoto, BadRequest) as error:
            try:
                from sagemaker_inference.errors import (  # type: ignore[import-not-found,unused-ignore]
                    GenericInferenceToolkitError,
                )
            except ImportError:
                raise error from None
            raise GenericInferenceToolkitError(getattr(error, "status", 400), str(error), "Bad Request") from None

    return translated  # type: ignore[return-value]


def model_fn(model_dir: str, context: object = None) -> Model:
    """Load the model that serves requests, several at once and beside other processes. Raises BadModel."""
    return load_model(Path(model_dir), spinning=False)


@_in_the_words_of_its_caller
def input_fn(body: bytes | bytearray | str, content_type: str | None, context: object = None) -> Request:
    """Take one or more photos and fetch those that are only named; how they are decoded is the model's to say.

    The forms are those of photo_request. Raises BadRequest (UnsupportedContent for what is neither image nor JSON) and
    BadPhoto for a photo that cannot be fetched.
    """
    return photo_request.fetched(photo_request.read(body, content_type, time.perf_counter()))


@_in_the_words_of_its_caller
def predict_fn(request: Request, model: Model, context: object = None) -> Answer:
    """Decode the photos and run the model on them together. Raises BadPhoto for one that cannot be used."""
    (answer,) = predict_together([request], model)
    if isinstance(answer, BadPhoto):
        raise answer
    return answer


@_in_the_words_of_its_caller
def output_fn(answer: Answer, accept: str | None, context: object = None) -> str:
    """The answer as JSON: raw scores [[…]], or with `application/json; profile=breeds` names, probabilities and dog.

    `application/json; profile=breeds; overlay=true` adds for every photo a data: URL of a small JPEG that shows where
    the first breed's score comes from, or null where the model cannot tell; "overlay_reason" then says why. Raises
    NotAcceptable for another type or profile, ValueError for scores that are no numbers.
    """
    offers = [[part.strip().lower() for part in offer.split(";")] for offer in (accept or "*/*").split(",")]
    wanted = next((offer for offer in offers if offer[0] in (JSON, "*/*", "application/*")), None)
    if wanted is None:
        raise NotAcceptable(f"Answers are {JSON} only, not {(accept or '')[:80]}: ask for that.")
    options = {part.replace('"', "").replace(" ", "") for part in wanted[1:]}
    _check_options(options)
    scores = [[round(score, 6) for score in prediction.scores.tolist()] for prediction in answer.predictions]
    if "profile=breeds" not in options:
        return json.dumps(scores, allow_nan=False)
    told = {
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
    if "overlay=true" in options:
        told["overlay"] = [
            None if prediction.heat is None else data_url(overlay(crop, prediction.heat))
            for prediction, crop in zip(answer.predictions, answer.crops, strict=True)
        ]
        if any(prediction.heat is None for prediction in answer.predictions):
            told["overlay_reason"] = _NO_MAPS
    return json.dumps(told, allow_nan=False)


def _check_options(options: AbstractSet[str]) -> None:
    """Refuse what would else be answered with bare scores in silence; other parameters (q, charset) are let be."""
    profiles = {option for option in options if option.startswith("profile=")}
    if profiles - {"profile=breeds"}:
        raise NotAcceptable(f"There is no {min(profiles - {'profile=breeds'})[:80]}: ask for {BREEDS_PROFILE}.")
    if not profiles and "overlay=true" in options:
        raise NotAcceptable(f"An overlay comes with the breeds only: ask for {OVERLAY_PROFILE}.")
