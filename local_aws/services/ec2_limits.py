"""EC2's quotas: how many vCPUs of each group of instance types may be in use at once, on demand and spot apart."""

from typing import Any

from local_aws.errors import ServiceError
from local_aws.quotas import Quotas
from local_aws.services import ec2_types
from local_aws.services.ec2_request import Launch

UP = ("pending", "running")
"""The states in which an instance counts."""


def check(launch: Launch, backend: Any, quotas: Quotas) -> None:
    """Raises ServiceError VcpuLimitExceeded or MaxSpotInstanceCountExceeded for more vCPUs than the quota allows."""
    group = ec2_types.quota_group(launch.instance_type)
    limit = 0
    if group:
        name = ec2_types.quota_name(group, spot=launch.is_spot)
        limit = int(quotas.value("ec2", name, backend.region_name))
    used = sum(
        ec2_types.vcpus(found.instance_type)
        for reservation in backend.reservations.values()
        for found in reservation.instances
        if found._state.name in UP
        and bool(found.kennel["spot"]) == launch.is_spot
        and ec2_types.quota_group(found.instance_type) == group
    )
    wanted = launch.params["MinCount"] * ec2_types.vcpus(launch.instance_type)
    if used + wanted <= limit:
        return
    if launch.is_spot:
        raise ServiceError("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
    raise ServiceError(
        "VcpuLimitExceeded",
        f"You have requested more vCPU capacity than your current vCPU limit of {limit} allows for the instance "
        "bucket that the specified instance type belongs to. Please visit "
        "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
    )
