"""What a new notebook instance is to be like, and what SageMaker would not take. Pure."""

import re
from dataclasses import dataclass

from dashboard.core.errors import InvalidInput

TYPES = (
    "ml.t3.medium",
    "ml.t3.large",
    "ml.t3.xlarge",
    "ml.m5.xlarge",
    "ml.m5.2xlarge",
    "ml.c5.xlarge",
    "ml.c5.2xlarge",
    "ml.g4dn.xlarge",
    "ml.g5.xlarge",
)
"""Offered, the smallest first: a notebook is for looking and writing; trainings have their own instances."""
SMALL = TYPES[0]
IDLE_MINUTES = (30, 60, 120, 240)
"""After how long without work one may stop itself."""
VOLUMES = (5, 16_384)
"""GB, the least and the most (CreateNotebookInstance)."""
LONGEST_NAME = 48
"""Characters: SageMaker takes 63, and the role's name has this one in it."""
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class Wanted:
    """bucket, prefix: what its role may read and write, "" for all of the bucket. idle_minutes: 0 never stops it.

    subnet, groups: the VPC that it joins, "" for none. is_private: without SageMaker's own way to the internet.
    trains: whether it may start trainings.
    """

    name: str
    bucket: str
    prefix: str = ""
    instance_type: str = SMALL
    volume_gb: int = VOLUMES[0]
    idle_minutes: int = 60
    has_root: bool = False
    subnet: str = ""
    groups: tuple[str, ...] = ()
    is_private: bool = False
    trains: bool = False


def check(wanted: Wanted) -> None:
    """Raises InvalidInput for a value that SageMaker or IAM would not take."""
    if not _NAME.fullmatch(wanted.name) or len(wanted.name) > LONGEST_NAME:
        raise InvalidInput(
            "that is no name of a notebook instance",
            f"SageMaker takes letters, digits and hyphens between them, and Kennel up to {LONGEST_NAME} of them",
            "change the name",
            field="name",
        )
    if not _BUCKET.fullmatch(wanted.bucket):
        raise InvalidInput(
            "that is no bucket's name", "S3 takes 3 to 63 of a-z, 0-9, . and -", "change it", field="bucket"
        )
    if any(letter in wanted.prefix for letter in "*?$") or wanted.prefix.startswith("/"):
        raise InvalidInput(
            "that is no folder of a bucket", "it begins with a name, and * ? $ mean more in a policy", "change it",
            field="prefix",
        )  # fmt: skip
    if not VOLUMES[0] <= wanted.volume_gb <= VOLUMES[1]:
        raise InvalidInput(
            "that is no size of a volume",
            f"SageMaker takes {VOLUMES[0]} to {VOLUMES[1]:,} GB",
            "change it",
            field="volume",
        )
    if wanted.groups and not wanted.subnet:
        raise InvalidInput("a security group needs a subnet", "it is of a VPC", "choose a subnet too", field="subnet")
    if wanted.subnet and not wanted.groups:
        raise InvalidInput(
            "a subnet needs a security group", "it decides what gets in and out", "choose one", field="groups"
        )
    if wanted.is_private and not wanted.subnet:
        raise InvalidInput(
            "without direct internet access it needs a subnet", "or it could reach nothing at all", "choose one",
            field="subnet",
        )  # fmt: skip
