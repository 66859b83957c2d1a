"""What the first page tells of an account beside runs, endpoints and money: each part may be missing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from dashboard.core import alarms, attention_risks
from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.data import buckets
from dashboard.core.data.datasets import Dataset
from dashboard.core.errors import KennelError
from dashboard.core.first_steps import Found, calling
from dashboard.core.overview import Attention
from dashboard.core.parallel import gather
from dashboard.core.serving.asked import asked_lately, called_lately
from dashboard.core.serving.functions.functions import list_functions
from dashboard.core.serving.model import Endpoint
from dashboard.core.setup import missing, quotas, stack

T = TypeVar("T")


@dataclass(frozen=True)
class Morning:
    """items: what needs attention, in no order. unread: which parts could not be looked at, and why."""

    items: tuple[Attention, ...] = ()
    unread: tuple[Unread, ...] = ()
    is_changing: bool = False
    """The account is being set up at this moment: soon it is otherwise."""

    def with_more(self, other: "Morning") -> "Morning":
        return Morning(
            (*self.items, *other.items), (*self.unread, *other.unread), self.is_changing or other.is_changing
        )

    @property
    def is_about_set_up(self) -> bool:
        """Whether setting the account up makes it untrue."""
        return self.is_changing or any(one.page == "setup" for one in self.items)


def alarming(aws: Aws, now: datetime) -> Morning:
    """What watches the account and has gone off: one call. Raises nothing of `Aws.call`."""
    return _told({"alarms": lambda: attention_risks.of_alarms(alarms.ringing(aws), now)})


def lying_open(aws: Aws) -> Morning:
    """What lies open in the account, and what it lacks: dozens of calls. Raises nothing of `Aws.call`."""
    busy, _ = _part("stack", lambda: stack.is_busy(aws))
    parts: dict[str, Callable[[], Iterable[Attention]]] = {
        "quotas": lambda: attention_risks.of_quotas(quotas.read(aws).zero)
    }
    if busy:  # what is half made is neither missing nor unsafe
        return replace(_told(parts).with_more(Morning(attention_risks.BEING_SET_UP)), is_changing=True)
    return _told(
        {
            "buckets": lambda: buckets.findings(buckets.read(aws)),
            "what is set up": lambda: attention_risks.of_missing(missing.missing(aws)),
            **parts,
        }
    )


def _told(parts: Mapping[str, Callable[[], Iterable[Attention]]]) -> Morning:
    told = gather(lambda part: _part(*part), parts.items())
    items = tuple(item for found, _ in told for item in found or ())
    return Morning(items, tuple(unread for _, unread in told if unread is not None))


def found(aws: Aws, datasets: Callable[[], tuple[Dataset, ...]], endpoints: Iterable[Endpoint], now: datetime) -> Found:
    """What the steps of somebody new are ticked off by. Raises nothing of `Aws.call`: what is not read is None."""
    functions, _ = _part("functions", lambda: list_functions(aws))
    return Found(
        _part("datasets", datasets)[0],
        functions,
        _part("requests", lambda: asked_lately(aws, endpoints, now))[0],
        _part("calls", lambda: called_lately(aws, calling(functions or ()), now))[0],
    )


def _part(what: str, look: Callable[[], T]) -> tuple[T | None, Unread | None]:
    """What a look found, or why there is nothing."""
    try:
        return look(), None
    except KennelError as problem:
        return None, Unread(what, problem)
