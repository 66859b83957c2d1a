"""Asynchronous requests: kept before they are acknowledged, run once, and again when that fails.

Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation": a function's error is
tried again after one minute and after two more; where there is no room, or this machine fails, after 1 second and twice
as long each time, 5 minutes at most; all of it as long as the event is young enough. A function whose reservation is 0
takes none ("without any retries").
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool

from local_aws.errors import ServiceError
from local_aws.pace import Pace
from local_aws.protocol import Caller
from local_aws.services.lambda_base import LambdaBase, Params
from local_aws.services.lambda_invoke import RESERVED, Invoker, NoRole, Throttled
from local_aws.services.lambda_metrics import LambdaMetrics
from local_aws.services.lambda_names import Named, named, of
from local_aws.services.lambda_record import Document, by_qualifier, version_of
from local_aws.services.sagemaker_refusals import Refusal, refuse
from local_aws.store import Documents, Store

log = logging.getLogger(__name__)

RETRIES = 2
AGE_SECONDS = 21_600
AFTER_ERROR = (60.0, 120.0)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
MOST_WAITING = 10_000
_REFUSED = (
    Refusal("DestinationConfig.OnSuccess", "destinations"),
    Refusal("DestinationConfig.OnFailure", "destinations"),
)
_GIVEN = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")


@dataclass(frozen=True)
class Patience:
    """With one event: how often its failure is tried again, and how old (in seconds) it may get. shut: not at all."""

    retries: int = RETRIES
    age: float = AGE_SECONDS
    shut: bool = False


class EventQueue:
    """now: epoch seconds. Used from one event loop."""

    def __init__(
        self, store: Store, invoker: Invoker, metrics: LambdaMetrics, now: Callable[[], float], pace: Pace
    ) -> None:
        self._documents = Documents(store, "lambda/event")
        self._invoker = invoker
        self._metrics = metrics
        self._now = now
        self._pace = pace
        self._patience: Callable[[Named], Patience] = lambda which: Patience()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, patience: Callable[[Named], Patience]) -> None:
        """Go on with what was accepted before. patience: with a function's events; it raises ServiceError for one that
        is not there any more."""
        self._patience = patience
        for event in self._documents.all():
            self._begin(event)

    async def stop(self) -> None:
        """What is not done yet is kept."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def add(self, which: Named, payload: bytes, request_id: str, context: Mapping[str, Any] | None) -> None:
        """It is on disk when this returns. Raises Throttled when too many wait."""
        if len(self._tasks) >= MOST_WAITING:
            raise Throttled(RESERVED, f"More than {MOST_WAITING} events wait on the embedded AWS.")
        event = {
            "Id": request_id,
            "Region": which.region,
            "Account": which.account,
            "Name": which.name,
            "Qualifier": which.qualifier,
            "Payload": payload.decode("utf-8", "surrogateescape"),
            "Context": context,
            "At": self._now(),
        }
        await run_in_threadpool(self._documents.put, request_id, event)
        self._metrics.add(which.region, which.name, which.resource, "AsyncEventsReceived")
        self._begin(event)

    def _begin(self, event: Mapping[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._run(event))
        self._tasks[event["Id"]] = task
        task.add_done_callback(lambda _: self._tasks.pop(event["Id"], None))

    async def _run(self, event: Mapping[str, Any]) -> None:
        which = Named(event["Region"], event["Account"], event["Name"], event["Qualifier"])
        try:
            await self._try(which, event)
        except ServiceError as gone:  # the function is not there any more
            log.warning("an event of %s is dropped: %s", which.name, gone)
            self._dropped(which)
        await run_in_threadpool(self._documents.delete, event["Id"])

    async def _try(self, which: Named, event: Mapping[str, Any]) -> None:
        payload = event["Payload"].encode("utf-8", "surrogateescape")
        failures, pause = 0, FIRST_PAUSE
        while True:
            patience = self._patience(which)
            age = self._now() - event["At"]
            self._metrics.add(which.region, which.name, which.resource, "AsyncEventAge", age * 1000)
            wait = pause
            try:
                if patience.shut:
                    break
                answered = await self._invoker.invoke(which, payload, event["Id"], event["Context"])
                if not answered.outcome.failed:
                    return
                if failures >= patience.retries:
                    break
                wait = AFTER_ERROR[min(failures, len(AFTER_ERROR) - 1)]
                failures += 1
            except (Throttled, NoRole):
                pause = min(LONGEST_PAUSE, pause * 2)
            except ServiceError:
                raise
            except Exception:  # a full disk, no memory for a process: what was accepted is not lost by that
                log.exception("an event of %s", which.name)
                pause = min(LONGEST_PAUSE, pause * 2)
            if age + self._pace.seconds(wait) > self._pace.seconds(patience.age):
                break
            await asyncio.sleep(self._pace.seconds(wait))
        self._dropped(which)

    def _dropped(self, which: Named) -> None:
        self._metrics.add(which.region, which.name, which.resource, "AsyncEventsDropped")


class EventOperations(LambdaBase):
    """How a function's asynchronous requests are tried again, by qualifier."""

    def put_function_event_invoke_config(self, params: Params, caller: Caller) -> Params:
        return self._set_events(params, caller, keep=False)

    def update_function_event_invoke_config(self, params: Params, caller: Caller) -> Params:
        return self._set_events(params, caller, keep=True)

    def get_function_event_invoke_config(self, params: Params, caller: Caller) -> Params:
        return self._events(of(params, caller))

    def list_function_event_invoke_configs(self, params: Params, caller: Caller) -> Params:
        which = named(params["FunctionName"], caller)
        shown, marker = by_qualifier(self.functions.find(which)["Events"], which, self._events, params)
        return {"FunctionEventInvokeConfigs": shown, "NextMarker": marker}

    def delete_function_event_invoke_config(self, params: Params, caller: Caller) -> Params:
        which = of(params, caller)
        self._events(which)

        def change(document: Document) -> Document:
            kept = {key: one for key, one in document["Events"].items() if key != which.qualifier}
            return {**document, "Events": kept}

        self.functions.change(which, change)
        return {}

    def patience(self, which: Named) -> Patience:
        """What holds for events to one qualifier. Raises ServiceError when the function is not there."""
        document = self.functions.find(which)
        told = document["Events"].get(which.qualifier, {})
        return Patience(
            told.get("MaximumRetryAttempts", RETRIES),
            told.get("MaximumEventAgeInSeconds", AGE_SECONDS),
            shut=document["Reserved"] == 0,
        )

    def _set_events(self, params: Params, caller: Caller, *, keep: bool) -> Params:
        refuse(params, _REFUSED)
        which = of(params, caller)

        def change(document: Document) -> Document:
            version_of(document, which)
            before = document["Events"].get(which.qualifier) if keep else {}
            if before is None:
                raise _no_config(which)
            given = {name: params[name] for name in _GIVEN if params.get(name) is not None}
            made = {**before, **given, "LastModified": self._now()}
            return {**document, "Events": {**document["Events"], which.qualifier: made}}

        self.functions.change(which, change)
        return self._events(which)

    def _events(self, which: Named) -> Params:
        found = self.functions.find(which)["Events"].get(which.qualifier)
        if found is None:
            raise _no_config(which)
        return {"FunctionArn": which.qualified_arn, "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}}, **found}


def _no_config(which: Named) -> ServiceError:
    return ServiceError(
        "ResourceNotFoundException", f"The function {which.qualified_arn} doesn't have an EventInvokeConfig", 404
    )
