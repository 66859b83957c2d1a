"""The operations on scheduled actions; application_autoscaling_schedule does them at their times."""

import uuid
from collections.abc import Mapping
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.application_autoscaling_base import Params, ScalingBase, told
from local_aws.services.application_autoscaling_request import Resource, check_range, invalid, missing, resource_of
from local_aws.services.application_autoscaling_schedule import ends_of, kept, times_of
from local_aws.services.application_autoscaling_store import Document
from local_aws.services.sagemaker_resources import epoch

MOST_SCHEDULED = 200  # of one target
_SCHEDULED = (
    *("ServiceNamespace", "ResourceId", "ScalableDimension", "ScheduledActionName", "Schedule", "Timezone"),
    *("StartTime", "EndTime", "ScalableTargetAction"),
)
_ACTION = (*_SCHEDULED, "CreationTime", "ScheduledActionARN")


class ScheduledActions(ScalingBase):
    """PutScheduledAction, DescribeScheduledActions, DeleteScheduledAction."""

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
        found, more = self._page(self._store.scheduled, params, caller, "ScheduledActionName", names)
        return {"ScheduledActions": [told(one, _ACTION) for one in found], **more}

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


def _wide(action: Mapping[str, Any], resource: Resource) -> Params:
    """Ends that let an action be checked by itself: the target's may be others when it happens."""
    low = resource.dimension.least
    return {"MinCapacity": low, "MaxCapacity": max(low, action.get("MinCapacity") or 0)}
