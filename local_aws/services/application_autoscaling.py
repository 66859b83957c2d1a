"""Application Auto Scaling: targets, policies and scheduled actions that are kept and really scale.

It scales the variants of SageMaker's endpoints and the provisioned concurrency of Lambda's aliases and versions, as
service-linked roles that the first registration makes; a RoleARN in a request is not used, as in AWS.
"""

import base64
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import OperationModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from local_aws.errors import ServiceError
from local_aws.pace import AS_AWS, Pace
from local_aws.protocol import Caller, Service
from local_aws.services import application_autoscaling_activities as activities
from local_aws.services import sagemaker_constraints
from local_aws.services.application_autoscaling_capacity import Capacity, role_name
from local_aws.services.application_autoscaling_policies import (
    alarm_names,
    alarm_of,
    check_alarm,
    check_tracking,
    tracked_by,
)
from local_aws.services.application_autoscaling_request import (
    Resource,
    check_namespace,
    check_range,
    check_steps,
    check_tags,
    invalid,
    missing,
    resource_of,
)
from local_aws.services.application_autoscaling_scaler import STEP_COOLDOWN, Scaler
from local_aws.services.application_autoscaling_schedule import Schedule, ends_of, kept, times_of
from local_aws.services.application_autoscaling_store import Document, Kept, ScalingStore, resource_of_document
from local_aws.services.cloudwatch_alarms import delete_alarm, put_alarm
from local_aws.services.cloudwatch_alarms_watch import Watch
from local_aws.services.sagemaker_resources import epoch
from local_aws.store import Store

log = logging.getLogger(__name__)

PAGE = 50
MOST_POLICIES, MOST_SCHEDULED = 50, 200  # of one target
FOLLOW_SECONDS = 0.2  # between looks at what is being changed
LONGEST_SLEEP = 5.0

Params = dict[str, Any]
MakeRole = Callable[[str], str]
"""Makes the service-linked role of a resource's service ("sagemaker"), if it is not there; its ARN."""


class ApplicationAutoScaling(Service):
    """watch: evaluates the alarms; runs as long as this service. capacities: by dimension. now: epoch seconds.

    role: makes the service-linked role for a principal such as sagemaker.application-autoscaling.amazonaws.com.
    """

    name = "application-autoscaling"

    def __init__(
        self,
        store: Store,
        watch: Watch,
        capacities: Mapping[str, Capacity],
        role: MakeRole,
        *,
        now: Callable[[], float] = time.time,
        pace: Pace = AS_AWS,
    ) -> None:
        self._store = ScalingStore(store)
        self._watch = watch
        self._capacities = capacities
        self._role = role
        self._now = now
        self._gone: set[str] = set()  # resource ids of variants whose endpoints are being deleted
        self._news = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None
        self._scaler = Scaler(self._store, watch.states, capacities, now, pace=pace, changed=self._news.set)
        self._schedule = Schedule(self._store, now)
        watch.states.policy = self._scaler.fire

    async def start(self) -> None:
        self._ended = False
        self._thread = threading.Thread(target=self._go_on, name="scaling", daemon=True)
        self._thread.start()
        self._watch.start()

    async def stop(self) -> None:
        await run_in_threadpool(self._watch.stop)
        self._ended = True
        self._news.set()
        if self._thread is not None:
            await run_in_threadpool(self._thread.join)

    def _go_on(self) -> None:
        while not self._ended:
            self._news.clear()
            try:
                busy = self.step()
                due = self._schedule.due()
            except Exception:  # a broken database must not end all scaling for good
                log.exception("scaling")
                busy, due = False, None
            pause = FOLLOW_SECONDS if busy else LONGEST_SLEEP
            if due is not None:
                pause = min(pause, max(0.0, due - self._now()))
            self._news.wait(pause)

    def step(self) -> bool:
        """Do what is due and follow what goes on; True while something is to be looked at again soon."""
        with self._scaler.lock:
            self._forget_gone()
            self._schedule.run()
            for target in self._store.targets.all():
                resource = resource_of_document(target)
                if self._capacities[resource.dimension.name].read(resource) is None:
                    self._forget(resource)
            follows = self._scaler.follow()
            return self._scaler.keep_within() or follows

    def endpoint_changed(self, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        """AWS deregisters the variants of an endpoint that is deleted. Called while SageMaker holds its locks."""
        if before is not None and (after is None or after["EndpointStatus"] == "Deleting"):
            region = before["EndpointArn"].split(":")[3]
            self._gone |= {
                f"{region} endpoint/{before['EndpointName']}/variant/{one['name']}" for one in before["Variants"]
            }
            self._news.set()

    def _forget_gone(self) -> None:
        while self._gone:
            region, id = self._gone.pop().split(" ")
            for target in self._store.targets.all():
                if (target["Region"], target["ResourceId"]) == (region, id):
                    self._forget(resource_of_document(target))

    def is_target(self, region: str, resource_id: str) -> bool:
        """Whether something of a resource is scaled ("endpoint/NAME/variant/NAME")."""
        return any(one["Region"] == region and one["ResourceId"] == resource_id for one in self._store.targets.all())

    def parse(self, request: Request, operation: OperationModel, body: bytes) -> Params:
        params = super().parse(request, operation, body)
        sagemaker_constraints.check(operation.input_shape, params)
        return params

    # targets

    def register_scalable_target(self, params: Params, caller: Caller) -> Params:
        resource = resource_of(params, caller)
        check_tags(params.get("Tags") or {})
        with self._scaler.lock:
            self._forget_gone()  # another one of that name is none of those that were registered
            before = self._store.targets.get(resource)
            if before is None:
                for name in ("MinCapacity", "MaxCapacity"):
                    if params.get(name) is None:
                        raise invalid(f"{name} is required when a scalable target is registered.")
                self._capacity(resource).check(resource)
            low, high = ends_of(params, before or params)
            check_range(low, high, resource.dimension)
            if before is not None and params.get("Tags"):
                raise invalid("Tags are given when a scalable target is registered; change them with TagResource.")
            role = self._role(f"{resource.dimension.service}.application-autoscaling.amazonaws.com")
            arn = f"arn:aws:application-autoscaling:{caller.region}:{caller.account}:scalable-target/{uuid.uuid4().hex}"
            target = before or {
                "ServiceNamespace": resource.dimension.service,
                "ResourceId": resource.id,
                "ScalableDimension": resource.dimension.name,
                "Region": caller.region,
                "CreationTime": self._now(),
                "ScalableTargetARN": arn,
                "Tags": dict(params.get("Tags") or {}),
                "SuspendedState": dict.fromkeys(_SUSPENDABLE, False),
            }
            suspended = {**target["SuspendedState"], **(params.get("SuspendedState") or {})}
            ends = {"MinCapacity": low, "MaxCapacity": high, "SuspendedState": suspended, "RoleARN": role}
            self._store.targets.put({**target, **ends, "Enforce": True})
        self._news.set()
        return {"ScalableTargetARN": target["ScalableTargetARN"]}

    def describe_scalable_targets(self, params: Params, caller: Caller) -> Params:
        wanted = params.get("ResourceIds")
        found, more = self._page(self._store.targets, params, caller, "")
        told = [_told(one, _TARGET) for one in found if not wanted or one["ResourceId"] in wanted]
        return {"ScalableTargets": told, **more}

    def deregister_scalable_target(self, params: Params, caller: Caller) -> Params:
        resource = resource_of(params, caller)
        with self._scaler.lock:
            if self._store.targets.get(resource) is None:
                raise missing("scalable target registered", resource)
            self._forget(resource)
        return {}

    def _forget(self, resource: Resource) -> None:
        """A target with its policies, their alarms, and its scheduled actions."""
        for policy in self._store.policies.of(resource):
            self._delete_policy(policy)
        for action in self._store.scheduled.of(resource):
            self._store.scheduled.delete(action)
        target = self._store.targets.get(resource)
        if target is not None:
            self._store.targets.delete(target)

    def _capacity(self, resource: Resource) -> Capacity:
        found = self._capacities.get(resource.dimension.name)
        if found is None:
            raise invalid(f"The embedded AWS cannot scale {resource.dimension.name} yet (ScalableDimension).")
        return found

    # policies

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
            put_alarm(self._watch.states, alarm, caller, self._now())
        for end, name in policy["Ends"].items():
            if end not in names:
                delete_alarm(self._watch.states, caller.region, name, self._now())
        return {**policy, "Ends": names}

    def describe_scaling_policies(self, params: Params, caller: Caller) -> Params:
        names = params.get("PolicyNames")
        found, more = self._page(self._store.policies, params, caller, "PolicyName")
        told = [
            _told(one, _POLICY) | {"Alarms": self._alarms(one)}
            for one in found
            if not names or one["PolicyName"] in names
        ]
        return {"ScalingPolicies": told, **more}

    def _alarms(self, policy: Mapping[str, Any]) -> list[Params]:
        """Its own alarms, or those that somebody made for a step policy."""
        region = policy["Region"]
        named = set(policy["Ends"].values())
        return [
            {"AlarmName": alarm["AlarmName"], "AlarmARN": alarm["AlarmArn"]}
            for alarm in self._watch.states.alarms.all(region)
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
            delete_alarm(self._watch.states, policy["Region"], name, self._now())
        self._store.policies.delete(policy)

    # scheduled actions

    def put_scheduled_action(self, params: Params, caller: Caller) -> Params:
        resource = resource_of(params, caller)
        name = params["ScheduledActionName"]
        with self._scaler.lock:
            target = self._store.targets.get(resource)
            if target is None:
                raise missing("scalable target registered", resource)
            before = self._store.scheduled.get(resource, name)
            if before is None and len(self._store.scheduled.of(resource)) >= MOST_SCHEDULED:
                raise ServiceError("LimitExceededException", f"A target can have {MOST_SCHEDULED} scheduled actions.")
            given = {member: params[member] for member in _SCHEDULED if params.get(member) is not None}
            given |= {member: epoch(given[member]) for member in ("StartTime", "EndTime") if member in given}
            arn = (
                f"arn:aws:autoscaling:{caller.region}:{caller.account}:scheduledAction:{uuid.uuid4()}:resource/"
                f"{resource.dimension.service}/{resource.id}:scheduledActionName/{name}"
            )
            made: Document = {"ScheduledActionARN": arn, "CreationTime": self._now(), "Region": caller.region}
            made |= {**(before or {}), **given}
            if not made.get("Schedule"):
                raise invalid("Schedule is required for a new scheduled action.")
            action = made.get("ScalableTargetAction") or {}
            if action.get("MinCapacity") is None and action.get("MaxCapacity") is None:
                raise invalid("ScalableTargetAction needs MinCapacity, MaxCapacity or both.")
            check_range(*ends_of(action, _wide(action, resource)), resource.dimension)
            now = self._now()
            times = times_of(
                made["Schedule"], made.get("Timezone") or "UTC", made.get("StartTime"), made.get("EndTime"), now
            )
            self._store.scheduled.put({**made, "Times": kept(times), "Due": times.after(now)})
        self._news.set()
        return {}

    def describe_scheduled_actions(self, params: Params, caller: Caller) -> Params:
        names = params.get("ScheduledActionNames")
        found, more = self._page(self._store.scheduled, params, caller, "ScheduledActionName")
        told = [_told(one, _ACTION) for one in found if not names or one["ScheduledActionName"] in names]
        return {"ScheduledActions": told, **more}

    def delete_scheduled_action(self, params: Params, caller: Caller) -> Params:
        resource = resource_of(params, caller)
        with self._scaler.lock:
            found = self._store.scheduled.get(resource, params["ScheduledActionName"])
            if found is None:
                raise ServiceError(
                    "ObjectNotFoundException",
                    f"No scheduled action found for {resource.words}, scheduled action name: "
                    f"{params['ScheduledActionName']}",
                )
            self._store.scheduled.delete(found)
        return {}

    # activities and tags

    def describe_scaling_activities(self, params: Params, caller: Caller) -> Params:
        check_namespace(params["ServiceNamespace"])
        after = _read_token(params.get("NextToken"))
        if after and not after.isdigit():
            raise ServiceError("InvalidNextTokenException", "The next token is invalid.")
        most = params.get("MaxResults") or PAGE
        found = self._store.activities(
            caller.region,
            params["ServiceNamespace"],
            resource_id=params.get("ResourceId"),
            dimension=params.get("ScalableDimension"),
            not_scaled=bool(params.get("IncludeNotScaledActivities")),
            before=int(after or 0),
            most=most + 1,
        )
        more = {"NextToken": _token(str(found[most - 1][0]))} if len(found) > most else {}
        return {"ScalingActivities": [activities.told(one) for _, one in found[:most]], **more}

    def tag_resource(self, params: Params, caller: Caller) -> Params:
        with self._scaler.lock:
            target = self._named(params["ResourceARN"], caller)
            tags = {**target["Tags"], **params["Tags"]}
            check_tags(tags)
            self._store.targets.put({**target, "Tags": tags})
        return {}

    def untag_resource(self, params: Params, caller: Caller) -> Params:
        with self._scaler.lock:
            target = self._named(params["ResourceARN"], caller)
            left = {key: value for key, value in target["Tags"].items() if key not in params["TagKeys"]}
            self._store.targets.put({**target, "Tags": left})
        return {}

    def list_tags_for_resource(self, params: Params, caller: Caller) -> Params:
        return {"Tags": self._named(params["ResourceARN"], caller)["Tags"]}

    def _named(self, arn: str, caller: Caller) -> Document:
        for one in self._store.targets.all():
            if one["ScalableTargetARN"] == arn and one["Region"] == caller.region:
                return one
        raise ServiceError("ResourceNotFoundException", f"The resource {arn} does not exist.")

    def _page(self, of: Kept, params: Params, caller: Caller, name: str) -> tuple[list[Document], Params]:
        """One page of a namespace's documents in this region, by resource and name."""
        check_namespace(params["ServiceNamespace"])
        after = _read_token(params.get("NextToken"))
        found = [
            (f"{one['ScalableDimension']} {one['ResourceId']} {one.get(name, '')}", one)
            for one in of.all()
            if one["Region"] == caller.region
            and one["ServiceNamespace"] == params["ServiceNamespace"]
            and params.get("ResourceId") in (None, one["ResourceId"])
            and params.get("ScalableDimension") in (None, one["ScalableDimension"])
        ]
        behind = sorted((one for one in found if one[0] > after), key=lambda one: one[0])
        page = behind[: params.get("MaxResults") or PAGE]
        more = {"NextToken": _token(page[-1][0])} if len(behind) > len(page) else {}
        return [one for _, one in page], more


_SUSPENDABLE = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_OF_ALL = ("ServiceNamespace", "ResourceId", "ScalableDimension", "CreationTime")
_TARGET = (*_OF_ALL, "MinCapacity", "MaxCapacity", "RoleARN", "SuspendedState", "ScalableTargetARN")
_POLICY = (
    *(*_OF_ALL, "PolicyARN", "PolicyName", "PolicyType"),
    *("StepScalingPolicyConfiguration", "TargetTrackingScalingPolicyConfiguration"),
)
_SCHEDULED = (
    *("ServiceNamespace", "ResourceId", "ScalableDimension", "ScheduledActionName", "Schedule", "Timezone"),
    *("StartTime", "EndTime", "ScalableTargetAction"),
)
_ACTION = (*_SCHEDULED, "CreationTime", "ScheduledActionARN")
_TIMES = ("CreationTime", "StartTime", "EndTime")


def _told(one: Mapping[str, Any], members: tuple[str, ...]) -> Params:
    return {
        name: datetime.fromtimestamp(one[name], UTC) if name in _TIMES else one[name]
        for name in members
        if one.get(name) is not None
    }


def _wide(action: Mapping[str, Any], resource: Resource) -> Params:
    """Ends that let an action be checked by itself: the target's may be others when it happens."""
    low = resource.dimension.least
    return {"MinCapacity": low, "MaxCapacity": max(low, action.get("MinCapacity") or 0)}


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _read_token(token: str | None) -> str:
    if not token:
        return ""
    try:
        return base64.b64decode(token.encode(), b"-_", validate=True).decode()
    except ValueError as wrong:
        raise ServiceError("InvalidNextTokenException", "The next token is invalid.") from wrong


__all__ = ["ApplicationAutoScaling", "role_name"]
