"""Ask an endpoint which breed is on a photo, and say its answer honestly."""

import base64
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, ServiceFault
from dashboard.core.format import count, percent, size
from training.breeds import written
from training.fetch import Rules, fetch
from training.images import BadPhoto, is_animated, load_photo, shrink_to_jpeg

ACCEPT = "application/json; profile=breeds"
LOOKED = f"{ACCEPT}; overlay=true"
"""Asks for a picture of where the model looked too."""
MAX_LOOKED = 512 * 1024
"""Bytes of such a picture: the model sees 224 to 260 pixels, which are some 15 KB."""
MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_PHOTOS = 20
"""Photos that a page takes in one go."""
LONG_SIDE = 1024
SHOWN = 60
"""Characters of an address that are named."""
LONGEST_NAME = 100
"""Characters of a breed's or model's name that are kept."""
TOP = 5
SURE = 0.6
"""Above this the first breed is named alone."""
CLOSE = 0.6
"""The second breed is named too when it has at least this share of the first one's probability."""

_DECODING = BoundedSemaphore(2)  # a 50-megapixel photo takes 150 MB while it is open


@dataclass(frozen=True)
class Photo:
    """A photo that is safe to show and to send: upright, at most 1024 pixels long, nothing but pixels in the file."""

    name: str
    jpeg: bytes
    width: int
    height: int
    note: str


@dataclass(frozen=True)
class Prediction:
    """One breed with its probability, 0..1."""

    breed: str
    probability: float


@dataclass(frozen=True)
class Answer:
    """What a model said about one photo. `is_dog` is None when the model makes no claim; `seconds` as waited here.

    `looked`: a JPEG of what the model saw, warm where the first breed's score comes from; None when it was not asked
    for, or when the model gave none that can be shown (`was_looked_for` says which). Through a Lambda function:
    `lambda_seconds` its handler took, `cold_seconds` its environment took to start before it, None for a warm one.
    """

    model: str
    predictions: tuple[Prediction, ...]
    is_dog: bool | None
    dog_probability: float | None
    seconds: float
    sentence: str
    model_seconds: float | None = None
    looked: bytes | None = None
    was_looked_for: bool = False
    lambda_seconds: float | None = None
    cold_seconds: float | None = None


def prepare_photo(data: bytes, name: str) -> Photo:
    """Check and shrink an uploaded photo. EXIF, with the place where it was taken, is dropped.

    Raises InvalidInput, with the reason, for anything that is not a readable photo of bearable size.
    """
    try:
        with _DECODING:
            image = load_photo(data, max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS, target_short_side=LONG_SIDE)
            jpeg = shrink_to_jpeg(image, long_side=LONG_SIDE)
    except BadPhoto as bad:
        raise InvalidInput(f"the photo {name} was not classified", bad.reason, field="photo") from bad
    scale = min(1.0, LONG_SIDE / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    note = f"{size(len(data))} came in, {size(len(jpeg))} go to the model; place and other hidden data are dropped"
    if is_animated(data):
        note += "; the picture moves: its first frame was used"
    return Photo(name, jpeg, width, height, note)


def fetch_photo(url: str, rules: Rules | None = None) -> bytes:
    """The bytes behind an address that a visitor gives, under the guards of training.fetch.

    Only https, only addresses of the open internet, at most 10 MiB and 8 s. Raises InvalidInput with the reason.
    """
    try:
        return fetch(url.strip(), rules)
    except BadPhoto as bad:
        shown = url.strip().removeprefix("https://").partition("?")[0]
        shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
        raise InvalidInput(f"the photo at {shown} was not classified", bad.reason, field="url") from bad


def classify(
    aws: Aws, endpoint: str, photo: Photo, clock: Callable[[], float] = time.perf_counter, *, looked: bool = False
) -> Answer:
    """Ask an endpoint about one photo, and with `looked` also for the picture of where the model looked.

    Raises InvalidInput when the model refuses the photo, NotFound when there is no such endpoint, ServiceFault when
    its answer makes no sense, and the other errors of `Aws.call`.
    """
    started = clock()
    with aws.translated("sagemaker-runtime", "InvokeEndpoint"):
        answer = aws.call(
            "sagemaker-runtime",
            "InvokeEndpoint",
            EndpointName=endpoint,
            ContentType="image/jpeg",
            Accept=LOOKED if looked else ACCEPT,
            Body=photo.jpeg,
        )
        body = answer["Body"].read()
    return replace(_read(body, endpoint, clock() - started), was_looked_for=looked)


def read_answer(told: Any, endpoint: str, seconds: float) -> Answer:
    """An answer's JSON: {"predictions": …, "is_dog": …} or a list of scores. Raises ServiceFault for anything else."""
    try:
        if isinstance(told, dict):
            return _breeds(told, endpoint, seconds)
        return _scores(told, endpoint, seconds)
    except (ValueError, KeyError, IndexError, TypeError, OverflowError, RecursionError) as error:
        raise _nonsense(endpoint, error) from error


def _read(body: bytes, endpoint: str, seconds: float) -> Answer:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _nonsense(endpoint, error) from error
    return read_answer(told, endpoint, seconds)


def _nonsense(endpoint: str, error: Exception) -> ServiceFault:
    return ServiceFault(
        f"the answer of {endpoint} makes no sense",
        f"it is neither breeds nor a list of scores ({type(error).__name__})",
        "check that the model behind it is one of Kennel's",
    )


def _breeds(told: dict[str, Any], endpoint: str, seconds: float) -> Answer:
    """The profile "breeds": one list of {"breed", "probability"} a photo, and whether it is a dog."""
    listed = [Prediction(written(_name(p["breed"])), _share(p["probability"])) for p in told["predictions"][0]]
    predictions = tuple(sorted(listed, key=lambda p: -p.probability)[:TOP])
    is_dog = told["is_dog"][0]
    if not predictions or not (is_dog is None or isinstance(is_dog, bool)):
        raise ValueError("no predictions, or is_dog is no truth value")
    probability = told["dog_probability"][0]
    dog = None if probability is None else _share(probability)
    milliseconds = told.get("milliseconds")
    return Answer(
        model=_name(told.get("model") or endpoint),
        predictions=predictions,
        is_dog=is_dog,
        dog_probability=dog,
        seconds=seconds,
        sentence=sentence(predictions, is_dog, dog),
        model_seconds=None if milliseconds is None else _number(milliseconds) / 1000,
        looked=_picture(told.get("overlay")),
    )


def _picture(overlay: Any) -> bytes | None:
    """The JPEG of the first data: URL, drawn anew: whatever else a model put into it does not reach the browser.

    None for everything else: the answer beside it is as good without.
    """
    url = overlay[0] if isinstance(overlay, list) and overlay else None
    kind, _, text = url.partition(",") if isinstance(url, str) else ("", "", "")
    if kind != "data:image/jpeg;base64" or len(text) > MAX_LOOKED * 4 / 3:
        return None
    try:
        data = base64.b64decode(text, validate=True)
        return shrink_to_jpeg(load_photo(data, max_bytes=MAX_LOOKED, max_pixels=LONG_SIDE**2), long_side=LONG_SIDE)
    except (BadPhoto, ValueError):
        return None


def _scores(told: Any, endpoint: str, seconds: float) -> Answer:
    """The plain form [[score, …]] of a model that names nothing: its classes are numbered from 0."""
    scores = [_number(score) for score in told[0]]
    if not scores:
        raise ValueError("no scores")
    highest = max(scores)
    weights = [math.exp(score - highest) for score in scores]
    whole = sum(weights)
    order = sorted(range(len(scores)), key=lambda i: -scores[i])[:TOP]
    predictions = tuple(Prediction(f"class {i}", weights[i] / whole) for i in order)
    first = predictions[0]
    return Answer(
        model=endpoint,
        predictions=predictions,
        is_dog=None,
        dog_probability=None,
        seconds=seconds,
        sentence=(
            f"This model answers {count(len(scores), 'score')} without breed names; "
            f"{first.breed}, counted from 0, is highest ({percent(first.probability)})."
        ),
    )


def sentence(predictions: tuple[Prediction, ...], is_dog: bool | None, dog_probability: float | None) -> str:
    """One honest sentence. `predictions` are sorted, the likeliest first; there is at least one."""
    if is_dog is False:
        how = "" if dog_probability is None else f" (dog probability {percent(dog_probability)})"
        return f"This does not look like a dog{how}."
    first = predictions[0]
    second = predictions[1] if len(predictions) > 1 else None
    if second and first.probability < SURE and second.probability >= CLOSE * first.probability:
        return (
            f"Close call between {first.breed} ({percent(first.probability)}) "
            f"and {second.breed} ({percent(second.probability)})."
        )
    named = f"{_article(first.breed)} {first.breed} ({percent(first.probability)})"
    if is_dog is None:
        return f"Of the breeds this model knows, it is closest to {named}."
    if first.probability < SURE:
        return f"Perhaps {named}, but the model is not sure."
    return f"Looks like {named}."


def _article(word: str) -> str:
    return "an" if word[:1].lower() in "aeiou" else "a"


def _name(value: Any) -> str:
    """A text that names something: of bearable length, and without half characters, which no page can be sent.

    Raises TypeError, ValueError for what is none.
    """
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is no name")
    name = value.encode(errors="replace").decode().strip()
    if not name:
        raise ValueError("a name is empty")
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _number(value: Any) -> float:
    """A JSON number as a finite float; texts, truth values, NaN and infinity are none. Raises TypeError, ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is no number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no finite number")
    return number


def _share(value: Any) -> float:
    share = _number(value)
    if not 0 <= share <= 1.000001:
        raise ValueError(f"{share} is no probability")
    return min(share, 1.0)
