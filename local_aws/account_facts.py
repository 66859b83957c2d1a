"""What services of ours ask about the account that moto keeps: its roles, and its subnets and security groups."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from local_aws import ACCOUNT
from local_aws.moto_app import Moto

_ASSUME = ("sts:assumerole", "sts:*", "*")


class AccountFacts:
    """Reads of moto's backends, each while no request changes them."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    def role_exists(self, arn: str, service: str) -> bool:
        """Whether a role is there and its trust policy lets `service` ("sagemaker.amazonaws.com") assume it."""
        with self._moto.using("iam") as backends:
            roles = backends[ACCOUNT]["aws"].roles.values()
            found = next((role.assume_role_policy_document for role in roles if role.arn == arn), None)
        return found is not None and trusts(json.loads(found) if isinstance(found, str) else found, service)

    def missing_network(self, region: str, subnets: Sequence[str], groups: Sequence[str]) -> str:
        """Which of these subnets and security groups are not there, or lie in another VPC, in AWS's words; or ""."""
        with self._moto.using("ec2") as backends:
            ec2 = backends[ACCOUNT][region]
            vpc_of_subnet = {name: subnet.vpc_id for zone in ec2.subnets.values() for name, subnet in zone.items()}
            vpc_of_group = {name: vpc for vpc, found in ec2.groups.items() for name in found}
        missing = [name for name in subnets if name not in vpc_of_subnet]
        if missing:
            return f"The subnet ID '{missing[0]}' does not exist"
        missing = [name for name in groups if name not in vpc_of_group]
        if missing:
            return f"The security group '{missing[0]}' does not exist"
        if len({vpc_of_subnet[name] for name in subnets} | {vpc_of_group[name] for name in groups}) > 1:
            return "The subnets and security groups of a VpcConfig must belong to one VPC"
        return ""


def trusts(policy: Mapping[str, Any], service: str) -> bool:
    """Whether a trust policy lets a service assume its role. A Deny wins.

    Conditions are taken as met: those of a service's trust (aws:SourceAccount, aws:SourceArn) name who it works for,
    which here is always this account.
    """
    effects = {one.get("Effect") for one in _listed(policy.get("Statement")) if _is_about(one, service)}
    return effects == {"Allow"}


def _is_about(statement: Mapping[str, Any], service: str) -> bool:
    principal = statement.get("Principal", {})
    named = ["*"] if principal == "*" else _listed(principal.get("Service")) + _listed(principal.get("AWS"))
    actions = {str(action).lower() for action in _listed(statement.get("Action"))}
    return (service in named or "*" in named) and not actions.isdisjoint(_ASSUME)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
