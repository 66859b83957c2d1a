"""AWS Lambda: functions in this store, their environments as processes of this machine."""

import asyncio
import base64
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from botocore.model import OperationModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboard.core.iam.rights import Right
from local_aws.account_facts import AccountFacts
from local_aws.engine.lambda_log import Log
from local_aws.engine.lambda_pool import LOOK_SECONDS, MOST_ENVIRONMENTS, Pool, Wanted
from local_aws.engine.lambda_request import Spec, Writer
from local_aws.engine.objects import Objects
from local_aws.engine.opt_ml import OptMl, holds_python, namespaces_allowed
from local_aws.engine.output import LogSink
from local_aws.errors import ServiceError
from local_aws.pace import AS_AWS, Pace
from local_aws.protocol import Caller, Operation
from local_aws.quotas import Quotas
from local_aws.services import lambda_limits
from local_aws.services.billing_functions import FunctionMeters
from local_aws.services.cloudwatch_store import MetricStore
from local_aws.services.lambda_aliases import AliasOperations
from local_aws.services.lambda_code import CodeStore
from local_aws.services.lambda_code_link import CodeLinks
from local_aws.services.lambda_concurrency import ConcurrencyOperations
from local_aws.services.lambda_events import EventOperations, EventQueue
from local_aws.services.lambda_functions import PRINCIPAL, FunctionOperations, packages
from local_aws.services.lambda_invoke import Answered, Invoker, Throttled
from local_aws.services.lambda_metrics import LambdaMetrics
from local_aws.services.lambda_names import LATEST, Named, named
from local_aws.services.lambda_policy import PolicyOperations, answer_to
from local_aws.services.lambda_record import Document, Functions, configuration_of, version_of
from local_aws.services.lambda_urls import UrlOperations
from local_aws.store import Store

log = logging.getLogger(__name__)

LARGEST_PAYLOAD = 6 * 1024 * 1024
LARGEST_EVENT = 1024 * 1024
"""Bytes of an asynchronous request's payload."""
LARGE = 256 * 1024
"""Bytes of JSON from which reading it would keep other requests waiting."""
METRIC_SECONDS = 60.0
BILL_SECONDS = 5.0

_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")

Access = Callable[[str, str, str], Mapping[str, str]]
"""The variables that let a process work as a role (its ARN) in a region for a function (its name)."""


class Lambda(
    FunctionOperations, AliasOperations, ConcurrencyOperations, PolicyOperations, UrlOperations, EventOperations
):
    """The service. access: None gives functions no rights; private: None to find out whether processes can be apart.

    address: of this server, for function URLs; as_writer: CloudWatch Logs as a function's role finds it.
    """

    def __init__(
        self,
        store: Store,
        s3: Objects,
        logs: LogSink,
        metrics: MetricStore,
        facts: AccountFacts,
        quotas: Quotas,
        *,
        access: Access | None = None,
        address: str = "",
        bill: FunctionMeters | None = None,
        pace: Pace = AS_AWS,
        most: int = MOST_ENVIRONMENTS,
        private: bool | None = None,
        now: Callable[[], float] = time.time,
        as_writer: Callable[[Writer], LogSink] | None = None,
    ) -> None:
        self._folder = store.directory / "lambda"
        super().__init__(Functions(store), CodeStore(self._folder / "code", s3), facts, quotas, now=now)
        self._state = store.directory
        self._access = access
        self.address = address
        self.links = CodeLinks(address, self.code, now=now)
        self._pace = pace
        self._private = private
        self._hidden: Path | None = None
        self._log = Log(logs, now, as_writer)
        self._figures = LambdaMetrics(metrics, now, resolution=1 if pace.scale > 1 else 60)
        self.pool = Pool(self._place, self._log, pace=pace, most=most)
        self._bill = bill
        self.invoker = Invoker(
            self.functions,
            self.pool,
            self._figures,
            self._spec,
            self.account,
            works=lambda role, function: facts.role_works(role, PRINCIPAL, function),
            billed=bill.ran if bill else None,
        )
        self.events = EventQueue(store, self.invoker, self._figures, now, pace)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._kept = asyncio.Event()
        self._upkeep: list[asyncio.Task[None]] = []
        self._specs: dict[str, Spec] = {}

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        await run_in_threadpool(self._prepare)
        self.functions.changed = self._something_changed
        self._reconcile()
        self.events.start(self.patience)
        self._upkeep = [
            self._loop.create_task(self._look()),
            self._loop.create_task(self.invoker.look(self._pace.seconds(METRIC_SECONDS))),
            self._loop.create_task(self._tell_bill()),
        ]

    def _prepare(self) -> None:
        if self._private is None:
            self._private = namespaces_allowed()
        self._hidden = None if holds_python(self._state) else self._state
        for left in (self._folder / "environments").glob("*"):  # of a server that died
            OptMl(left, self._private).remove()
        self.code.keep_only(packages(self.functions.all()))

    async def stop(self) -> None:
        for task in self._upkeep:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.events.stop()
        await self.pool.close()
        await self._log.close()
        await self._figures.close()
        if self._bill:
            await run_in_threadpool(self._bill.write, everything=True)

    def excuses(self, caller: Caller, right: Right) -> tuple[str, ...]:
        """The layers of a caller's own policies that need not allow a right, by the policy of the function."""
        parts = right.resource.split(":")
        if len(parts) not in (7, 8):
            return ()
        which = Named(parts[3], parts[4], parts[6], parts[7] if len(parts) == 8 else "")
        document = self.functions.get(which.key)
        return answer_to(document, which, caller.who, right).excuses if document is not None else ()

    # environments

    def _place(self, number: int) -> OptMl:
        return OptMl(self._folder / "environments" / str(number), bool(self._private), self._hidden)

    def _spec(self, which: Named, document: Document, version: str) -> Spec:
        found = configuration_of(document, version)
        key = f"{which.arn}:{version}:{found['RevisionId']}"
        known = self._specs.get(key)
        if known is None:
            access = self._access(found["Role"], which.region, which.name) if self._access else {}
            known = self._specs[key] = Spec(
                key=key,
                function=which.key,
                name=which.name,
                version=version,
                package=self.code.path(found["CodeSha256"]),
                handler=found["Handler"],
                memory_mb=found["MemorySize"],
                timeout=float(found["Timeout"]),
                log_group=found["LoggingConfig"]["LogGroup"],
                variables={**found.get("Environment", {}).get("Variables", {}), **access},
                role=found["Role"],
                region=which.region,
            )
        return known

    def _something_changed(self) -> None:
        """A function has changed, in whichever thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._reconcile)

    def _reconcile(self) -> None:
        wanted: list[Wanted] = []
        current: set[str] = set()
        for document in self.functions.all():
            region, account, name = _place_of(document)
            which = Named(region, account, name)
            for version in (LATEST, *document["Versions"]):
                current.add(self._spec(which, document, version).key)
            for qualifier, kept in document["Provisioned"].items():
                named_so = Named(region, account, name, qualifier)
                weights = document["Aliases"].get(qualifier, {}).get("Weights", {})
                shares = lambda_limits.split(kept["Count"], version_of(document, named_so), weights)
                wanted += [
                    Wanted(document["Key"], qualifier, self._spec(which, document, version), count)
                    for version, count in shares.items()
                    if count
                ]
        self._kept.set()
        self._specs = {key: spec for key, spec in self._specs.items() if key in current}
        self.invoker.forget_limits()
        self.pool.reconcile(wanted, current)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self.pool.look()
            except Exception:  # what goes wrong once must not end the upkeep of all
                log.exception("Lambda's environments")

    async def _tell_bill(self) -> None:
        """What is kept ready, as soon as that changes, and what has run."""
        while self._bill:
            with suppress(TimeoutError):
                async with asyncio.timeout(BILL_SECONDS):
                    await self._kept.wait()
            self._kept.clear()
            await run_in_threadpool(self._bill.kept, self.functions.all())
            await run_in_threadpool(self._bill.write)

    # Invoke, which is called often: without the whole parser

    def match(
        self, method: str, raw_path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Operation | None:
        if method == "POST" and (path := _INVOKE.fullmatch(raw_path)):
            return Operation(self._invoke_model, {"FunctionName": unquote(path[1])})
        return super().match(method, raw_path, query, headers, body)

    @cached_property
    def _invoke_model(self) -> OperationModel:
        return self.model.operation_model("Invoke")

    async def handle(self, request: Request, operation: OperationModel, caller: Caller) -> Response:
        if operation.name != "Invoke":
            return await super().handle(request, operation, caller)
        request_id: str = request.scope.get("aws_request_id", "")
        try:
            return await self._invoked(request, caller, request_id)
        except Throttled as throttled:
            return _throttled(throttled, request_id)

    async def _invoked(self, request: Request, caller: Caller, request_id: str) -> Response:
        which = named(request.path_params["FunctionName"], caller, request.query_params.get("Qualifier"))
        headers = request.headers
        for refused in ("x-amz-tenant-id", "x-amz-durable-execution-name"):
            if refused in headers:
                raise ServiceError(
                    "InvalidParameterValueException", f"The embedded AWS cannot do {refused} yet. Leave it out."
                )
        kind = headers.get("x-amz-invocation-type", "RequestResponse")
        payload = await request.body()
        most = LARGEST_EVENT if kind == "Event" else LARGEST_PAYLOAD
        if len(payload) > most:
            raise ServiceError(
                "RequestTooLargeException",
                f"{len(payload)} byte payload is too large for the {kind} invocation type (limit {most} bytes)",
                413,
            )
        await self._check_json(payload)
        context = _client_context(headers.get("x-amz-client-context"))
        match kind:
            case "RequestResponse":
                answered = await self.invoker.invoke(which, payload or b"{}", request_id, context)
                return _answer(answered, request_id, tail=headers.get("x-amz-log-type") == "Tail")
            case "DryRun":
                self.invoker.version(self.functions.find(which), which)
                return Response(b"", 204, {"x-amzn-RequestId": request_id})
            case "Event":
                self.invoker.version(self.functions.find(which), which)
                await self.events.add(which, payload or b"{}", request_id, context)
                return Response(b"", 202, {"x-amzn-RequestId": request_id})
        raise ServiceError(
            "InvalidParameterValueException", f"{kind[:80]} is no invocation type: RequestResponse, Event or DryRun."
        )

    async def _check_json(self, payload: bytes) -> None:
        """Raises ServiceError InvalidRequestContentException."""
        try:
            if len(payload) > LARGE:
                await run_in_threadpool(json.loads, payload)
            elif payload:
                json.loads(payload)
        except (ValueError, RecursionError) as wrong:
            raise ServiceError(
                "InvalidRequestContentException", f"Could not parse request body into json: {wrong}"
            ) from None


def _place_of(document: Document) -> tuple[str, str, str]:
    arn = str(document["Latest"]["FunctionArn"]).split(":")
    return arn[3], arn[4], arn[6]


def _client_context(told: str | None) -> Mapping[str, Any] | None:
    if not told:
        return None
    try:
        found = json.loads(base64.b64decode(told, validate=True))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ServiceError(
            "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."
        )
    return found


def _answer(answered: Answered, request_id: str, *, tail: bool) -> Response:
    headers = {"x-amzn-RequestId": request_id, "X-Amz-Executed-Version": answered.version}
    if answered.outcome.failed:
        headers["X-Amz-Function-Error"] = "Unhandled"
    if tail:
        headers["X-Amz-Log-Result"] = base64.b64encode(answered.outcome.tail).decode()
    return Response(answered.outcome.payload, 200, headers, "application/json")


def _throttled(error: Throttled, request_id: str) -> Response:
    body = {"Reason": error.reason, "Type": "User", "message": error.message}
    headers = {"x-amzn-ErrorType": error.code, "x-amzn-RequestId": request_id}
    return JSONResponse(body, 429, headers)
