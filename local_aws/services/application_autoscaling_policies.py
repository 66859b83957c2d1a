"""The operations on scaling policies. A target tracking policy makes its alarms; see application_autoscaling_alarms."""

import uuid
from collections.abc import Mapping
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.application_autoscaling_alarms import (
    alarm_names,
    alarm_of,
    check_alarm,
    check_tracking,
    tracked_by,
)
from local_aws.services.application_autoscaling_base import OF_ALL, Params, ScalingBase, told
from local_aws.services.application_autoscaling_request import Resource, check_steps, invalid, missing, resource_of
from local_aws.services.application_autoscaling_scaler import STEP_COOLDOWN
from local_aws.services.application_autoscaling_store import Document
from local_aws.services.cloudwatch_alarms import delete_alarm, put_alarm

MOST_POLICIES = 50  # of one target
_POLICY = (
    *(*OF_ALL, "PolicyARN", "PolicyName", "PolicyType"),
    *("StepScalingPolicyConfiguration", "TargetTrackingScalingPolicyConfiguration"),
)


class Policies(ScalingBase):
    """PutScalingPolicy, DescribeScalingPolicies, DeleteScalingPolicy."""

    def put_scaling_policy(self, params: Params, caller: Caller) -> Params:
        resource = resource_of(params, caller)
        if params.get("PredictiveScalingPolicyConfiguration"):
            raise invalid("Predictive scaling is there for Amazon ECS only (PredictiveScalingPolicyConfiguration).")
        with self._scaler.lock:
            if self._store.targets.get(resource) is None:
                raise missing("scalable target registered", resource)
            before = self._store.policies.get(resource, params["PolicyName"])
            config = self._policy_config(params, resource, before)
            others = [one for one in self._store.policies.of(resource) if one["PolicyName"] != params["PolicyName"]]
            if before is None and len(others) >= MOST_POLICIES:
                raise ServiceError("LimitExceededException", f"A target can have {MOST_POLICIES} scaling policies.")
            name = params["PolicyName"]
            made = {
                "PolicyARN": f"arn:aws:autoscaling:{caller.region}:{caller.account}:scalingPolicy:{uuid.uuid4()}:"
                f"resource/{resource.dimension.service}/{resource.id}:policyName/{name}",
                "PolicyName": name,
                "ServiceNamespace": resource.dimension.service,
                "ResourceId": resource.id,
                "ScalableDimension": resource.dimension.name,
                "Region": caller.region,
                "CreationTime": self._now(),
                "Ends": {},
                "Out": None,
                "In": None,
            } | (before or {})
            made |= config
            if made["PolicyType"] == "TargetTrackingScaling":
                self._check_alone(made, others)
                made = self._with_alarms(made, resource, caller)
            self._store.policies.put(made)
        return {"PolicyARN": made["PolicyARN"], "Alarms": self._alarms(made)}

    def _policy_config(self, params: Params, resource: Resource, before: Document | None) -> Params:
        kind = params.get("PolicyType") or (before or {}).get("PolicyType") or "StepScaling"
        if before is not None and before["PolicyType"] != kind:
            raise invalid(f"The policy {params['PolicyName']} is of type {before['PolicyType']}: delete it first.")
        other = {
            "TargetTrackingScaling": "StepScalingPolicyConfiguration",
            "StepScaling": "TargetTrackingScalingPolicyConfiguration",
        }
        if kind not in other:
            raise invalid(f"Unsupported policy type {kind} for {resource.dimension.name}.")
        if params.get(other[kind]):
            raise invalid(f"{other[kind]} does not belong to a policy of type {kind}.")
        member = f"{kind}PolicyConfiguration"
        config = params.get(member) or (before or {}).get(member)
        if not config:
            raise invalid(f"A policy of type {kind} needs {member}.")
        if kind == "TargetTrackingScaling":
            check_tracking(config, resource.dimension)
        elif not resource.dimension.steps:
            raise invalid(f"Step scaling is not supported for {resource.dimension.name}. Use TargetTrackingScaling.")
        else:
            check_steps(config)
            config = {"Cooldown": STEP_COOLDOWN, "MetricAggregationType": "Average", **config}
        return {"PolicyType": kind, member: config}

    def _check_alone(self, policy: Document, others: list[Document]) -> None:
        member = "TargetTrackingScalingPolicyConfiguration"
        if any(member in one and tracked_by(one[member]) == tracked_by(policy[member]) for one in others):
            raise invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")

    def _with_alarms(self, policy: Document, resource: Resource, caller: Caller) -> Document:
        """Make or replace the alarms of a policy; those that it does not need any more go."""
        config = policy["TargetTrackingScalingPolicyConfiguration"]
        names = alarm_names(resource, config, policy["Ends"])
        made = [alarm_of(end, name, resource, config, policy["PolicyARN"]) for end, name in names.items()]
        for alarm in made:
            check_alarm(alarm, caller)
        for alarm in made:
            put_alarm(self._states, alarm, caller, self._now())
        for end, name in policy["Ends"].items():
            if end not in names:
                delete_alarm(self._states, caller.region, name, self._now())
        return {**policy, "Ends": names}

    def describe_scaling_policies(self, params: Params, caller: Caller) -> Params:
        found, more = self._page(self._store.policies, params, caller, "PolicyName", params.get("PolicyNames"))
        shown = [told(one, _POLICY) | {"Alarms": self._alarms(one)} for one in found]
        return {"ScalingPolicies": shown, **more}

    def _alarms(self, policy: Mapping[str, Any]) -> list[Params]:
        """Its own alarms, or those that somebody made for a step policy."""
        region = policy["Region"]
        named = set(policy["Ends"].values())
        return [
            {"AlarmName": alarm["AlarmName"], "AlarmARN": alarm["AlarmArn"]}
            for alarm in self._states.alarms.all(region)
            if alarm["AlarmName"] in named or (not named and policy["PolicyARN"] in alarm["AlarmActions"])
        ]

    def delete_scaling_policy(self, params: Params, caller: Caller) -> Params:
        resource = resource_of(params, caller)
        with self._scaler.lock:
            found = self._store.policies.get(resource, params["PolicyName"])
            if found is None:
                raise ServiceError(
                    "ObjectNotFoundException",
                    f"No scaling policy found for {resource.words}, policy name: {params['PolicyName']}",
                )
            self._delete_policy(found)
        return {}

    def _delete_policy(self, policy: Document) -> None:
        for name in policy["Ends"].values():
            delete_alarm(self._states, policy["Region"], name, self._now())
        self._store.policies.delete(policy)
