"""InvokeEndpoint: the request goes straight to a serving process of the endpoint, and its answer straight back."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from botocore.model import OperationModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_aws.engine.connections import Answer, AnswerTooLarge, Connections, Unreachable
from local_aws.engine.endpoint import Full, Status, Target, Throttled
from local_aws.engine.endpoints import LOG_GROUP, Fleet
from local_aws.engine.serverless import NotStartedError, Starting
from local_aws.errors import NotThereError, ServiceError
from local_aws.pace import AS_AWS, Pace
from local_aws.protocol import Caller, Operation, Service
from local_aws.services.cloudwatch_store import MetricStore
from local_aws.services.endpoint_metrics import EndpointMetrics, Invocation, Seat
from local_aws.services.sagemaker import SageMaker
from local_aws.services.sagemaker_base import arn_of

LARGEST_BODY = 6_291_456  # bytes, of the request and of the answer
SECONDS = 60.0
STARTED_POLL = 0.01  # seconds
_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_PASSED = {"content-type": "Content-Type", "accept": "Accept", _ATTRIBUTES: "X-Amzn-SageMaker-Custom-Attributes"}
_REFUSED = ("target-model", "target-container-hostname", "enable-explanations", "inference-component", "session-id")
_PATH = re.compile(r"/endpoints/([^/]+)/invocations")
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_HEADER = re.compile(r"[\x20-\x7e\t]{0,1024}")


Billed = Callable[[str, str, int, float], object]
"""(ARN of the endpoint, variant, MB of memory, seconds that the model took)"""


@dataclass(frozen=True)
class _Call:
    """One InvokeEndpoint. headers: what the container gets of them; begun: time.perf_counter() when it came."""

    request: Request
    endpoint: str
    caller: Caller
    headers: Sequence[tuple[str, str]]
    body: bytes
    begun: float


class SageMakerRuntime(Service):
    """seconds: how long a container may take for one answer. metrics: where requests are counted; pace: at it.

    billed: told of each answer of a serverless variant.
    """

    name = "sagemaker-runtime"
    max_body = LARGEST_BODY

    def __init__(
        self,
        sagemaker: SageMaker,
        metrics: MetricStore | None = None,
        *,
        seconds: float = SECONDS,
        pace: Pace = AS_AWS,
        billed: Billed | None = None,
    ) -> None:
        self._sagemaker = sagemaker
        self._seconds = seconds
        self._billed = billed
        self._connections = Connections()
        self._metrics = EndpointMetrics(metrics, time.time, pace=pace) if metrics else None

    async def stop(self) -> None:
        await self._connections.close()
        if self._metrics:
            await self._metrics.close()

    def match(
        self, method: str, raw_path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Operation | None:
        invoked = _PATH.fullmatch(raw_path)  # the one that is called often is known without the whole router
        if invoked and method == "POST":
            return Operation(self._invoke, {"EndpointName": unquote(invoked[1])})
        return super().match(method, raw_path, query, headers, body)

    @cached_property
    def _invoke(self) -> OperationModel:
        return self.model.operation_model("InvokeEndpoint")

    async def handle(self, request: Request, operation: OperationModel, caller: Caller) -> Response:
        if operation.name != "InvokeEndpoint":
            raise NotThereError(f"sagemaker-runtime:{operation.name}")
        begun = time.perf_counter()
        name = request.path_params["EndpointName"]
        headers = _checked(request.headers, name)
        body = await request.body()
        if len(body) > LARGEST_BODY:
            raise _wrong(f"The request body is larger than {LARGEST_BODY} bytes.")
        variant = request.headers.get("x-amzn-sagemaker-target-variant")
        call = _Call(request, name, caller, headers, body, begun)
        try:
            first = await self._target(call, variant)
        except _NotTakenError as refused:
            if self._metrics:
                whole, of = time.perf_counter() - begun, refused.variant
                told = Invocation(caller.region, name, of, refused.status, None, whole, refused.instances)
                self._metrics.add(told)
            raise
        try:
            return await self._asked(call, first, last=False)
        except Unreachable as error:
            why = error
        finally:
            first.done()
        # Asked of another instance once: nothing came back, and an inference that is asked twice answers the same.
        try:
            other = await self._target(call, variant, (first.instance,))
        except ServiceError:
            self._count(call, first, None, begun)
            raise _unreachable(name, why) from why
        try:
            return await self._asked(call, other, last=True)
        finally:
            other.done()

    async def _asked(self, call: _Call, target: Target, *, last: bool) -> Response:
        """One instance's answer. last: no other one will be asked. Raises Unreachable when another one can be."""
        name, caller = call.endpoint, call.caller
        seat = Seat(caller.region, name, target.variant, target.instance)
        gauge = self._metrics if target.instances else None  # SageMaker has no such metric of a serverless variant
        if gauge:
            gauge.began(seat)
        asked = time.perf_counter()
        status: int | None = 500  # what a container that took too long, or said too much, counts as
        counted = True
        try:
            answer = await self._connections.post(
                target.port, "/invocations", call.headers, call.body, limit=LARGEST_BODY, timeout=self._seconds
            )
            status = answer.status
        except TimeoutError:
            said = (
                f"Your invocation timed out while waiting for a response from container primary ({self._seconds:g} s)."
            )
            return _model_error(call.request, 0, said, name, caller)
        except AnswerTooLarge:
            said = f"The container's answer is larger than {LARGEST_BODY} bytes."
            return _model_error(call.request, 0, said, name, caller)
        except Unreachable as error:
            status = None
            if not (error.begun or last):
                counted = False
                raise
            raise _unreachable(name, error) from error
        finally:
            if gauge:
                gauge.ended(seat)
            if counted:
                self._count(call, target, status, asked)
        if not 200 <= answer.status < 300:
            return _model_error(call.request, answer.status, answer.body.decode("utf-8", "replace"), name, caller)
        return _passed_on(answer, target, call.request)

    def _count(self, call: _Call, target: Target, status: int | None, asked: float) -> None:
        answered = time.perf_counter()
        if self._billed and target.use and status is not None:
            arn = arn_of("endpoint", call.endpoint, call.caller)
            self._billed(arn, target.variant, target.use.config.memory, answered - asked)
        if self._metrics is None:
            return
        region, name = call.caller.region, call.endpoint
        whole, model = answered - call.begun, answered - asked
        of = (target.instances, target.setup, target.use)
        self._metrics.add(Invocation(region, name, target.variant, status, model, whole, *of))

    async def _target(self, call: _Call, variant: str | None, avoid: tuple[str, ...] = ()) -> Target:
        """The process that takes the request, started for it if need be. Raises ServiceError."""
        name, caller = call.endpoint, call.caller
        arn = arn_of("endpoint", name, caller)
        fleet: Fleet = self._sagemaker.fleet
        of = ""
        try:
            target = fleet.target(arn, variant, avoid)
            if isinstance(target, Starting):
                of = target.pool.variant
                target = await _ready(target, self._seconds)
        except Throttled as error:
            raise _NotTakenError(f"Endpoint {name}: {error}. Try again.", error.variant, throttled=True) from error
        except Full as error:
            raise _NotTakenError(f"Endpoint {name}: {error}. Try again.", error.variant, error.instances) from error
        except NotStartedError as error:
            sentence = f"No serving process of endpoint {name} could be started for this request: {error}"
            raise _NotTakenError(sentence[:2048], of) from error
        if target:
            return target
        view = fleet.view(arn)
        if view is None or not view.was_in_service or view.status in (Status.FAILED, Status.DELETING):
            raise _wrong(f"Endpoint {name} of account {caller.account} not found.")
        if variant and variant not in {one.name for one in view.variants}:
            raise _wrong(f"Variant {variant} not found for Request")
        raise _NotTakenError(
            f"No serving process of endpoint {name} answers at this moment; they are being restarted. Try again.",
            variant or max(view.variants, key=lambda one: one.weight).name,
        )


class _NotTakenError(ServiceError):
    """No process of a variant takes a request. instances: how many there are that could have."""

    def __init__(self, sentence: str, variant: str, instances: int = 0, *, throttled: bool = False) -> None:
        code, status = ("ThrottlingException", 429) if throttled else ("ServiceUnavailable", 503)
        super().__init__(code, sentence, status)
        self.variant = variant
        self.instances = instances


async def _ready(starting: Starting, seconds: float) -> Target:
    """The process when it is ready. Raises NotStartedError."""
    end = time.perf_counter() + seconds
    try:
        while (target := starting.look()) is None:
            if time.perf_counter() > end:
                raise NotStartedError(f"it did not start within {seconds:g} s")
            await asyncio.sleep(STARTED_POLL)
    except BaseException:
        starting.give_up()
        raise
    return target


def _checked(headers: Mapping[str, str], name: str) -> list[tuple[str, str]]:
    """The headers that the container gets. Raises ServiceError ValidationError for what cannot be honoured."""
    if not _NAME.fullmatch(name):
        raise _wrong(f"1 validation error detected: Value '{name[:100]}' at 'endpointName' is not an endpoint's name.")
    for refused in _REFUSED:
        if f"x-amzn-sagemaker-{refused}" in headers:
            raise _wrong(f"The embedded AWS cannot do X-Amzn-SageMaker-{refused.title()} yet. Leave it out.")
    passed = [(title, headers[lower]) for lower, title in _PASSED.items() if lower in headers]
    for title, value in passed:
        if not _HEADER.fullmatch(value):
            raise _wrong(f"The header {title} must be at most 1024 printable ASCII characters.")
    return passed


def _passed_on(answer: Answer, target: Target, request: Request) -> Response:
    headers = {
        "Content-Type": answer.headers.get("content-type", "application/octet-stream"),
        "x-Amzn-Invoked-Production-Variant": target.variant,
        "x-amzn-RequestId": request.scope.get("aws_request_id", ""),
    }
    if _ATTRIBUTES in answer.headers:
        headers["X-Amzn-SageMaker-Custom-Attributes"] = answer.headers[_ATTRIBUTES]
    return Response(answer.body, 200, headers)


def _model_error(request: Request, status: int, said: str, name: str, caller: Caller) -> Response:
    """SageMaker's ModelError (424), which carries the container's own status and words."""
    group = f"{LOG_GROUP}/{name}"
    whose = "client" if 400 <= status < 500 else "server"
    body = {
        "ErrorCode": "CLIENT_ERROR_FROM_MODEL" if whose == "client" else "SERVER_ERROR_FROM_MODEL",
        "Message": f'Received {whose} error ({status}) from primary with message "{said[:2048]}". '
        f"See {group} in CloudWatch Logs of account {caller.account} for more information.",
        "OriginalStatusCode": status,
        "OriginalMessage": said[:LARGEST_BODY],
        "LogStreamArn": f"arn:aws:logs:{caller.region}:{caller.account}:log-group:{group}",
    }
    request_id = request.scope.get("aws_request_id", "")
    return JSONResponse(body, 424, {"x-amzn-ErrorType": "ModelError", "x-amzn-RequestId": request_id})


def _unreachable(name: str, why: Unreachable) -> ServiceError:
    return ServiceError(
        "ServiceUnavailable",
        f"The serving process of endpoint {name} cannot be reached: {why}. It is being restarted; try again.",
        503,
    )


def _wrong(sentence: str) -> ServiceError:
    return ServiceError("ValidationError", sentence)
