"""What RunInstances can do and the embedded AWS cannot: refused by name, never accepted and then left undone."""

from collections.abc import Mapping
from typing import Any

from local_aws.errors import ServiceError
from local_aws.services.sagemaker_refusals import Refusal, other_than, refuse

_NIC = frozenset(
    {"DeviceIndex", "SubnetId", "Groups", "AssociatePublicIpAddress", "DeleteOnTermination", "Description"}
)
_MARKET = "InstanceMarketOptions"

RUN_INSTANCES = (
    Refusal("KernelId", "a kernel of one's own"),
    Refusal("RamdiskId", "a RAM disk of one's own"),
    Refusal("AdditionalInfo", "additional info"),
    Refusal("LaunchTemplate", "launch templates"),
    Refusal("HibernationOptions.Configured", "hibernation"),
    Refusal("EnclaveOptions.Enabled", "enclaves"),
    Refusal("CapacityReservationSpecification.CapacityReservationTarget", "capacity reservations"),
    Refusal("CpuOptions", "CPU options"),
    Refusal("CreditSpecification", "a credit specification"),
    Refusal("ElasticGpuSpecification", "elastic GPUs"),
    Refusal("ElasticInferenceAccelerators", "elastic inference"),
    Refusal("LicenseSpecifications", "licence configurations"),
    Refusal("Ipv6Addresses", "IPv6 addresses"),
    Refusal("Ipv6AddressCount", "IPv6 addresses"),
    Refusal("EnablePrimaryIpv6", "IPv6 addresses"),
    Refusal("PrivateDnsNameOptions", "private DNS names"),
    Refusal("MaintenanceOptions.AutoRecovery", "automatic recovery", other_than(None, "default", "disabled")),
    Refusal("NetworkPerformanceOptions", "network performance options"),
    Refusal("Operator", "instances that a service manages"),
    Refusal("SecondaryInterfaces", "secondary interfaces"),
    Refusal(
        "CapacityReservationSpecification.CapacityReservationPreference",
        "capacity reservations",
        other_than("open", "none"),
    ),
    Refusal("Placement.AvailabilityZoneId", "an Availability Zone by its id"),
    Refusal("Placement.Tenancy", "dedicated tenancy", other_than("default")),
    Refusal("Placement.GroupName", "placement groups"),
    Refusal("Placement.GroupId", "placement groups"),
    Refusal("Placement.PartitionNumber", "placement groups"),
    Refusal("Placement.HostId", "dedicated hosts"),
    Refusal("Placement.HostResourceGroupArn", "dedicated hosts"),
    Refusal("Placement.Affinity", "dedicated hosts"),
    Refusal("Placement.SpreadDomain", "placement domains"),
    Refusal("NetworkInterfaces", "several network interfaces", lambda nics: len(nics) > 1),
    Refusal("NetworkInterfaces[]", "that kind of network interface", lambda nic: bool(set(nic) - _NIC)),
    Refusal("NetworkInterfaces[].DeviceIndex", "a network interface that is not the first", lambda at: at != 0),
    Refusal("BlockDeviceMappings[].VirtualName", "instance store volumes"),
    Refusal("BlockDeviceMappings[].Ebs.KmsKeyId", "encryption with a KMS key"),
    Refusal("BlockDeviceMappings[].Ebs.AvailabilityZone", "a volume in a zone of its own"),
    Refusal("BlockDeviceMappings[].Ebs.AvailabilityZoneId", "a volume in a zone of its own"),
    Refusal("BlockDeviceMappings[].Ebs.EbsCardIndex", "EBS cards"),
    Refusal("BlockDeviceMappings[].Ebs.OutpostArn", "Outposts"),
    Refusal("BlockDeviceMappings[].Ebs.VolumeInitializationRate", "a rate of volume initialisation"),
    Refusal(f"{_MARKET}.MarketType", "capacity blocks", other_than("spot")),
    Refusal(f"{_MARKET}.SpotOptions.SpotInstanceType", "persistent spot requests", other_than("one-time")),
    Refusal(f"{_MARKET}.SpotOptions.BlockDurationMinutes", "spot blocks"),
    Refusal(f"{_MARKET}.SpotOptions.ValidUntil", "spot requests with an end date"),
    Refusal(
        f"{_MARKET}.SpotOptions.InstanceInterruptionBehavior",
        "spot instances that stop or hibernate",
        other_than("terminate"),
    ),
    Refusal(
        "TagSpecifications[].ResourceType",
        "tags of that kind of resource",
        other_than("instance", "volume", "network-interface", "spot-instances-request"),
    ),
    Refusal("MetadataOptions.HttpProtocolIpv6", "metadata over IPv6", other_than("disabled")),
)


def check(params: Mapping[str, Any]) -> None:
    """Raises ServiceError UnsupportedOperation for the first member of RunInstances that cannot be honoured."""
    try:
        refuse(params, RUN_INSTANCES)
    except ServiceError as refused:
        raise ServiceError("UnsupportedOperation", refused.message) from refused
