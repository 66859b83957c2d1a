"""A right: one action on one resource under one context, which is what a request needs and what a policy gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ANYTHING = "*"


@dataclass(frozen=True)
class Right:
    """action: as the Service Authorization Reference writes it ("s3:GetObject"). resource: an ARN, or "*" for an action
    that takes none. context: what the request itself says of the condition keys ("s3:prefix": ("a/",)).
    """

    action: str
    resource: str = ANYTHING
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def service(self) -> str:
        """The action's prefix, lower case: "s3"."""
        return self.action.partition(":")[0].lower()


_PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov", "us-iso": "aws-iso", "us-isob": "aws-iso-b"}
"""Of the regions that begin so."""


def partition_of(region: str) -> str:
    """The partition that a region is in: "aws" but for China, GovCloud and the isolated ones."""
    parts = region.split("-")
    return _PARTITIONS.get(parts[0]) or _PARTITIONS.get("-".join(parts[:2]), "aws")


@dataclass(frozen=True)
class Where:
    """The account and region in which a request is made."""

    account: str
    region: str
    partition: str = "aws"
