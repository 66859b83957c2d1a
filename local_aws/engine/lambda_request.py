"""What an environment runs, what it is asked, and how that ends."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Spec:
    """What an environment runs. key: of this code with this configuration, and of nothing else.

    function: its document's key; name: as the function knows itself; timeout in seconds; role: as whom it works.
    """

    key: str
    function: str
    name: str
    version: str
    package: Path
    handler: str
    memory_mb: int
    timeout: float
    log_group: str
    variables: Mapping[str, str] = field(repr=False)
    role: str = ""
    region: str = ""

    @property
    def writer(self) -> "Writer":
        return Writer(self.role, self.region, self.name)


@dataclass(frozen=True)
class Writer:
    """Who writes a log: a function as its role (an ARN)."""

    role: str
    region: str
    function: str


@dataclass(frozen=True)
class Asked:
    """One request. arn: as it named the function."""

    id: str
    arn: str
    payload: bytes
    client_context: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Outcome:
    """How a request ended. failed: the payload is an error; tail: the last of its log.

    seconds: without the start; init_seconds: of the start, when it was for this request.
    """

    payload: bytes
    failed: bool
    seconds: float
    tail: bytes
    init_seconds: float = 0.0

    @property
    def billed_ms(self) -> int:
        """To the next millisecond, the start included (Lambda bills it since August 2025)."""
        return math.ceil((self.seconds + self.init_seconds) * 1000)


class Unusable(Exception):  # noqa: N818 (it says what is so)
    """An environment that could not start.

    payload: the error as Lambda answers it; seconds: what the try took; tail: the last of its log.
    """

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(str(error["errorMessage"]))
        self.kind = str(error["errorType"])
        self.payload = json.dumps(error).encode()
        self.seconds = 0.0
        self.tail = b""


class Lost(Exception):  # noqa: N818 (it says what is so)
    """The environment had died before the request reached the function: another one can take it."""
