"""An EC2 training as a `Run`: from what was asked for, what was launched, what it reports, and its instance. Pure.

The three documents lie in S3 and outlive the instance, which EC2 forgets about an hour after its end.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from dashboard.core.costs.ec2 import LEAST_SECONDS
from dashboard.core.runs.model import Capacity, Platform, Run, RunStatus, Stage

LAUNCH_PATIENCE = timedelta(minutes=5)
"""A launch that has no instance after that long broke off."""
GOING, GONE = ("shutting-down", "stopping"), ("terminated", "stopped")
TAKEN_BACK = "Server.SpotInstanceTermination"
BY_ITSELF = "Client.InstanceInitiatedShutdown"
BY_SOMEBODY = "Client.UserInitiatedShutdown"
_AT = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")


@dataclass(frozen=True)
class Ec2Record:
    """The documents of one run: `launched` is {} until there is an instance, `status` {} until it reports."""

    request: Mapping[str, Any]
    launched: Mapping[str, Any]
    status: Mapping[str, Any]
    is_to_stop: bool = False  # somebody asked for it, and the instance will see that within seconds

    @property
    def name(self) -> str:
        return str(self.request["name"])

    @property
    def has_ended(self) -> bool:
        """By its own report, which then will not change again."""
        return bool(self.status.get("status", "InProgress") != "InProgress")


def run_from(record: Ec2Record, instance: Mapping[str, Any] | None, now: datetime, *, asked: bool = True) -> Run:
    """The run. `instance` is DescribeInstances' record, None when EC2 knows none; `asked=False`: EC2 did not answer.

    What the report says counts. Where it ends without an ending, the instance says why.
    """
    request, told = record.request, record.status
    created = _time(request.get("created")) or now
    launched = _time(record.launched.get("launched")) or (instance or {}).get("LaunchTime")
    status, failure, ended = _outcome(record, instance, created, now, asked)
    ended = ended if status.is_final else None
    seconds = (ended - launched).total_seconds() if ended and launched else None
    spot = request.get("capacity") == Capacity.SPOT
    return Run(
        name=record.name,
        status=status,
        instance_type=str(request.get("instance_type", "")),
        instance_count=1,
        created=created,
        started=launched,
        ended=ended,
        modified=_time(told.get("updated")) or launched or created,
        training_seconds=None if seconds is None else max(0.0, seconds),
        billable_seconds=None if seconds is None else max(float(LEAST_SECONDS), seconds),
        max_seconds=None if (limit := _number(request.get("max_seconds"))) is None else int(limit),
        hyperparameters={str(k): str(v) for k, v in _part(request, "hyperparameters").items()},
        metrics={str(k): n for k, v in _part(told, "metrics").items() if (n := _number(v)) is not None},
        dataset_uri=str(request.get("dataset_uri", "")),
        output_uri=str(request.get("output_uri", "")),
        artifact_uri=str(told.get("artifact_uri", "")),
        failure=failure,
        stages=_stages(told.get("stages"), created, status, ended, failure),
        tags={str(k): str(v) for k, v in _part(request, "tags").items()},
        role=str(request.get("role", "")),
        image=str(request.get("image_id", "")),
        platform=Platform.EC2,
        capacity=Capacity.SPOT if spot else Capacity.ON_DEMAND,
        checkpoint_uri=str(request.get("checkpoint_uri", "")),
        code_uri=str(request.get("code_uri", "")),
        volume_gb=_size(request.get("volume_gb")),
        instance_id=str(record.launched.get("instance_id") or (instance or {}).get("InstanceId", "")),
        spot_price=_price(record.launched.get("spot_price")),
    )


def _outcome(
    record: Ec2Record, instance: Mapping[str, Any] | None, created: datetime, now: datetime, asked: bool
) -> tuple[RunStatus, str, datetime | None]:
    """Status, failure and end."""
    told = record.status
    if record.has_ended:
        stage = RunStatus.of_secondary(str(told.get("stage", "")))
        ending = RunStatus.of(str(told["status"]), stage)
        status = RunStatus.RECLAIMED if stage is RunStatus.INTERRUPTED else ending
        return status, str(told.get("failure", "")), _time(told.get("ended")) or _time(told.get("updated"))
    state = (instance or {}).get("State", {}).get("Name", "")
    last = _time(told.get("updated")) or _time(record.launched.get("launched")) or created
    reason = (instance or {}).get("StateReason", {})
    code = str(reason.get("Code", ""))
    if state in GOING:  # its training may still save and report
        return (RunStatus.INTERRUPTED if code == TAKEN_BACK else RunStatus.STOPPING), "", None
    if instance is not None and state in GONE:
        return *_died(code, str(reason.get("Message", "")), state), _transition(instance) or last
    if asked and instance is None and now - max(created, last) > LAUNCH_PATIENCE:
        if not record.launched and not told:
            return RunStatus.FAILED, "The launch broke off: no instance was started for it.", created
        return RunStatus.FAILED, "Its instance is gone and left no report of its end.", last
    if record.is_to_stop:
        return RunStatus.STOPPING, "", None
    return (RunStatus.of_secondary(str(told["stage"])) if told.get("stage") else RunStatus.STARTING), "", None


def _died(code: str, message: str, state: str) -> tuple[RunStatus, str]:
    """Of an instance that ended before its training had said so."""
    if code == TAKEN_BACK:
        return RunStatus.RECLAIMED, "EC2 took the spot instance back."
    if state == "stopped":
        return RunStatus.STOPPED, "Its instance was stopped, and does not train again when it is started."
    if code == BY_SOMEBODY:
        return RunStatus.STOPPED, ""
    if code == BY_ITSELF:
        return RunStatus.FAILED, "The instance shut down before the training had reported its end."
    said = f" ({code}: {message})" if code else ""
    return RunStatus.FAILED, f"EC2 ended the instance before the training was done{said}."


def _stages(
    listed: Any, created: datetime, status: RunStatus, ended: datetime | None, failure: str
) -> tuple[Stage, ...]:
    """Those of the report, after the time until the instance began with it, and before an end it did not see."""
    told = listed if isinstance(listed, list) else []
    found = [
        Stage(str(one.get("name", "")), began, _time(one.get("ended")), str(one.get("message", "")))
        for one in told
        if isinstance(one, Mapping) and (began := _time(one.get("started"))) is not None
    ]
    begins = found[0].started if found else None
    if begins is None or begins > created:
        found.insert(0, Stage("Starting", created, begins, "EC2 starts the instance"))
    if ended is None:
        return tuple(found)
    last = found[-1]
    if last.ended is None:
        found[-1] = Stage(last.name, last.started, max(ended, last.started), last.message)
    if not RunStatus.of_secondary(last.name).is_final and last.name != RunStatus.INTERRUPTED:
        name = RunStatus.INTERRUPTED if status is RunStatus.RECLAIMED else status
        found.append(Stage(str(name), ended, ended, failure))
    return tuple(found)


def _transition(instance: Mapping[str, Any]) -> datetime | None:
    """When it ended, from StateTransitionReason: "User initiated (2026-11-21 15:00:00 GMT)"."""
    found = _AT.search(str(instance.get("StateTransitionReason", "")))
    return datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) if found else None


def is_time(text: Any) -> bool:
    """Whether a document holds a time there."""
    return _time(text) is not None


def _time(text: Any) -> datetime | None:
    """None for what is no time: a page must stand whatever somebody wrote into a document."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(told: Any) -> float | None:
    """None for what is no number, and for NaN and the infinities, which Python reads from JSON too."""
    try:
        number = float(told)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


LARGEST_VOLUME = 65_536
"""GB: the largest volume that EBS has."""
DEAREST = Decimal(100_000)
"""USD an hour: no instance costs as much, and what somebody wrote beyond it is no price."""


def _size(told: Any) -> int | None:
    """Whole GB; None for what no volume has."""
    number = _number(told)
    return int(number) if number is not None and 0 <= number <= LARGEST_VOLUME else None


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, Mapping) else {}


def _price(told: Any) -> Decimal | None:
    try:
        price = Decimal(str(told))
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 <= price <= DEAREST else None
