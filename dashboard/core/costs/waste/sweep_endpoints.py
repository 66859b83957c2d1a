"""Endpoints that are past their time, that nobody asks, or that have more instances than their requests need."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from dashboard.core.aws import Aws
from dashboard.core.costs import charges
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Line, Nature
from dashboard.core.costs.waste import endpoint_use
from dashboard.core.costs.waste import schedule as waste_schedule
from dashboard.core.costs.waste.endpoint_use import BUSY_WINDOW, Use
from dashboard.core.costs.waste.expiry import expires, is_past
from dashboard.core.costs.waste.waste import DAY, Act, Evidence, Finding, Kind, Look, Thing, told
from dashboard.core.errors import KennelError, Refused
from dashboard.core.format import count, plain
from dashboard.core.serving.endpoints import list_endpoints
from dashboard.core.serving.model import Endpoint

SCALING = "minimum capacities of endpoints"
USE = "requests to endpoints"
SCHEDULES = "schedules of endpoints"
BY_USE = "a serverless endpoint costs nothing while nobody asks it"
MOST = 300
"""Endpoints that are looked at, each with three calls."""


T = TypeVar("T")


@dataclass(frozen=True)
class Judge:
    """What endpoints are judged by. `use` and `minimums` are None where they could not be read.

    minimums: of endpoints that application auto scaling keeps; scheduled: when schedules delete which.
    """

    prices: PriceBook
    region: str
    is_embedded: bool
    now: datetime
    idle: timedelta
    use: Mapping[str, Use] | None
    minimums: Mapping[str, int]
    scheduled: Mapping[str, datetime]

    def findings(self, one: Endpoint) -> list[Finding]:
        """What is to be said of one endpoint that is billed."""
        found = []
        if is_past(one.tags, self.now):
            asked = () if self.use is None else (_asked(self.use.get(one.name, Use())),)
            found.append(self._finding(Kind.EXPIRED, one, (_expired(one), *asked), one.count))
        if self.use is None or self.now - one.created < self.idle or _is_paid_by_use(one):
            return found
        use = self.use.get(one.name, Use())
        if use.last is None or self.now - use.last >= self.idle:
            return [*found, self._finding(Kind.IDLE_ENDPOINT, one, (_quiet(use),), one.count)]
        minimum = self.minimums.get(one.name)
        kept = one.count if minimum is None else min(minimum, one.count)
        if use.busiest is not None and use.needed < kept:
            evidence = (_busiest(use), _kept(one, minimum))
            found.append(self._finding(Kind.OVERSIZED, one, evidence, kept - use.needed, use.needed))
        return found

    def _finding(
        self, kind: Kind, one: Endpoint, evidence: tuple[Evidence, ...], instances: int, wanted: int = 0
    ) -> Finding:
        scheduled = self.scheduled.get(one.name)
        kind_of = one.instance_type or "unknown"
        running = Evidence(f"{one.count} × {kind_of}, made on {told(one.created)}", "DescribeEndpoint")
        return Finding(
            kind=kind,
            thing=Thing.ENDPOINT,
            name=one.name,
            nature=Nature.of(one.tags, is_embedded=self.is_embedded),
            evidence=(*evidence, running),
            lines=self._day(one, instances),
            why_unknown=BY_USE if _is_paid_by_use(one) else one.hourly.why_unknown,
            is_kennels=one.is_kennels,
            acts=_acts(kind, scheduled) if one.is_kennels else (),
            receipt=f"endpoint:{one.name}@{int(one.created.timestamp())}",  # as Receipt.key says
            wanted=wanted,
            scheduled=scheduled,
            expires=expires(one.tags),
        )

    def _day(self, one: Endpoint, instances: int) -> tuple[Line, ...]:
        if not one.instance_type or instances < 1:
            return ()
        begun = self.now - DAY
        return charges.endpoint(
            self.prices, one.instance_type, self.region, started=begun, ended=self.now, count=instances
        )


def look(aws: Aws, prices: PriceBook, now: datetime, idle: timedelta) -> Look:
    """Raises the errors of `Aws.call` where the endpoints cannot be listed; what else cannot be read is in `unread`."""
    listed = list_endpoints(aws, prices, limit=MOST)
    billed = [one for one in listed if one.status.is_billed]
    unread: list[Unread] = []
    if len(listed) >= MOST:
        problem = Refused(f"only the newest {MOST} endpoints were looked at", "there may be more")
        unread.append(Unread("older endpoints", problem))
    if not billed:
        return Look(0, (), tuple(unread))

    def part(what: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except KennelError as problem:
            unread.append(Unread(what, problem))
            return None

    several = [one.name for one in billed if one.count > 1]
    judge = Judge(
        prices,
        aws.account.region,
        aws.account.is_embedded,
        now,
        idle,
        part(USE, lambda: endpoint_use.read(aws, now, several)),
        part(SCALING, lambda: read_minimums(aws)) or {},
        part(SCHEDULES, lambda: waste_schedule.scheduled(aws)) or {},
    )
    return Look(len(billed), tuple(finding for one in billed for finding in judge.findings(one)), tuple(unread))


def read_minimums(aws: Aws) -> dict[str, int]:
    """The minimum capacity of every endpoint that application auto scaling keeps. Raises the errors of `Aws.call`."""
    found: dict[str, int] = {}
    for page in aws.pages("application-autoscaling", "DescribeScalableTargets", ServiceNamespace="sagemaker"):
        for target in page["ScalableTargets"]:
            kind, _, name = target["ResourceId"].partition("/")
            if kind == "endpoint" and target["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount":
                endpoint = name.split("/")[0]
                found[endpoint] = found.get(endpoint, 0) + int(target["MinCapacity"])
    return found


def _is_paid_by_use(one: Endpoint) -> bool:
    """A serverless endpoint: it has a model and no instances, and costs nothing while nobody asks it."""
    return bool(one.model_name) and not one.instance_type


def _acts(kind: Kind, scheduled: datetime | None) -> tuple[Act, ...]:
    if kind is Kind.OVERSIZED:
        return (Act.SHRINK,)
    later = Act.SCHEDULE if scheduled is None else Act.UNSCHEDULE
    return (Act.DELETE, later, Act.KEEP) if kind is Kind.EXPIRED else (Act.DELETE, later)


def _expired(one: Endpoint) -> Evidence:
    when = expires(one.tags)
    return Evidence(f"it was to be gone on {told(when)}" if when else "", "tag kennel:expires")


def _asked(use: Use) -> Evidence:
    """Whether somebody still needs it: that decides between keeping and deleting what is past its time."""
    if use.last is None:
        return _quiet(use)
    times, days = count(use.requests, "time"), endpoint_use.WINDOW.days
    said = f"it was asked {times} in {days} days, last before {told(use.last)}"
    return Evidence(said, "CloudWatch AWS/SageMaker Invocations")


def _quiet(use: Use) -> Evidence:
    since = f"since {told(use.last)}" if use.last else f"in {endpoint_use.WINDOW.days} days, or since it was made"
    return Evidence(f"nobody asked it {since}", "CloudWatch AWS/SageMaker Invocations")


def _busiest(use: Use) -> Evidence:
    busiest, days = plain(round(use.busiest or 0.0, 3)), BUSY_WINDOW.days
    what = f"in the busiest 5 minutes of {days} days {busiest} requests were in the model at a time"
    return Evidence(f"{what}: {count(use.needed, 'instance')} would do", "CloudWatch AWS/SageMaker ModelLatency")


def _kept(one: Endpoint, minimum: int | None) -> Evidence:
    if minimum is None:
        return Evidence(f"it always has {one.count}", "DescribeEndpoint CurrentInstanceCount")
    return Evidence(f"auto scaling keeps at least {minimum}", "DescribeScalableTargets MinCapacity")
