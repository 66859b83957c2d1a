"""Application Auto Scaling: targets, policies and scheduled actions that are kept and really scale.

It scales the variants of SageMaker's endpoints and the provisioned concurrency of Lambda's aliases and versions, as
service-linked roles that the first registration makes; a RoleARN in a request is not used, as in AWS.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool

from local_aws.errors import ServiceError
from local_aws.pace import AS_AWS, Pace
from local_aws.protocol import Caller
from local_aws.services import application_autoscaling_activities as activities
from local_aws.services.application_autoscaling_base import OF_ALL, PAGE, Params, read_token, token, told
from local_aws.services.application_autoscaling_capacity import Capacity
from local_aws.services.application_autoscaling_policies import Policies
from local_aws.services.application_autoscaling_request import (
    Resource,
    check_namespace,
    check_range,
    check_tags,
    invalid,
    missing,
    resource_of,
)
from local_aws.services.application_autoscaling_scaler import Scaler
from local_aws.services.application_autoscaling_schedule import Schedule, ends_of
from local_aws.services.application_autoscaling_scheduled import ScheduledActions
from local_aws.services.application_autoscaling_store import Document, ScalingStore, resource_of_document
from local_aws.services.cloudwatch_alarms_watch import Watch
from local_aws.store import Store

log = logging.getLogger(__name__)

FOLLOW_SECONDS = 0.2  # between looks at what is being changed
LONGEST_SLEEP = 5.0
_SUSPENDABLE = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_TARGET = (*OF_ALL, "MinCapacity", "MaxCapacity", "RoleARN", "SuspendedState", "ScalableTargetARN")

MakeRole = Callable[[str], str]
"""Makes the service-linked role of a resource's service ("sagemaker"), if it is not there; its ARN."""


class ApplicationAutoScaling(Policies, ScheduledActions):
    """watch: evaluates the alarms; runs as long as this service. capacities: by dimension. now: epoch seconds.

    role: makes the service-linked role for a principal such as sagemaker.application-autoscaling.amazonaws.com.
    """

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
        self._states = watch.states
        self._capacities = capacities
        self._role = role
        self._now = now
        self._gone: set[str] = set()  # resource ids of variants whose endpoints are being deleted
        self._news = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None
        self._scaler = Scaler(self._store, watch.states, capacities, now, pace=pace, changed=self._news.set)
        self._schedule = Schedule(self._store, now)
        self._states.policy = self._scaler.fire

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
        found, more = self._page(self._store.targets, params, caller, "ResourceId", params.get("ResourceIds"))
        return {"ScalableTargets": [told(one, _TARGET) for one in found], **more}

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

    # activities and tags

    def describe_scaling_activities(self, params: Params, caller: Caller) -> Params:
        check_namespace(params["ServiceNamespace"])
        after = read_token(params.get("NextToken"))
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
        more = {"NextToken": token(str(found[most - 1][0]))} if len(found) > most else {}
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
