"""What an account was seen to do: the members of its answers, its states, its error codes, and how long things took.

The same is recorded of the embedded AWS, so that the two can be held against each other. No value of an answer is kept,
only which members it had and of which type.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashboard.core.errors import InvalidInput

_BEGUN = "kennel.verify.begun"
MOST_ITEMS = 50
"""Items of a list whose members are looked at: a role has hundreds of statements, and all are alike."""


@dataclass
class Record:
    """calls: by "service Operation", the members of all its answers ("Endpoints[].EndpointName: str") with how often
    each was there. answers: how many there were. seconds: of each call. states: by what it is of, in the order seen.
    errors: the code of each probe. steps: seconds of each step.
    """

    calls: dict[str, dict[str, int]] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    states: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)

    def saw(self, of: str, state: str) -> None:
        """A state of something, once for as long as it stays in it."""
        seen = self.states.setdefault(of, [])
        if not seen or seen[-1] != state:
            seen.append(state)

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(vars(self), indent=1, sort_keys=True) + "\n")

    @classmethod
    def load(cls, file: Path) -> "Record":
        """Raises InvalidInput for a file that holds no record."""
        try:
            return cls(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError) as wrong:
            raise InvalidInput(f"{file} holds no record", str(wrong), "name a file that verify wrote") from wrong


class Recorder:
    """Listens to clients, from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.record = Record()
        self._clock = clock
        self._lock = threading.Lock()

    def listen(self, client: Any) -> None:
        """To a boto client, from now on."""
        client.meta.events.register("before-call", self._begins)
        client.meta.events.register("after-call", self._ended)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """How long what is done inside takes; nothing is kept of one that fails."""
        begun = self._clock()
        yield
        self.record.steps[name] = round(self._clock() - begun, 3)

    def _begins(self, context: dict[str, Any], **_: Any) -> None:
        context[_BEGUN] = self._clock()

    def _ended(self, http_response: Any, parsed: Mapping[str, Any], model: Any, context: Any, **_: Any) -> None:
        if http_response.status_code >= 300:
            return  # error codes are what probes are for
        name = f"{model.service_model.service_name} {model.name}"
        took = self._clock() - context.get(_BEGUN, self._clock())
        found = set(members(parsed, model.output_shape))
        with self._lock:
            known = self.record.calls.setdefault(name, {})
            for one in found:
                known[one] = known.get(one, 0) + 1
            self.record.answers[name] = self.record.answers.get(name, 0) + 1
            self.record.seconds.setdefault(name, []).append(round(took, 4))


def members(value: Any, shape: Any, path: str = "") -> Iterator[str]:
    """Every member of an answer with its type: "TrainingJobStatus: str", "Tags[].Key: str", "Environment{}: str".

    shape: botocore's of it, which tells the keys of a map, which anybody may choose, from members.
    """
    if isinstance(value, (Mapping, list)) and getattr(shape, "type_name", "") == "string":
        yield f"{path}: document"  # IAM's policies, which botocore has read: what is in them is somebody's
    elif isinstance(value, Mapping):
        is_map = getattr(shape, "type_name", "") == "map"
        for name, item in value.items():
            if name == "ResponseMetadata":
                continue
            inner = shape.value if is_map else getattr(shape, "members", {}).get(name)
            yield from members(item, inner, f"{path}{{}}" if is_map else f"{path}.{name}" if path else str(name))
    elif isinstance(value, (list, tuple)):
        for item in value[:MOST_ITEMS]:
            yield from members(item, getattr(shape, "member", None), f"{path}[]")
    elif value is not None:
        yield f"{path}: {_type(value)}"


def _type(value: Any) -> str:
    return "stream" if hasattr(value, "read") else type(value).__name__
