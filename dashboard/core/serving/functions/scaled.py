"""Auto scaling of what is kept ready for a function: read, and the requests that set it.

Application Auto Scaling's predefined metric LambdaProvisionedConcurrencyUtilization averages the utilization over each
minute: a burst of some seconds disappears in it, environments run out, and nothing scales. So the policy set here
watches the same metric by its **maximum**, which takes a customized specification.
Sources: Lambda Developer Guide, "Configuring provisioned concurrency" (managing it with Application Auto Scaling: for
bursts of requests it advises the maximum statistic); Application Auto Scaling User Guide, "AWS Lambda".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.parallel import gather

NAMESPACE = "lambda"
DIMENSION = "lambda:function:ProvisionedConcurrency"
POLICY = "kennel-provisioned-utilization"
PREDEFINED = "LambdaProvisionedConcurrencyUtilization"
METRIC = "ProvisionedConcurrencyUtilization"
MAXIMUM = "Maximum"
TARGETS = (0.1, 0.9)
"""The utilizations that AWS takes as a target, per its guide: 10 % to 90 %."""
WHY_MAXIMUM = (
    "By the maximum, not by AWS's ready-made average: over a minute, a burst of ten seconds averages to little, "
    "nothing would scale, and what does not fit would start cold."
)


@dataclass(frozen=True)
class Scaling:
    """What is wanted: between `minimum` and `maximum` environments, so that the busiest moment of each minute uses
    `target` (0.1 to 0.9) of them."""

    minimum: int
    maximum: int
    target: float = 0.7


@dataclass(frozen=True)
class Scaled:
    """What is set for one alias or version. policy: "" for a target without one; statistic: what is watched."""

    qualifier: str
    minimum: int
    maximum: int
    policy: str = ""
    target: float | None = None
    statistic: str = ""
    activities: tuple[str, ...] = ()

    @property
    def settings(self) -> Scaling | None:
        """As the editor's values; None when no utilization is tracked."""
        return None if self.target is None else Scaling(self.minimum, self.maximum, self.target)

    @property
    def is_by_average(self) -> bool:
        """Whether bursts disappear in what is watched."""
        return self.target is not None and self.statistic != MAXIMUM


def resource_id(function: str, qualifier: str) -> str:
    """Application Auto Scaling's name for what is kept ready for an alias or version."""
    return f"function:{function}:{qualifier}"


def register_request(function: str, qualifier: str, wanted: Scaling) -> dict[str, Any]:
    """RegisterScalableTarget's parameters."""
    return {**_which(function, qualifier), "MinCapacity": wanted.minimum, "MaxCapacity": wanted.maximum}


def policy_request(function: str, qualifier: str, wanted: Scaling) -> dict[str, Any]:
    """PutScalingPolicy's parameters: the utilization of this alias by its maximum of each minute."""
    return {
        "PolicyName": POLICY,
        **_which(function, qualifier),
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": wanted.target,
            "CustomizedMetricSpecification": {
                "MetricName": METRIC,
                "Namespace": "AWS/Lambda",
                "Dimensions": [
                    {"Name": "FunctionName", "Value": function},
                    {"Name": "Resource", "Value": f"{function}:{qualifier}"},
                ],
                "Statistic": MAXIMUM,
            },
        },
    }


def deregister_request(function: str, qualifier: str) -> dict[str, Any]:
    """DeregisterScalableTarget's parameters; its policies and their alarms go with it."""
    return _which(function, qualifier)


def read_scaled(aws: Aws, function: str) -> tuple[Scaled, ...]:
    """What scales of a function, by qualifier. Raises the errors of `Aws.call`."""
    found = []
    for page in aws.pages("application-autoscaling", "DescribeScalableTargets", ServiceNamespace=NAMESPACE):
        begun = resource_id(function, "")
        found += [one for one in page["ScalableTargets"] if str(one["ResourceId"]).startswith(begun)]
    return tuple(gather(lambda one: _scaled(aws, one), found))


def _scaled(aws: Aws, target: Mapping[str, Any]) -> Scaled:
    which = {"ServiceNamespace": NAMESPACE, "ResourceId": target["ResourceId"]}
    policies = aws.call("application-autoscaling", "DescribeScalingPolicies", **which)["ScalingPolicies"]
    happened = aws.call("application-autoscaling", "DescribeScalingActivities", **which, MaxResults=10)
    tracking = next((one for one in policies if "TargetTrackingScalingPolicyConfiguration" in one), None)
    told: Mapping[str, Any] = tracking["TargetTrackingScalingPolicyConfiguration"] if tracking else {}
    custom = told.get("CustomizedMetricSpecification") or {}
    is_ours = custom.get("MetricName") == METRIC or "PredefinedMetricSpecification" in told
    return Scaled(
        qualifier=str(target["ResourceId"]).rpartition(":")[2],
        minimum=int(target["MinCapacity"]),
        maximum=int(target["MaxCapacity"]),
        policy=str(tracking["PolicyName"]) if tracking else "",
        target=float(told["TargetValue"]) if is_ours else None,
        statistic=str(custom.get("Statistic", "Average")) if is_ours else "",
        activities=tuple(str(one.get("Description", "")) for one in happened.get("ScalingActivities", [])),
    )


def _which(function: str, qualifier: str) -> dict[str, Any]:
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": resource_id(function, qualifier),
        "ScalableDimension": DIMENSION,
    }
