"""How many of a function may run at once, how many are kept ready: what is wanted, what Lambda would refuse, the plan.

Reserved concurrency is free, and a ceiling: so many may run at once, and no other function can take them. Provisioned
concurrency costs for as long as it is there, and is warm: so many environments are started before they are asked.
Source: Lambda Developer Guide, "Configuring reserved concurrency" and "Configuring provisioned concurrency".
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from dashboard.core.costs import charges
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quantities import MONTH_HOURS
from dashboard.core.format import money
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.scaled import Scaling

KEPT_FREE = 100
"""Of the account's concurrency so many must stay with functions that reserve none; Lambda refuses to go below."""
QUOTA = "L-B99A9384"
"""Service Quotas' code of "Concurrent executions"."""
HONEST = (
    "Reserved concurrency is free. It is a ceiling: so many invocations run at once, the next one is refused with a "
    "429, and no other function can take these places. It warms nothing: the first call still starts cold. "
    "Provisioned concurrency costs money every second it is there, asked or not. It is warm: so many environments "
    "have started before a call comes; calls beyond them run as ever, and start cold. The write-ups of this workflow "
    "mix the two up: what they pay $5.41 a month for is provisioned."
)
_ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Concurrency:
    """What is wanted of one alias or version. reserved: None for no ceiling of its own; provisioned: 0 for none."""

    qualifier: str
    reserved: int | None = None
    provisioned: int = 0
    scaling: Scaling | None = None


def of(details: Details, qualifier: str) -> Concurrency:
    """As it is set now."""
    kept = details.provisioned_of(qualifier)
    scaled = details.scaled_of(qualifier)
    return Concurrency(
        qualifier, details.function.reserved, kept.requested if kept else 0, scaled.settings if scaled else None
    )


def at_once(per_minute: float, seconds: float) -> float:
    """How many run at once on average: invocations a second × how long each takes (Little's law)."""
    return per_minute / 60 * seconds


def enough(per_minute: float, seconds: float, misses: float = 0.01) -> int:
    """So many environments that at most a share of `misses` finds none free, for calls at random moments.

    By Erlang's loss formula (A. K. Erlang, 1917): it holds whatever the spread of the durations.
    """
    load, number, loss = at_once(per_minute, seconds), 0, 1.0
    while loss > misses:
        number += 1
        loss = load * loss / (number + load * loss)
    return number


def kept_ready_cost(
    prices: PriceBook, region: str, *, memory_mb: int, number: int, arm: bool, hours: Decimal
) -> Decimal | None:
    """USD for keeping `number` environments ready for some hours, invocations not counted; None when unknown."""
    if not number:
        return Decimal(0)
    ended = _ALWAYS + timedelta(seconds=float(hours * 3600))
    lines = charges.provisioned(
        prices, region, memory_mb=memory_mb, count=number, started=_ALWAYS, ended=ended, arm=arm, goes_on=True
    )
    amounts = [line.amount for line in lines]
    return None if None in amounts else sum((each for each in amounts if each is not None), Decimal(0))


def write_up(prices: PriceBook) -> str:
    """How the $5.41 of the write-ups comes about, reckoned from the price book; region and memory are inferred.

    They name neither: this is the one combination of a region and a memory that gives it.
    """
    hours, number, memory = Decimal(744), 3, 128

    def of(region: str) -> str:
        return money(kept_ready_cost(prices, region, memory_mb=memory, number=number, arm=False, hours=hours))

    return (
        f"{number} × {memory} MB kept ready for {hours} h, a month of 31 days, cost {of('ap-northeast-1')} in "
        f"ap-northeast-1, which the write-ups tell, and {of('us-east-1')} in us-east-1."
    )


def monthly(hourly: Decimal | None, hours: Decimal = MONTH_HOURS) -> Decimal | None:
    """An hourly sum over a month of so many hours."""
    return None if hourly is None else hourly * hours
