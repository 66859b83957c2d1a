"""A target tracking policy's alarms: made with it, through the same store that PutMetricAlarm writes.

Above the target for three periods it scales out, below nine tenths of it for fifteen minutes it scales in. AWS names
the alarms, the metrics and the statistics; that a high-resolution policy looks at 90 periods of 10 s before it scales
in is an assumption: AWS publishes none, and 90 are the same fifteen minutes.
Source: SageMaker Developer Guide, "Define a scaling policy"; Lambda Developer Guide, "Provisioned concurrency".
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.engine.scaler import LOW_SHARE
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import cloudwatch_alarms_request
from local_aws.services.application_autoscaling_request import FUNCTION, Dimension, Resource, invalid

OUT_PERIODS = 3
IN_SECONDS = 900
CUSTOM_PERIOD = 60  # Application Auto Scaling has no other for metrics of one's own

Params = dict[str, Any]


@dataclass(frozen=True)
class Predefined:
    namespace: str
    metric: str
    statistic: str
    period: int


PREDEFINED = {
    "SageMakerVariantInvocationsPerInstance": Predefined("AWS/SageMaker", "InvocationsPerInstance", "Sum", 60),
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": Predefined(
        "AWS/SageMaker", "ConcurrentRequestsPerModel", "Maximum", 10
    ),
    "SageMakerVariantProvisionedConcurrencyUtilization": Predefined(
        "AWS/SageMaker", "ServerlessProvisionedConcurrencyUtilization", "Maximum", 60
    ),
    "LambdaProvisionedConcurrencyUtilization": Predefined(
        "AWS/Lambda", "ProvisionedConcurrencyUtilization", "Average", 60
    ),
}


def check_tracking(config: Mapping[str, Any], dimension: Dimension) -> None:
    """Raises ServiceError ValidationException for a configuration that tracks nothing."""
    predefined, custom = config.get("PredefinedMetricSpecification"), config.get("CustomizedMetricSpecification")
    if bool(predefined) == bool(custom):
        raise invalid(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified."
        )
    if not config["TargetValue"] > 0:
        raise invalid("TargetValue must be greater than 0.")
    for name in ("ScaleInCooldown", "ScaleOutCooldown"):
        if (config.get(name) or 0) < 0:
            raise invalid(f"{name} must not be negative.")
    if predefined:
        kind = predefined["PredefinedMetricType"]
        if kind not in dimension.predefined:
            raise invalid(
                f"The predefined metric {kind} does not belong to {dimension.name}. Use one of "
                f"{', '.join(dimension.predefined)}."
            )
        if predefined.get("ResourceLabel"):
            raise invalid(f"ResourceLabel is not supported with {kind}.")
    elif custom and not custom.get("Metrics"):
        for name in ("MetricName", "Namespace", "Statistic"):
            if not custom.get(name):
                raise invalid(f"CustomizedMetricSpecification needs {name}, or Metrics.")


def tracked_by(config: Mapping[str, Any]) -> Any:
    """What makes two policies track the same metric."""
    return config.get("PredefinedMetricSpecification") or config.get("CustomizedMetricSpecification")


def alarm_names(resource: Resource, config: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, str]:
    """High and Low, or High alone where the policy does not scale in. before: of the same policy; they stay."""
    wanted = ("High",) if config.get("DisableScaleIn") else ("High", "Low")
    kept = before or {}
    return {end: kept.get(end) or f"TargetTracking-{resource.id}-Alarm{end}-{uuid.uuid4()}" for end in wanted}


def alarm_of(end: str, name: str, resource: Resource, config: Mapping[str, Any], policy_arn: str) -> Params:
    """The parameters of PutMetricAlarm for one end ("High" or "Low") of a policy."""
    target, watched = config["TargetValue"], _watched(resource, config)
    period = watched.get("Period") or CUSTOM_PERIOD
    periods = OUT_PERIODS if end == "High" else IN_SECONDS // period
    return {
        "AlarmName": name,
        "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy_arn}.",
        "ActionsEnabled": True,
        "AlarmActions": [policy_arn],
        **watched,
        "EvaluationPeriods": periods,
        "Threshold": target if end == "High" else target * LOW_SHARE,
        "ComparisonOperator": "GreaterThanThreshold" if end == "High" else "LessThanThreshold",
    }


def check_alarm(alarm: Params, caller: Caller) -> None:
    """Raises ServiceError ValidationException for metrics that no alarm could watch."""
    try:
        cloudwatch_alarms_request.check(alarm, caller)
    except ServiceError as wrong:
        raise invalid(wrong.message) from wrong


def _watched(resource: Resource, config: Mapping[str, Any]) -> Params:
    """The members of an alarm that say what it reads."""
    predefined = config.get("PredefinedMetricSpecification")
    if predefined:
        found = PREDEFINED[predefined["PredefinedMetricType"]]
        return {
            "Namespace": found.namespace,
            "MetricName": found.metric,
            "Dimensions": _dimensions(resource),
            "Statistic": found.statistic,
            "Period": found.period,
        }
    custom = config["CustomizedMetricSpecification"]
    if custom.get("Metrics"):
        return {"Metrics": [_query(one) for one in custom["Metrics"]]}
    return {
        "Namespace": custom["Namespace"],
        "MetricName": custom["MetricName"],
        "Dimensions": list(custom.get("Dimensions") or ()),
        "Statistic": custom["Statistic"],
        "Period": CUSTOM_PERIOD,
        **({"Unit": custom["Unit"]} if custom.get("Unit") else {}),
    }


def _dimensions(resource: Resource) -> list[dict[str, str]]:
    parts = resource.parts
    if resource.dimension is FUNCTION:
        of = {"FunctionName": parts["function"], "Resource": f"{parts['function']}:{parts['qualifier']}"}
    else:
        of = {"EndpointName": parts["endpoint"], "VariantName": parts["variant"]}
    return [{"Name": name, "Value": value} for name, value in of.items()]


def _query(one: Mapping[str, Any]) -> Params:
    """A TargetTrackingMetricDataQuery as CloudWatch's own."""
    stat = one.get("MetricStat")
    read = {"MetricStat": {**stat, "Period": CUSTOM_PERIOD}} if stat else {}
    return {**{name: value for name, value in one.items() if name != "MetricStat"}, **read}
