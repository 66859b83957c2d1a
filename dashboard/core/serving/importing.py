"""A model that somebody brings becomes a registered version: convert, check, send to S3, register.

Two kinds come: Kennel's own model.tar.gz, and the model.pth of a reference project, which first becomes one in a
process of its own (training/import_reference.py): this one never loads a network.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, KennelError, ServiceFault
from dashboard.core.serving import archive
from dashboard.core.serving.archive import Inspected
from dashboard.core.serving.register import Candidate, plan_register, register
from dashboard.core.serving.registry import Version

ARCHIVE, REFERENCE = ".tar.gz", (".pth", ".pt")


class Kind(StrEnum):
    """What was brought."""

    ARCHIVE = "Kennel's model.tar.gz"
    REFERENCE = "a reference project's model.pth"

    @classmethod
    def of(cls, name: str) -> "Kind":
        """By a file's name. Raises InvalidInput for any other file."""
        lower = name.lower()
        if lower.endswith(ARCHIVE):
            return cls.ARCHIVE
        if lower.endswith(REFERENCE):
            return cls.REFERENCE
        raise InvalidInput(
            f"the file {name} is no model that can be imported",
            "its name ends neither with .tar.gz nor with .pth",
            "bring a run's model.tar.gz, or the model.pth of a reference project",
            field="file",
        )

    def begins(self, data: bytes) -> bool:
        """Whether a file whose first two bytes these are may be one: gzip's mark, a zip's or a pickle's."""
        return data == b"\x1f\x8b" if self is Kind.ARCHIVE else data == b"PK" or data[:1] == b"\x80"


class Stage(StrEnum):
    """How far an import is."""

    WAITING = "waiting for another import"
    FETCHING = "fetching it from S3"
    CONVERTING = "making a Kennel model of it"
    CHECKING = "looking through it"
    SENDING = "sending it to S3"
    REGISTERING = "registering it"
    DONE = "registered"
    FAILED = "not imported"

    @property
    def is_over(self) -> bool:
        return self in (Stage.DONE, Stage.FAILED)


@dataclass(frozen=True)
class Wanted:
    """One import. group: the model that it becomes a version of; labels: of a model.pth that is not of the 133 breeds;
    normalised: it learnt from values that were normalised as ImageNet's; token: of the form, so that twice is once."""

    group: str
    file: Path
    kind: Kind
    token: str
    name: str = ""
    labels: tuple[str, ...] = ()
    normalised: bool = False
    address: str = ""  # in S3, from where `file` is fetched first


@dataclass(frozen=True)
class Progress:
    """Where an import stands. share: of what this stage does, 0 to 1, None where that is not known."""

    wanted: Wanted
    stage: Stage = Stage.WAITING
    share: float | None = None
    found: Inspected | None = None
    version: Version | None = None
    problem: KennelError | None = None


Convert = Callable[[Wanted, Path], Path]
"""Makes the model.tar.gz of a model.pth in a folder. Raises InvalidInput with the reason when it cannot be one."""


def carry_out(aws: Aws, wanted: Wanted, folder: Path, convert: Convert, report: Callable[[Progress], None]) -> Progress:
    """Import one model; tells `report` of every step and returns the last one, DONE or FAILED. Raises nothing."""
    told = Progress(wanted)

    def step(stage: Stage, share: float | None = None, found: Inspected | None = None) -> None:
        nonlocal told
        told = replace(told, stage=stage, share=share, found=found or told.found)
        report(told)

    try:
        file = wanted.file
        if wanted.address:
            archive.download(aws, wanted.address, file, lambda share: step(Stage.FETCHING, share))
        if wanted.kind is Kind.REFERENCE:
            step(Stage.CONVERTING)
            file = convert(wanted, folder)
        step(Stage.CHECKING)
        found = archive.inspect(file)
        step(Stage.SENDING, 0.0, found)
        address = archive.upload(aws, file, found, lambda share: step(Stage.SENDING, share))
        step(Stage.REGISTERING)
        candidate = Candidate(
            artifact_uri=address,
            name=found.name or wanted.name,
            metrics=found.metrics,
            labels=len(found.labels),
            about=f"Imported from {wanted.address or wanted.name}"[:1000],
        )
        plan = plan_register(candidate, wanted.group, account=aws.account, token=wanted.token)
        told = replace(told, stage=Stage.DONE, share=None, version=register(aws, plan))
    except KennelError as error:
        told = replace(told, stage=Stage.FAILED, share=None, problem=error)
    except OSError as error:
        problem = ServiceFault("the import failed on this machine", error.strerror or str(error), "free some space")
        told = replace(told, stage=Stage.FAILED, share=None, problem=problem)
    report(told)
    return told
