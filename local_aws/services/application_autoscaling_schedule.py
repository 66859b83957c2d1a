"""Scheduled actions: at their times the ends of a target are set, and its capacity is brought within them.

Schedules are times of day and are not divided by a time scale. One that was due while the server was down happens
once when it is back.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from local_aws.errors import ServiceError
from local_aws.services import application_autoscaling_activities as activities
from local_aws.services import scheduler_expression
from local_aws.services.application_autoscaling_request import check_range, invalid
from local_aws.services.application_autoscaling_store import Document, ScalingStore, resource_of_document
from local_aws.services.scheduler_expression import Times


def times_of(schedule: str, timezone: str, start: float | None, end: float | None, now: float) -> Times:
    """When an action happens. Raises ServiceError ValidationException for a schedule that is none, or has passed."""
    if start is not None and end is not None and end <= start:
        raise invalid("EndTime must be after StartTime.")
    times = scheduler_expression.read(schedule, timezone, now if start is None else max(start, now), end)
    if times.after(now) is None:
        raise invalid(f"{schedule} ({timezone}) has passed: it would never happen.")
    return times


def kept(times: Times) -> dict[str, Any]:
    return asdict(times)


class Schedule:
    """now: epoch seconds."""

    def __init__(self, store: ScalingStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def due(self) -> float | None:
        """When the next action is to happen; None without any."""
        found = [one["Due"] for one in self._store.scheduled.all() if one["Due"] is not None]
        return min(found, default=None)

    def run(self) -> None:
        """Do the actions that are due."""
        now = self._now()
        for one in self._store.scheduled.all():
            if one["Due"] is not None and one["Due"] <= now:
                self._do(one, now)
                following = Times(**one["Times"]).after(max(one["Due"] + 1, now))
                self._store.scheduled.put({**one, "Due": following})

    def _do(self, one: Document, now: float) -> None:
        resource = resource_of_document(one)
        target = self._store.targets.get(resource)
        if target is None or (target.get("SuspendedState") or {}).get("ScheduledScalingSuspended"):
            return
        low, high = ends_of(one["ScalableTargetAction"], target)
        name = one["ScheduledActionName"]
        try:
            check_range(low, high, resource.dimension)
        except ServiceError as refused:
            self._store.begin(activities.range_refused(resource, name, refused.message, now))
            return
        self._store.targets.put({**target, "MinCapacity": low, "MaxCapacity": high, "Enforce": True})
        self._store.begin(activities.range_set(resource, low, high, name, now))


def ends_of(action: Mapping[str, Any], target: Mapping[str, Any]) -> tuple[int, int]:
    """Minimum and maximum after an action; what it does not name stays."""
    low, high = action.get("MinCapacity"), action.get("MaxCapacity")
    return target["MinCapacity"] if low is None else low, target["MaxCapacity"] if high is None else high
