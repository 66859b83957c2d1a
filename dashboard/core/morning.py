"""What the first page tells of an account beside runs, endpoints and money: each part may be missing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from dashboard.core import alarms, attention_risks
from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.data import buckets
from dashboard.core.data.datasets import Dataset
from dashboard.core.errors import KennelError
from dashboard.core.first_steps import Found
from dashboard.core.overview import Attention
from dashboard.core.parallel import gather
from dashboard.core.serving.asked import asked_lately
from dashboard.core.serving.functions.functions import list_functions
from dashboard.core.serving.model import Endpoint

T = TypeVar("T")


@dataclass(frozen=True)
class Morning:
    """items: what needs attention, in no order. unread: which parts could not be looked at, and why."""

    items: tuple[Attention, ...] = ()
    unread: tuple[Unread, ...] = ()


def look(aws: Aws, now: datetime) -> Morning:
    """What watches the account, and what lies open in it. Raises nothing of `Aws.call`."""

    def ringing() -> Iterable[Attention]:
        return attention_risks.of_alarms(alarms.ringing(aws), now)

    def open_buckets() -> Iterable[Attention]:
        return buckets.findings(buckets.read(aws))

    parts: dict[str, Callable[[], Iterable[Attention]]] = {"alarms": ringing, "buckets": open_buckets}
    told = gather(lambda part: _part(*part), parts.items())
    items = tuple(item for found, _ in told for item in found or ())
    return Morning(items, tuple(unread for _, unread in told if unread is not None))


def found(aws: Aws, datasets: Callable[[], tuple[Dataset, ...]], endpoints: Iterable[Endpoint], now: datetime) -> Found:
    """What the steps of somebody new are ticked off by. Raises nothing of `Aws.call`: what is not read is None."""
    return Found(
        _part("datasets", datasets)[0],
        _part("functions", lambda: list_functions(aws))[0],
        _part("requests", lambda: asked_lately(aws, endpoints, now))[0],
    )


def _part(what: str, look: Callable[[], T]) -> tuple[T | None, Unread | None]:
    """What a look found, or why there is nothing."""
    try:
        return look(), None
    except KennelError as problem:
        return None, Unread(what, problem)
