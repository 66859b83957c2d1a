"""Every receipt of an account beside those of its runs: each part is read for itself, and one that fails is said. Pure
of clocks and caches: whoever looks often keeps what it gives (see `ledger_book`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from dashboard.core.aws import Aws
from dashboard.core.costs.endpoint_receipt import present_receipt
from dashboard.core.costs.ledger import Unread
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Receipt
from dashboard.core.errors import KennelError
from dashboard.core.parallel import gather
from dashboard.core.serving.endpoints import list_endpoints

Collector = Callable[[Aws, PriceBook, datetime], tuple[Receipt, ...]]


@dataclass(frozen=True)
class Collected:
    """What could be read at a moment, and what could not."""

    receipts: tuple[Receipt, ...] = ()
    unread: tuple[Unread, ...] = field(default=())


def endpoints(aws: Aws, prices: PriceBook, now: datetime) -> tuple[Receipt, ...]:
    """Of the endpoints that are there."""
    account = aws.account
    return tuple(
        present_receipt(one, prices, account.region, now, is_embedded=account.is_embedded)
        for one in list_endpoints(aws, prices)
    )


COLLECTORS: tuple[tuple[str, Collector], ...] = (("Endpoints", endpoints),)


def collect(aws: Aws, prices: PriceBook, now: datetime) -> Collected:
    """All parts side by side. Raises nothing of `Aws.call`: what could not be read is told in `unread`."""

    def read(part: tuple[str, Collector]) -> tuple[Receipt, ...] | Unread:
        what, collector = part
        try:
            return collector(aws, prices, now)
        except KennelError as problem:
            return Unread(what, problem)

    found = gather(read, COLLECTORS)
    return Collected(
        tuple(receipt for one in found if not isinstance(one, Unread) for receipt in one),
        tuple(one for one in found if isinstance(one, Unread)),
    )
