"""Lambda's provisioned concurrency that nothing runs in: it is paid for as long as it is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.costs import charges
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste.waste import DAY, Act, Evidence, Finding, Kind, Look, Thing, is_kennels, told
from dashboard.core.errors import Refused
from dashboard.core.format import count
from dashboard.core.parallel import gather

MOST = 100
"""Functions that are looked at, in the order in which Lambda lists them."""


@dataclass(frozen=True)
class Provisioned:
    """What is kept ready for one alias or version of a function."""

    function: str
    qualifier: str
    arn: str
    memory_mb: int
    is_arm: bool
    environments: int
    since: datetime


def look(aws: Aws, prices: PriceBook, now: datetime, idle: timedelta) -> Look:
    """Raises the errors of `Aws.call` where Lambda cannot be read."""
    functions = [one for page in aws.pages("lambda", "ListFunctions") for one in page.get("Functions", [])]
    kept = [one for found in gather(lambda f: _provisioned(aws, f), functions[:MOST], workers=8) for one in found]
    due = [one for one in kept if now - one.since >= idle]
    findings = [finding for one in due if (finding := _judge(one, aws, prices, now, idle))]
    unread: tuple[Unread, ...] = ()
    if len(functions) > MOST:
        problem = Refused(f"only the first {MOST} functions were looked at", f"there are {len(functions):,}")
        unread = (Unread("functions beyond the first", problem),)
    return Look(len(kept), tuple(findings), unread)


def _provisioned(aws: Aws, function: Mapping[str, Any]) -> list[Provisioned]:
    name = function["FunctionName"]
    pages = aws.pages("lambda", "ListProvisionedConcurrencyConfigs", FunctionName=name)
    return [
        Provisioned(
            name,
            one["FunctionArn"].rpartition(":")[2],
            function["FunctionArn"],
            int(function["MemorySize"]),
            "arm64" in function.get("Architectures", ()),
            int(one.get("AllocatedProvisionedConcurrentExecutions", 0)),
            datetime.fromisoformat(one["LastModified"]),
        )
        for page in pages
        for one in page.get("ProvisionedConcurrencyConfigs", [])
    ]


def _judge(one: Provisioned, aws: Aws, prices: PriceBook, now: datetime, idle: timedelta) -> Finding | None:
    used = aws.call(
        "cloudwatch",
        "GetMetricStatistics",
        Namespace="AWS/Lambda",
        MetricName="ProvisionedConcurrencyInvocations",
        Dimensions=[
            {"Name": "FunctionName", "Value": one.function},
            {"Name": "Resource", "Value": f"{one.function}:{one.qualifier}"},
        ],
        StartTime=now - idle,
        EndTime=now,
        Period=3600,
        Statistics=["Sum"],
    )
    if sum(point["Sum"] for point in used["Datapoints"]) > 0:
        return None
    told_tags = aws.call("lambda", "ListTags", Resource=one.arn).get("Tags", {})
    ours = is_kennels(told_tags)
    return Finding(
        kind=Kind.UNUSED_PROVISIONED,
        thing=Thing.FUNCTION,
        name=f"{one.function}:{one.qualifier}",
        nature=Nature.of(told_tags, is_embedded=aws.account.is_embedded),
        evidence=(
            Evidence(
                f"nothing ran in it since {told(now - idle)}", "CloudWatch AWS/Lambda ProvisionedConcurrencyInvocations"
            ),
            Evidence(
                f"{count(one.environments, 'environment')} of {one.memory_mb:,} MB kept ready since {told(one.since)}",
                "ListProvisionedConcurrencyConfigs",
            ),
        ),
        lines=charges.provisioned(
            prices,
            aws.account.region,
            memory_mb=one.memory_mb,
            count=one.environments,
            started=now - DAY,
            ended=now,
            arm=one.is_arm,
        ),
        is_kennels=ours,
        acts=(Act.DELETE,) if ours else (),
        receipt=f"function:{one.function}",
        details={"function": one.function, "qualifier": one.qualifier, "arn": one.arn},
    )
