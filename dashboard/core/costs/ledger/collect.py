"""Every receipt of an account beside those of its runs. Each part is read for itself, and one that fails is said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from dashboard.core.aws import Aws
from dashboard.core.costs.attempt import attempt
from dashboard.core.costs.bill.requests import requests
from dashboard.core.costs.ledger import deleted_runs
from dashboard.core.costs.ledger.buckets import buckets
from dashboard.core.costs.ledger.ec2 import addresses, volumes
from dashboard.core.costs.ledger.endpoints import EndpointReader
from dashboard.core.costs.ledger.functions import functions
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.costs.ledger.notebooks import notebooks
from dashboard.core.costs.ledger.trail import Happening
from dashboard.core.costs.ledger.trail_book import TrailBook
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Receipt
from dashboard.core.errors import KennelError
from dashboard.core.parallel import gather
from dashboard.core.runs.model import Run

TRAIL = "Deleted endpoints and past changes (CloudTrail)"
OFTEN, SELDOM, HOURLY = timedelta(seconds=15), timedelta(minutes=2), timedelta(hours=1)


@dataclass(frozen=True)
class Sources:
    """What the parts are read from, at the moment `now`."""

    aws: Aws
    prices: PriceBook
    now: datetime
    trail: TrailBook
    endpoints: EndpointReader
    happenings: Sequence[Happening] = ()
    runs: Sequence[Run] = ()


@dataclass(frozen=True)
class Part:
    """One part of an account: its name for a person, how it is read, and how old a reading may be.

    One that is `asked_apart` is read again only when it is that old, even after Kennel changed something: what it asks
    for is not free.
    """

    what: str
    read: Callable[[Sources], tuple[Receipt, ...]]
    fresh: timedelta
    asked_apart: bool = False


PARTS = (
    Part("Endpoints", lambda of: of.endpoints.receipts(of.aws, of.prices, of.now, of.trail), OFTEN),
    Part("Deleted runs", lambda of: deleted_runs.receipts(of.aws.account, of.prices, of.now), OFTEN),
    Part("Notebooks", lambda of: notebooks(of.aws, of.prices, of.now, of.happenings), SELDOM),
    Part("Volumes", lambda of: volumes(of.aws, of.prices, of.now, of.runs), SELDOM),
    Part("Addresses", lambda of: addresses(of.aws, of.prices, of.now, of.happenings), SELDOM),
    Part("Lambda functions", lambda of: functions(of.aws, of.prices, of.now, of.happenings), HOURLY, asked_apart=True),
    Part("Questions to Cost Explorer", lambda of: requests(of.aws.account), OFTEN),
    Part("S3 storage", lambda of: buckets(of.aws, of.prices, of.now), HOURLY, asked_apart=True),
)


@dataclass(frozen=True)
class Collected:
    """What could be read at a moment, and what could not."""

    receipts: tuple[Receipt, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True)
class _Found:
    """The last reading of a part that came through, `at` its moment; and why none has since, when it was `tried`."""

    tried: datetime
    prices: PriceBook
    receipts: tuple[Receipt, ...] = ()
    at: datetime | None = None
    problem: KennelError | None = None

    def unread(self, what: str) -> Unread | None:
        """What the receipts lack."""
        if self.problem is None:
            return None
        return Unread(what if self.at is None else f"{what} since {self.at.astimezone(UTC):%H:%M} UTC", self.problem)


@dataclass
class Collector:
    """Reads all parts of ONE account side by side, and keeps those that are fresh. Used by one thread at a time."""

    trail: TrailBook
    parts: Sequence[Part] = PARTS
    _endpoints: EndpointReader = field(default_factory=EndpointReader)
    _kept: dict[str, _Found] = field(default_factory=dict)

    def collect(
        self, aws: Aws, prices: PriceBook, now: datetime, runs: Sequence[Run] = (), *, again: bool = False
    ) -> Collected:
        """CloudTrail first, then the parts; `again`: something was changed, so that nothing is fresh.

        Raises nothing of `Aws.call`: what could not be read is told in `unread`, and what it was before stays.
        """
        happenings, unseen = self.trail.look(aws, now, again=again)
        of = Sources(aws, prices, now, self.trail, self._endpoints, happenings, runs)
        due = [part for part in self.parts if self._is_due(part, of, again=again)]
        for part, found in zip(due, gather(lambda part: attempt(lambda: part.read(of)), due), strict=True):
            before = self._kept.get(part.what)
            if not isinstance(found, KennelError):
                self._kept[part.what] = _Found(now, prices, found, now)
            elif before is None:
                self._kept[part.what] = _Found(now, prices, problem=found)
            else:
                self._kept[part.what] = replace(before, tried=now, prices=prices, problem=found)
        held = [self._kept[part.what] for part in self.parts]
        receipts = tuple(receipt for one in held for receipt in one.receipts)
        unread = [one.unread(part.what) for part, one in zip(self.parts, held, strict=True)]
        unread.append(Unread(TRAIL, unseen) if unseen else None)
        return Collected(receipts, tuple(one for one in unread if one is not None))

    def _is_due(self, part: Part, of: Sources, *, again: bool) -> bool:
        if part.what not in self._kept:
            return True
        known = self._kept[part.what]
        is_old = known.prices is not of.prices or of.now - known.tried >= part.fresh
        return is_old or (again and not part.asked_apart)
