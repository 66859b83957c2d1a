"""EventBridge Scheduler: schedules that are kept over restarts and really fire.

One group of schedules, "default". A schedule that was due while the server was down fires when it is back, unless its
event is older than its retry policy's MaximumEventAgeInSeconds by then, which is how long AWS itself would have tried.
"""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from botocore.model import OperationModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from local_aws.errors import ServiceError, internal
from local_aws.protocol import Caller, Service
from local_aws.services import sagemaker_constraints, scheduler_expression
from local_aws.services.cloudwatch_store import Datum, MetricStore
from local_aws.services.sagemaker_refusals import Refusal, refuse
from local_aws.services.sagemaker_resources import epoch, moment
from local_aws.services.scheduler_expression import Times
from local_aws.services.scheduler_targets import Targets
from local_aws.store import Documents, Store

log = logging.getLogger(__name__)

GROUP = "default"
PAGE = 100
LONGEST_SLEEP = 5.0  # seconds, after which the clock is looked at whatever it said before
DEFAULT_RETRY = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 900.0  # seconds between attempts
NAMESPACE = "AWS/Scheduler"

REFUSED = (
    Refusal("KmsKeyArn", "encryption with a KMS key"),
    Refusal("Target.DeadLetterConfig", "dead-letter queues"),
    *(
        Refusal(f"Target.{name}", f"targets with {name}")
        for name in (
            "EcsParameters",
            "EventBridgeParameters",
            "EventBridgePutEventsV2Parameters",
            "EventBridgePutRawEventsParameters",
            "KinesisParameters",
            "SageMakerPipelineParameters",
            "SqsParameters",
        )
    ),
)
_TOLD = (
    "Name",
    "GroupName",
    "Arn",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "Description",
    "State",
    "Target",
    "FlexibleTimeWindow",
    "ActionAfterCompletion",
)
_TIMES = ("StartDate", "EndDate", "CreationDate", "LastModificationDate")

Params = dict[str, Any]


class Scheduler(Service):
    """now: epoch seconds; metrics: where attempts and errors are counted, as AWS counts them."""

    name = "scheduler"

    def __init__(
        self, store: Store, targets: Targets, metrics: MetricStore, *, now: Callable[[], float] = time.time
    ) -> None:
        self._schedules = Documents(store, "schedule")
        self._targets = targets
        self._metrics = metrics
        self._now = now
        self._lock = threading.RLock()
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._keep())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def parse(self, request: Request, operation: OperationModel, body: bytes) -> Params:
        params = super().parse(request, operation, body)
        sagemaker_constraints.check(operation.input_shape, params)
        return params

    # operations

    def create_schedule(self, params: Params, caller: Caller) -> Params:
        made = self._read(params, caller)
        with self._lock:
            found = self._schedules.get(_key(params, caller))
            if found is not None:
                token = params.get("ClientToken")
                if token and found.get("ClientToken") == token and found["Asked"] == made["Asked"]:
                    return {"ScheduleArn": found["Arn"]}
                raise ServiceError("ConflictException", f"Schedule {params['Name']} already exists.", 409)
            self._put(made, caller)
        return {"ScheduleArn": made["Arn"]}

    def update_schedule(self, params: Params, caller: Caller) -> Params:
        made = self._read(params, caller)
        with self._lock:
            made["CreationDate"] = self._find(params, caller)["CreationDate"]
            self._put(made, caller)
        return {"ScheduleArn": made["Arn"]}

    def get_schedule(self, params: Params, caller: Caller) -> Params:
        found = self._find(params, caller)
        told = {name: found[name] for name in _TOLD if found.get(name) is not None}
        return told | {name: moment(found[name]) for name in _TIMES if found.get(name) is not None}

    def delete_schedule(self, params: Params, caller: Caller) -> Params:
        with self._lock:
            self._find(params, caller)
            self._schedules.delete(_key(params, caller))
        return {}

    def list_schedules(self, params: Params, caller: Caller) -> Params:
        if params.get("GroupName"):
            _check_group(params)
        after, most = params.get("NextToken") or "", params.get("MaxResults") or PAGE
        found = [
            one
            for one in self._schedules.all()
            if one["Region"] == caller.region
            and one["Name"].startswith(params.get("NamePrefix") or "")
            and params.get("State") in (None, one["State"])
            and one["Name"] > after
        ]
        page = sorted(found, key=lambda one: str(one["Name"]))[:most]
        more = {"NextToken": page[-1]["Name"]} if len(found) > len(page) else {}
        return {"Schedules": [_summary(one) for one in page], **more}

    # within

    def _read(self, params: Params, caller: Caller) -> Params:
        """A request as it is kept. Raises ServiceError for what cannot be honoured."""
        refuse(params, REFUSED)
        _check_group(params)
        window = params["FlexibleTimeWindow"]
        if (window["Mode"] == "FLEXIBLE") != bool(window.get("MaximumWindowInMinutes")):
            raise ServiceError(
                "ValidationException", "A FlexibleTimeWindow has MaximumWindowInMinutes when its mode is FLEXIBLE."
            )
        now = self._now()
        start = epoch(params["StartDate"]) if params.get("StartDate") else None
        end = epoch(params["EndDate"]) if params.get("EndDate") else None
        if start is not None and end is not None and end <= start:
            raise ServiceError("ValidationException", "The EndDate you specify must come after the StartDate.")
        timezone = params.get("ScheduleExpressionTimezone") or "UTC"
        times = scheduler_expression.read(
            params["ScheduleExpression"], timezone, now if start is None else max(start, now), end
        )
        due = times.after(now)
        if due is None:
            raise ServiceError(
                "ValidationException", f"{params['ScheduleExpression']} ({timezone}) has passed: it would never fire."
            )
        arn = f"arn:aws:scheduler:{caller.region}:{caller.account}:schedule/{GROUP}/{params['Name']}"
        self._targets.check(params["Target"], arn)
        target = {**params["Target"], "RetryPolicy": {**DEFAULT_RETRY, **(params["Target"].get("RetryPolicy") or {})}}
        return {
            "Name": params["Name"],
            "GroupName": GROUP,
            "Arn": arn,
            "ScheduleExpression": params["ScheduleExpression"],
            "ScheduleExpressionTimezone": timezone,
            "Description": params.get("Description"),
            "State": params.get("State") or "ENABLED",
            "Target": target,
            "FlexibleTimeWindow": window,
            "ActionAfterCompletion": params.get("ActionAfterCompletion") or "NONE",
            "StartDate": start,
            "EndDate": end,
            "CreationDate": now,
            "LastModificationDate": now,
            "ClientToken": params.get("ClientToken"),
            "Asked": json.dumps({k: v for k, v in params.items() if k != "ClientToken"}, default=str, sort_keys=True),
            "Region": caller.region,
            "Times": asdict(times),
            "Due": due,  # when it was to fire
            "Next": due,  # when it is tried: Due, or later after a failure
            "Attempts": 0,
        }

    def _put(self, made: Params, caller: Caller) -> None:
        self._schedules.put(_key(made, caller), made)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed.set)

    def _find(self, params: Mapping[str, Any], caller: Caller) -> Params:
        _check_group(params)
        found = self._schedules.get(_key(params, caller))
        if found is None:
            raise ServiceError("ResourceNotFoundException", f"Schedule {params['Name']} does not exist.", 404)
        return found

    async def _keep(self) -> None:
        while True:
            self._changed.clear()
            try:
                following = await run_in_threadpool(self.fire_due)
            except Exception:  # a broken database must not end all schedules for good
                log.exception("schedules")
                following = self._now() + LONGEST_SLEEP
            # a new schedule wakes it up; without any there is nothing to wait for
            pause = None if following is None else min(max(following - self._now(), 0.0), LONGEST_SLEEP)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._changed.wait()

    def fire_due(self) -> float | None:
        """Call the targets of all schedules that are due; when the next one is, None when there is none."""
        waiting = [one for one in self._schedules.all() if one["Next"] is not None and one["State"] == "ENABLED"]
        for one in waiting:
            if one["Next"] <= self._now():
                self._fire(one)
        left = [one["Next"] for one in self._schedules.all() if one["Next"] is not None and one["State"] == "ENABLED"]
        return min(left, default=None)

    def _fire(self, one: Params) -> None:
        policy = one["Target"]["RetryPolicy"]
        late = self._now() - one["Due"]
        if late > policy["MaximumEventAgeInSeconds"]:
            self._count(one, "InvocationDroppedCount")
            log.warning("schedule %s: dropped, it was due %.0f s ago", one["Arn"], late)
            self._completed(one)
            return
        self._count(one, "InvocationAttemptCount")
        error = self._called(one)
        if error is not None:
            self._count(one, "TargetErrorCount")
            log.warning("schedule %s: %s", one["Arn"], error)
            temporary = error.status >= 500 or error.code.startswith("Throttl")
            if temporary and one["Attempts"] < policy["MaximumRetryAttempts"]:
                attempts = one["Attempts"] + 1
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempts - 1))
                self._change(one, {**one, "Attempts": attempts, "Next": self._now() + pause})
                return
            self._count(one, "InvocationDroppedCount")
        self._completed(one)

    def _called(self, one: Params) -> ServiceError | None:
        """Call a schedule's target; how that failed, None when it did not."""
        try:
            self._targets.call(one["Target"], one["Arn"])
        except ServiceError as error:
            return error
        except Exception as failure:  # of ours: it must not keep the other schedules from firing
            log.exception("schedule %s", one["Arn"])
            return internal(type(failure).__name__)
        return None

    def _completed(self, one: Params) -> None:
        """What comes after an event: the next one, or, when there is none, the end that was asked for."""
        times = Times(**one["Times"])
        # strictly after this one, and not what passed while the server was down
        following = times.after(max(one["Due"] + 1, self._now())) if times.at is None else None
        if following is None and one["ActionAfterCompletion"] == "DELETE":
            self._change(one, None)
        else:
            self._change(one, {**one, "Due": following, "Next": following, "Attempts": 0})

    def _change(self, before: Params, after: Params | None) -> None:
        """Write down what became of a schedule, unless somebody replaced or deleted it meanwhile."""
        key = f"{before['Region']}/{before['GroupName']}/{before['Name']}"
        with self._lock:
            if self._schedules.get(key) != before:
                return
            if after is None:
                self._schedules.delete(key)
            else:
                self._schedules.put(key, after)

    def _count(self, one: Params, metric: str) -> None:
        datum = Datum(metric, (("ScheduleGroup", one["GroupName"]),), self._now(), 1.0, "Count")
        self._metrics.put(one["Region"], NAMESPACE, [datum])


def _key(params: Mapping[str, Any], caller: Caller) -> str:
    return f"{caller.region}/{GROUP}/{params['Name']}"


def _check_group(params: Mapping[str, Any]) -> None:
    group = params.get("GroupName") or GROUP
    if group != GROUP:
        raise ServiceError("ResourceNotFoundException", f"Schedule group {group} does not exist.", 404)


def _summary(one: Params) -> Params:
    told = {name: one[name] for name in ("Arn", "Name", "GroupName", "State")}
    told |= {name: moment(one[name]) for name in ("CreationDate", "LastModificationDate")}
    return {**told, "Target": {"Arn": one["Target"]["Arn"]}}
