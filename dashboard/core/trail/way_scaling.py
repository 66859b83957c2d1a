"""The ways back of auto scaling: a target, its policies and its scheduled changes."""

from dashboard.core.aws import Aws
from dashboard.core.calls import Call
from dashboard.core.trail.way import Asked, Inverse, State, same, some

SCALING = "application-autoscaling"
TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")
POLICY = (*TARGET, "PolicyName")
SCHEDULED = (*TARGET, "ScheduledActionName")

_POLICY = ("PolicyType", "TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration")
_SCHEDULED = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")


def _target(aws: Aws, asked: Asked) -> State:
    told = aws.call(
        SCALING,
        "DescribeScalableTargets",
        ServiceNamespace=asked["ServiceNamespace"],
        ResourceIds=[asked["ResourceId"]],
        ScalableDimension=asked["ScalableDimension"],
    )["ScalableTargets"]
    return some(told[0], "MinCapacity", "MaxCapacity", "SuspendedState") if told else {}


def _policies(aws: Aws, asked: Asked) -> dict[str, State]:
    told = aws.call(SCALING, "DescribeScalingPolicies", **same(asked, TARGET))["ScalingPolicies"]
    return {one["PolicyName"]: some(one, *_POLICY) for one in told}


def _actions(aws: Aws, asked: Asked) -> dict[str, State]:
    told = aws.call(SCALING, "DescribeScheduledActions", **same(asked, TARGET))["ScheduledActions"]
    return {one["ScheduledActionName"]: some(one, *_SCHEDULED) for one in told}


def _whole_target(aws: Aws, asked: Asked) -> State:
    there = _target(aws, asked)
    return there | {"policies": _policies(aws, asked), "scheduled": _actions(aws, asked)} if there else {}


def _target_back(asked: Asked, before: Asked) -> list[Call]:
    of = same(asked, TARGET)
    if not before:
        return [Call(SCALING, "DeregisterScalableTarget", of, f"ends auto scaling of {of['ResourceId']}")]
    ends = some(before, "MinCapacity", "MaxCapacity", "SuspendedState")
    does = f"lets {of['ResourceId']} scale between {ends['MinCapacity']} and {ends['MaxCapacity']} again"
    calls = [Call(SCALING, "RegisterScalableTarget", of | ends, does)]
    for name, one in before.get("policies", {}).items():
        calls += _policy_back({**of, "PolicyName": name}, one)
    for name, one in before.get("scheduled", {}).items():
        calls += _action_back({**of, "ScheduledActionName": name}, one)
    return calls


def _policy_back(asked: Asked, before: Asked) -> list[Call]:
    of = same(asked, POLICY)
    if not before:
        return [Call(SCALING, "DeleteScalingPolicy", of, f"removes the policy {of['PolicyName']}")]
    return [Call(SCALING, "PutScalingPolicy", of | dict(before), f"sets the policy {of['PolicyName']} as it was")]


def _action_back(asked: Asked, before: Asked) -> list[Call]:
    of = same(asked, SCHEDULED)
    name = of["ScheduledActionName"]
    if not before:
        return [Call(SCALING, "DeleteScheduledAction", of, f"removes the scheduled change {name}")]
    return [Call(SCALING, "PutScheduledAction", of | dict(before), f"sets the scheduled change {name} as it was")]


OF_TARGET = Inverse(_target, _target_back, TARGET)
OF_WHOLE_TARGET = Inverse(_whole_target, _target_back, TARGET)
OF_POLICY = Inverse(lambda aws, asked: _policies(aws, asked).get(asked["PolicyName"], {}), _policy_back, POLICY)
OF_ACTION = Inverse(
    lambda aws, asked: _actions(aws, asked).get(asked["ScheduledActionName"], {}), _action_back, SCHEDULED
)
