"""The requests that make a variant scale, as Application Auto Scaling takes them. Pure."""

from collections.abc import Mapping
from typing import Any

from dashboard.core.calls import Call
from dashboard.core.format import plain
from dashboard.core.serving.scaling.policy import Scheduled, StepPolicy, TargetTracking, Tracked
from dashboard.core.serving.scaling.scaling import Suspended
from dashboard.core.serving.scaling.variant import Variant

SERVICE = "application-autoscaling"


def register(variant: Variant, minimum: int, maximum: int, marks: Mapping[str, str]) -> Call:
    """Registers the variant or moves its two ends. `marks`: tags, which AWS takes at the first registration alone."""
    asked: dict[str, Any] = {**variant.key, "MinCapacity": minimum, "MaxCapacity": maximum}
    if marks:
        asked["Tags"] = dict(marks)
    does = f"keeps {variant.name} between {minimum} and {variant.kind.many(maximum)}"
    return Call(SERVICE, "RegisterScalableTarget", asked, does)


def suspend(variant: Variant, suspended: Suspended) -> Call:
    """Switches ways of scaling off, and the others on; the two ends stay as they are."""
    state = {
        "DynamicScalingInSuspended": suspended.scale_in,
        "DynamicScalingOutSuspended": suspended.scale_out,
        "ScheduledScalingSuspended": suspended.scheduled,
    }
    does = f"switches off {', '.join(suspended.words)}" if suspended.words else "switches all scaling on again"
    return Call(SERVICE, "RegisterScalableTarget", {**variant.key, "SuspendedState": state}, does)


def deregister(variant: Variant) -> Call:
    """Ends auto scaling; AWS deletes the policies, their alarms and the scheduled actions with it."""
    does = "ends auto scaling, with its policies, their alarms and its scheduled actions"
    return Call(SERVICE, "DeregisterScalableTarget", variant.key, does)


def put_tracking(variant: Variant, policy: TargetTracking) -> Call:
    """Makes or changes a target tracking policy; AWS makes its two alarms. Raises ValueError for one that only AWS
    can write (`custom` is None although it is no predefined metric).
    """
    of: dict[str, Any] = {"TargetValue": policy.target}
    if policy.tracked is not Tracked.CUSTOM:
        of["PredefinedMetricSpecification"] = {"PredefinedMetricType": policy.tracked.value}
    elif policy.custom is None:
        raise ValueError(f"{policy.name} tracks what cannot be written here")
    else:
        metric: dict[str, Any] = {
            "MetricName": policy.custom.name,
            "Namespace": policy.custom.namespace,
            "Statistic": policy.custom.statistic,
        }
        if policy.custom.dimensions:
            metric["Dimensions"] = [{"Name": name, "Value": value} for name, value in policy.custom.dimensions]
        if policy.custom.unit:
            metric["Unit"] = policy.custom.unit
        of["CustomizedMetricSpecification"] = metric
    of |= {
        "ScaleInCooldown": policy.scale_in_cooldown,
        "ScaleOutCooldown": policy.scale_out_cooldown,
        "DisableScaleIn": not policy.can_scale_in,
    }
    asked = {"PolicyName": policy.name, **variant.key, "PolicyType": "TargetTrackingScaling"}
    does = f"keeps {words(policy)}"
    return Call(SERVICE, "PutScalingPolicy", {**asked, "TargetTrackingScalingPolicyConfiguration": of}, does)


def delete_policy(variant: Variant, policy: TargetTracking | StepPolicy) -> Call:
    return Call(
        SERVICE,
        "DeleteScalingPolicy",
        {"PolicyName": policy.name, **variant.key},
        f"deletes the policy {policy.name} and its alarms",
    )


def put_scheduled(variant: Variant, action: Scheduled) -> Call:
    """Makes or changes a scheduled action."""
    ends = {"MinCapacity": action.minimum, "MaxCapacity": action.maximum}
    asked: dict[str, Any] = {
        **variant.key,
        "Schedule": action.schedule,
        "Timezone": action.timezone,
        "ScheduledActionName": action.name,
        "ScalableTargetAction": {name: value for name, value in ends.items() if value is not None},
    }
    moments = {"StartTime": action.start, "EndTime": action.end}
    asked |= {name: moment.isoformat() for name, moment in moments.items() if moment is not None}
    return Call(SERVICE, "PutScheduledAction", asked, f"sets {limits(action)} at {action.schedule}")


def delete_scheduled(variant: Variant, action: Scheduled) -> Call:
    return Call(
        SERVICE,
        "DeleteScheduledAction",
        {"ScheduledActionName": action.name, **variant.key},
        f"deletes the scheduled action {action.name}",
    )


def words(policy: TargetTracking) -> str:
    """ "10 requests per instance and minute"; of a custom metric "Average CPUUtilization at 60"."""
    if policy.custom is not None:
        return f"{policy.custom.statistic} {policy.custom.name} at {plain(policy.target)}"
    if policy.tracked is Tracked.PROVISIONED:
        return f"{policy.target:.0%} of its provisioned concurrency in use".replace("%", " %")
    return f"{plain(policy.target)} {policy.tracked.unit}"


def limits(action: Scheduled) -> str:
    """ "minimum 2 and maximum 5", or the one that it names."""
    ends = {"minimum": action.minimum, "maximum": action.maximum}
    return " and ".join(f"{name} {value}" for name, value in ends.items() if value is not None) or "nothing"
