"""A function in a VPC: what the chosen subnets can reach, and what is missing for it to ask its endpoint.

In a VPC a function has no public address, whatever its subnet gives others: it reaches SageMaker through a NAT gateway
in the subnet's route, or through an interface endpoint of `sagemaker.runtime`. Its log needs neither: Lambda writes it
from outside. Source: Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError
from dashboard.core.parallel import gather

EVERYWHERE = "0.0.0.0/0"
HTTPS = 443


@dataclass(frozen=True)
class Subnet:
    """A subnet that a function may be in. way: how it gets out, "" for not at all."""

    id: str
    network: str
    zone: str
    name: str
    way: str
    has_internet_gateway: bool = False


@dataclass(frozen=True)
class Group:
    """A security group: its VPC, and whether it lets traffic out to port 443 somewhere."""

    id: str
    network: str
    name: str
    lets_out: bool


@dataclass(frozen=True)
class Networks:
    """The VPCs of a region as far as a function cares. runtime: VPCs with an endpoint of sagemaker.runtime.

    unread: why its interface endpoints or routes could not be read; None when they were.
    """

    subnets: tuple[Subnet, ...]
    groups: tuple[Group, ...]
    runtime: frozenset[str] = frozenset()
    s3: frozenset[str] = frozenset()
    unread: KennelError | None = None


@dataclass(frozen=True)
class Reach:
    """Whether a function there gets to its endpoint: yes, no, or None where that is not known; and why."""

    ok: bool | None
    why: str
    what_to_do: str = ""


def networks(aws: Aws) -> Networks:
    """The region's subnets and groups with what they reach. Raises the errors of `Aws.call` when neither is told."""

    def look(operation: str) -> Any:
        try:
            return aws.call("ec2", operation)
        except KennelError as problem:
            return problem

    told = gather(look, ("DescribeSubnets", "DescribeSecurityGroups", "DescribeRouteTables", "DescribeVpcEndpoints"))
    subnets, groups, routes, endpoints = told
    for each in (subnets, groups):
        if isinstance(each, KennelError):
            raise each
    unread = next((each for each in (routes, endpoints) if isinstance(each, KennelError)), None)
    tables = () if isinstance(routes, KennelError) else routes["RouteTables"]
    doors = () if isinstance(endpoints, KennelError) else endpoints["VpcEndpoints"]
    region = aws.account.region
    return Networks(
        subnets=tuple(sorted((_subnet(one, tables) for one in subnets["Subnets"]), key=lambda one: one.id)),
        groups=tuple(sorted((_group(one) for one in groups["SecurityGroups"]), key=lambda one: one.id)),
        runtime=_with(doors, f"com.amazonaws.{region}.sagemaker.runtime"),
        s3=_with(doors, f"com.amazonaws.{region}.s3"),
        unread=unread,
    )


def reach(told: Networks, subnets: Sequence[str], groups: Sequence[str]) -> Reach:
    """What a function in these subnets with these groups reaches."""
    if not subnets:
        return Reach(True, "it is in no VPC: Lambda's own network reaches SageMaker, and nothing private")
    known = {one.id: one for one in told.subnets}
    missing = [one for one in subnets if one not in known]
    if missing:
        return Reach(False, f"there is no subnet {missing[0]} in this region", "choose another")
    chosen = [known[one] for one in subnets]
    nets = {one.network for one in chosen}
    by_id = {one.id: one for one in told.groups}
    if len(nets) > 1:
        return Reach(False, "the subnets are of two VPCs, and a function is in one", "choose subnets of one VPC")
    net = next(iter(nets))
    strange = [one for one in groups if one not in by_id or by_id[one].network != net]
    if strange or not groups:
        why = f"the security group {strange[0]} is not of {net}" if strange else "a security group is missing"
        return Reach(False, why, f"choose one of {net}")
    if not any(by_id[one].lets_out for one in groups):
        return Reach(False, "no security group of it lets HTTPS out", "allow port 443 outwards in one of them")
    if net in told.runtime:
        return Reach(True, f"through the interface endpoint of sagemaker.runtime in {net}")
    if told.unread is not None:
        return Reach(None, f"not checked: {told.unread}", "see that there is a NAT gateway or an interface endpoint")
    stuck = [one for one in chosen if not one.way]
    if not stuck:
        return Reach(True, f"through {chosen[0].way}")
    public = stuck[0].has_internet_gateway
    why = f"{stuck[0].id} has no way out to SageMaker"
    why += ": its internet gateway serves public addresses, and a function has none" if public else ""
    return Reach(
        False,
        f"{why}. Every call would wait until its time is over and answer 503",
        f"make an interface endpoint of sagemaker.runtime in {net}, or route the subnet through a NAT gateway, which "
        "costs by the hour and by the GB",
    )


def _subnet(told: Mapping[str, Any], tables: Iterable[Mapping[str, Any]]) -> Subnet:
    table = _table(told, tables)
    routes = [one for one in (table or {}).get("Routes", ()) if one.get("DestinationCidrBlock") == EVERYWHERE]
    ways = [
        str(one.get("NatGatewayId") or one.get("TransitGatewayId") or one.get("NetworkInterfaceId") or "")
        for one in routes
        if one.get("State", "active") == "active"
    ]
    names = {str(one["Key"]): str(one["Value"]) for one in told.get("Tags", ())}
    return Subnet(
        id=str(told["SubnetId"]),
        network=str(told["VpcId"]),
        zone=str(told.get("AvailabilityZone", "")),
        name=names.get("Name", ""),
        way=next((f"the NAT gateway {one}" if one.startswith("nat-") else one for one in ways if one), ""),
        has_internet_gateway=any(str(one.get("GatewayId", "")).startswith("igw-") for one in routes),
    )


def _table(subnet: Mapping[str, Any], tables: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The route table of a subnet: its own, else the main one of its VPC."""
    main = None
    for table in tables:
        for link in table.get("Associations", ()):
            if link.get("SubnetId") == subnet["SubnetId"]:
                return table
            if link.get("Main") and table.get("VpcId") == subnet["VpcId"]:
                main = table
    return main


def _group(told: Mapping[str, Any]) -> Group:
    out = [rule for rule in told.get("IpPermissionsEgress", ()) if _covers(rule)]
    return Group(str(told["GroupId"]), str(told.get("VpcId", "")), str(told.get("GroupName", "")), bool(out))


def _covers(rule: Mapping[str, Any]) -> bool:
    """Whether a rule is about HTTPS."""
    if rule.get("IpProtocol") == "-1":
        return True
    low, high = int(rule.get("FromPort", 0)), int(rule.get("ToPort", 65_535))
    return rule.get("IpProtocol") in ("tcp", "6") and low <= HTTPS <= high


def _with(doors: Iterable[Mapping[str, Any]], service: str) -> frozenset[str]:
    return frozenset(
        str(one["VpcId"]) for one in doors if one.get("ServiceName") == service and one.get("State") == "available"
    )
