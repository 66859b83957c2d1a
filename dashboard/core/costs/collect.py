"""Every receipt of an account beside those of its runs. Each part is read for itself, and one that fails is said.

Whoever looks often keeps what this gives: see `ledger_book`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.core.aws import Aws
from dashboard.core.costs import bill_requests
from dashboard.core.costs.collect_endpoints import endpoints
from dashboard.core.costs.ledger import Unread
from dashboard.core.costs.lifetimes import NEVER_SERVED
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Receipt
from dashboard.core.costs.trail import Happening
from dashboard.core.costs.trail_book import TrailBook
from dashboard.core.errors import KennelError
from dashboard.core.parallel import gather
from dashboard.core.runs.model import Run

TRAIL = "Deleted endpoints and past changes (CloudTrail)"


@dataclass(frozen=True)
class Sources:
    """What the parts are read from, at the moment `now`."""

    aws: Aws
    prices: PriceBook
    now: datetime
    happenings: Sequence[Happening] = ()
    failed: Sequence[str] = ()
    runs: Sequence[Run] = ()


@dataclass(frozen=True)
class Collected:
    """What could be read at a moment, and what could not."""

    receipts: tuple[Receipt, ...] = ()
    unread: tuple[Unread, ...] = ()


def _endpoints(of: Sources) -> tuple[Receipt, ...]:
    return endpoints(of.aws, of.prices, of.now, of.happenings, of.failed)


def _requests(of: Sources) -> tuple[Receipt, ...]:
    account = of.aws.account
    return bill_requests.receipts(bill_requests.read(bill_requests.place(account)), is_embedded=account.is_embedded)


COLLECTORS: tuple[tuple[str, Callable[[Sources], tuple[Receipt, ...]]], ...] = (
    ("Endpoints", _endpoints),
    ("Questions to Cost Explorer", _requests),
)


def collect(
    aws: Aws, prices: PriceBook, now: datetime, trail: TrailBook, runs: Sequence[Run] = (), *, again: bool = False
) -> Collected:
    """All parts side by side; CloudTrail first, `again` even when it was asked a moment ago.

    Raises nothing of `Aws.call`: what could not be read is told in `unread`.
    """
    happenings, problem = trail.look(aws, now, again=again)
    of = Sources(aws, prices, now, happenings, trail.failed, runs)

    def read(part: tuple[str, Callable[[Sources], tuple[Receipt, ...]]]) -> tuple[Receipt, ...] | Unread:
        what, collector = part
        try:
            return collector(of)
        except KennelError as problem:
            return Unread(what, problem)

    found = gather(read, COLLECTORS)
    receipts = tuple(receipt for one in found if not isinstance(one, Unread) for receipt in one)
    trail.note_failed(tuple(one.key for one in receipts if NEVER_SERVED in one.notes))
    unread = [one for one in found if isinstance(one, Unread)]
    return Collected(receipts, (*unread, *((Unread(TRAIL, problem),) if problem else ())))
