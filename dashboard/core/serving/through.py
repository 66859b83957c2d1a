"""Ask a model through a Lambda function: which functions stand before an endpoint, and what one answered.

What Lambda itself took is in the last line of the invocation's log, REPORT, which comes back with the answer: its
"Init Duration" is there only when an environment had to be started for it (Lambda Developer Guide, "Invocation logs").
"""

import base64
import binascii
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, NotFound, ServiceFault, Throttled
from dashboard.core.parallel import gather
from dashboard.core.serving.classify import Answer, Photo, read_answer
from dashboard.core.serving.functions.functions import list_functions
from dashboard.core.serving.functions.model import LIVE, Function

_MILLISECONDS = re.compile(r"([0-9]+(?:\.[0-9]+)?) ms")
REFUSED, LATER = 400, 503
LONGEST = 500
"""Characters of what a function says that are passed on."""


@dataclass(frozen=True)
class Front:
    """A function that asks an endpoint. qualifier: the alias it is called by; "" for the function as it is now."""

    function: str
    endpoint: str
    qualifier: str = ""


def list_fronts(aws: Aws) -> tuple[Front, ...]:
    """Kennel's functions that ask an endpoint, by name, each by its alias `live` where it has one.

    Raises the errors of `Aws.call`: ServiceFault where there is no Lambda.
    """
    ours = [one for one in list_functions(aws) if one.endpoint and one.is_kennels and one.state.answers]

    def front(function: Function) -> Front:
        try:
            aws.call("lambda", "GetAlias", FunctionName=function.name, Name=LIVE)
        except NotFound:
            return Front(function.name, function.endpoint)
        return Front(function.name, function.endpoint, LIVE)

    return tuple(gather(front, ours))


def classify_through(
    aws: Aws, front: Front, photo: Photo, clock: Callable[[], float] = time.perf_counter, *, looked: bool = False
) -> Answer:
    """Ask about one photo through a function; with `looked` also for the picture of where the model looked.

    Raises InvalidInput when the photo is refused, Throttled when function or endpoint have too much to do, ServiceFault
    when the function failed or its answer makes no sense, ReadOnly, NotFound, and the other errors of `Aws.call`.
    """
    event = {"image": base64.b64encode(photo.jpeg).decode(), **({"overlay": True} if looked else {})}
    which = {"FunctionName": front.function, **({"Qualifier": front.qualifier} if front.qualifier else {})}
    started = clock()
    with aws.translated("lambda", "Invoke", which):
        told = aws.call("lambda", "Invoke", **which, Payload=json.dumps(event).encode(), LogType="Tail")
        payload = told["Payload"].read()
    seconds = clock() - started
    answer = _answer(payload, front, seconds, failed=str(told.get("FunctionError", "")))
    taken, cold = reported(str(told.get("LogResult", "")))
    return replace(answer, was_looked_for=looked, lambda_seconds=taken, cold_seconds=cold)


def reported(log: str) -> tuple[float | None, float | None]:
    """Seconds that the handler took, and that the environment's start took before it, by a log's base64 tail.

    None for what it does not say: a function without the right to write logs has none, a warm environment no start.
    """
    try:
        text = base64.b64decode(log, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None, None
    line = next((line for line in reversed(text.splitlines()) if line.startswith("REPORT")), "")
    fields = dict(part.partition(": ")[::2] for part in line.split("\t"))
    return _seconds(fields.get("Duration", "")), _seconds(fields.get("Init Duration", ""))


def _seconds(told: str) -> float | None:
    found = _MILLISECONDS.fullmatch(told.strip())
    return float(found[1]) / 1000 if found else None


def _answer(payload: bytes, front: Front, seconds: float, *, failed: str) -> Answer:
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise _nonsense(front) from error
    if failed:
        said = told.get("errorMessage", "") if isinstance(told, dict) else ""
        raise ServiceFault(
            f"the function {front.function} failed on this photo",
            str(said)[:LONGEST] or f"Lambda calls it {failed}",
            "see its log on the page Lambda",
        )
    if not isinstance(told, dict):
        raise _nonsense(front)
    status = told.get("statusCode")
    if status != 200:
        raise _refusal(told, status, front)
    if "predictions" in told:
        return read_answer(told, front.endpoint, seconds)
    try:
        scores = json.loads(told["body"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _nonsense(front) from error
    return read_answer(scores, front.endpoint, seconds)


def _refusal(told: dict[str, Any], status: Any, front: Front) -> Exception:
    said = str(told.get("error") or told.get("body") or "it said no more")[:LONGEST]
    if status == REFUSED:
        return InvalidInput("the model could not use this photo", said, "try another photo", field="photo")
    if status == LATER:
        return Throttled(
            f"the endpoint {front.endpoint} did not answer {front.function}", said, "try again in a moment"
        )
    return ServiceFault(f"the function {front.function} could not answer", said, "see its log on the page Lambda")


def _nonsense(front: Front) -> ServiceFault:
    return ServiceFault(
        f"the answer of {front.function} makes no sense",
        "it is not what Kennel's function answers",
        "see that the function holds Kennel's code, on the page Lambda",
    )
