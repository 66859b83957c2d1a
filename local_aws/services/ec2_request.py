"""RunInstances' parameters, checked against the account as AWS does it, and what they come to; errors are AWS's own."""

import base64
import binascii
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.errors import ServiceError
from local_aws.services import ec2_refusals, ec2_types

LONGEST_USER_DATA = 16 * 1024
DEFAULT_TYPE = "m1.small"
_VOLUME_TYPES = ("gp2", "gp3", "io1", "io2", "st1", "sc1", "standard")
_OTHER_USER_DATA = {
    b"#cloud-config": "cloud-config user data",
    b"Content-Type:": "multipart user data",
    b"MIME-Version:": "multipart user data",
    b"#include": "user data that includes other addresses",
    b"#cloud-boothook": "boot hooks",
    b"## template:": "templates as user data",
}


@dataclass(frozen=True)
class Volume:
    """A volume to make and attach. size in GB."""

    device: str
    size: int
    kind: str
    encrypted: bool
    delete_on_termination: bool
    snapshot_id: str | None = None
    iops: int | None = None
    throughput: int | None = None


@dataclass(frozen=True)
class Launch:
    """Instances to make, everything looked up. Network objects and the image are moto's."""

    count: int
    image: Any
    instance_type: str
    subnet: Any
    groups: tuple[Any, ...]
    profile: Any
    user_data: bytes
    volumes: tuple[Volume, ...]
    key_name: str | None
    public_address: bool | None
    private_address: str | None
    keep_interface: bool
    tags: Mapping[str, Mapping[str, str]]
    metadata: Mapping[str, Any]
    is_spot: bool
    max_price: str | None
    token: str
    params: Mapping[str, Any]

    @property
    def digest(self) -> str:
        return digest(self.params)


def digest(params: Mapping[str, Any]) -> str:
    """The same for the same request, its token and DryRun left out."""
    asked = {name: value for name, value in params.items() if name not in ("ClientToken", "DryRun")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def read(params: Mapping[str, Any], backend: Any, iam: Any) -> Launch:
    """The launch that a request means. backend: moto's EC2 of the region; iam: moto's. Raises ServiceError."""
    ec2_refusals.check(params)
    params = _with_interface(params)
    low, high = params["MinCount"], params["MaxCount"]
    if not 1 <= low <= high:
        raise _wrong("InvalidParameterValue", f"The minimum count {low} and the maximum count {high} are no range")
    image = _image(params.get("ImageId"), backend)
    instance_type = params.get("InstanceType") or DEFAULT_TYPE
    ec2_types.check(instance_type, image.architecture, backend.region_name)
    subnet = _subnet(params, backend)
    market = params.get("InstanceMarketOptions") or {}
    behavior = params.get("InstanceInitiatedShutdownBehavior")
    if behavior not in (None, "stop", "terminate"):
        raise _wrong("InvalidParameterValue", f"Value ({behavior}) for instanceInitiatedShutdownBehavior is invalid.")
    return Launch(
        count=high,
        image=image,
        instance_type=instance_type,
        subnet=subnet,
        groups=tuple(_groups(params, subnet, backend)),
        profile=_profile(params.get("IamInstanceProfile") or {}, iam),
        user_data=user_data(params.get("UserData")),
        volumes=tuple(_volumes(params.get("BlockDeviceMappings") or (), image)),
        key_name=_key(params.get("KeyName"), backend),
        public_address=params.get("AssociatePublicIpAddress"),
        private_address=params.get("PrivateIpAddress"),
        keep_interface=params.get("KeepInterface", False),
        tags=tags(params.get("TagSpecifications") or ()),
        metadata=_metadata(params.get("MetadataOptions") or {}),
        is_spot=market.get("MarketType") == "spot",
        max_price=_price((market.get("SpotOptions") or {}).get("MaxPrice")),
        token=params.get("ClientToken") or "",
        params=params,
    )


def _wrong(code: str, message: str) -> ServiceError:
    return ServiceError(code, message)


def _with_interface(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """A request whose one network interface is written as the members for the whole instance."""
    interfaces = params.get("NetworkInterfaces") or ()
    if not interfaces:
        return params
    if any(params.get(name) for name in ("SubnetId", "SecurityGroupIds", "SecurityGroups")):
        raise _wrong(
            "InvalidParameterCombination",
            "Network interfaces and an instance-level subnet ID or security groups may not be specified on the same "
            "request",
        )
    (given,) = interfaces
    return {
        **params,
        "SubnetId": given.get("SubnetId"),
        "SecurityGroupIds": given.get("Groups"),
        "AssociatePublicIpAddress": given.get("AssociatePublicIpAddress"),
        "KeepInterface": given.get("DeleteOnTermination") is False,
    }


def _image(image_id: str | None, backend: Any) -> Any:
    if not image_id:
        raise _wrong("MissingParameter", "The request must contain the parameter ImageId")
    if image_id.startswith("resolve:ssm:"):
        raise _wrong(
            "UnsupportedOperation",
            "The embedded AWS cannot do images named by resolve:ssm yet (ImageId). Read the parameter with "
            "ssm:GetParameter and give the image's id.",
        )
    if not image_id.startswith("ami-"):
        raise _wrong("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')
    image = backend.amis.get(image_id)
    if image is None:
        raise _wrong("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    if image.platform == "windows":
        raise _wrong(
            "UnsupportedOperation",
            "The embedded AWS cannot do Windows instances (ImageId): it runs them on this machine's Linux.",
        )
    return image


def _subnet(params: Mapping[str, Any], backend: Any) -> Any:
    zone = (params.get("Placement") or {}).get("AvailabilityZone")
    wanted = params.get("SubnetId")
    if wanted:
        found = [subnet for zones in backend.subnets.values() for subnet in zones.values() if subnet.id == wanted]
        if not found:
            raise _wrong("InvalidSubnetID.NotFound", f"The subnet ID '{wanted}' does not exist")
        if zone and found[0].availability_zone != zone:
            raise _wrong(
                "InvalidParameterCombination",
                f"The subnet {wanted} is in the Availability Zone {found[0].availability_zone}, not in {zone}",
            )
        return found[0]
    subnets = backend.get_default_subnets()
    if zone and zone not in subnets:
        raise _wrong("InvalidParameterValue", f"Invalid availability zone: [{zone}]")
    if not subnets:
        raise _wrong(
            "VPCIdNotSpecified",
            "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.",
        )
    return subnets[zone or min(subnets)]


def _groups(params: Mapping[str, Any], subnet: Any, backend: Any) -> Iterable[Any]:
    ids, names = params.get("SecurityGroupIds") or (), params.get("SecurityGroups") or ()
    for group_id in ids:
        group = backend.get_security_group_from_id(group_id)
        if group is None:
            raise _wrong("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
        if group.vpc_id != subnet.vpc_id:
            raise _wrong(
                "InvalidParameter", f"Security group {group_id} and subnet {subnet.id} belong to different networks."
            )
        yield group
    for name in names:
        group = backend.get_security_group_from_name(name, subnet.vpc_id)
        if group is None:
            raise _wrong(
                "InvalidGroup.NotFound", f"The security group '{name}' does not exist in VPC '{subnet.vpc_id}'"
            )
        yield group
    if not ids and not names:
        default = backend.get_security_group_from_name("default", subnet.vpc_id)
        if default is not None:
            yield default


def _profile(given: Mapping[str, str], iam: Any) -> Any:
    name, arn = given.get("Name"), given.get("Arn")
    if not name and not arn:
        return None
    found = next(
        (
            one
            for one in iam.instance_profiles.values()
            if (not name or one.name == name) and (not arn or one.arn == arn)
        ),
        None,
    )
    if found is None:
        what, word = (arn, "arn") if arn else (name, "name")
        title = "ARN" if arn else "name"
        raise _wrong(
            "InvalidParameterValue",
            f"Value ({what}) for parameter iamInstanceProfile.{word} is invalid. Invalid IAM Instance Profile {title}",
        )
    if not found.roles:
        raise _wrong("InvalidParameterValue", f'IAM Instance Profile "{found.arn}" has no associated IAM Roles')
    return found


def _key(name: str | None, backend: Any) -> str | None:
    if name and name not in backend.key_pairs:
        raise _wrong("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
    return name


def user_data(encoded: str | bytes | None) -> bytes:
    """What the base64 text stands for, a gzipped script unpacked. Raises ServiceError."""
    if not encoded:
        return b""
    try:
        found = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise _wrong("InvalidParameterValue", "Invalid BASE64 encoding of user data.") from None
    if len(found) > LONGEST_USER_DATA:
        raise _wrong("InvalidParameterValue", f"User data is limited to {LONGEST_USER_DATA} bytes")
    if found.startswith(b"\x1f\x8b"):
        unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            found = unpacking.decompress(found, 64 * LONGEST_USER_DATA)
        except (zlib.error, gzip.BadGzipFile) as wrong:
            raise _wrong("InvalidParameterValue", f"The user data is not valid gzip: {wrong}") from wrong
        if not unpacking.eof or unpacking.unused_data:  # half a script must not run
            raise _wrong(
                "InvalidParameterValue",
                f"The user data is not valid gzip: it is cut off, has more behind its end, or unpacks to more than "
                f"{64 * LONGEST_USER_DATA} bytes.",
            )
    for start, what in _OTHER_USER_DATA.items():
        if found.startswith(start):
            raise _wrong(
                "UnsupportedOperation",
                f"The embedded AWS cannot do {what} (UserData). Use a script that begins with #!.",
            )
    return found


def _volumes(mappings: Iterable[Mapping[str, Any]], image: Any) -> Iterable[Volume]:
    root = image.block_device_mappings[0]
    wanted: dict[str, Mapping[str, Any] | None] = {root["DeviceName"]: {}}
    for mapping in mappings:
        device = mapping.get("DeviceName")
        if not device:
            raise _wrong("MissingParameter", "The request must contain the parameter DeviceName")
        wanted[device] = None if "NoDevice" in mapping else mapping.get("Ebs") or {}
    if wanted[root["DeviceName"]] is None:
        raise _wrong("InvalidBlockDeviceMapping", f"The root device {root['DeviceName']} cannot be left out")
    for device, ebs in wanted.items():
        if ebs is None:
            continue
        is_root = device == root["DeviceName"]
        smallest = root["Ebs"]["VolumeSize"] if is_root else 1
        size = ebs.get("VolumeSize") or (smallest if is_root or ebs.get("SnapshotId") else None)
        if size is None:
            raise _wrong("MissingParameter", "The request must contain the parameter size or snapshotId")
        if size < smallest:
            raise _wrong(
                "InvalidBlockDeviceMapping",
                f"Volume of size {size}GB is smaller than snapshot '{root['Ebs']['SnapshotId']}', expect size >= "
                f"{smallest}GB",
            )
        if size > 65_536:
            raise _wrong("InvalidParameterValue", f"Volume of size {size}GB is too large, expect size <= 65536GB")
        kind = ebs.get("VolumeType") or "gp3"
        if kind not in _VOLUME_TYPES:
            raise _wrong("InvalidParameterValue", f"Invalid volume type: {kind}")
        yield Volume(
            device,
            size,
            kind,
            bool(ebs.get("Encrypted")),
            ebs.get("DeleteOnTermination", is_root),
            ebs.get("SnapshotId") or (root["Ebs"]["SnapshotId"] if is_root else None),
            ebs.get("Iops"),
            ebs.get("Throughput"),
        )


def tags(specifications: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Tags by kind of resource. Raises ServiceError for what AWS refuses in a tag."""
    found: dict[str, dict[str, str]] = {}
    for specification in specifications:
        kind = specification.get("ResourceType", "instance")
        if kind in found:
            raise _wrong("InvalidParameterValue", f"'{kind}' is specified twice in the tag specifications")
        listed = specification.get("Tags") or ()
        if any(tag.get("Key", "").lower().startswith("aws:") for tag in listed):
            raise _wrong(
                "InvalidParameterValue",
                "Value ( aws: ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal "
                "use",
            )
        if any(not tag.get("Key") or len(tag["Key"]) > 127 or len(tag.get("Value", "")) > 255 for tag in listed):
            raise _wrong("InvalidParameterValue", "Tag keys have 1 to 127 characters and tag values at most 255")
        found[kind] = {tag["Key"]: tag.get("Value", "") for tag in listed}
        if len(found[kind]) < len(listed):
            raise _wrong("InvalidParameterValue", "Duplicate tag keys are not allowed")
        if len(listed) > 50:
            raise _wrong("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
    return found


def _metadata(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with AWS's defaults: those of images that ask for version 2 only."""
    hops = options.get("HttpPutResponseHopLimit", 2)
    if not 1 <= hops <= 64:
        raise _wrong("InvalidParameterValue", f"The value {hops} is not valid for HttpPutResponseHopLimit: 1 to 64")
    return {
        "HttpTokens": _one_of(options, "HttpTokens", "required", "optional"),
        "HttpPutResponseHopLimit": hops,
        "HttpEndpoint": _one_of(options, "HttpEndpoint", "enabled", "disabled"),
        "InstanceMetadataTags": _one_of(options, "InstanceMetadataTags", "disabled", "enabled"),
    }


def _one_of(options: Mapping[str, Any], name: str, default: str, other: str) -> str:
    value = str(options.get(name) or default)
    if value not in (default, other):
        raise _wrong("InvalidParameterValue", f"The value {value} is not valid for {name}: {default} or {other}")
    return value


def _price(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        if float(text) > 0:
            return f"{float(text):.6f}"
    except ValueError:
        pass
    raise _wrong("InvalidParameterValue", f"Invalid value '{text}' for the maximum spot price: a price above 0")
