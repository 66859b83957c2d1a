"""Scaling activities in AWS's words: what was to be done, why, and what became of it."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local_aws.services.application_autoscaling_request import Resource

Document = dict[str, Any]


def by_alarm(alarm: str, policy: str) -> str:
    return f"monitor alarm {alarm} in state ALARM triggered policy {policy}"


def by_alarms(alarms: Sequence[str], policy: str) -> str:
    """Several target tracking policies that agree."""
    return by_alarm(" and ".join(alarms), policy)


def begun(resource: Resource, number: int, cause: str, now: float) -> Document:
    """A capacity is being set."""
    words = f"Setting {resource.dimension.words} to {number}."
    return {**_base(resource, words, cause, now), "StatusCode": "InProgress", "Wanted": number} | {
        "StatusMessage": (
            f"Successfully set {resource.dimension.words} to {number}. Waiting for change to be fulfilled by "
            f"{resource.dimension.service}."
        )
    }


def fulfilled(activity: Document, resource: Resource, now: float) -> Document:
    message = (
        f"Successfully set {resource.dimension.words} to {activity['Wanted']}. Change successfully fulfilled by "
        f"{resource.dimension.service}."
    )
    return ended(activity, "Successful", message, now)


def unfulfilled(activity: Document, resource: Resource, reason: str, now: float) -> Document:
    words = f"{resource.dimension.words} to {activity['Wanted']}"
    message = f"Successfully set {words}. Change was not fulfilled by {resource.dimension.service}. Reason: {reason}"
    return ended(activity, "Unfulfilled", message, now)


def overridden(activity: Document, resource: Resource, found: int, now: float) -> Document:
    words = f"{resource.dimension.words} to {activity['Wanted']}"
    message = f"Successfully set {words}. Change was overridden: it is {found} now."
    return ended(activity, "Overridden", message, now)


def failed(activity: Document, resource: Resource, reason: str, now: float) -> Document:
    words = f"{resource.dimension.words} to {activity['Wanted']}"
    return ended(activity, "Failed", f"Failed to set {words}. Reason: {reason}", now)


def ended(activity: Document, code: str, message: str, now: float) -> Document:
    return {**activity, "StatusCode": code, "StatusMessage": message, "EndTime": now}


def not_scaled(resource: Resource, cause: str, reason: Mapping[str, Any], now: float) -> Document:
    """Nothing was done; reason: a NotScaledReason."""
    message = f"Failed to scale: {reason['Code']}"
    base = _base(resource, "Attempting to scale due to alarm triggered", cause, now)
    return {**ended(base, "Failed", message, now), "NotScaledReasons": [dict(reason)]}


def range_set(resource: Resource, low: int, high: int, name: str, now: float) -> Document:
    """A scheduled action set the ends of a target."""
    words = f"Setting min capacity to {low} and max capacity to {high}"
    base = _base(resource, words, f"scheduled action name {name} was triggered", now)
    return ended(base, "Successful", f"Successfully set min capacity to {low} and max capacity to {high}", now)


def range_refused(resource: Resource, name: str, reason: str, now: float) -> Document:
    base = _base(resource, "Setting min and max capacity", f"scheduled action name {name} was triggered", now)
    return ended(base, "Failed", f"Failed to set min and max capacity. Reason: {reason}", now)


def _base(resource: Resource, description: str, cause: str, now: float) -> Document:
    return {
        "ActivityId": str(uuid.uuid4()),
        "Region": resource.region,
        "ServiceNamespace": resource.dimension.service,
        "ResourceId": resource.id,
        "ScalableDimension": resource.dimension.name,
        "Description": description,
        "Cause": cause,
        "StartTime": now,
    }


_TOLD = (
    *("ActivityId", "ServiceNamespace", "ResourceId", "ScalableDimension", "Description", "Cause"),
    *("StatusCode", "StatusMessage", "NotScaledReasons"),
)


def told(activity: Mapping[str, Any]) -> Document:
    """An activity in DescribeScalingActivities."""
    found = {name: activity[name] for name in _TOLD if name in activity}
    times = {name: datetime.fromtimestamp(activity[name], UTC) for name in ("StartTime", "EndTime") if name in activity}
    return found | times
