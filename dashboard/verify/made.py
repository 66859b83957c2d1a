"""What a verification has made: written down before it is made, deleted in the opposite order, whatever happened.

The list is a file, so that what a killed process left behind can be deleted by another one (`--clean FILE`).
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from dashboard.core.errors import InvalidInput, KennelError

ATTEMPTS = 4
PAUSE = 15.0
"""Seconds between two attempts to delete something: most of what AWS refuses is over by then."""


class Kind(StrEnum):
    """What it is; its value is what the AWS CLI calls it where a person has to delete it."""

    STACK = "stack"
    BUCKET = "bucket"
    OBJECTS = "objects"
    TRAINING = "training"
    ENDPOINT = "endpoint"
    FUNCTION = "function"
    LOG_GROUP = "log group"
    LOG_STREAMS = "log streams"


_COMMANDS = {
    Kind.STACK: "aws cloudformation delete-stack --stack-name {name}",
    Kind.BUCKET: "aws s3 rb s3://{name} --force",
    Kind.OBJECTS: "aws s3 rm {name} --recursive",
    Kind.TRAINING: "aws sagemaker stop-training-job --training-job-name {name}",
    Kind.ENDPOINT: "aws sagemaker delete-endpoint --endpoint-name {name}",
    Kind.FUNCTION: "aws lambda delete-function --function-name {name}",
    Kind.LOG_GROUP: "aws logs delete-log-group --log-group-name {name}",
    Kind.LOG_STREAMS: "aws logs describe-log-streams --log-group-name /aws/sagemaker/TrainingJobs "
    "--log-stream-name-prefix {name}/",
}


@dataclass(frozen=True)
class Thing:
    """One thing that is made, or about to be."""

    kind: Kind
    name: str

    def command(self, profile: str, region: str) -> str:
        """How a person deletes it by hand."""
        return f"{_COMMANDS[self.kind].format(name=self.name)} --profile {profile} --region {region}"


@dataclass(frozen=True)
class Left:
    """What could not be deleted, and why."""

    thing: Thing
    why: str


class Made:
    """The list, in a file. account: the id that it is of, so that nothing is deleted in another one."""

    def __init__(self, file: Path, account: str, region: str) -> None:
        self.file = file
        self.account = account
        self.region = region
        self.things: list[Thing] = []

    @classmethod
    def begin(cls, file: Path, account: str, region: str) -> "Made":
        """A new list. Raises OSError where it cannot be written: then nothing is made either."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"account": account, "region": region}) + "\n")
        return cls(file, account, region)

    @classmethod
    def load(cls, file: Path) -> "Made":
        """A list of before. Raises InvalidInput for a file that is none."""
        try:
            first, *rest = file.read_text().splitlines()
            head = json.loads(first)
            found = cls(file, str(head["account"]), str(head["region"]))
            for line in rest:
                told = json.loads(line)
                thing = Thing(Kind(told["kind"]), str(told["name"]))
                if told.get("gone"):
                    found.things.remove(thing)
                else:
                    found.things.append(thing)
        except (OSError, ValueError, KeyError, TypeError) as wrong:
            raise InvalidInput(
                f"{file} is no list of what was made", str(wrong), "name a file that verify wrote"
            ) from wrong
        return found

    def add(self, kind: Kind, name: str) -> Thing:
        """Before it is made. What is made a second time is on the list once."""
        thing = Thing(kind, name)
        if thing not in self.things:
            self._write(asdict(thing))
            self.things.append(thing)
        return thing

    def delete(
        self,
        deleting: Callable[[Thing], None],
        told: Callable[[str], None],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> tuple[Left, ...]:
        """Delete everything, the last first; one that fails keeps no other from it. What is left after some attempts.

        deleting: deletes one thing, and counts what is not there as deleted.
        """
        left: dict[Thing, str] = {}
        for attempt in range(ATTEMPTS):
            if attempt and left:
                told(f"{len(left)} could not be deleted yet; trying again in {PAUSE:.0f} s")
                sleep(PAUSE)
            left = dict(self._round(deleting, told))
            if not left:
                break
        return tuple(Left(thing, why) for thing, why in left.items())

    def _round(self, deleting: Callable[[Thing], None], told: Callable[[str], None]) -> Iterator[tuple[Thing, str]]:
        for thing in reversed(list(self.things)):
            try:
                deleting(thing)
            except KennelError as wrong:
                yield thing, f"{wrong}"
                continue
            told(f"deleted: {thing.kind} {thing.name}")
            self._write({**asdict(thing), "gone": True})
            self.things.remove(thing)

    def _write(self, told: object) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps(told) + "\n")
            file.flush()
