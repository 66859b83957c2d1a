"""Invoke a function once, as a test: what it answered, what Lambda says of it, the end of its log."""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput

MOST_BYTES = 6 * 1024 * 1024
"""What Lambda takes in one request that is waited for."""
_REPORT = re.compile(r"^REPORT RequestId: (?P<id>\S+)\s(?P<rest>.*)$", re.MULTILINE)
_FIGURE = re.compile(r"(?P<name>[A-Z][A-Za-z ]+): (?P<number>[\d.]+) (?P<unit>ms|MB)")


@dataclass(frozen=True)
class Report:
    """Lambda's REPORT line. init_ms: what a cold start took before the handler; None for a warm one."""

    duration_ms: float
    billed_ms: float
    memory_mb: int
    used_mb: int
    init_ms: float | None = None

    @property
    def is_cold(self) -> bool:
        return self.init_ms is not None


@dataclass(frozen=True)
class Tried:
    """One invocation. seconds: from here to here and back; failure: what Lambda says when the function broke off."""

    version: str
    seconds: float
    payload: Any
    log: tuple[str, ...]
    report: Report | None
    failure: str = ""

    @property
    def status(self) -> int | None:
        """The statusCode that the function answered, if it did."""
        told = self.payload.get("statusCode") if isinstance(self.payload, Mapping) else None
        return told if isinstance(told, int) else None

    @property
    def raw(self) -> str:
        """The payload as it came, laid out."""
        return json.dumps(self.payload, indent=2, ensure_ascii=False)


def event(*, jpeg: bytes = b"", url: str = "", stored: str = "") -> dict[str, Any]:
    """The event for a photo itself, its address, or its place in S3; the first that is given."""
    if jpeg:
        return {"image": base64.b64encode(jpeg).decode()}
    return {"url": url} if url else {"s3": stored}


def invoke(
    aws: Aws, function: str, asked: Mapping[str, Any], qualifier: str = "", clock: Callable[[], float] = time.monotonic
) -> Tried:
    """Invoke it with an event and wait for its answer. Raises InvalidInput for an event that is too large, and the
    errors of `Aws.call`: Throttled where none is free.
    """
    body = json.dumps(asked).encode()
    if len(body) > MOST_BYTES:
        raise InvalidInput(
            "the photo is too large to be sent along", f"Lambda takes {MOST_BYTES:,} bytes", "send its address instead"
        )
    which = {"FunctionName": function, **({"Qualifier": qualifier} if qualifier else {})}
    begun = clock()
    with aws.translated("lambda", "Invoke", which):
        told = aws.call("lambda", "Invoke", **which, Payload=body, LogType="Tail")
        answered = told["Payload"].read()
    seconds = clock() - begun
    log = base64.b64decode(told.get("LogResult", "")).decode(errors="replace")
    try:
        payload: Any = json.loads(answered) if answered else None
    except ValueError:
        payload = answered.decode(errors="replace")
    return Tried(
        version=str(told.get("ExecutedVersion", "")),
        seconds=seconds,
        payload=payload,
        log=tuple(line for line in log.splitlines() if line.strip()),
        report=report(log),
        failure=_failure(payload) if told.get("FunctionError") else "",
    )


def report(log: str) -> Report | None:
    """The last REPORT line of a log; None where it has none."""
    lines = list(_REPORT.finditer(log))
    if not lines:
        return None
    figures = {found["name"].strip(): float(found["number"]) for found in _FIGURE.finditer(lines[-1]["rest"])}
    if "Duration" not in figures:
        return None
    return Report(
        duration_ms=figures["Duration"],
        billed_ms=figures.get("Billed Duration", figures["Duration"]),
        memory_mb=int(figures.get("Memory Size", 0)),
        used_mb=int(figures.get("Max Memory Used", 0)),
        init_ms=figures.get("Init Duration"),
    )


def _failure(payload: Any) -> str:
    if isinstance(payload, Mapping) and payload.get("errorMessage"):
        return str(payload["errorMessage"])
    return "the function broke off without saying why"
