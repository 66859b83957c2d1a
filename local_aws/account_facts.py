"""What services of ours ask about the account that moto keeps: its roles, and its subnets and security groups."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool

from dashboard.core.iam.documents import Policy, PolicyError, listed
from dashboard.core.iam.evaluate import evaluate
from local_aws import ACCOUNT
from local_aws.moto_app import Moto

MOST_KNOWN = 1000


class AccountFacts:
    """Reads of moto's backends, each while no request changes them."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._working: dict[tuple[str, str, str], tuple[int, bool]] = {}  # as of a version of IAM

    def role_exists(self, arn: str, service: str, source: str) -> bool:
        """Whether a role is there and its trust policy lets `service` ("sagemaker.amazonaws.com") assume it.

        source: the ARN of what the service would work for.
        """
        with self._moto.using("iam") as backends:
            roles = backends[ACCOUNT]["aws"].roles.values()
            found = next((role.assume_role_policy_document for role in roles if role.arn == arn), None)
        if found is None:
            return False
        return trusts(json.loads(found) if isinstance(found, str) else found, service, source)

    async def role_works(self, arn: str, service: str, source: str) -> bool:
        """What `role_exists` says, for one that asks often: IAM is looked at again when it has changed."""
        asked, version = (arn, service, source), self._moto.version("iam")
        known = self._working.get(asked)
        if known is None or known[0] != version:
            known = (version, await run_in_threadpool(self.role_exists, arn, service, source))
            if len(self._working) >= MOST_KNOWN:
                self._working.clear()
            self._working[asked] = known
        return known[1]

    def vpc_of(self, region: str, subnet: str) -> str:
        """The VPC in which a subnet lies; "" when there is no such subnet."""
        with self._moto.using("ec2") as backends:
            zones = backends[ACCOUNT][region].subnets.values()
            return next((str(zone[subnet].vpc_id) for zone in zones if subnet in zone), "")

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


def trusts(policy: Mapping[str, Any], service: str, source: str) -> bool:
    """Whether a trust policy lets a service assume its role for `source` (an ARN): IAM's rules, conditions included.

    A policy that cannot be judged lets nobody.
    """
    ours = [
        {name: value for name, value in one.items() if name != "Principal"} | {"Resource": "*"}
        for one in listed(policy.get("Statement"))
        if _names(one.get("Principal", {}), service)
    ]
    if not ours:
        return False
    context = {"aws:SourceAccount": source.split(":")[4], "aws:SourceArn": source, "aws:PrincipalServiceName": service}
    try:
        return evaluate([Policy.parse({**policy, "Statement": ours})], "sts:AssumeRole", "*", context).allowed
    except PolicyError:
        return False


def _names(principal: Any, service: str) -> bool:
    named = ["*"] if principal == "*" else listed(principal.get("Service")) + listed(principal.get("AWS"))
    return service in named or "*" in named
