"""CloudWatch's operations on alarms. What puts them into their states is cloudwatch_alarms_watch."""

import base64
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from local_aws.errors import NotThereError, ServiceError
from local_aws.protocol import Caller
from local_aws.services.cloudwatch_alarms_judge import State
from local_aws.services.cloudwatch_alarms_request import ACTIONS, MOST_TAGS, check, invalid
from local_aws.services.cloudwatch_alarms_states import Transitions
from local_aws.services.cloudwatch_alarms_store import AlarmStore, Document
from local_aws.services.cloudwatch_times import seconds

PAGE, LARGEST_PAGE = 50, 100
MOST_DELETED = 100
UNCHECKED = "Unchecked: Initial alarm creation"
_TIMES = ("AlarmConfigurationUpdatedTimestamp", "StateUpdatedTimestamp", "StateTransitionedTimestamp")
_TOLD = (
    *("AlarmName", "AlarmArn", "AlarmDescription", "ActionsEnabled", *ACTIONS),
    *("StateValue", "StateReason", "StateReasonData"),
    *("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "Metrics"),
    *("EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData"),
    "EvaluateLowSampleCountPercentile",
)

Params = dict[str, Any]


class Alarms:
    """The operations. transitions: None where nothing is kept of alarms, and every operation is refused."""

    _transitions: Transitions | None
    _now: Callable[[], float] = staticmethod(time.time)

    @property
    def _alarms(self) -> AlarmStore:
        return self._states.alarms

    @property
    def _states(self) -> Transitions:
        if self._transitions is None:
            raise NotThereError("cloudwatch:alarms")
        return self._transitions

    def put_metric_alarm(self, params: Params, caller: Caller) -> Params:
        check(params, caller)
        put_alarm(self._states, params, caller, self._now())
        return {}

    def describe_alarms(self, params: Params, caller: Caller) -> Params:
        if params.get("AlarmNames") and params.get("AlarmNamePrefix"):
            raise ServiceError(
                "InvalidParameterCombination", "AlarmNames and AlarmNamePrefix cannot both be specified."
            )
        if params.get("ChildrenOfAlarmName") or params.get("ParentsOfAlarmName"):
            raise invalid("The embedded AWS has no composite alarms, so no alarm has children or parents here.")
        types = params.get("AlarmTypes") or ["MetricAlarm"]
        names = params.get("AlarmNames")
        found = [
            alarm
            for alarm in (self._alarms.all(caller.region) if "MetricAlarm" in types else ())
            if (not names or alarm["AlarmName"] in names)
            and alarm["AlarmName"].startswith(params.get("AlarmNamePrefix") or "")
            and params.get("StateValue") in (None, alarm["StateValue"])
            and _acts(alarm, params.get("ActionPrefix"))
        ]
        after = _read_token(params.get("NextToken"))
        most = min(params.get("MaxRecords") or PAGE, LARGEST_PAGE)
        behind = [alarm for alarm in found if alarm["AlarmName"] > after]
        page = behind[:most]
        more = {"NextToken": _token(page[-1]["AlarmName"])} if len(behind) > len(page) else {}
        return {"MetricAlarms": [told(alarm) for alarm in page], "CompositeAlarms": [], **more}

    def describe_alarms_for_metric(self, params: Params, caller: Caller) -> Params:
        dimensions = _pairs(params.get("Dimensions"))
        found = [
            alarm
            for alarm in self._alarms.all(caller.region)
            if (alarm.get("Namespace"), alarm.get("MetricName")) == (params["Namespace"], params["MetricName"])
            and _pairs(alarm.get("Dimensions")) == dimensions
            and all(
                params.get(name) in (None, alarm.get(name))
                for name in ("Statistic", "ExtendedStatistic", "Period", "Unit")
            )
        ]
        return {"MetricAlarms": [told(alarm) for alarm in found]}

    def describe_alarm_history(self, params: Params, caller: Caller) -> Params:
        types = params.get("AlarmTypes") or ["MetricAlarm"]
        if params.get("AlarmContributorId"):
            raise invalid("The embedded AWS has no alarms of several contributors (AlarmContributorId). Leave it out.")
        after = _read_token(params.get("NextToken"))
        most = min(params.get("MaxRecords") or LARGEST_PAGE, LARGEST_PAGE)
        rows = self._alarms.history(
            caller.region,
            alarm=params.get("AlarmName"),
            kind=params.get("HistoryItemType"),
            since=seconds(params["StartDate"]) if params.get("StartDate") else 0.0,
            until=seconds(params["EndDate"]) if params.get("EndDate") else math.inf,
            newest_first=params.get("ScanBy") != "TimestampAscending",
            after=int(after) if after.isdigit() else 0,
            most=most + 1,
        )
        page = rows[:most] if "MetricAlarm" in types else []
        more = {"NextToken": _token(str(page[-1]["number"]))} if page and len(rows) > most else {}
        return {"AlarmHistoryItems": [_item(row) for row in page], **more}

    def set_alarm_state(self, params: Params, caller: Caller) -> Params:
        alarm = self._alarms.get(caller.region, params["AlarmName"])
        if alarm is None:
            raise ServiceError("ResourceNotFound", f"Alarm {params['AlarmName']} does not exist.", 404)
        if params["StateValue"] not in [str(state) for state in State]:
            raise invalid(
                f"The value {params['StateValue']} for parameter StateValue is not one of {', '.join(State)}."
            )
        data = params.get("StateReasonData")
        if data:
            try:
                json.loads(data)
            except ValueError as wrong:
                raise ServiceError("InvalidFormat", "StateReasonData is not JSON.") from wrong
        self._states.set(alarm, State(params["StateValue"]), params["StateReason"], data)
        return {}

    def enable_alarm_actions(self, params: Params, caller: Caller) -> Params:
        return self._with_actions(params, caller, enabled=True)

    def disable_alarm_actions(self, params: Params, caller: Caller) -> Params:
        return self._with_actions(params, caller, enabled=False)

    def delete_alarms(self, params: Params, caller: Caller) -> Params:
        names = params["AlarmNames"]
        if len(names) > MOST_DELETED:
            raise invalid(f"The collection AlarmNames must not have a size greater than {MOST_DELETED}.")
        missing = [name for name in names if not delete_alarm(self._states, caller.region, name, self._now())]
        if missing:
            raise ServiceError("ResourceNotFound", f"Alarms that do not exist: {', '.join(missing)}.", 404)
        return {}

    def tag_resource(self, params: Params, caller: Caller) -> Params:
        alarm = self._named(params["ResourceARN"], caller)
        tags = {one["Key"]: one["Value"] for one in (*alarm.get("Tags", ()), *params["Tags"])}
        if len(tags) > MOST_TAGS:
            raise invalid(f"An alarm can have {MOST_TAGS} tags.")
        self._alarms.change(alarm, {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})
        return {}

    def untag_resource(self, params: Params, caller: Caller) -> Params:
        alarm = self._named(params["ResourceARN"], caller)
        left = [one for one in alarm.get("Tags", ()) if one["Key"] not in params["TagKeys"]]
        self._alarms.change(alarm, {"Tags": left})
        return {}

    def list_tags_for_resource(self, params: Params, caller: Caller) -> Params:
        return {"Tags": self._named(params["ResourceARN"], caller).get("Tags", [])}

    def _named(self, arn: str, caller: Caller) -> Document:
        prefix = f"arn:aws:cloudwatch:{caller.region}:{caller.account}:alarm:"
        found = self._alarms.get(caller.region, arn.removeprefix(prefix)) if arn.startswith(prefix) else None
        if found is None:
            raise ServiceError("ResourceNotFoundException", f"The resource {arn} does not exist.", 404)
        return found

    def _with_actions(self, params: Params, caller: Caller, *, enabled: bool) -> Params:
        for name in params["AlarmNames"]:
            alarm = self._alarms.get(caller.region, name)  # AWS says nothing of those that are not there
            if alarm is not None and alarm["ActionsEnabled"] != enabled:
                now = self._now()
                words = f'Alarm "{name}" actions {"enabled" if enabled else "disabled"}'
                self._alarms.change(alarm, {"ActionsEnabled": enabled, "AlarmConfigurationUpdatedTimestamp": now})
                self._alarms.note(caller.region, name, now, "ConfigurationUpdate", words, {"version": "1.0"})
        return {}


def put_alarm(states: Transitions, params: Mapping[str, Any], caller: Caller, now: float) -> str:
    """Make an alarm of what was checked, or replace one but for its state; its ARN."""
    name = params["AlarmName"]
    before = states.alarms.get(caller.region, name)
    arn = f"arn:aws:cloudwatch:{caller.region}:{caller.account}:alarm:{name}"
    state: Params = {"StateValue": str(State.INSUFFICIENT_DATA), "StateReason": UNCHECKED}
    state |= {"StateUpdatedTimestamp": now, "StateTransitionedTimestamp": now, "Tags": list(params.get("Tags") or ())}
    if before is not None:
        kept = (*state, "StateReasonData")
        state = {member: before[member] for member in kept if before.get(member) is not None}
    alarm = {
        **{member: value for member, value in params.items() if value is not None},
        "ActionsEnabled": params.get("ActionsEnabled") is not False,
        **{member: list(params.get(member) or ()) for member in ACTIONS},
        "AlarmArn": arn,
        "Region": caller.region,
        "AlarmConfigurationUpdatedTimestamp": now,
        **state,
    }
    states.alarms.put(alarm)
    words = f'Alarm "{name}" {"created" if before is None else "updated"}'
    kind = "Create" if before is None else "Update"
    states.alarms.note(
        caller.region, name, now, "ConfigurationUpdate", words, {"version": "1.0", "type": kind, "updatedAlarm": params}
    )
    return arn


def delete_alarm(states: Transitions, region: str, name: str, now: float) -> bool:
    """True when it was there."""
    if not states.alarms.delete(region, name):
        return False
    words = f'Alarm "{name}" deleted'
    states.alarms.note(region, name, now, "ConfigurationUpdate", words, {"version": "1.0", "type": "Delete"})
    return True


def told(alarm: Mapping[str, Any]) -> Params:
    """An alarm in DescribeAlarms."""
    found = {member: alarm[member] for member in _TOLD if alarm.get(member) is not None}
    found.setdefault("Dimensions", [])
    return found | {member: datetime.fromtimestamp(alarm[member], UTC) for member in _TIMES if member in alarm}


def _item(row: Mapping[str, Any]) -> Params:
    return {
        "AlarmName": row["alarm"],
        "AlarmType": "MetricAlarm",
        "Timestamp": datetime.fromtimestamp(row["at"], UTC),
        "HistoryItemType": row["kind"],
        "HistorySummary": row["summary"],
        "HistoryData": row["data"],
    }


def _acts(alarm: Mapping[str, Any], prefix: str | None) -> bool:
    return not prefix or any(arn.startswith(prefix) for member in ACTIONS for arn in alarm[member])


def _pairs(dimensions: Iterable[Mapping[str, str]] | None) -> set[tuple[str, str]]:
    return {(one["Name"], one["Value"]) for one in dimensions or ()}


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _read_token(token: str | None) -> str:
    if not token:
        return ""
    try:
        return base64.b64decode(token.encode(), b"-_", validate=True).decode()
    except ValueError as wrong:
        raise ServiceError("InvalidNextToken", "The next token specified is invalid.") from wrong
