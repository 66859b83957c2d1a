"""A scripted day of use of the embedded AWS, in which it is killed with kill -9 at moments that a seed draws.

Whatever was answered is written into a journal, as a person would remember it. After each restart all of it is looked
up: what was acknowledged is there, what was acknowledged as deleted is not. Of a call whose answer never came either
may be so, and it is asked which, once, and held to that from then on.
"""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError

from tests.conftest import Embedded, start_embedded
from tests.local_aws.sagemaker_world import tiny_package
from tests.soak.hour import Look, Step, steps


class LostError(AssertionError):
    """Something that was acknowledged is not so any more."""


@dataclass
class Journal:
    """What the embedded AWS has answered for: by the thing's name, how one looks it up and what it was."""

    known: dict[str, tuple[Look, Any]] = field(default_factory=dict)
    acknowledged: int = 0
    unanswered: int = 0

    def note(self, name: str, look: Look, value: Any) -> None:
        self.known[name] = (look, value)
        self.acknowledged += 1

    def check(self, aws: Embedded) -> int:
        """Look all of it up; how much that was. Raises LostError."""
        for name, (look, value) in self.known.items():
            found = look(aws)
            if found != value:
                raise LostError(f"{name} was {value!r} when it was answered, and is {found!r}")
        return len(self.known)


@dataclass(frozen=True)
class Told:
    """How a day went."""

    seed: int
    kills: int
    acknowledged: int
    unanswered: int
    looked_up: int
    slowest_start: float  # seconds from a restart to its ready line


def live(state: Path, seed: int, *, kills: int, longest: float = 1.5) -> Told:
    """A day of use with so many kills, each at most `longest` seconds after the last start. Raises LostError."""
    chooser, journal, looked_up, slowest = random.Random(seed), Journal(), 0, 0.0
    bucket, hour, served = f"day-{seed}", 0, tiny_package(state.parent / "served")
    aws = start_embedded(state, "--time-scale", "60")
    aws.client("s3").create_bucket(Bucket=bucket)
    coming: Iterator[Step] = iter(())
    for _ in range(kills):
        killer = threading.Timer(chooser.uniform(0.05, longest), aws.process.kill)
        killer.start()
        lost: Step | None = None
        while lost is None:
            step = next(coming, None)
            if step is None:
                hour += 1
                coming = steps(bucket, hour, chooser, served)
                continue
            try:
                step.does(aws)
            except (BotoCoreError, ResponseParserError):  # none, or one that the kill cut off
                lost = step
            else:
                journal.note(step.name, step.look, step.value)
        killer.join()
        _end(aws)
        begun = time.monotonic()
        aws = start_embedded(state, "--time-scale", "60")
        slowest = max(slowest, time.monotonic() - begun)
        seen, before = journal.known.pop(lost.name, (lost.look, lost.before))  # it was being changed: either is right
        looked_up += journal.check(aws)
        found = lost.look(aws)
        if found != lost.value and (was := seen(aws)) != before:
            raise LostError(f"{lost.name} was {before!r}, was to be {lost.value!r}, and is {was!r}")
        if found == lost.value:
            journal.note(lost.name, lost.look, found)
        else:  # not done: the person does it again, and the day goes on from there
            journal.unanswered += 1
            lost.does(aws)
            journal.note(lost.name, lost.look, lost.value)
    looked_up += journal.check(aws)
    aws.process.kill()
    _end(aws)
    return Told(seed, kills, journal.acknowledged, journal.unanswered, looked_up, slowest)


def _end(aws: Embedded) -> None:
    aws.process.wait(timeout=30)
    for client in aws.clients.values():
        client.close()
    if aws.process.stdout:
        aws.process.stdout.close()
