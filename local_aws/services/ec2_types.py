"""Instance types: what AWS has (as moto knows it), where, and against which quota they count."""

import gzip
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from local_aws.errors import ServiceError

_STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
_QUOTAS = {
    "standard": (f"Running On-Demand {_STANDARD} instances", f"All {_STANDARD} Spot Instance Requests"),
    "g": ("Running On-Demand G and VT instances", "All G and VT Spot Instance Requests"),
    "p": ("Running On-Demand P instances", "All P4, P3 and P2 Spot Instance Requests"),
    "p5": ("Running On-Demand P instances", "All P5 Spot Instance Requests"),
}
_GROUPS = {"g": "g", "gr": "g", "vt": "g", "p": "p"}
_STANDARD_LETTERS = frozenset({"a", "c", "d", "h", "hs", "i", "im", "is", "m", "r", "t", "z", "cc", "cr"})


def known(instance_type: str) -> Mapping[str, Any] | None:
    """What DescribeInstanceTypes says of it, or None."""
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    found: Mapping[str, Any] | None = INSTANCE_TYPES.get(instance_type)
    return found


def check(instance_type: str, architecture: str, region: str) -> None:
    """Raises ServiceError for a type that AWS does not have, not in that region, or not for that architecture."""
    from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

    found = known(instance_type)
    if found is None:
        raise ServiceError("InvalidParameterValue", f"Invalid value '{instance_type}' for InstanceType.")
    offered = {one["InstanceType"] for one in INSTANCE_TYPE_OFFERINGS["region"].get(region, ())}
    if offered and instance_type not in offered:
        raise ServiceError(
            "Unsupported",
            f"The requested configuration is currently not supported: {instance_type} is not offered in {region}. "
            "Please check the documentation for supported configurations.",
        )
    supported = found["ProcessorInfo"]["SupportedArchitectures"]
    if architecture not in supported:
        raise ServiceError(
            "InvalidParameterValue",
            f"The architecture '{','.join(supported)}' of the specified instance type does not match the architecture "
            f"'{architecture}' of the specified AMI. Specify an instance type and an AMI that have matching "
            "architectures, and try again. You can use 'describe-instance-types' or 'describe-images' to discover the "
            "architecture of the instance type or AMI.",
        )


def vcpus(instance_type: str) -> int:
    found = known(instance_type)
    return int(found["VCpuInfo"]["DefaultVCpus"]) if found else 1


def memory_of(instance_type: str) -> int | None:
    """Bytes of memory of "m5.large" or SageMaker's "ml.m5.large"; None for a type that is not known."""
    return _memory().get(instance_type.removeprefix("ml."))


@cache
def _memory() -> Mapping[str, int]:
    """By type, out of moto's own file: importing its EC2 takes seconds, and a job's start cannot wait for that."""
    moto = find_spec("moto")
    folder = Path(moto.origin).parent if moto and moto.origin else Path()
    try:
        told = json.loads(gzip.decompress((folder / "ec2/resources/instance_types.json.gz").read_bytes()))
    except FileNotFoundError:
        return {}  # another version of moto: shares are of this machine then
    return {name: int(one["MemoryInfo"]["SizeInMiB"]) * 1024**2 for name, one in told.items()}


def quota_group(instance_type: str) -> str:
    """The group whose quota it counts against, "" for one that no quota of the embedded account covers."""
    family = instance_type.partition(".")[0]
    match = re.match(r"[a-z]+", family)
    letters = match.group() if match else ""
    if letters in _STANDARD_LETTERS:
        return "standard"
    group = _GROUPS.get(letters, "")
    return "p5" if group == "p" and family.startswith("p5") else group


def quota_name(group: str, *, spot: bool) -> str:
    return _QUOTAS[group][1 if spot else 0]
