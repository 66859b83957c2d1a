"""Application Auto Scaling's and CloudWatch's answers as what they mean. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from dashboard.core.serving.scaling.policy import (
    COOLDOWN,
    CustomMetric,
    Scheduled,
    Step,
    StepPolicy,
    TargetTracking,
    Tracked,
)
from dashboard.core.serving.scaling.scaling import Activity, ActivityStatus, Alarm, AlarmState, Suspended

CAPACITY = re.compile(r"desired [a-z ]+ to (\d+)\b")
"""Of "Setting desired instance count to 3."; a scheduled action that moves the two ends asks for no capacity."""
ABOVE = ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "GreaterThanUpperThreshold")


def policies(told: Sequence[Mapping[str, Any]]) -> tuple[tuple[TargetTracking, ...], tuple[StepPolicy, ...]]:
    """Target tracking and step policies, each by name. Other types (predictive) are not SageMaker's."""
    by_name = sorted(told, key=lambda one: str(one["PolicyName"]))
    tracking = tuple(_tracking(one) for one in by_name if one["PolicyType"] == "TargetTrackingScaling")
    return tracking, tuple(_step(one) for one in by_name if one["PolicyType"] == "StepScaling")


def _tracking(told: Mapping[str, Any]) -> TargetTracking:
    of = told["TargetTrackingScalingPolicyConfiguration"]
    name = of.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", "")
    is_known = name in Tracked._value2member_map_
    return TargetTracking(
        told["PolicyName"],
        Tracked(name) if is_known else Tracked.CUSTOM,
        float(of["TargetValue"]),
        int(of.get("ScaleInCooldown", COOLDOWN)),
        int(of.get("ScaleOutCooldown", COOLDOWN)),
        not of.get("DisableScaleIn", False),
        None if is_known else _custom(of.get("CustomizedMetricSpecification", {})),
        _alarm_names(told),
    )


def _custom(told: Mapping[str, Any]) -> CustomMetric | None:
    """None for metric math and for what is predefined under a name that is not known here."""
    if not {"MetricName", "Namespace", "Statistic"} <= told.keys():
        return None
    dimensions = tuple((str(one["Name"]), str(one["Value"])) for one in told.get("Dimensions", []))
    return CustomMetric(told["Namespace"], told["MetricName"], told["Statistic"], dimensions, told.get("Unit", ""))


def _step(told: Mapping[str, Any]) -> StepPolicy:
    of = told["StepScalingPolicyConfiguration"]
    steps = tuple(
        Step(
            int(one["ScalingAdjustment"]), one.get("MetricIntervalLowerBound"), one.get("MetricIntervalUpperBound")
        )
        for one in of.get("StepAdjustments", [])
    )  # fmt: skip
    return StepPolicy(
        told["PolicyName"],
        of.get("AdjustmentType", ""),
        int(of.get("Cooldown", COOLDOWN)),
        steps,
        of.get("MetricAggregationType", "Average"),
        _alarm_names(told),
    )


def _alarm_names(told: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(one["AlarmName"]) for one in told.get("Alarms", []))


def scheduled(told: Sequence[Mapping[str, Any]]) -> tuple[Scheduled, ...]:
    """Scheduled actions by name."""
    return tuple(
        Scheduled(
            one["ScheduledActionName"],
            one["Schedule"],
            one.get("ScalableTargetAction", {}).get("MinCapacity"),
            one.get("ScalableTargetAction", {}).get("MaxCapacity"),
            one.get("Timezone") or "UTC",
            one.get("StartTime"),
            one.get("EndTime"),
        )
        for one in sorted(told, key=lambda one: str(one["ScheduledActionName"]))
    )


def suspended(target: Mapping[str, Any]) -> Suspended:
    """What a scalable target has switched off."""
    of = target.get("SuspendedState", {})
    return Suspended(
        bool(of.get("DynamicScalingInSuspended")),
        bool(of.get("DynamicScalingOutSuspended")),
        bool(of.get("ScheduledScalingSuspended")),
    )


def activities(told: Sequence[Mapping[str, Any]]) -> tuple[Activity, ...]:
    """Activities, the newest first."""
    found = [
        Activity(
            one["ActivityId"],
            ActivityStatus.of(one["StatusCode"]),
            one["StartTime"],
            one.get("EndTime"),
            one.get("Description", ""),
            one.get("Cause", ""),
            int(said[1]) if (said := CAPACITY.search(one.get("Description", ""))) else None,
            one.get("StatusMessage", ""),
            tuple(str(why["Code"]) for why in one.get("NotScaledReasons", [])),
        )
        for one in told
    ]
    return tuple(sorted(found, key=lambda one: one.started, reverse=True))


def alarms(told: Sequence[Mapping[str, Any]], policy_of: Mapping[str, str]) -> tuple[Alarm, ...]:
    """Metric alarms, those that scale out first. `policy_of`: the policy's name by the alarm's."""
    found = [_alarm(one, policy_of.get(one["AlarmName"], "")) for one in told]
    return tuple(sorted(found, key=lambda one: (one.policy, not one.is_high, one.name)))


def _alarm(told: Mapping[str, Any], policy: str) -> Alarm:
    periods = int(told.get("EvaluationPeriods", 1))
    state = told.get("StateValue", "")
    return Alarm(
        told["AlarmName"],
        policy,
        AlarmState(state) if state in AlarmState._value2member_map_ else AlarmState.NO_DATA,
        told.get("ComparisonOperator", "") in ABOVE,
        told.get("MetricName", "") or "an expression",
        told.get("Statistic") or told.get("ExtendedStatistic", ""),
        float(told.get("Threshold", 0.0)),
        int(told.get("Period", 0)),
        periods,
        int(told.get("DatapointsToAlarm", periods)),
        told.get("StateTransitionedTimestamp") or told.get("StateUpdatedTimestamp"),
        _last(told.get("StateReasonData", "")),
        told.get("StateReason", ""),
        bool(told.get("ActionsEnabled", True)),
    )


def _last(reason: str) -> float | None:
    """The newest value that an alarm looked at, of its StateReasonData; None without one."""
    values: Any = None
    with suppress(ValueError, TypeError, AttributeError):
        values = json.loads(reason).get("recentDatapoints")
    if not isinstance(values, list):
        return None
    # CloudWatch lists the oldest first (CloudWatch User Guide, "Alarm events and EventBridge")
    return next((float(one) for one in reversed(values) if isinstance(one, (int, float))), None)
