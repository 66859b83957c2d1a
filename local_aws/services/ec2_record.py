"""moto's record of an instance, as we write it: made with its volumes and interface, and moved from state to state."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.exceptions import ServiceException

from local_aws.errors import ServiceError
from local_aws.services import ec2_describe
from local_aws.services.ec2_request import Launch

USER, INSIDE = "Client.UserInitiatedShutdown", "Client.InstanceInitiatedShutdown"
SPOT, BROKEN = "Server.SpotInstanceTermination", "Server.InternalError"
"""Codes of StateReason."""
_REASONS = {
    USER: "User initiated shutdown",
    INSIDE: "Instance initiated shutdown",
    SPOT: "Spot instance termination",
    BROKEN: "Internal error",
}


def make(launch: Launch, backend: Any, count: int) -> Any:
    """Have moto make the reservation with its instances, interfaces and volumes."""
    from moto.ec2.utils import parse_user_data

    reservation = backend.run_instances(
        launch.image.id,
        count,
        parse_user_data(launch.params.get("UserData") or None),
        [],
        instance_type=launch.instance_type,
        is_instance_type_default=False,
        region_name=backend.region_name,
        subnet_id=launch.subnet.id,
        security_group_ids=list(launch.groups),
        key_name=launch.key_name,
        private_ip=launch.private_address,
        associate_public_ip=launch.public_address,
        tags={"instance": dict(launch.tags.get("instance", {}))},
        ebs_optimized=bool(launch.params.get("EbsOptimized")),
        disable_api_stop=bool(launch.params.get("DisableApiStop")),
        disable_api_termination=bool(launch.params.get("DisableApiTermination")),
        instance_initiated_shutdown_behavior=launch.params.get("InstanceInitiatedShutdownBehavior"),
        monitoring_state="enabled" if (launch.params.get("Monitoring") or {}).get("Enabled") else "disabled",
        metadata_options=dict(launch.metadata),
        client_token=launch.token,
        block_device_mappings=[],
    )
    for found in reservation.instances:
        nic = found.nics[0]
        nic.delete_on_termination = not launch.keep_interface
        nic.add_tags(dict(launch.tags.get("network-interface", {})))
        for asked in launch.volumes:
            volume = backend.create_volume(
                asked.size, found.availability_zone, asked.snapshot_id, volume_type=asked.kind, iops=asked.iops,
                throughput=asked.throughput,
            )  # fmt: skip
            volume.encrypted = asked.encrypted  # with the account's own key for EBS, which moto would make in KMS
            volume.add_tags(dict(launch.tags.get("volume", {})))
            backend.attach_volume(volume.id, found.id, asked.device, asked.delete_on_termination)
        if launch.profile is not None:
            backend.associate_iam_instance_profile(found.id, iam_instance_profile_arn=launch.profile.arn)
            found.iam_instance_profile = {"Arn": launch.profile.arn, "Id": launch.profile.id}
    return reservation


def set_state(found: Any, name: str, code: str, transition: str) -> None:
    """Write a state, why it is so (a code of StateReason, "" for none), and what brought it about."""
    from moto.ec2.models.instances import StateReason

    found._state.name, found._state.code = name, ec2_describe.CODES[name]
    found.state_reason = StateReason(f"{code}: {_REASONS[code]}", code) if code else StateReason()
    found._reason = transition


def root_size(found: Any) -> int:
    """GB of the root volume; 0 where it is gone."""
    block = found.block_device_mapping.get(found.root_device_name)
    volume = found.ec2_backend.volumes.get(block.volume_id) if block else None
    return int(volume.size) if volume is not None else 0


def incorrect(found: Any, what: str) -> ServiceError:
    return ServiceError(
        "IncorrectInstanceState",
        f"The instance '{found.id}' is not in a state from which it can be {what}. (it is {found._state.name})",
    )


@contextmanager
def translated() -> Iterator[None]:
    """moto's errors as ours."""
    try:
        yield
    except ServiceException as error:
        raise ServiceError(str(error.code), str(error.message)) from error
