"""How a thing is at this moment: read when an action is planned, and once more right before it acts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.costs.waste.waste import Finding, Thing
from dashboard.core.errors import AccessDenied, NotFound, ServiceFault

GONE = frozenset({"terminated", "shutting-down", "deleting", "deleted", "Deleting", "Deleted"})


@dataclass(frozen=True)
class Standing:
    """`identity` tells the thing from a later one of its name; `state` is what an action depends on."""

    identity: str
    state: str
    arn: str = ""
    variants: tuple[str, ...] = ()  # an endpoint's
    taken: tuple[str, ...] = ()  # the volumes that go with an instance
    kept: tuple[str, ...] = ()  # and those that stay


def read(aws: Aws, finding: Finding) -> Standing | None:
    """The thing of a finding as it is now; None when it is gone, or going. Raises the errors of `Aws.call`."""
    readers: dict[Thing, Callable[[], Standing | None]] = {
        Thing.ENDPOINT: lambda: _endpoint(aws, finding.name),
        Thing.NOTEBOOK: lambda: _notebook(aws, finding.name),
        Thing.FUNCTION: lambda: _provisioned(aws, finding.details),
        Thing.INSTANCE: lambda: _instance(aws, finding.name),
        Thing.VOLUME: lambda: _volume(aws, finding.name),
        Thing.ADDRESS: lambda: _address(aws, finding.name),
        Thing.FILES: lambda: Standing(finding.name, ""),  # listed again when they are deleted
    }
    try:
        found = readers[finding.thing]()
    except NotFound:
        return None
    return None if found is None or found.state in GONE else found


def scalable_target(aws: Aws, endpoint: str, variant: str) -> Mapping[str, Any] | None:
    """What auto scaling keeps of a variant; None without it, and where auto scaling is not there or not ours to see."""
    dimension = "sagemaker:variant:DesiredInstanceCount"
    try:
        found = aws.call(
            "application-autoscaling",
            "DescribeScalableTargets",
            ServiceNamespace="sagemaker",
            ResourceIds=[f"endpoint/{endpoint}/variant/{variant}"],
            ScalableDimension=dimension,
        )["ScalableTargets"]
    except (AccessDenied, ServiceFault):
        return None
    return found[0] if found else None


def _endpoint(aws: Aws, name: str) -> Standing | None:
    told = aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)
    if told["EndpointStatus"] in GONE:
        return None
    variants = told.get("ProductionVariants", [])
    wanted = sum(int(one.get("DesiredInstanceCount", one.get("CurrentInstanceCount", 0))) for one in variants)
    names = tuple(one["VariantName"] for one in variants)
    return Standing(told["CreationTime"].isoformat(), str(wanted), told["EndpointArn"], names)


def _notebook(aws: Aws, name: str) -> Standing:
    told = aws.call("sagemaker", "DescribeNotebookInstance", NotebookInstanceName=name)
    return Standing(told["CreationTime"].isoformat(), told["NotebookInstanceStatus"], told["NotebookInstanceArn"])


def _provisioned(aws: Aws, details: Mapping[str, str]) -> Standing:
    told = aws.call(
        "lambda",
        "GetProvisionedConcurrencyConfig",
        FunctionName=details["function"],
        Qualifier=details["qualifier"],
    )
    return Standing(details["arn"], str(told["RequestedProvisionedConcurrentExecutions"]))


def _instance(aws: Aws, name: str) -> Standing | None:
    told = aws.call("ec2", "DescribeInstances", InstanceIds=[name])
    found = [one for group in told["Reservations"] for one in group["Instances"]]
    if not found:
        return None
    volumes = [one["Ebs"] for one in found[0].get("BlockDeviceMappings", []) if "Ebs" in one]
    return Standing(
        found[0]["LaunchTime"].isoformat(),
        found[0]["State"]["Name"],
        taken=tuple(one["VolumeId"] for one in volumes if one.get("DeleteOnTermination")),
        kept=tuple(one["VolumeId"] for one in volumes if not one.get("DeleteOnTermination")),
    )


def _volume(aws: Aws, name: str) -> Standing | None:
    found = aws.call("ec2", "DescribeVolumes", VolumeIds=[name])["Volumes"]
    return Standing(found[0]["VolumeId"], found[0]["State"]) if found else None


def _address(aws: Aws, name: str) -> Standing | None:
    found = aws.call("ec2", "DescribeAddresses", AllocationIds=[name])["Addresses"]
    if not found:
        return None
    user = next(
        (found[0][key] for key in ("InstanceId", "NetworkInterfaceId", "AssociationId") if found[0].get(key)), ""
    )
    return Standing(found[0]["PublicIp"], user or "loose")
