"""Scales: an alarm calls a policy, the policy says how many, the service is asked for them, and the activity is kept.

One activity goes on for a target at a time; while its resource is being changed nothing else is begun, and what an
alarm wanted is tried again at its next evaluation. A cooldown begins when its activity has ended. All of it is on
disk, so that a server that was killed goes on where it was.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local_aws.engine.scaler import Cooldown, Steps, outward, tracked
from local_aws.errors import ServiceError
from local_aws.pace import AS_AWS, Pace
from local_aws.services import application_autoscaling_activities as activities
from local_aws.services.application_autoscaling_capacity import Capacity, Reading
from local_aws.services.application_autoscaling_request import Resource, missing
from local_aws.services.application_autoscaling_store import Document, ScalingStore, resource_of_document
from local_aws.services.cloudwatch_alarms_judge import State
from local_aws.services.cloudwatch_alarms_states import Firing, Transitions

log = logging.getLogger(__name__)

OUT, IN = "Out", "In"
AGAIN_SECONDS = 60.0  # prescribed, until what failed is tried again
STEP_COOLDOWN = 300
_SUSPENDED = {OUT: "DynamicScalingOutSuspended", IN: "DynamicScalingInSuspended"}


class Scaler:
    """capacities: by scalable dimension. now: epoch seconds. changed: called when there is an activity to follow."""

    def __init__(
        self,
        store: ScalingStore,
        states: Transitions,
        capacities: Mapping[str, Capacity],
        now: Callable[[], float],
        *,
        pace: Pace = AS_AWS,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._states = states
        self._capacities = capacities
        self._now = now
        self._pace = pace
        self._changed = changed
        self.lock = threading.RLock()

    def fire(self, policy_arn: str, firing: Firing) -> None:
        """An alarm calls a policy. Raises ServiceError ObjectNotFoundException for one that is not there any more."""
        with self.lock:
            policy = next((one for one in self._store.policies.all() if one["PolicyARN"] == policy_arn), None)
            if policy is None:
                raise ServiceError("ObjectNotFoundException", f"No scaling policy found with the ARN {policy_arn}")
            resource = resource_of_document(policy)
            target = self._store.targets.get(resource)
            if target is None:
                raise missing("scalable target registered", resource)
            found = self._ready(resource)
            if found is None:
                return
            if policy["PolicyType"] == "StepScaling":
                self._step(target, policy, firing, found.desired)
            elif firing.state is State.ALARM and firing.newest is not None:
                name = firing.alarm["AlarmName"]
                if name == policy["Ends"].get("High"):
                    self._track_out(target, policy, firing.newest, found.desired)
                elif name == policy["Ends"].get("Low"):
                    self._track_in(target, policy, found.desired)

    def _ready(self, resource: Resource) -> Reading | None:
        """The capacity of a resource that nothing changes at this moment; None for another."""
        if any(resource_of_document(one) == resource for one in self._store.open()):
            return None
        found = self._capacities[resource.dimension.name].read(resource)
        return found if found is not None and found.stable else None

    # what policies say

    def _track_out(self, target: Document, policy: Document, metric: float, now_has: int) -> None:
        config = policy["TargetTrackingScalingPolicyConfiguration"]
        base = outward(now_has, self._cooldown(policy, OUT), self._now())
        wanted = tracked(base, metric, config["TargetValue"])
        cause = activities.by_alarm(policy["Ends"]["High"], policy["PolicyName"])
        self._go(target, [policy], wanted, now_has, OUT, cause)

    def _track_in(self, target: Document, policy: Document, now_has: int) -> None:
        """All target tracking policies that scale in must be ready to; the largest of what they want is done."""
        ready: list[Document] = []
        wanted = 0
        for one in self._store.policies.of(resource_of_document(target)):
            if one["PolicyType"] != "TargetTrackingScaling" or "Low" not in one["Ends"]:
                continue
            firing = self._states.latest(one["Region"], one["Ends"]["Low"])
            if firing is None or firing.state is not State.ALARM or firing.newest is None:
                return
            if self._cools(one, IN):
                return
            value = one["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
            wanted = max(wanted, tracked(now_has, firing.newest, value))
            ready.append(one)
        cause = activities.by_alarms([one["Ends"]["Low"] for one in ready], policy["PolicyName"])
        self._go(target, ready, min(wanted, now_has), now_has, IN, cause)

    def _step(self, target: Document, policy: Document, firing: Firing, now_has: int) -> None:
        steps = Steps.of(policy["StepScalingPolicyConfiguration"])
        if not firing.points or (firing.newest is None):
            return
        metric = steps.aggregate([point.value for point in firing.points])
        threshold = firing.alarm["Threshold"]
        now = self._now()
        wanted = steps.desired(outward(now_has, self._cooldown(policy, OUT), now), metric, threshold)
        cause = activities.by_alarm(firing.alarm["AlarmName"], policy["PolicyName"])
        if wanted is not None and wanted > now_has:
            self._go(target, [policy], wanted, now_has, OUT, cause)
            return
        wanted = steps.desired(now_has, metric, threshold)
        if wanted is not None and wanted < now_has and not self._cools(policy, IN):
            self._go(target, [policy], wanted, now_has, IN, cause)

    def _go(
        self, target: Document, policies: Iterable[Document], wanted: int, now_has: int, way: str, cause: str
    ) -> None:
        """Set a capacity within the target's ends, if that is a change in the direction that was meant."""
        if (target.get("SuspendedState") or {}).get(_SUSPENDED[way]):
            return
        low, high = target["MinCapacity"], target["MaxCapacity"]
        number = max(low, min(high, wanted))
        if (number > now_has) if way == OUT else (number < now_has):
            self.begin(target, number, now_has, cause, policies, way)
        elif way == OUT and wanted > now_has >= high:
            self._note(target, cause, {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": high, "CurrentCapacity": now_has})
        elif way == IN and wanted < now_has <= low:
            self._note(target, cause, {"Code": "AlreadyAtMinCapacity", "MinCapacity": low, "CurrentCapacity": now_has})

    def _note(self, target: Document, cause: str, reason: Mapping[str, Any]) -> None:
        """Keep that nothing was done; once for each time in a row."""
        resource = resource_of_document(target)
        last = self._store.last(resource)
        if last is None or last.get("NotScaledReasons") != [dict(reason)] or last["Cause"] != cause:
            self._store.begin(activities.not_scaled(resource, cause, reason, self._now()))

    # cooldowns

    def _cooldown(self, policy: Mapping[str, Any], way: str) -> Cooldown | None:
        last = policy.get(way)
        if last is None:
            return None
        return Cooldown(last["Before"], last["Ended"], self._pace.seconds(_cooldown_seconds(policy, way)))

    def _cools(self, policy: Mapping[str, Any], way: str) -> bool:
        last = self._cooldown(policy, way)
        return last is not None and last.lasts(self._now())

    def _mark(self, resource: Resource, policies: Iterable[Document], way: str, now_has: int, activity: str) -> None:
        """Remember who began an activity; a scale-out ends the cooldowns of scaling in."""
        began = {one["PolicyName"] for one in policies}
        for one in self._store.policies.of(resource):
            after = dict(one)
            if way == OUT:
                after[IN] = None
            if one["PolicyName"] in began:
                last = self._cooldown(one, way)
                lasts = last is not None and last.lasts(self._now())
                before = last.before if last is not None and lasts and way == OUT else now_has
                after[way] = {"Before": before, "Activity": activity, "Ended": None}
            if after != one:
                self._store.policies.put(after)

    # what becomes of it

    def begin(
        self,
        target: Document,
        number: int,
        now_has: int,
        cause: str,
        policies: Iterable[Document] = (),
        way: str = OUT,
    ) -> bool:
        """Ask for a capacity. False when the resource is being changed, and nothing was begun."""
        resource = resource_of_document(target)
        if self._failed_just_now(resource, number):
            return True
        activity = activities.begun(resource, number, cause, self._now())
        before = self._store.policies.of(resource)
        self._store.begin(activity)
        self._mark(resource, policies, way, now_has, activity["ActivityId"])
        try:
            self._capacities[resource.dimension.name].set(resource, number)
        except ServiceError as refused:
            for policy in before:
                self._store.policies.put(policy)
            if "in-progress" in refused.message:  # somebody was faster: the alarm tries again
                self._store.drop(activity)
                return False
            self._store.update(activities.failed(activity, resource, refused.message, self._now()))
            log.warning("%s: %s", resource.id, refused.message)
            return True
        self._changed()
        return True

    def _failed_just_now(self, resource: Resource, number: int) -> bool:
        last = self._store.last(resource)
        if last is None or last["StatusCode"] not in ("Failed", "Unfulfilled") or last.get("Wanted") != number:
            return False
        return bool(self._now() < last["EndTime"] + self._pace.seconds(AGAIN_SECONDS))

    def follow(self) -> bool:
        """See what became of the activities that go on; True while there are some."""
        with self.lock:
            left = False
            for activity in self._store.open():
                resource = resource_of_document(activity)
                found = self._capacities[resource.dimension.name].read(resource)
                now = self._now()
                if found is None:
                    self._end(activities.failed(activity, resource, f"{resource.id} is not there any more", now))
                elif found.failure:
                    self._end(activities.unfulfilled(activity, resource, found.failure, now))
                elif not found.stable:
                    left = True
                elif found.desired != activity["Wanted"] and found.undone:
                    self._end(activities.unfulfilled(activity, resource, found.undone, now))
                elif found.desired != activity["Wanted"]:
                    self._end(activities.overridden(activity, resource, found.desired, now))
                else:
                    self._end(activities.fulfilled(activity, resource, now))
            return left

    def _end(self, activity: Document) -> None:
        """Its cooldowns begin before it is over: were the server killed in between, they would never end otherwise."""
        for one in self._store.policies.of(resource_of_document(activity)):
            for way in (OUT, IN):
                last = one.get(way)
                if last and last["Activity"] == activity["ActivityId"]:
                    self._store.policies.put({**one, way: {**last, "Ended": activity["EndTime"]}})
        self._store.update(activity)

    def keep_within(self) -> bool:
        """Bring the targets whose ends were changed within them; True while one waits for its resource."""
        with self.lock:
            waits = False
            for target in self._store.targets.all():
                if not target.get("Enforce"):
                    continue
                resource = resource_of_document(target)
                found = self._ready(resource)
                if found is None:
                    waits = True
                    continue
                number = max(target["MinCapacity"], min(target["MaxCapacity"], found.desired))
                if number != found.desired:
                    end = "minimum" if number > found.desired else "maximum"
                    if not self.begin(target, number, found.desired, f"{end} capacity was set to {number}"):
                        waits = True
                        continue
                self._store.targets.put({**target, "Enforce": False})
            return waits


def _cooldown_seconds(policy: Mapping[str, Any], way: str) -> float:
    """Prescribed seconds."""
    if policy["PolicyType"] == "StepScaling":
        given = policy["StepScalingPolicyConfiguration"].get("Cooldown")
        return float(STEP_COOLDOWN if given is None else given)
    given = policy["TargetTrackingScalingPolicyConfiguration"].get(f"Scale{way}Cooldown")
    return float(resource_of_document(policy).dimension.cooldown if given is None else given)
