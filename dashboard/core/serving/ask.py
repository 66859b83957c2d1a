"""Ask an endpoint as a program does, and keep its answer as it came, beside what it means."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import ServiceFault
from dashboard.core.serving.classify import Answer, Photo, read_answer

SHOWN = 20_000
"""Characters of an answer that a page shows."""


class Form(StrEnum):
    """The form in which an answer is asked for: the Accept header."""

    BREEDS = "application/json; profile=breeds"
    SCORES = "application/json"

    @property
    def word(self) -> str:
        return "Breeds with probabilities" if self is Form.BREEDS else "Plain scores"


@dataclass(frozen=True)
class Asked:
    """One answer. `text` as it came, laid out where it is JSON; `answer` is None where nobody can read it.

    `seconds` as waited here; `variant` is the one that answered, `size` the bytes of its answer.
    """

    text: str
    content_type: str
    variant: str
    seconds: float
    size: int
    request_id: str
    answer: Answer | None


def ask(
    aws: Aws,
    endpoint: str,
    photo: Photo,
    form: Form = Form.BREEDS,
    variant: str = "",
    clock: Callable[[], float] = time.perf_counter,
) -> Asked:
    """Send one photo; to one variant, or to whichever the weights choose. Raises the errors of `Aws.call`."""
    target = {"TargetVariant": variant} if variant else {}
    begun = clock()
    with aws.translated("sagemaker-runtime", "InvokeEndpoint"):
        told = aws.call(
            "sagemaker-runtime",
            "InvokeEndpoint",
            EndpointName=endpoint,
            ContentType="image/jpeg",
            Accept=form.value,
            Body=photo.jpeg,
            **target,
        )
        body: bytes = told["Body"].read()
    seconds = clock() - begun
    document = _document(body)
    return Asked(
        text=_laid_out(body, document),
        content_type=str(told.get("ContentType", "")),
        variant=str(told.get("InvokedProductionVariant", variant)),
        seconds=seconds,
        size=len(body),
        request_id=str(told.get("ResponseMetadata", {}).get("RequestId", "")),
        answer=_meaning(document, endpoint, seconds),
    )


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _laid_out(body: bytes, document: Any) -> str:
    text = body.decode("utf-8", "replace")
    if document is not None and len(text) <= SHOWN:
        text = json.dumps(document, indent=2, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _meaning(document: Any, endpoint: str, seconds: float) -> Answer | None:
    try:
        return None if document is None else read_answer(document, endpoint, seconds)
    except ServiceFault:
        return None  # an answer that is not one of Kennel's models' is shown as it came
