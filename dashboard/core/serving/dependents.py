"""What hangs on an endpoint and does not go with it: auto scaling, alarms, Lambda functions that ask it."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, NotFound
from dashboard.core.parallel import gather
from dashboard.core.serving.rollout import alarm_prefix

DIMENSION = "EndpointName"
FUNCTION_SETTING = "ENDPOINT_NAME"
"""The setting by which Kennel's Lambda function knows which endpoint to ask."""


@dataclass(frozen=True)
class Target:
    """A variant that auto scaling keeps: its resource and dimension, and how many policies and schedules it has."""

    resource: str
    dimension: str
    policies: int
    scheduled: int

    @property
    def variant(self) -> str:
        return self.resource.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Dependents:
    """What was found. `alarms` are Kennel's own, `others` those of somebody else; `unread`: what could not be asked."""

    targets: tuple[Target, ...] = ()
    alarms: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    unread: tuple[tuple[str, KennelError], ...] = ()


def find(aws: Aws, endpoint: str, variants: Iterable[str]) -> Dependents:
    """Looks at all of it at once; a service that is not there, or not to be read, is told in `unread`."""
    resources = [f"endpoint/{endpoint}/variant/{name}" for name in variants]
    looks: dict[str, Callable[[], tuple[Any, ...]]] = {
        "auto scaling": lambda: _targets(aws, resources),
        "alarms": lambda: _alarms(aws, endpoint),
        "Lambda functions": lambda: _functions(aws, endpoint),
    }

    def look(name: str) -> tuple[Any, ...] | KennelError:
        try:
            return looks[name]()
        except KennelError as wrong:
            return wrong

    found = dict(zip(looks, gather(look, looks), strict=True))
    read = {name: () if isinstance(one, KennelError) else one for name, one in found.items()}
    prefix = alarm_prefix(endpoint)
    names = [str(name) for name in read["alarms"]]
    return Dependents(
        targets=read["auto scaling"],
        alarms=tuple(name for name in names if name.startswith(prefix)),
        others=tuple(name for name in names if not name.startswith((prefix, "TargetTracking-"))),
        functions=read["Lambda functions"],
        unread=tuple((name, one) for name, one in found.items() if isinstance(one, KennelError)),
    )


def release(aws: Aws, targets: Iterable[Target]) -> None:
    """Deregister scalable targets: their policies, schedules and alarms go with them. Gone already is fine."""
    for one in targets:
        try:
            aws.call(
                "application-autoscaling",
                "DeregisterScalableTarget",
                ServiceNamespace="sagemaker",
                ResourceId=one.resource,
                ScalableDimension=one.dimension,
            )
        except NotFound:
            continue


def silence(aws: Aws, alarms: Iterable[str]) -> None:
    """Delete alarms, one by one: CloudWatch deletes none of several while one of them is not there."""
    for name in alarms:
        with suppress(NotFound):
            aws.call("cloudwatch", "DeleteAlarms", AlarmNames=[name])


def _targets(aws: Aws, resources: list[str]) -> tuple[Target, ...]:
    if not resources:
        return ()
    told = [
        one
        for page in aws.pages(
            "application-autoscaling",
            "DescribeScalableTargets",
            ServiceNamespace="sagemaker",
            ResourceIds=resources,
        )
        for one in page["ScalableTargets"]
    ]

    def number(operation: str, member: str, resource: str) -> int:
        pages = aws.pages("application-autoscaling", operation, ServiceNamespace="sagemaker", ResourceId=resource)
        return sum(len(page[member]) for page in pages)

    return tuple(
        Target(
            one["ResourceId"],
            one["ScalableDimension"],
            number("DescribeScalingPolicies", "ScalingPolicies", one["ResourceId"]),
            number("DescribeScheduledActions", "ScheduledActions", one["ResourceId"]),
        )
        for one in told
    )


def _alarms(aws: Aws, endpoint: str) -> tuple[str, ...]:
    found = []
    for page in aws.pages("cloudwatch", "DescribeAlarms", AlarmTypes=["MetricAlarm"]):
        for alarm in page.get("MetricAlarms", ()):
            asked = [alarm, *(one.get("MetricStat", {}).get("Metric", {}) for one in alarm.get("Metrics", ()))]
            pairs = [(pair["Name"], pair["Value"]) for one in asked for pair in one.get("Dimensions", ())]
            if (DIMENSION, endpoint) in pairs:
                found.append(str(alarm["AlarmName"]))
    return tuple(sorted(found))


def _functions(aws: Aws, endpoint: str) -> tuple[str, ...]:
    found = [
        str(one["FunctionName"])
        for page in aws.pages("lambda", "ListFunctions")
        for one in page["Functions"]
        if one.get("Environment", {}).get("Variables", {}).get(FUNCTION_SETTING) == endpoint
    ]
    return tuple(sorted(found))
