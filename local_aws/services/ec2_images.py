"""AWS's Deep Learning AMIs and the SSM parameters that name them, in every region, beside the AMIs that moto knows.

Names, owner and parameter paths are AWS's (Deep Learning AMI developer guide, "Finding the ID for a DLAMI", and its
release notes); the ids are made from region and name, for an id of AWS's would name a real image of another day.
On the embedded AWS every image means the same: this machine's own Linux with Kennel's Python.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

OWNER = "898082745236"
"""The account that publishes the Deep Learning AMIs (owner alias "amazon")."""
_PREFIX = "/aws/service/deeplearning/ami"
_RELEASED = datetime(2026, 10, 9, tzinfo=UTC)
_SYSTEMS = {
    "ubuntu-22.04": "Ubuntu 22.04",
    "ubuntu-24.04": "Ubuntu 24.04",
    "amazon-linux-2023": "Amazon Linux 2023",
}
_PYTORCH = (
    ("2.7", "ubuntu-22.04"),
    ("2.7", "amazon-linux-2023"),
    ("2.8", "ubuntu-24.04"),
    ("2.8", "amazon-linux-2023"),
    ("2.9", "ubuntu-24.04"),
    ("2.9", "amazon-linux-2023"),
    ("2.10", "ubuntu-24.04"),
    ("2.10", "amazon-linux-2023"),
)


@dataclass(frozen=True)
class DeepLearningAmi:
    """One image. kind: the part of its SSM path between architecture and `latest`."""

    kind: str
    name: str
    description: str
    architecture: str = "x86_64"

    @property
    def parameter(self) -> str:
        return f"{_PREFIX}/{self.architecture}/{self.kind}/latest/ami-id"

    @property
    def device(self) -> str:
        """The root device, as the system names it."""
        return "/dev/xvda" if "amazon-linux" in self.kind else "/dev/sda1"

    def id_in(self, region: str) -> str:
        return "ami-" + hashlib.sha256(f"{region}/{self.parameter}".encode()).hexdigest()[:17]


def _all() -> tuple[DeepLearningAmi, ...]:
    stamp = f"{_RELEASED:%Y%m%d}"
    found = []
    for version, system in _PYTORCH:
        name = f"Deep Learning OSS Nvidia Driver AMI GPU PyTorch {version} ({_SYSTEMS[system]}) {stamp}"
        found.append(
            DeepLearningAmi(
                f"oss-nvidia-driver-gpu-pytorch-{version}-{system}",
                name,
                f"PyTorch {version} at /opt/pytorch, NVIDIA's open driver",
            )
        )
    for system, title in _SYSTEMS.items():
        name = f"Deep Learning Base OSS Nvidia Driver GPU AMI ({title}) {stamp}"
        found.append(
            DeepLearningAmi(f"base-oss-nvidia-driver-gpu-{system}", name, "NVIDIA's open driver and CUDA, no framework")
        )
        name = f"Deep Learning ARM64 Base OSS Nvidia Driver GPU AMI ({title}) {stamp}"
        found.append(
            DeepLearningAmi(
                f"base-oss-nvidia-driver-gpu-{system}", name, "NVIDIA's open driver and CUDA, no framework", "arm64"
            )
        )
    return tuple(found)


IMAGES = _all()


def register(ec2: Any) -> None:
    """Add the images to moto's EC2 of a region, those that are not there. The caller holds moto's lock.

    With them come the Amazon Linux images that moto's own SSM parameters name.
    """
    from moto.ec2.models.amis import Ami
    from moto.utilities.utils import load_resource

    if IMAGES[0].id_in(ec2.region_name) in ec2.amis:
        return
    with suppress(FileNotFoundError):  # a region that is newer than moto
        for told in load_resource(f"ec2/resources/latest_amis/{ec2.region_name}.json"):
            ec2.amis.setdefault(told["ami_id"], Ami(ec2, **told, owner_alias="amazon"))
    for image in IMAGES:
        ami_id = image.id_in(ec2.region_name)
        if ami_id not in ec2.amis:
            ec2.amis[ami_id] = Ami(
                ec2,
                ami_id,
                name=image.name,
                description=image.description,
                owner_id=OWNER,
                owner_alias="amazon",
                public=True,
                virtualization_type="hvm",
                architecture=image.architecture,
                creation_date=_RELEASED.replace(tzinfo=None),  # moto's own are without a zone
                image_location=f"amazon/{image.name}",
                hypervisor="xen",
                root_device_type="ebs",
                root_device_name=image.device,
                boot_mode="uefi-preferred",
                region_name=f"{ec2.region_name}a",
            )


def publish(ssm: Any) -> None:
    """Add their public parameters to moto's SSM of a region. The caller holds moto's lock."""
    from moto.ssm.models import Parameter

    for image in IMAGES:
        if image.parameter not in ssm._parameters:
            ssm._parameters[image.parameter].append(
                Parameter(
                    account_id=ssm.account_id,
                    name=image.parameter,
                    value=image.id_in(ssm.region_name),
                    parameter_type="String",
                    description=None,
                    allowed_pattern=None,
                    keyid=None,
                    last_modified_date=_RELEASED.replace(tzinfo=None),
                    version=1,
                    data_type="text",
                )
            )
