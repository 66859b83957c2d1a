"""Kennel's own security group for instances: no way in, unless SSH from one address was asked for."""

import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import AlreadyExists, NotFound, Refused
from dashboard.core.runs.spec import TrainingSpec

NAME = "kennel-training"
SSH_PORT = 22


def own_group(aws: Aws, spec: TrainingSpec) -> str:
    """The id of the group for this launch, made where it is missing.

    Raises Refused when somebody opened it, NotFound without a network to put it in, and the errors of `Aws.call`.
    """
    network = network_of(aws, spec)
    group = find_group(aws, spec, network) or _make(aws, spec, network)
    told = ingress(spec)
    if told and not group.get("IpPermissions"):
        _open(aws, group["GroupId"], told)
        return str(group["GroupId"])
    if _opened(group.get("IpPermissions", [])) != _opened(told):
        raise Refused(
            f"the security group {group['GroupName']} lets in more than it should",
            "somebody added a rule to it, and an instance in it would be reachable",
            f"remove the rule from {group['GroupId']}, or choose another security group",
        )
    return str(group["GroupId"])


def group_name(spec: TrainingSpec) -> str:
    """One group that lets nothing in, and one for each address that SSH is opened to."""
    return f"{NAME}-ssh-{spec.ssh_address.replace('.', '-').replace(':', '-')}" if spec.ssh_address else NAME


def find_group(aws: Aws, spec: TrainingSpec, network: str) -> Mapping[str, Any] | None:
    """DescribeSecurityGroups' record of the group in a VPC; None when it is still to be made."""
    filters = [{"Name": "group-name", "Values": [group_name(spec)]}, {"Name": "vpc-id", "Values": [network]}]
    found = aws.call("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    return found[0] if found else None


def network_of(aws: Aws, spec: TrainingSpec) -> str:
    """The VPC of the chosen subnet, or the account's default one. Raises NotFound."""
    if spec.subnets:
        return str(aws.call("ec2", "DescribeSubnets", SubnetIds=list(spec.subnets))["Subnets"][0]["VpcId"])
    found = aws.call("ec2", "DescribeVpcs", Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not found:
        raise NotFound(
            f"there is no default network in {aws.account.region}",
            "an instance needs a subnet to be in",
            "choose a subnet under More, or create a default VPC: aws ec2 create-default-vpc",
        )
    return str(found[0]["VpcId"])


def ingress(spec: TrainingSpec) -> list[dict[str, Any]]:
    """AuthorizeSecurityGroupIngress' IpPermissions for this launch: none, or port 22 from one address."""
    if not spec.ssh_address:
        return []
    address = ipaddress.ip_address(spec.ssh_address)
    whole = f"{address}/{address.max_prefixlen}"
    allowed = {"IpRanges": [{"CidrIp": whole}]} if address.version == 4 else {"Ipv6Ranges": [{"CidrIpv6": whole}]}
    return [{"IpProtocol": "tcp", "FromPort": SSH_PORT, "ToPort": SSH_PORT, **allowed}]


def group_request(spec: TrainingSpec, network: str) -> dict[str, Any]:
    """CreateSecurityGroup's parameters."""
    # EC2 takes no apostrophe in it.
    said = f"Kennel trainings, SSH from {spec.ssh_address} only" if spec.ssh_address else "Kennel trainings, no way in"
    return {
        "GroupName": group_name(spec),
        "Description": said,
        "VpcId": network,
        "TagSpecifications": [
            {"ResourceType": "security-group", "Tags": tags.listed({tags.MADE_BY: tags.KENNEL})},
        ],
    }


def _make(aws: Aws, spec: TrainingSpec, network: str) -> Mapping[str, Any]:
    with suppress(AlreadyExists):  # another launch made it at the same time
        aws.call("ec2", "CreateSecurityGroup", **group_request(spec, network))
    found = find_group(aws, spec, network)
    if found is None:
        raise NotFound(f"the security group {group_name(spec)} is gone again", "", "try again")
    return found


def _open(aws: Aws, group: str, told: list[dict[str, Any]]) -> None:
    with suppress(AlreadyExists):  # another launch did
        aws.call("ec2", "AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=told)


def _opened(permissions: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Who may come in where, in a form that compares."""
    return {
        (one.get("IpProtocol"), one.get("FromPort"), one.get("ToPort"), who)
        for one in permissions
        for who in (
            *(entry["CidrIp"] for entry in one.get("IpRanges", [])),
            *(entry["CidrIpv6"] for entry in one.get("Ipv6Ranges", [])),
            *(entry.get("GroupId", "") for entry in one.get("UserIdGroupPairs", [])),
            *(entry.get("PrefixListId", "") for entry in one.get("PrefixListIds", [])),
        )
    }
