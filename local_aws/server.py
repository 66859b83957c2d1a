"""The front of the embedded AWS: who may call, which service is meant, and errors in that service's own form.

A web page must not reach it, so Host and Origin are checked first, then the signature; only then is anything done.
"""

import asyncio
import errno
import logging
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from pathlib import Path
from urllib.parse import parse_qsl

from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from botocore.model import OperationModel
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Message, Receive, Scope, Send

from dashboard.core.costs.prices import PriceBook
from local_aws import ACCOUNT, DEFAULT_REGION, access, sigv4
from local_aws.account_facts import AccountFacts
from local_aws.authenticate import authenticate, read_wire
from local_aws.authorize import Authority
from local_aws.errors import NotThereError, ServiceError, error_response, internal
from local_aws.iam_lookup import IamLookup
from local_aws.inward import Inward
from local_aws.keys import KeyRing, install_key
from local_aws.moto_app import Moto
from local_aws.pace import AS_AWS, Pace
from local_aws.permits import Permits
from local_aws.protocol import Caller, Service
from local_aws.quotas import Quotas
from local_aws.resource_tags import ResourceTags
from local_aws.role_deeds import RoleDeeds
from local_aws.run_keys import RunKeys
from local_aws.services import lambda_code_link, lambda_urls
from local_aws.services.application_autoscaling import ApplicationAutoScaling
from local_aws.services.application_autoscaling_capacity import PRINCIPAL, capacities
from local_aws.services.billing import Bill
from local_aws.services.billing_functions import FunctionMeters
from local_aws.services.billing_journal import Journal
from local_aws.services.billing_meters import Meters
from local_aws.services.billing_tags import CostTags
from local_aws.services.budgets import Budgets
from local_aws.services.budgets_alerts import Alerts, charges_on
from local_aws.services.cloudformation import ADDRESS as CLOUDFORMATION
from local_aws.services.cloudformation import CloudFormation
from local_aws.services.cloudtrail import CloudTrail
from local_aws.services.cloudtrail_delivery import DELIVERED_EACH, TrailFiles
from local_aws.services.cloudtrail_recorder import Recorder
from local_aws.services.cloudtrail_store import EventStore
from local_aws.services.cloudtrail_trails import Trails
from local_aws.services.cloudwatch import CloudWatch
from local_aws.services.cloudwatch_alarms_states import Transitions
from local_aws.services.cloudwatch_alarms_store import AlarmStore
from local_aws.services.cloudwatch_alarms_watch import Watch
from local_aws.services.cloudwatch_store import MetricStore
from local_aws.services.cost_explorer import CostExplorer
from local_aws.services.ec2 import Ec2
from local_aws.services.iam import Iam
from local_aws.services.iam_last_accessed import Jobs
from local_aws.services.iam_linked_roles import linked_role
from local_aws.services.iam_replay import backdate
from local_aws.services.iam_uses import Uses
from local_aws.services.lambda_service import Lambda
from local_aws.services.lambda_url_front import FunctionUrls
from local_aws.services.logs import Logs
from local_aws.services.notebook_page import PATH as NOTEBOOK_PATH
from local_aws.services.notebook_page import NotebookPage
from local_aws.services.pricing import Pricing
from local_aws.services.s3 import S3
from local_aws.services.sagemaker import SageMaker
from local_aws.services.sagemaker_runtime import SageMakerRuntime
from local_aws.services.sagemaker_training_checks import Surroundings
from local_aws.services.scheduler import Scheduler
from local_aws.services.scheduler_targets import Targets
from local_aws.services.service_quotas import ServiceQuotas
from local_aws.services.sns import Sns
from local_aws.services.sns_delivery import Delivery
from local_aws.services.ssm import Ssm
from local_aws.services.sts import Sts
from local_aws.standing import Standings
from local_aws.store import Store

log = logging.getLogger(__name__)

MOST_DRAINED = 32 * 1024 * 1024  # bytes of a refused body that are read, so that the client gets to its answer
DRAIN_SECONDS = 5


class Front:
    """The ASGI application: one request in, one answer out."""

    def __init__(
        self,
        services: Sequence[Service],
        keys: KeyRing,
        region: str,
        now: Callable[[], datetime],
        recorder: Recorder | None = None,
        permits: Permits | None = None,
    ) -> None:
        self._recorder = recorder
        self._permits = permits
        self._services: dict[str, list[Service]] = {}
        for service in services:
            self._services.setdefault(service.signing_name, []).append(service)
        self._keys = keys
        self._region = region
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = str(uuid.uuid4())
        scope["aws_request_id"] = request_id
        incoming = _Incoming(receive, Headers(scope=scope))
        request = Request(scope, incoming)
        try:
            response = await self._told(request, request_id)
        except ClientDisconnect:
            return
        if not incoming.finished and "expect" not in request.headers:
            await incoming.drain()
        if not incoming.finished:
            # what comes next on this connection may be the rest of this body or another request
            response.headers["connection"] = "close"
        await response(scope, incoming, send)

    async def _told(self, request: Request, request_id: str) -> Response:
        """The answer, whatever happens: errors come in the protocol of the request, the log gets the traceback."""
        why_not = access.refusal(request.headers, request.url.path)
        if why_not:
            return PlainTextResponse(why_not + "\n", 403)
        wire = read_wire(request)
        try:
            return await self._answer(wire, request)
        except ClientDisconnect:
            raise
        except ServiceError as told:
            error = told
        except Exception as failure:
            log.exception("request %s failed", request_id)
            error = _failed(failure)
        return error_response(protocol_of(wire), error, request_id, head=request.method == "HEAD")

    async def _answer(self, wire: sigv4.Wire, request: Request) -> Response:
        signed = await authenticate(wire, request, self._keys.find, self._limit, self._region, self._now())
        services = self._services.get(signed.service)
        if services is None:
            raise NotThereError(f"The service {signed.service}")
        request = signed.request
        for service in services:
            operation = service.match(wire.method, signed.path, wire.query, request.headers, signed.body)
            if operation:
                request.scope["path_params"] = operation.path_params
                key = signed.key
                caller = Caller(ACCOUNT, signed.region, key.access_key_id, key.arn, key.who)
                return await self.handled(service, request, operation.model, caller, signed.body)
        what = wire.header("x-amz-target") or dict(parse_qsl(signed.body.decode("utf-8", "replace"))).get("Action")
        raise NotThereError(f"{signed.service}:{what or f'{wire.method} {signed.path}'}"[:200])

    def service(self, name: str) -> Service:
        """By botocore's name. Raises StopIteration."""
        return next(one for kept in self._services.values() for one in kept if one.name == name)

    async def handled(
        self, service: Service, request: Request, operation: OperationModel, caller: Caller, body: bytes
    ) -> Response:
        """Answer a request of a caller who is known, as far as it may be. Raises ServiceError."""
        outcome: Response | ServiceError
        permits = self._permits if caller.who.is_limited or self._may_deny_all(service) else None
        try:
            if permits:
                await permits.check(service, operation, request, caller, body)
            outcome = await service.handle(request, operation, caller)
        except ServiceError as refused:
            outcome = permits.told(service, request, caller, refused) if permits else refused
        if self._recorder is not None:
            self._recorder.note(service, operation, caller, request, body, outcome)
        if isinstance(outcome, ServiceError):
            raise outcome
        return outcome

    @staticmethod
    def _may_deny_all(service: Service) -> bool:
        """Whether a policy of what is asked for may deny it to the account's root user too."""
        return isinstance(service, S3) and service.have_policies

    def _limit(self, signing_name: str) -> int:
        services = self._services.get(signing_name, ())
        return max((service.max_body or 0 for service in services), default=Service.max_body or 0)


class _Incoming:
    """The body of a request, and whether all of it was read."""

    def __init__(self, receive: Receive, headers: Headers) -> None:
        self._receive = receive
        self.finished = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers

    async def __call__(self) -> Message:
        message = await self._receive()
        self.finished = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Read some of what is left: a client that is still sending would see a broken connection, not the answer."""
        left = MOST_DRAINED
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while left > 0 and not self.finished:
                    left -= len((await self()).get("body", b""))


def _failed(error: Exception) -> ServiceError:
    """What the client is told of a failure of ours."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if full or (isinstance(error, sqlite3.Error) and "disk is full" in str(error)):
        return internal("The disk of this machine is full; nothing was changed. Free some space and try again.")
    return internal(f"The embedded AWS failed on this request ({type(error).__name__}); its log has the details.")


def protocol_of(wire: sigv4.Wire) -> str:
    """The protocol the client will read an error in, as far as the request shows it."""
    if wire.header("smithy-protocol") == "rpc-v2-cbor":
        return "smithy-rpc-v2-cbor"
    if wire.header("x-amz-target"):
        return "json"
    credential = wire.header("authorization") or dict(parse_qsl(wire.query)).get("X-Amz-Credential", "")
    scope = credential.partition("/aws4_request")[0].split("/")
    return _protocol_named(scope[-1]) if len(scope) >= 4 else "rest-xml"


@lru_cache(maxsize=64)
def _protocol_named(signing_name: str) -> str:
    if signing_name == "monitoring":
        return "query"  # what is neither CBOR nor JSON to CloudWatch, which botocore knows by another name
    if not signing_name.replace("-", "").isalnum():
        return "rest-json"
    try:
        return str(Loader().load_service_model(signing_name, "service-2")["metadata"]["protocol"])
    except BotoCoreError:
        return "rest-json"


async def _health(request: Request) -> Response:
    why_not = access.refusal(request.headers, request.url.path)
    return PlainTextResponse(why_not + "\n", 403) if why_not else JSONResponse({"ready": True})


def build(
    state: Path,
    *,
    region: str = DEFAULT_REGION,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    endpoint_url: str = "",
    pace: Pace = AS_AWS,
) -> Starlette:
    """The whole embedded AWS as one ASGI application over the state folder.

    endpoint_url: where it will be reached; without it, what runs here gets no access to S3. pace: how fast it waits.
    """
    store = Store(state)
    moto = Moto(state / "moto")
    s3, logs = S3(store, region=region), Logs(state / "logs", region=region)
    metrics = MetricStore(state / "metrics", fine=pace.scale > 1)  # alarms then look at seconds
    alarms = AlarmStore(store)
    quotas = Quotas(store)
    events = EventStore(state / "cloudtrail")
    uses, trails = Uses(events.store, now), Trails(store)
    trail = Recorder(events, now, trails, moto.role_arn, uses)
    trail_files = TrailFiles(trail.pending, trails, s3, ACCOUNT, now, every=pace.seconds(DELIVERED_EACH))
    runs = RunKeys(endpoint_url) if endpoint_url else None
    facts = AccountFacts(moto)
    authority = Authority(Standings(moto))
    deeds = RoleDeeds(authority, now, logs, facts.role_exists, trail.note_deed)
    sagemaker = SageMaker(
        store,
        s3,
        logs,
        access=runs.variables if runs else None,
        metrics=metrics,
        around=Surroundings(facts.role_exists, facts.missing_network, quotas),
        pace=pace,
        as_role=deeds,
    )
    sagemaker.alarm_state = alarms.state  # an update is taken back on them
    journal, cost_tags = Journal(store), CostTags(store)
    prices = cache(PriceBook.load)
    bill = Bill(journal, cost_tags, prices=prices)
    meters = Meters(journal)
    functions = Lambda(
        store,
        s3,
        logs,
        metrics,
        facts,
        quotas,
        access=runs.of_function if runs else None,
        pace=pace,
        address=endpoint_url,
        bill=FunctionMeters(journal),
        as_writer=lambda who: deeds.logs(who.role, who.region, logs, who.function),
    )
    authority.tags = ResourceTags(moto, sagemaker, functions.functions)
    meters.watch(sagemaker.training_jobs, sagemaker.endpoints)
    meters.watch_notebooks(sagemaker.notebooks)
    if endpoint_url:
        sagemaker.notebook_page = NotebookPage(endpoint_url)
    runtime = SageMakerRuntime(sagemaker, metrics, pace=pace, billed=meters.answered)
    moto.listeners["ec2"] = [meters.ec2]
    moto.listeners.setdefault("iam", []).append(backdate)
    ec2 = Ec2(moto, state / "instances", runs, quotas=quotas, metrics=metrics)
    delivery = Delivery(logs.append)
    sns, charges = Sns(store, delivery), charges_on(bill, ACCOUNT)

    def clock() -> float:
        return now().timestamp()

    states = Transitions(alarms, sns, clock)
    scaled = capacities({"sagemaker": sagemaker, "lambda": functions}, partial(trail.note_done, invoked_by=PRINCIPAL))
    watch = Watch(states, metrics, clock, pace=pace)
    scaling = ApplicationAutoScaling(store, watch, scaled, partial(linked_role, moto), now=clock, pace=pace)
    sagemaker.endpoints.listeners.append(scaling.endpoint_changed)
    sagemaker.is_scaled = scaling.is_target
    targets = Targets({"sagemaker": sagemaker, "ec2": ec2}, authority, facts, now, trail.note_done)
    inward = Inward(CLOUDFORMATION)
    services: list[Service] = [
        # the last to stop: it writes down what the others did
        CloudTrail(trail, now, trail_files, s3.bucket_region, uses),
        CostExplorer(journal, cost_tags, bill, meters),  # its meters start before what they watch, and stop after it
        s3,
        logs,
        CloudWatch(metrics, states),  # stops after those below, which put into its store
        ServiceQuotas(store, quotas),
        sagemaker,
        runtime,
        functions,
        Sts(moto, authority, now),
        ec2,
        Ssm(moto),
        Iam(moto, uses, Jobs(events.store, now)),
        Pricing(prices),
        Scheduler(store, targets, metrics),
        sns,
        Budgets(store, charges, Alerts(charges, sns, delivery)),  # stops before what its alerts go out by
        scaling,  # stops before what it scales
        CloudFormation(store, inward, now=clock),  # stops before all that it makes things with
    ]
    keys = KeyRing(install_key(state), moto.find_key, runs, lambda: (moto.version("iam"), moto.version("sts")))
    front = Front(
        services,
        keys,
        region,
        now,
        trail,
        Permits(
            authority,
            now,
            IamLookup(moto),
            {"lambda": functions.excuses, "s3": s3.excuses},
            {"s3": s3.denial},
        ),
    )
    inward.through(front)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        started: list[Service] = []
        try:
            for service in services:
                await service.start()
                started.append(service)
            yield
        finally:
            for service in reversed(started):
                await service.stop()
            store.close()

    urls = Mount(lambda_urls.PATH, FunctionUrls(functions, keys, region, authority))
    code = Route(lambda_code_link.PATH + "/{until:int}/{seal}/{name}", functions.links.fetch)
    routes = [Route("/_kennel/health", _health), urls, code]
    if sagemaker.notebook_page is not None:
        routes.append(Route(NOTEBOOK_PATH + "/{name}", sagemaker.notebook_page.open))
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.default = front  # not a route: no pattern matches every path (a key may hold a newline)
    return app
