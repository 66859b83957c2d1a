"""A load test, ready to be confirmed: how much it asks at most, for how long, and what that costs. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from dashboard.core.aws import Account
from dashboard.core.costs import charges
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quote import Quote
from dashboard.core.errors import InvalidInput, ReadOnly, Refused
from dashboard.core.format import count, duration
from dashboard.core.serving.measure.result import machine
from dashboard.core.serving.scaling.scaling import Scaling
from dashboard.core.serving.scaling.variant import Kind
from dashboard.core.showcode import connection

CLIENTS = (1, 2, 4, 8, 16, 32)
"""Clients at once, level by level. More would wait for a connection of this process, not for the endpoint."""
HOLD = (2, 60)
MOST_REQUESTS = (20, 200_000)
TAIL = timedelta(minutes=15)
"""How long instances that the load makes auto scaling add stay at least: the low alarm looks at 15 minutes."""
PHOTO = 25_000
"""Bytes of a drawn photo, about."""


@dataclass(frozen=True)
class Plan:
    """Levels of clients for `hold` seconds each. cost: what it adds at most; `words` says what that is made of.

    instances: 0 for a serverless variant, which has none.
    """

    endpoint: str
    variant: str
    instance_type: str
    instances: int
    levels: tuple[int, ...]
    hold: float
    most_requests: int
    cost: Decimal | None
    words: str
    code: str

    @property
    def seconds(self) -> float:
        """How long it takes at most, but for the answers that are still on their way."""
        return self.hold * len(self.levels)

    @property
    def machine(self) -> str:
        """What answers: "1 instance of ml.m5.large", "serverless, 3072 MB"."""
        return machine(self.instances, self.instance_type)

    @property
    def key(self) -> tuple[str, str]:
        return self.endpoint, self.variant

    @property
    def summary(self) -> str:
        """The plan in one sentence."""
        steps = ", ".join(map(str, self.levels))
        return (
            f"Ask {self.endpoint} with {steps} clients at once, {duration(self.hold)} each: at most "
            f"{duration(self.seconds)} and {count(self.most_requests, 'photo')}."
        )


def plan(
    scaling: Scaling,
    price: Quote,
    prices: PriceBook,
    *,
    account: Account,
    now: datetime,
    most_clients: int = 16,
    hold: float = 5,
    most_requests: int = 5000,
) -> Plan:
    """A load test of a variant. price: of one of its instances for an hour.

    Raises InvalidInput for what is out of bounds, Refused for an endpoint that does not serve, ReadOnly on a connection
    that may change nothing: load may make auto scaling add instances, and visitors wait behind it.
    """
    variant = scaling.variant
    if not account.writable:
        raise ReadOnly(
            f"the endpoint {variant.endpoint} was not measured",
            "this tab only reads the account, and load may make it scale out",
            "allow changes on the page Settings, under Account",
        )
    if not variant.status.is_serving:
        raise Refused(
            f"the endpoint {variant.endpoint} cannot be measured",
            f"it is {variant.status.word}",
            "wait until it serves",
        )
    levels = tuple(one for one in CLIENTS if one <= most_clients)
    if not levels or most_clients not in CLIENTS:
        raise InvalidInput(f"{most_clients} clients are no level", "it doubles from 1 to 32", "choose one of these")
    for value, (least, most), what in ((hold, HOLD, "seconds a level"), (most_requests, MOST_REQUESTS, "photos")):
        if not least <= value <= most:
            raise InvalidInput(f"{value:g} {what} are out of bounds", f"from {least:g} to {most:,}", "choose another")
    cost, words = _cost(scaling, price, prices, account.region, now, levels, hold)
    data = f"{count(round(most_requests * PHOTO / 1e6), 'MB', 'MB')} go in at most, which AWS bills by the GB"
    return Plan(
        variant.endpoint,
        variant.name,
        variant.instance_type or f"serverless, {variant.memory_mb} MB",
        variant.current if variant.kind.has_instances else 0,
        levels,
        hold,
        most_requests,
        cost,
        f"{words}; {data}",
        _code(variant.endpoint, variant.name, levels, hold, account),
    )


def _cost(
    scaling: Scaling, price: Quote, prices: PriceBook, region: str, now: datetime, levels: tuple[int, ...], hold: float
) -> tuple[Decimal | None, str]:
    """What it adds at most to what is paid anyway, and why."""
    variant, seconds = scaling.variant, hold * len(levels)
    if variant.kind is Kind.SERVERLESS:
        busy = sum(levels) * hold * 1000
        lines = charges.serverless(
            prices, region, memory_mb=variant.memory_mb, duration_ms=busy, started=now, ended=now + TAIL
        )
        line = lines[0]
        return line.amount, line.why_unknown or "a serverless endpoint is billed while it answers: all clients, always"
    room = (scaling.settings.maximum if scaling.settings and scaling.settings.policies else 0) - variant.current
    if room <= 0:
        return Decimal(0), "its instances are paid by the hour anyway"
    if price.amount is None:
        return None, f"auto scaling may add {count(room, 'instance')}, of unknown price"
    added = price.amount * room * Decimal(repr(seconds + TAIL.total_seconds())) / 3600
    return added, (
        f"its instances are paid anyway; if auto scaling adds {count(room, 'instance')}, they stay "
        f"{duration(TAIL.total_seconds())} or longer"
    )


def _code(endpoint: str, variant: str, levels: tuple[int, ...], hold: float, account: Account) -> str:
    """The same load as a program."""
    return f"""import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles

{connection(account, "sagemaker-runtime")}
photo = Path("photo.jpg").read_bytes()


def client(until):
    seconds = []
    while time.perf_counter() < until:
        begun = time.perf_counter()
        sagemaker_runtime.invoke_endpoint(
            EndpointName={endpoint!r}, TargetVariant={variant!r}, ContentType="image/jpeg", Body=photo
        )["Body"].read()
        seconds.append(time.perf_counter() - begun)
    return seconds


for clients in {levels!r}:
    until = time.perf_counter() + {hold:g}
    with ThreadPoolExecutor(clients) as pool:
        seconds = [one for found in pool.map(client, [until] * clients) for one in found]
    p = quantiles(seconds, n=100)
    print(clients, "clients:", len(seconds) / {hold:g}, "a second, p50", p[49], "p99", p[98])
"""
