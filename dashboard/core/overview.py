"""The first page's answer: is anything wrong, what is running, what does it cost?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quote import Quote, hourly, total
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import KennelError
from dashboard.core.format import duration, money, percent
from dashboard.core.runs.explain import after_take_back
from dashboard.core.runs.model import Run, RunStatus
from dashboard.core.serving.model import Endpoint

RECENT = timedelta(hours=24)
LONG_RUNNING = timedelta(hours=24)
NEARLY = 0.9
ENDPOINTS = "endpoints"
"""What `Overview.unread` calls them."""


class Severity(StrEnum):
    """How much something matters; `rank` sorts the worst first."""

    CRITICAL = "critical"
    WARNING = "warning"
    HINT = "hint"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


@dataclass(frozen=True)
class Attention:
    """Something a person should look at. `page` ("runs", "endpoints", "spend", "waste") and `name` lead there.

    A run's name is its key. `dollars` is what it weighs among its like: a day, or over a limit; `nature` is set where
    the text has money in it, and `query` is the address of its page.
    """

    severity: Severity
    what: str
    why: str
    next_step: str
    page: str
    name: str
    per_hour: Decimal | None = None
    nature: Nature | None = None
    dollars: Decimal = Decimal(0)
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def weight(self) -> Decimal:
        """What it costs for nothing, USD: the dearest comes first."""
        return self.dollars or (self.per_hour or Decimal(0)) * 24


@dataclass(frozen=True)
class Overview:
    """The account at one moment. `per_hour` sums the known prices; `unpriced` resources are missing from it.

    What the sample account has is summed apart, in `sample_per_hour`: kinds of money are never added.

    Trials of a tuning job are among the `runs` and are billed; what runs and what failed is told of the job itself.
    `unread`: what could not be looked at, so that none of it is here.
    """

    attention: tuple[Attention, ...]
    running: tuple[Run, ...]
    endpoints: tuple[Endpoint, ...]
    runs: tuple[Run, ...]
    per_hour: Decimal
    unpriced: int
    failed_recently: int
    taken_back_recently: int = 0
    sample_per_hour: Decimal = Decimal(0)
    currency: str = "USD"
    unread: tuple[Unread, ...] = ()

    @property
    def serving(self) -> tuple[Endpoint, ...]:
        return tuple(e for e in self.endpoints if e.status.is_serving)

    @property
    def is_empty(self) -> bool:
        """Nothing was ever trained or served here."""
        return not self.runs and not self.endpoints and not self.unread

    def why_unread(self, what: str) -> KennelError | None:
        """Why this part could not be looked at; None where it was."""
        return next((one.problem for one in self.unread if one.what == what), None)


def assemble(
    runs: Sequence[Run], endpoints: Sequence[Endpoint], *, prices: PriceBook, region: str, now: datetime
) -> Overview:
    """The overview of the newest runs and the endpoints, as they were read."""
    training = [run for run in runs if run.status.is_billed and not run.is_tuning]
    billed = [(run.is_sample, _per_hour(run, prices, region)) for run in training]
    own = [run for run in runs if not run.parent]
    running = tuple(run for run in own if run.status.is_active)
    billed += [(one.is_sample, one.hourly) for one in endpoints if one.status.is_billed]
    per_hour, unpriced = total([quote for is_sample, quote in billed if not is_sample])
    sample_per_hour, _ = total([quote for is_sample, quote in billed if is_sample])
    ended = [run for run in own if run.status.is_bad and is_recent(run, now)]
    failed = [run for run in ended if run.status is not RunStatus.RECLAIMED]
    items = [_failed_run(run) for run in failed]
    items += [_taken_back(run) for run in ended if run.status is RunStatus.RECLAIMED]
    items += [_failed_endpoint(endpoint) for endpoint in endpoints if endpoint.status.is_bad]
    items += [_near_limit(run, prices, region, now) for run in running if _is_near_limit(run, now)]
    items += [_long_running(e, now) for e in endpoints if _is_long_running(e, now)]
    return Overview(
        attention=in_order(items),
        running=running,
        endpoints=tuple(endpoints),
        runs=tuple(runs),
        per_hour=per_hour,
        unpriced=unpriced,
        failed_recently=len(failed),
        taken_back_recently=len(ended) - len(failed),
        sample_per_hour=sample_per_hour,
    )


def in_order(items: Iterable[Attention]) -> tuple[Attention, ...]:
    """The worst first, of those the dearest."""
    return tuple(sorted(items, key=lambda item: (item.severity.rank, -item.weight, item.name)))


def is_recent(run: Run, now: datetime) -> bool:
    """Whether it ended so lately that its end is still told."""
    return run.ended is not None and now - run.ended < RECENT


def _per_hour(run: Run, prices: PriceBook, region: str) -> Quote:
    kind = Kind.EC2 if run.is_on_ec2 else Kind.SAGEMAKER_TRAINING
    listed = hourly(prices, kind, run.instance_type, region, run.instance_count)
    return replace(listed, amount=run.spot_price) if run.is_on_ec2 and run.spot_price is not None else listed


def _failed_run(run: Run) -> Attention:
    why = run.failure.strip().splitlines()[0] if run.failure.strip() else "AWS gives no reason"
    return Attention(
        Severity.WARNING,
        f"{run.name} {run.status.word}",
        why,
        "open its log, mend the cause, launch again",
        "runs",
        run.key,
    )


def _taken_back(run: Run) -> Attention:
    """Spot capacity that went is no failure: nothing is to be mended."""
    why = (
        "taken back by EC2 (simulated: asked for with the launch)"
        if run.is_interruption_asked_for
        else "EC2 needed its spot instance"
    )
    what = f"{run.name} was taken back"
    return Attention(Severity.WARNING, what, why, after_take_back(run), "runs", run.key)


def _failed_endpoint(endpoint: Endpoint) -> Attention:
    return Attention(
        Severity.CRITICAL,
        f"endpoint {endpoint.name} is {endpoint.status.word}",
        endpoint.failure or "AWS gives no reason",
        "delete it and deploy the model again",
        "endpoints",
        endpoint.name,
    )


def _is_near_limit(run: Run, now: datetime) -> bool:
    so_far = run.billed_so_far(now)
    return bool(run.max_seconds and so_far and so_far >= NEARLY * run.max_seconds)


def _near_limit(run: Run, prices: PriceBook, region: str, now: datetime) -> Attention:
    used = (run.billed_so_far(now) or 0) / (run.max_seconds or 1)
    return Attention(
        Severity.WARNING,
        f"{run.name} is about to be stopped",
        f"it has used {percent(used)} of its time limit of {duration(run.max_seconds)}",
        "let it end, or launch it again with a longer limit",
        "runs",
        run.key,
        _per_hour(run, prices, region).amount,
    )


def _is_long_running(endpoint: Endpoint, now: datetime) -> bool:
    old = now - endpoint.created > LONG_RUNNING
    return endpoint.status.is_billed and old and not endpoint.is_sample


def _long_running(endpoint: Endpoint, now: datetime) -> Attention:
    amount = endpoint.hourly.amount
    cost = endpoint.hourly.why_unknown if amount is None else f"{money(amount * 24)} a day"
    return Attention(
        Severity.HINT,
        f"endpoint {endpoint.name} has been there for {duration((now - endpoint.created).total_seconds())}",
        cost,
        "delete it if nobody uses it",
        "endpoints",
        endpoint.name,
        amount,
    )
