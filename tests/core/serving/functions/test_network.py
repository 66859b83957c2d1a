"""Whether a function in a VPC reaches its endpoint: judged from routes, doors and groups."""

from typing import Any

import pytest

from dashboard.core.errors import ServiceFault
from dashboard.core.serving.functions.network import Networks, Reach, networks, reach
from tests.core.costs.shaped_aws import ShapedAws

EVERYWHERE = "0.0.0.0/0"


def told(
    routes: list[dict[str, Any]] | None = None,
    doors: list[str] | None = None,
    egress: list[dict[str, Any]] | None = None,
) -> Networks:
    """Two subnets of vpc-1, one of vpc-2, their groups, and the main route table of vpc-1."""
    subnets = [("subnet-1", "vpc-1"), ("subnet-2", "vpc-1"), ("subnet-9", "vpc-2")]
    table = {
        "VpcId": "vpc-1",
        "Associations": [{"Main": True}],
        "Routes": [{"DestinationCidrBlock": EVERYWHERE, "State": "active", **one} for one in routes or []],
    }
    out = [{"IpProtocol": "-1"}] if egress is None else egress
    answers: dict[str, Any] = {
        "ec2 DescribeSubnets": {"Subnets": [{"SubnetId": one, "VpcId": net} for one, net in subnets]},
        "ec2 DescribeSecurityGroups": {
            "SecurityGroups": [
                {"GroupId": "sg-1", "VpcId": "vpc-1", "GroupName": "own", "IpPermissionsEgress": out},
                {"GroupId": "sg-9", "VpcId": "vpc-2", "GroupName": "other", "IpPermissionsEgress": out},
            ]
        },
        "ec2 DescribeRouteTables": {"RouteTables": [table]},
        "ec2 DescribeVpcEndpoints": {
            "VpcEndpoints": [
                {"VpcId": "vpc-1", "ServiceName": f"com.amazonaws.us-east-1.{one}", "State": "available"}
                for one in doors or []
            ]
        },
    }
    return networks(ShapedAws(answers))


def judged(found: Networks, *subnets: str, group: str = "sg-1") -> Reach:
    return reach(found, subnets or ("subnet-1",), (group,))


def test_without_a_vpc_it_reaches_its_endpoint() -> None:
    assert reach(told(), (), ()).ok is True


def test_a_nat_gateway_or_an_interface_endpoint_is_a_way() -> None:
    by_nat, by_door = judged(told([{"NatGatewayId": "nat-1"}])), judged(told(doors=["sagemaker.runtime"]))
    assert by_nat.ok is True and "nat-1" in by_nat.why
    assert by_door.ok is True and "interface endpoint" in by_door.why


@pytest.mark.parametrize("doors", [["s3"], ["sagemaker.api"], []])
def test_another_door_is_none(doors: list[str]) -> None:
    assert judged(told(doors=doors)).ok is False


def test_an_internet_gateway_serves_public_addresses_and_a_function_has_none() -> None:
    found = judged(told([{"GatewayId": "igw-1"}]))
    assert found.ok is False and "internet gateway serves public addresses" in found.why
    assert "NAT gateway" in found.what_to_do


def test_a_route_that_leads_nowhere_is_no_way() -> None:
    assert judged(told([{"NatGatewayId": "nat-1", "State": "blackhole"}])).ok is False


@pytest.mark.parametrize(
    ("egress", "is_way"),
    [
        ([{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}], True),
        ([{"IpProtocol": "tcp", "FromPort": 0, "ToPort": 1023}], True),
        ([{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}], False),
        ([{"IpProtocol": "udp", "FromPort": 443, "ToPort": 443}], False),
        ([], False),
    ],
)
def test_the_group_must_let_https_out(egress: list[dict[str, Any]], is_way: bool) -> None:
    assert judged(told([{"NatGatewayId": "nat-1"}], egress=egress)).ok is is_way


def test_what_does_not_fit_together_is_said() -> None:
    found = told([{"NatGatewayId": "nat-1"}])
    assert "two VPCs" in judged(found, "subnet-1", "subnet-9").why
    assert "not of vpc-1" in judged(found, "subnet-1", group="sg-9").why
    assert "no subnet subnet-7" in judged(found, "subnet-7").why


def test_routes_that_cannot_be_read_leave_it_open() -> None:
    answers = {
        "ec2 DescribeSubnets": {"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1"}]},
        "ec2 DescribeSecurityGroups": {
            "SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissionsEgress": [{"IpProtocol": "-1"}]}]
        },
    }
    found = judged(networks(ShapedAws(answers)))
    assert found.ok is None and "not checked" in found.why
    with pytest.raises(ServiceFault):
        networks(ShapedAws({}))
