"""An instance as AWS describes it, from moto's record and what we keep with it; and DescribeInstances' filters."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from local_aws.errors import ServiceError
from local_aws.services import ec2_types

Document = dict[str, Any]
CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


def state(name: str) -> Document:
    return {"Code": CODES[name], "Name": name}


def instance(found: Any) -> Document:
    """DescribeInstances' record of moto's instance."""
    kept = found.kennel
    gone = found._state.name == "terminated"
    nic = None if gone else found.nics[0]
    kind = ec2_types.known(found.instance_type) or {}
    document: Document = {
        "AmiLaunchIndex": found.ami_launch_index,
        "Architecture": found.architecture,
        "BlockDeviceMappings": [] if gone else [_mapping(*one) for one in found.block_device_mapping.items()],
        "CapacityReservationSpecification": {"CapacityReservationPreference": "open"},
        "ClientToken": found.client_token or "",
        "CpuOptions": _cpu(kind),
        "CurrentInstanceBootMode": "legacy-bios",
        "EbsOptimized": bool(found.ebs_optimized),
        "EnaSupport": True,
        "EnclaveOptions": {"Enabled": False},
        "HibernationOptions": {"Configured": False},
        "Hypervisor": "xen",
        "ImageId": found.image_id,
        "InstanceId": found.id,
        "InstanceType": found.instance_type,
        "LaunchTime": found.launch_time.replace(tzinfo=UTC),
        "MetadataOptions": metadata_options(found.metadata_options),
        "Monitoring": {"State": found.monitoring_state},
        "NetworkInterfaces": [] if nic is None else [_interface(nic, found)],
        "Placement": {"AvailabilityZone": found.availability_zone, "GroupName": "", "Tenancy": "default"},
        "PlatformDetails": "Linux/UNIX",
        "PrivateDnsName": "" if nic is None else found.private_dns_name,
        "ProductCodes": [],
        "PublicDnsName": "" if nic is None else found.public_dns_name or "",
        "RootDeviceName": found.root_device_name,
        "RootDeviceType": "ebs",
        "SecurityGroups": [] if gone else [{"GroupId": one.id, "GroupName": one.name} for one in found.security_groups],
        "State": state(found._state.name),
        "StateTransitionReason": found._reason,
        "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in found.get_tags()],
        "UsageOperation": "RunInstances",
        "UsageOperationUpdateTime": kept["launched"],
        "VirtualizationType": found.virtualization_type or "hvm",
    }
    if nic is not None:
        document |= {
            "PrivateIpAddress": nic.private_ip_address,
            "SourceDestCheck": found.source_dest_check,
            "SubnetId": nic.subnet.id,
            "VpcId": nic.subnet.vpc_id,
        }
        if nic.public_ip:
            document["PublicIpAddress"] = nic.public_ip
    if found._state.name == "pending":
        document["StateReason"] = {"Code": "pending", "Message": "pending"}
    elif found.state_reason.code:
        document["StateReason"] = {"Code": found.state_reason.code, "Message": found.state_reason.message}
    if found.iam_instance_profile:
        document["IamInstanceProfile"] = dict(found.iam_instance_profile)
    if found.key_name:
        document["KeyName"] = found.key_name
    if kept["spot"]:
        document |= {"InstanceLifecycle": "spot", "SpotInstanceRequestId": kept["spot"]["id"]}
    return document


def reservation(found: Any, instances: list[Document]) -> Document:
    return {"Groups": [], "Instances": instances, "OwnerId": found.owner_id, "ReservationId": found.id}


def metadata_options(options: Any) -> Document:
    return {
        "State": "applied",
        "HttpTokens": options.http_tokens,
        "HttpPutResponseHopLimit": options.http_put_response_hop_limit,
        "HttpEndpoint": options.http_endpoint,
        "HttpProtocolIpv6": "disabled",
        "InstanceMetadataTags": options.instance_metadata_tags,
    }


def status(found: Any) -> Document:
    """DescribeInstanceStatus' record."""
    running = found._state.name == "running"
    checks: Document = {"Status": "not-applicable"}
    if running:
        checks = {"Details": [{"Name": "reachability", "Status": "passed"}], "Status": "ok"}
    return {
        "AvailabilityZone": found.availability_zone,
        "InstanceId": found.id,
        "InstanceState": state(found._state.name),
        "InstanceStatus": checks,
        "SystemStatus": checks,
    }


def _cpu(kind: Mapping[str, Any]) -> Document:
    told = kind.get("VCpuInfo", {})
    return {"CoreCount": told.get("DefaultCores", 1), "ThreadsPerCore": told.get("DefaultThreadsPerCore", 1)}


def _mapping(device: str, block: Any) -> Document:
    return {
        "DeviceName": device,
        "Ebs": {
            "AttachTime": _aware(block.attach_time),
            "DeleteOnTermination": bool(block.delete_on_termination),
            "Status": "attached",
            "VolumeId": block.volume_id,
        },
    }


def _interface(nic: Any, found: Any) -> Document:
    address: Document = {
        "Primary": True,
        "PrivateDnsName": found.private_dns_name,
        "PrivateIpAddress": nic.private_ip_address,
    }
    document: Document = {
        "Attachment": {
            "AttachTime": _aware(nic.attach_time),
            "AttachmentId": nic.attachment_id,
            "DeleteOnTermination": bool(nic.delete_on_termination),
            "DeviceIndex": 0,
            "Status": "attached",
            "NetworkCardIndex": 0,
        },
        "Description": nic.description or "",
        "Groups": [{"GroupId": one.id, "GroupName": one.name} for one in found.security_groups],
        "InterfaceType": "interface",
        "Ipv6Addresses": [],
        "MacAddress": nic.mac_address,
        "NetworkInterfaceId": nic.id,
        "OwnerId": found.owner_id,
        "PrivateDnsName": found.private_dns_name,
        "PrivateIpAddress": nic.private_ip_address,
        "SourceDestCheck": nic.source_dest_check,
        "Status": "in-use",
        "SubnetId": nic.subnet.id,
        "VpcId": nic.subnet.vpc_id,
    }
    if nic.public_ip:
        public = {"IpOwnerId": "amazon", "PublicDnsName": found.public_dns_name, "PublicIp": nic.public_ip}
        document["Association"] = address["Association"] = public
    return document | {"PrivateIpAddresses": [address]}


def _aware(moment: Any) -> datetime | None:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return moment.replace(tzinfo=UTC) if moment else None


def _each(*path: str) -> Callable[[Document], list[str]]:
    """The texts at a path of a record; a list on the way stands for each of its items."""

    def look(document: Document) -> list[str]:
        found: list[Any] = [document]
        for name in path:
            found = [one[name] for one in found if name in one]
            found = [item for one in found for item in (one if isinstance(one, list) else [one])]
        return [_text(one) for one in found]

    return look


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:%Y-%m-%dT%H:%M:%S.000Z}" if isinstance(value, datetime) else str(value)


_NIC = "NetworkInterfaces"
_FILTERS: dict[str, Callable[[Document], list[str]]] = {
    "architecture": _each("Architecture"),
    "availability-zone": _each("Placement", "AvailabilityZone"),
    "block-device-mapping.delete-on-termination": _each("BlockDeviceMappings", "Ebs", "DeleteOnTermination"),
    "block-device-mapping.device-name": _each("BlockDeviceMappings", "DeviceName"),
    "block-device-mapping.status": _each("BlockDeviceMappings", "Ebs", "Status"),
    "block-device-mapping.volume-id": _each("BlockDeviceMappings", "Ebs", "VolumeId"),
    "client-token": _each("ClientToken"),
    "dns-name": _each("PublicDnsName"),
    "group-id": _each("SecurityGroups", "GroupId"),
    "group-name": _each("SecurityGroups", "GroupName"),
    "hypervisor": _each("Hypervisor"),
    "iam-instance-profile.arn": _each("IamInstanceProfile", "Arn"),
    "iam-instance-profile.id": _each("IamInstanceProfile", "Id"),
    "image-id": _each("ImageId"),
    "instance-id": _each("InstanceId"),
    "instance-lifecycle": _each("InstanceLifecycle"),
    "instance-state-code": _each("State", "Code"),
    "instance-state-name": _each("State", "Name"),
    "instance-type": _each("InstanceType"),
    "instance.group-id": _each("SecurityGroups", "GroupId"),
    "instance.group-name": _each("SecurityGroups", "GroupName"),
    "ip-address": _each("PublicIpAddress"),
    "key-name": _each("KeyName"),
    "launch-index": _each("AmiLaunchIndex"),
    "launch-time": _each("LaunchTime"),
    "metadata-options.http-endpoint": _each("MetadataOptions", "HttpEndpoint"),
    "metadata-options.http-put-response-hop-limit": _each("MetadataOptions", "HttpPutResponseHopLimit"),
    "metadata-options.http-tokens": _each("MetadataOptions", "HttpTokens"),
    "metadata-options.instance-metadata-tags": _each("MetadataOptions", "InstanceMetadataTags"),
    "monitoring-state": _each("Monitoring", "State"),
    "network-interface.group-id": _each(_NIC, "Groups", "GroupId"),
    "network-interface.network-interface-id": _each(_NIC, "NetworkInterfaceId"),
    "network-interface.private-ip-address": _each(_NIC, "PrivateIpAddress"),
    "network-interface.subnet-id": _each(_NIC, "SubnetId"),
    "network-interface.vpc-id": _each(_NIC, "VpcId"),
    "network-interface.addresses.private-ip-address": _each(_NIC, "PrivateIpAddresses", "PrivateIpAddress"),
    "platform-details": _each("PlatformDetails"),
    "placement-group-name": _each("Placement", "GroupName"),
    "private-dns-name": _each("PrivateDnsName"),
    "private-ip-address": _each("PrivateIpAddress"),
    "reason": _each("StateTransitionReason"),
    "root-device-name": _each("RootDeviceName"),
    "root-device-type": _each("RootDeviceType"),
    "source-dest-check": _each("SourceDestCheck"),
    "spot-instance-request-id": _each("SpotInstanceRequestId"),
    "state-reason-code": _each("StateReason", "Code"),
    "subnet-id": _each("SubnetId"),
    "tag-key": _each("Tags", "Key"),
    "tenancy": _each("Placement", "Tenancy"),
    "usage-operation": _each("UsageOperation"),
    "virtualization-type": _each("VirtualizationType"),
    "vpc-id": _each("VpcId"),
}
STATUS_FILTERS: dict[str, Callable[[Document], list[str]]] = {
    "availability-zone": _each("AvailabilityZone"),
    "instance-state-code": _each("InstanceState", "Code"),
    "instance-state-name": _each("InstanceState", "Name"),
    "instance-status.reachability": _each("InstanceStatus", "Details", "Status"),
    "instance-status.status": _each("InstanceStatus", "Status"),
    "system-status.reachability": _each("SystemStatus", "Details", "Status"),
    "system-status.status": _each("SystemStatus", "Status"),
}
PRICE_FILTERS: dict[str, Callable[[Document], list[str]]] = {
    "availability-zone": _each("AvailabilityZone"),
    "instance-type": _each("InstanceType"),
    "product-description": _each("ProductDescription"),
    "spot-price": _each("SpotPrice"),
    "timestamp": _each("Timestamp"),
}
SPOT_FILTERS: dict[str, Callable[[Document], list[str]]] = {
    "spot-instance-request-id": _each("SpotInstanceRequestId"),
    "state": _each("State"),
    "status-code": _each("Status", "Code"),
    "instance-id": _each("InstanceId"),
    "type": _each("Type"),
    "launched-availability-zone": _each("LaunchedAvailabilityZone"),
    "launch.image-id": _each("LaunchSpecification", "ImageId"),
    "launch.instance-type": _each("LaunchSpecification", "InstanceType"),
    "product-description": _each("ProductDescription"),
    "spot-price": _each("SpotPrice"),
    "tag-key": _each("Tags", "Key"),
}


def matcher(
    filters: Iterable[Mapping[str, Any]], table: Mapping[str, Callable[[Document], list[str]]] | None = None
) -> Callable[[Document], bool]:
    """Whether a record passes all filters; values are joined by OR, with * and ? in them.

    Raises ServiceError InvalidParameterValue for a filter that AWS does not have.
    """
    known = _FILTERS if table is None else table
    checks: list[tuple[Callable[[Document], list[str]], list[re.Pattern[str]]]] = []
    for asked in filters:
        name = asked.get("Name", "")
        look = _of_tag(name.removeprefix("tag:")) if name.startswith("tag:") else known.get(name)
        if look is None:
            raise ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")
        checks.append((look, [re.compile(_pattern(value)) for value in asked.get("Values") or ()]))
    return lambda document: all(
        any(pattern.fullmatch(text) for text in look(document) for pattern in patterns) for look, patterns in checks
    )


def _pattern(value: str) -> str:
    """* and ? are the only signs with a meaning, a backslash takes it away."""
    signs = {"*": "[^\\0]*", "?": "[^\\0]"}
    parts = re.split(r"(\\.|\*+|\?)", value, flags=re.DOTALL)
    return "".join(signs.get(part[:1]) or re.escape(part[1:] if part[:1] == "\\" else part) for part in parts if part)


def _of_tag(key: str) -> Callable[[Document], list[str]]:
    return lambda document: [tag["Value"] for tag in document.get("Tags", ()) if tag["Key"] == key]
