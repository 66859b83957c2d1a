"""A request to a function: which version it reaches, whether there is room for it, what runs it, how it is told.

Everything here happens in the event loop; a request costs no thread. What limits it (Lambda Developer Guide,
"Understanding Lambda function scaling"): a function with a reservation has that many executions at once and no more,
the others share what the account has left, and environments that are kept ready run beside both.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local_aws.engine.lambda_pool import NoPlace, Pool, Taken
from local_aws.engine.lambda_request import Asked, Lost, Outcome, Spec, Unusable
from local_aws.errors import ServiceError
from local_aws.services import lambda_limits
from local_aws.services.lambda_limits import Account
from local_aws.services.lambda_metrics import LambdaMetrics
from local_aws.services.lambda_names import LATEST, Named, not_found
from local_aws.services.lambda_record import Document, Functions, configuration_of

RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
SHARED = "ConcurrentInvocationLimitExceeded"
ACCOUNT_SECONDS = 1.0


Works = Callable[[str, str], Awaitable[bool]]
"""Whether Lambda may work as a role (its ARN) for a function (its ARN)."""
Billed = Callable[[Document, str, int, bool], None]
"""Told of each request: a function's document, the version, milliseconds, whether it ran where it was kept ready."""


class Throttled(ServiceError):  # noqa: N818 (it says what is so)
    """There is no room for one more execution; `reason` is AWS's word for which limit that is."""

    def __init__(self, reason: str, sentence: str = "Rate Exceeded.") -> None:
        super().__init__("TooManyRequestsException", sentence, 429)
        self.reason = reason


class NoRole(ServiceError):  # noqa: N818 (it says what is so)
    """The function's role is gone, or trusts Lambda no more: AWS looks at it when the function is to run."""

    def __init__(self) -> None:
        super().__init__("AccessDeniedException", "The role defined for the function cannot be assumed by Lambda.", 403)


@dataclass(frozen=True)
class Answered:
    """A request that a function has answered, or failed on. version: the one that ran."""

    outcome: Outcome
    version: str


class Invoker:
    """specs(which, document, version): what an environment of that version runs; account(region): its limits."""

    def __init__(
        self,
        functions: Functions,
        pool: Pool,
        metrics: LambdaMetrics,
        specs: Callable[[Named, Document, str], Spec],
        account: Callable[[str], Account],
        *,
        works: Works | None = None,
        billed: Billed | None = None,
        choose: Callable[[], float] = random.random,
    ) -> None:
        self._functions = functions
        self._pool = pool
        self._metrics = metrics
        self._specs = specs
        self._account = account
        self._works = works
        self._billed = billed
        self._choose = choose
        self._running: Counter[str] = Counter()  # by function, all of its executions
        self._on_demand: Counter[str] = Counter()  # by function, those in environments that were not kept ready
        self._known: dict[str, tuple[float, Account]] = {}

    def version(self, document: Document, which: Named) -> str:
        """The version that takes the next request: an alias's second one by its weight. Raises ServiceError."""
        qualifier = which.qualifier or LATEST
        if qualifier == LATEST or qualifier in document["Versions"]:
            return qualifier
        alias = document["Aliases"].get(qualifier)
        if alias is None:
            raise ServiceError("ResourceNotFoundException", f"Cannot find alias arn: {which.qualified_arn}", 404)
        for version, weight in alias["Weights"].items():
            if self._choose() < weight:
                return str(version)
        return str(alias["FunctionVersion"])

    async def invoke(
        self, which: Named, payload: bytes, request_id: str, client_context: Mapping[str, Any] | None = None
    ) -> Answered:
        """Raises Throttled, NoRole, ServiceError of a function that is not there; its own faults are outcomes."""
        document = self._functions.find(which)
        version = self.version(document, which)
        spec = self._specs(which, document, version)
        if self._works and not await self._works(spec.role, which.arn):
            raise NoRole
        asked = Asked(request_id, which.qualified_arn, payload, client_context)
        try:
            taken = self._pool.take_ready(spec, which.qualifier) if which.qualifier else None
            with self._counted(which, document, on_demand=taken is None):
                self._note_running(which, document, taken)
                outcome = await self._run(which, taken, spec, asked)
        except Throttled:
            self._count(which, "Throttles")
            raise
        self._count(which, "Invocations")
        self._count(which, "Errors", float(outcome.failed))
        self._count(which, "Duration", outcome.seconds * 1000)
        if self._billed:
            self._billed(document, version, outcome.billed_ms, taken is not None)
        return Answered(outcome, version)

    async def _run(self, which: Named, taken: Taken | None, spec: Spec, asked: Asked) -> Outcome:
        try:
            taken = taken or await self._pool.take(spec)
        except NoPlace:
            raise Throttled(
                SHARED,
                f"Rate Exceeded. The embedded AWS runs at most {self._pool.most} environments at once on this machine, "
                "and all of them are busy.",
            ) from None
        except OSError:
            if self._functions.get(which.key) is None:  # its package has gone with it
                raise not_found(which.qualified_arn) from None
            raise
        except Unusable as error:
            return Outcome(error.payload, failed=True, seconds=0.0, tail=error.tail, init_seconds=error.seconds)
        try:
            return await taken.environment.invoke(asked, cold=taken.cold)
        except Lost:  # it was killed while it waited: what a new one does differently is that it is alive
            return await self._run(which, None, spec, asked)
        finally:
            self._pool.give_back(taken)

    @contextmanager
    def _counted(self, which: Named, document: Document, *, on_demand: bool) -> Iterator[None]:
        """Raises Throttled when there is no room."""
        key = which.key
        if on_demand:
            self._admit(which, document)
            self._on_demand[key] += 1
        self._running[key] += 1
        try:
            yield
        finally:
            for counts in (self._running, self._on_demand) if on_demand else (self._running,):
                counts[key] -= 1
                if not counts[key]:
                    del counts[key]  # so that sums look at what runs, not at all that ever ran

    def _admit(self, which: Named, document: Document) -> None:
        reserved = document["Reserved"]
        if reserved is not None:
            if self._on_demand[which.key] >= reserved - lambda_limits.provisioned(document):
                raise Throttled(RESERVED)
            return
        account = self._limits(which.region)
        if self._shared_running(which.region) >= account.shared:
            raise Throttled(SHARED)

    def _shared_running(self, region: str) -> int:
        """Executions of the region that use what the account has left for all."""
        running = ((self._functions.get(key), count) for key, count in self._on_demand.items() if _is_in(key, region))
        return sum(count for document, count in running if document is None or document["Reserved"] is None)

    def _limits(self, region: str) -> Account:
        at, known = self._known.get(region, (0.0, None))
        if known is None or time.monotonic() - at > ACCOUNT_SECONDS:
            known = self._account(region)
            self._known[region] = time.monotonic(), known
        return known

    def forget_limits(self) -> None:
        """A reservation or a provisioned concurrency has changed."""
        self._known.clear()

    # metrics

    def _count(self, which: Named, metric: str, value: float = 1.0) -> None:
        self._metrics.add(which.region, which.name, which.resource, metric, value)

    def _note_running(self, which: Named, document: Document, taken: Taken | None) -> None:
        region = which.region
        running = float(self._running[which.key])
        self._metrics.add_for_function(region, which.name, which.resource, "ConcurrentExecutions", running)
        of_region = sum(count for key, count in self._running.items() if _is_in(key, region))
        self._metrics.add_for_region(region, "ConcurrentExecutions", float(of_region))
        self._metrics.add_for_region(region, "UnreservedConcurrentExecutions", float(self._shared_running(region)))
        if which.qualifier in document["Provisioned"]:
            self.note_provisioned(which)
            self._count(
                which, "ProvisionedConcurrencyInvocations" if taken else "ProvisionedConcurrencySpilloverInvocations"
            )

    def note_provisioned(self, which: Named) -> None:
        """How much of what a qualifier keeps ready is at work now."""
        used, there = self._pool.in_use(which.key, which.qualifier)
        told = which.region, which.name, which.resource
        self._metrics.add(*told, "ProvisionedConcurrentExecutions", float(used))
        if there:
            self._metrics.add_for_resource(*told, "ProvisionedConcurrencyUtilization", used / there)

    async def look(self, seconds: float) -> None:
        """Tell CloudWatch of what goes on for longer, every `seconds`, until it is cancelled."""
        while True:
            await asyncio.sleep(seconds)
            for document in self._functions.all():
                if self._running[document["Key"]]:
                    self._still_running(document)

    def _still_running(self, document: Document) -> None:
        _, _, _, region, account, _, name = configuration_of(document, LATEST)["FunctionArn"].split(":")
        running = float(self._running[document["Key"]])
        self._metrics.add_for_function(region, name, name, "ConcurrentExecutions", running)
        for qualifier in document["Provisioned"]:
            self.note_provisioned(Named(region, account, name, qualifier))


def _is_in(key: str, region: str) -> bool:
    """Whether a function, by its document's key, is of that region."""
    return key.startswith(f"{region}/")
