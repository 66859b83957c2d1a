"""What a duty works on, as far as its policy has to name it: folders, images, endpoints, log groups, keys. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

from dashboard.core.iam.rights import Where
from dashboard.core.s3_address import parts

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)/"
    r"(?P<name>[^:@]+)"
)
_SUFFIX = re.compile(r"-(?:\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d(?:-\d{3})?|\d{8}-?\d{4,6}|\d{10,13}|[0-9a-f]{8})$")
"""What tools put behind a job's name to have a new one: the SageMaker SDK a time, Kennel eight hex digits."""


@dataclass(frozen=True, order=True)
class Folder:
    """The objects of a bucket whose keys begin with `prefix`, which may itself hold a `*`."""

    bucket: str
    prefix: str

    def objects(self, partition: str = "aws") -> str:
        return f"arn:{partition}:s3:::{self.bucket}/{self.prefix.removesuffix('*')}*"

    def arn(self, partition: str = "aws") -> str:
        """Of its bucket."""
        return f"arn:{partition}:s3:::{self.bucket}"


@dataclass(frozen=True)
class Resources:
    """reads, writes: folders. kept: folders that are read and written (checkpoints). images: addresses of containers.

    endpoints: ARNs of those that are asked. groups: log groups that it writes to; new_groups: those of them that are
    not there yet. namespaces: of its metrics. keys: KMS keys. subnets, security_groups: where it works in a VPC.
    jobs: patterns of names of the trainings that a notebook starts, and roles: ARNs of those that it passes to them.
    notebooks: ARNs of notebook instances that stop themselves. topics: SNS topics that are told. managed: an instance
    that Systems Manager opens sessions on.
    """

    reads: tuple[Folder, ...] = ()
    writes: tuple[Folder, ...] = ()
    kept: tuple[Folder, ...] = ()
    images: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    new_groups: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    notebooks: tuple[str, ...] = ()
    managed: bool = False

    @classmethod
    def joined(cls, several: Iterable[Self]) -> Self:
        """All of several, each thing once; a folder that lies in another is left out."""
        given = list(several)
        found = {
            one.name: tuple(dict.fromkeys(value for some in given for value in getattr(some, one.name)))
            for one in fields(cls)
            if one.name != "managed"
        }
        for name in ("reads", "writes", "kept"):
            found[name] = outermost(found[name])
        return cls(**found, managed=any(one.managed for one in given))

    @property
    def in_network(self) -> bool:
        return bool(self.subnets or self.security_groups)


def outermost(folders: Iterable[Folder]) -> tuple[Folder, ...]:
    """The folders without those that another of them has in it, by name."""
    found: list[Folder] = []
    for folder in sorted(set(folders)):
        if not any(one.bucket == folder.bucket and folder.prefix.startswith(one.prefix) for one in found):
            found.append(folder)
    return tuple(found)


def folder_of(uri: str, name: str = "", whole: Iterable[str] = ()) -> Folder:
    """The folder that an S3 address stands for, for the next job too.

    name: of the job or model; a part of the key that is its name is not its own but the next one's too, so that the
    folder around it counts, or, at the top of a bucket, all names that begin alike. whole: folders at the top of this
    bucket that belong to the product as a whole ("code/").
    """
    bucket, key = parts(uri)
    for top in whole:
        if key.startswith(top):
            return Folder(bucket, top)
    steps = key.split("/")
    for place, step in enumerate(steps):
        if name and (step == name or step.startswith(f"{name}-")):
            return Folder(bucket, "/".join(steps[:place]) + "/" if place else family(name))
    return Folder(bucket, key)


def family(name: str) -> str:
    """What the names of a tool's next jobs begin with: "dogs-" of "dogs-2026-01-31-10-00-00-123"; else the name."""
    begun = _SUFFIX.sub("", name)
    return name if begun == name else f"{begun}-"


def repository(image: str, partition: str = "aws") -> str:
    """The ARN of the ECR repository that an image lies in; "" for an image that is elsewhere."""
    found = _ECR.match(image)
    if not found:
        return ""
    return f"arn:{partition}:ecr:{found['region']}:{found['account']}:repository/{found['name']}"


def log_group(name: str, where: Where) -> str:
    return f"arn:{where.partition}:logs:{where.region}:{where.account}:log-group:{name}"
