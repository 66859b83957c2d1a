"""EC2, where starting an instance takes a right on each thing that the instance is made of.

Source: "Example policies to control access to the Amazon EC2 API" and the Service Authorization Reference.
"""

from collections.abc import Iterator

from dashboard.core.iam.needs.ec2_resources import RESOURCES
from dashboard.core.iam.needs.request import Context, Needs, Request
from dashboard.core.iam.rights import Right

SERVICE = "ec2.amazonaws.com"

# what an id begins with, by the kind of resource that it is of
_KINDS = {
    "i": "instance",
    "vol": "volume",
    "snap": "snapshot",
    "ami": "image",
    "sg": "security-group",
    "subnet": "subnet",
    "vpc": "vpc",
    "eni": "network-interface",
    "key": "key-pair",
    "eipalloc": "elastic-ip",
    "igw": "internet-gateway",
    "rtb": "route-table",
    "acl": "network-acl",
    "nat": "natgateway",
    "lt": "launch-template",
    "sir": "spot-instances-request",
    "sfr": "spot-fleet-request",
    "pcx": "vpc-peering-connection",
    "vpce": "vpc-endpoint",
    "sgr": "security-group-rule",
    "tgw": "transit-gateway",
    "dopt": "dhcp-options",
}
_OF_NOBODY = ("image", "snapshot")  # whose ARNs have no account


def _arn(request: Request, kind: str, name: str) -> str:
    return request.arn("ec2", f"{kind}/{name}", account="" if kind in _OF_NOBODY else None)


def _region(request: Request) -> Context:
    return {"ec2:Region": (request.where.region,)}


def _tag_specifications(request: Request) -> Iterator[tuple[str, Context]]:
    for one in request.structures("TagSpecifications"):
        yield one.value("ResourceType") or "*", one.tags()


def _tagged(request: Request) -> Iterator[Right]:
    """What is tagged as it is made needs ec2:CreateTags, on resources whose ids are not known yet."""
    for kind, tags in _tag_specifications(request):
        if tags:
            context = {**tags, **_region(request), "ec2:CreateAction": (request.operation,)}
            yield Right("ec2:CreateTags", _arn(request, kind, "*"), context)


def _profile(request: Request) -> tuple[str, str]:
    """The ARN of the instance profile that a request names and that of its role, "" where it names none."""
    arn, name = request.value("IamInstanceProfile.Arn"), request.value("IamInstanceProfile.Name")
    name = name or arn.rpartition("/")[2]
    if not name:
        return "", ""
    known = arn or request.lookup.iam_arn("instance-profile", name)
    profile = known or request.arn("iam", f"instance-profile/{name}", region="")
    return profile, request.lookup.profile_role(name) or name


def _run(request: Request) -> Iterator[Right]:
    profile, role = _profile(request)
    kinds = dict(_tag_specifications(request))
    common = _region(request)
    image, key = request.value("ImageId"), request.value("KeyName")
    instance = {
        **common,
        **request.context(
            {
                "ec2:InstanceType": "InstanceType",
                "ec2:MetadataHttpTokens": "MetadataOptions.HttpTokens",
                "ec2:MetadataHttpEndpoint": "MetadataOptions.HttpEndpoint",
                "ec2:MetadataHttpPutResponseHopLimit": "MetadataOptions.HttpPutResponseHopLimit",
                "ec2:EbsOptimized": "EbsOptimized",
                "ec2:AvailabilityZone": "Placement.AvailabilityZone",
                "ec2:Tenancy": "Placement.Tenancy",
            }
        ),
        "ec2:InstanceMarketType": (request.value("InstanceMarketOptions.MarketType") or "on-demand",),
        **({"ec2:InstanceProfile": (profile,)} if profile else {}),
    }
    yield Right("ec2:RunInstances", _arn(request, "instance", "*"), {**instance, **kinds.get("instance", {})})
    if image.startswith("resolve:ssm:"):
        name = image.removeprefix("resolve:ssm:").lstrip("/")
        account = "" if name.startswith("aws/") else None
        yield Right("ssm:GetParameters", request.arn("ssm", f"parameter/{name}", account=account))
        image = ""
    if image or not request.value("LaunchTemplate.LaunchTemplateId|LaunchTemplate.LaunchTemplateName"):
        yield Right("ec2:RunInstances", _arn(request, "image", image or "*"), common)
    volume = request.context(
        {
            "ec2:VolumeType": "BlockDeviceMappings.Ebs.VolumeType",
            "ec2:VolumeSize": "BlockDeviceMappings.Ebs.VolumeSize",
            "ec2:Encrypted": "BlockDeviceMappings.Ebs.Encrypted",
        }
    )
    yield Right("ec2:RunInstances", _arn(request, "volume", "*"), {**common, **volume, **kinds.get("volume", {})})
    yield Right("ec2:RunInstances", _arn(request, "network-interface", "*"), common)
    groups = (*request.values("SecurityGroupIds"), *request.values("NetworkInterfaces.Groups"))
    subnets = (*request.values("SubnetId"), *request.values("NetworkInterfaces.SubnetId"))
    named = (
        *(("security-group", one) for one in groups or ("*",)),
        *(("subnet", one) for one in subnets or ("*",)),
        *(("key-pair", one) for one in (key,) if one),
        *(("launch-template", one) for one in request.values("LaunchTemplate.LaunchTemplateId")),
    )
    for kind, one in dict.fromkeys(named):
        yield Right("ec2:RunInstances", _arn(request, kind, one), common)
    yield from request.passes(role, SERVICE)
    yield from _tagged(request)


def _grouped(request: Request) -> Iterator[Right]:
    tags = dict(_tag_specifications(request)).get("security-group", {})
    region = _region(request)
    yield Right("ec2:CreateSecurityGroup", _arn(request, "security-group", "*"), {**region, **tags})
    if network := request.value("VpcId"):
        yield Right("ec2:CreateSecurityGroup", _arn(request, "vpc", network), region)
    yield from _tagged(request)


def _tagging(request: Request) -> Iterator[Right]:
    tags = {**request.tags(), **_region(request)}
    for one in request.values("Resources") or ("",):
        kind = _KINDS.get(one.partition("-")[0], "*")
        yield Right(f"ec2:{request.operation}", _arn(request, kind, one) if one else "*", tags)


def _associated(request: Request) -> Iterator[Right]:
    """A profile put to an instance that runs, or in the place of the one that it has."""
    profile, role = _profile(request)
    context = {**_region(request), **({"ec2:NewInstanceProfile": (profile,)} if profile else {})}
    yield Right(f"ec2:{request.operation}", _arn(request, "instance", request.value("InstanceId") or "*"), context)
    yield from request.passes(role, SERVICE)


_TAGGED = """
    CreateVolume CreateSnapshot CreateSnapshots CreateImage CopyImage CopySnapshot CreateKeyPair ImportKeyPair
    CreateSubnet CreateVpc CreateNetworkInterface CreateLaunchTemplate AllocateAddress CreateRouteTable
    CreateInternetGateway CreateNatGateway CreateVpcEndpoint CreateNetworkAcl CreateFlowLogs RequestSpotInstances
"""

EC2 = Needs(
    prefix="ec2",
    base="arn:{partition}:ec2:{region}:{account}:",
    resources=RESOURCES,
    contexts={
        "ModifyInstanceMetadataOptions": {
            "ec2:MetadataHttpTokens": "HttpTokens",
            "ec2:MetadataHttpEndpoint": "HttpEndpoint",
            "ec2:MetadataHttpPutResponseHopLimit": "HttpPutResponseHopLimit",
        },
        "CreateVolume": {"ec2:VolumeType": "VolumeType", "ec2:VolumeSize": "Size", "ec2:Encrypted": "Encrypted"},
    },
    tags="",
    extra=dict.fromkeys(_TAGGED.split(), _tagged),
    special={
        "RunInstances": _run,
        "CreateSecurityGroup": _grouped,
        "CreateTags": _tagging,
        "DeleteTags": _tagging,
        "AssociateIamInstanceProfile": _associated,
        "ReplaceIamInstanceProfileAssociation": _associated,
    },
)
