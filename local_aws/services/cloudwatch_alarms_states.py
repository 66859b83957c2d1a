"""What happens when an alarm goes into a state: it is written down, and the state's actions are done.

Notifications go out when a state begins. A scaling policy is called then too, and again at each evaluation while the
state lasts (CloudWatch User Guide, "Alarm actions": Auto Scaling actions are invoked on as long as the alarm stays).
"""

import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from local_aws.errors import ServiceError, internal
from local_aws.services.cloudwatch_alarms_judge import Point, State, Verdict
from local_aws.services.cloudwatch_alarms_request import is_policy
from local_aws.services.cloudwatch_alarms_store import AlarmStore, Document

log = logging.getLogger(__name__)

SERVICE = "cloudwatch.amazonaws.com"
_ACTIONS = {
    State.OK: "OKActions",
    State.ALARM: "AlarmActions",
    State.INSUFFICIENT_DATA: "InsufficientDataActions",
}


class Topics(Protocol):
    """Where notifications go: SNS."""

    def publish_as(self, service: str, source: str, topic_arn: str, subject: str, message: str) -> str: ...


@dataclass(frozen=True)
class Firing:
    """An alarm calls a scaling policy. points: what was evaluated, newest first; newest: None where it is missing."""

    alarm: Mapping[str, Any]
    state: State
    points: tuple[Point, ...]
    newest: float | None


Policy = Callable[[str, Firing], None]
"""Carry out the scaling policy of an ARN. Raises ServiceError where that is not possible."""


class Transitions:
    """topics: None where nothing can be told. policy: set by Application Auto Scaling. now: epoch seconds."""

    def __init__(self, alarms: AlarmStore, topics: Topics | None, now: Callable[[], float]) -> None:
        self.alarms = alarms
        self.policy: Policy | None = None
        self._topics = topics
        self._now = now
        self._latest: dict[str, Verdict] = {}  # by the alarm's ARN

    def latest(self, region: str, name: str) -> Firing | None:
        """An alarm as it was evaluated last; None for one that was not since the start, or is not there."""
        alarm = self.alarms.get(region, name)
        verdict = None if alarm is None else self._latest.get(alarm["AlarmArn"])
        return None if alarm is None or verdict is None else _firing(alarm, verdict)

    def forget(self, but: Collection[str]) -> None:
        """Alarms that are not there any more. but: the ARNs of those that are."""
        for arn in self._latest.keys() - set(but):
            del self._latest[arn]

    def set(self, alarm: Document, state: State, reason: str, data: str | None) -> None:
        """Somebody says in which state an alarm is (SetAlarmState). Its policies learn the figures from `data`."""
        self._enter(alarm, Verdict(state, reason, _points(data), _newest(data)), data)

    def judged(self, alarm: Document, verdict: Verdict, data: Mapping[str, Any]) -> None:
        """An alarm was evaluated."""
        self._latest[alarm["AlarmArn"]] = verdict
        if verdict.state != alarm["StateValue"]:
            self._enter(alarm, verdict, json.dumps(data))
        elif alarm["ActionsEnabled"]:
            for arn in alarm[_ACTIONS[verdict.state]]:
                if is_policy(arn):
                    self._scale(arn, alarm, verdict)

    def _enter(self, alarm: Document, verdict: Verdict, data: str | None) -> None:
        now = self._now()
        old = alarm["StateValue"]
        members = {"StateValue": str(verdict.state), "StateReason": verdict.reason, "StateReasonData": data}
        changed = {"StateTransitionedTimestamp": now} if old != verdict.state else {}
        after = self.alarms.change(alarm, {**members, "StateUpdatedTimestamp": now, **changed})
        if after is None or old == verdict.state:
            return
        self.alarms.note(
            alarm["Region"],
            alarm["AlarmName"],
            now,
            "StateUpdate",
            f"Alarm updated from {old} to {verdict.state}",
            {"version": "1.0", "oldState": _state(alarm), "newState": _state(after)},
        )
        if not after["ActionsEnabled"]:
            return
        for arn in after[_ACTIONS[verdict.state]]:
            problem = self._scale(arn, after, verdict) if is_policy(arn) else self._notify(arn, after, old, now)
            words = f"Failed to execute action {arn}. Received error: {problem}" if problem else ""
            self.alarms.note(
                alarm["Region"],
                alarm["AlarmName"],
                now,
                "Action",
                words or f"Successfully executed action {arn}",
                {"actionState": "Failed" if problem else "Succeeded", "notificationResource": arn, "error": problem},
            )

    def _scale(self, arn: str, alarm: Mapping[str, Any], verdict: Verdict) -> str:
        """What went wrong, or ""."""
        if self.policy is None:
            return "Nothing here carries out scaling policies."
        return _tried(lambda: self.policy and self.policy(arn, _firing(alarm, verdict)), alarm)

    def _notify(self, arn: str, alarm: Mapping[str, Any], old: str, now: float) -> str:
        topics = self._topics
        if topics is None:
            return "Nothing here delivers messages."
        subject, message = notification(alarm, old, now)
        return _tried(lambda: topics.publish_as(SERVICE, alarm["AlarmArn"], arn, subject, message), alarm)


def _firing(alarm: Mapping[str, Any], verdict: Verdict) -> Firing:
    return Firing(alarm, verdict.state, verdict.points, verdict.newest)


def _tried(action: Callable[[], object], alarm: Mapping[str, Any]) -> str:
    try:
        action()
    except ServiceError as refused:
        return refused.message
    except Exception as failure:  # of ours: the other alarms must go on
        log.exception("an action of alarm %s", alarm["AlarmName"])
        return internal(type(failure).__name__).message
    return ""


def _state(alarm: Mapping[str, Any]) -> dict[str, Any]:
    data = alarm.get("StateReasonData")
    return {
        "stateValue": alarm["StateValue"],
        "stateReason": alarm["StateReason"],
        **({"stateReasonData": json.loads(data)} if data else {}),
    }


def _points(data: str | None) -> tuple[Point, ...]:
    """The figures of a StateReasonData, newest first."""
    found = json.loads(data) if data else {}
    recent = found.get("recentDatapoints") if isinstance(found, dict) else None
    figures = recent if isinstance(recent, list) else []  # somebody may have written anything there
    return tuple(Point(0, float(value)) for value in reversed(figures) if isinstance(value, int | float))


def _newest(data: str | None) -> float | None:
    points = _points(data)
    return points[0].value if points else None


def notification(alarm: Mapping[str, Any], old: str, now: float) -> tuple[str, str]:
    """Subject and message of an alarm as CloudWatch words them. old: the state before; now: epoch seconds."""
    region = alarm["Region"]
    trigger = {
        **{name: alarm[name] for name in ("MetricName", "Namespace") if name in alarm},
        **({"Statistic": alarm["Statistic"].upper()} if alarm.get("Statistic") else {}),
        **({"ExtendedStatistic": alarm["ExtendedStatistic"]} if alarm.get("ExtendedStatistic") else {}),
        **({"Unit": alarm["Unit"]} if alarm.get("Unit") else {}),
        **({"Metrics": alarm["Metrics"]} if alarm.get("Metrics") else {}),
        "Dimensions": [{"name": one["Name"], "value": one["Value"]} for one in alarm.get("Dimensions") or ()],
        **{name: alarm[name] for name in ("Period", "EvaluationPeriods", "DatapointsToAlarm") if name in alarm},
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm["Threshold"],
        "TreatMissingData": alarm.get("TreatMissingData") or "missing",
    }
    message = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": alarm["AlarmArn"].split(":")[4],
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm["AlarmConfigurationUpdatedTimestamp"]),
        "NewStateValue": alarm["StateValue"],
        "NewStateReason": alarm["StateReason"],
        "StateChangeTime": stamp(now),
        "Region": region,
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old,
        **{name: alarm[name] for name in _ACTIONS.values()},
        "Trigger": trigger,
    }
    name = "".join(sign if " " <= sign <= "~" else "?" for sign in alarm["AlarmName"])
    return f'{alarm["StateValue"]}: "{name}" in {region}'[:100], json.dumps(message)


def stamp(at: float) -> str:
    """A time in the form of CloudWatch's messages."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
