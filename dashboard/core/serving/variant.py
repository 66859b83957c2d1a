"""A production variant: one model of an endpoint, with the instances that serve it and its share of the requests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from dashboard.core.costs.prices import Extra, Kind, PriceBook
from dashboard.core.costs.quote import Quote, hourly, unknown
from dashboard.core.format import size

MEMORY_MB = tuple(range(1024, 6145, 1024))
"""Memory sizes of serverless endpoints. Source: ProductionVariantServerlessConfig of the SageMaker API reference."""
CONCURRENCY = (1, 200)
SERVERLESS_PRICED_MB = 3072
BY_USE = "a serverless endpoint is billed for the time that it answers, and costs nothing while nobody asks it"
PROVISIONED = "the price book has no price for what a serverless endpoint keeps ready"
NO_TYPE = "the endpoint's configuration names no instance type"


@dataclass(frozen=True)
class Serverless:
    """What a variant without instances may use. `provisioned` processes are kept ready, 0 for none."""

    memory_mb: int
    max_concurrency: int
    provisioned: int = 0

    @classmethod
    def told(cls, config: Mapping[str, Any]) -> "Serverless":
        """From ServerlessConfig."""
        return cls(
            int(config["MemorySizeInMB"]), int(config["MaxConcurrency"]), int(config.get("ProvisionedConcurrency", 0))
        )

    @property
    def asked(self) -> dict[str, int]:
        """As ServerlessConfig wants it."""
        config = {"MemorySizeInMB": self.memory_mb, "MaxConcurrency": self.max_concurrency}
        return {**config, **({"ProvisionedConcurrency": self.provisioned} if self.provisioned else {})}

    @property
    def words(self) -> str:
        ready = f", {self.provisioned} kept ready" if self.provisioned else ""
        return f"serverless, {size(self.memory_mb * 1024**2)}, {self.max_concurrency} at once{ready}"


@dataclass(frozen=True)
class Variant:
    """One variant as it is now: `count` of `desired` instances are there; `weight` is its part of all weights.

    `hourly` is what its instances cost for an hour in service. `steps`: what AWS says is being done to it.
    """

    name: str
    model_name: str
    instance_type: str
    count: int
    desired: int
    weight: float
    desired_weight: float
    hourly: Quote
    serverless: Serverless | None = None
    steps: tuple[str, ...] = ()

    @property
    def machine(self) -> str:
        """ "2 × ml.m5.large", "serverless, 3.0 GiB, 5 at once", or "" when the configuration is gone."""
        if self.serverless:
            return self.serverless.words
        several = self.instance_type and self.count > 1
        return f"{self.count} × {self.instance_type}" if several else self.instance_type


@dataclass(frozen=True)
class Pending:
    """A deployment that goes on: to which configuration, since when, and its variants as they come."""

    config: str
    since: datetime | None
    variants: tuple[Variant, ...]


def read(
    asked: Sequence[Mapping[str, Any]], running: Sequence[Mapping[str, Any]], prices: PriceBook, region: str
) -> tuple[Variant, ...]:
    """Variants from a configuration's ProductionVariants and what DescribeEndpoint says runs.

    Either may be missing: a configuration may be deleted, and an endpoint that is being made has nothing running.
    """
    told = {one["VariantName"]: one for one in running}
    names = list(dict.fromkeys([*(one.get("VariantName", "") for one in asked), *told]))
    wanted = {one.get("VariantName", ""): one for one in asked}
    return tuple(_variant(name, wanted.get(name, {}), told.get(name, {}), prices, region) for name in names)


def _variant(
    name: str, asked: Mapping[str, Any], running: Mapping[str, Any], prices: PriceBook, region: str
) -> Variant:
    config = running.get("CurrentServerlessConfig") or asked.get("ServerlessConfig")
    serverless = Serverless.told(config) if config else None
    instance_type = str(asked.get("InstanceType", ""))
    first = 0 if serverless else int(asked.get("InitialInstanceCount", 0))
    count = int(running.get("CurrentInstanceCount", first))
    weight = float(running.get("CurrentWeight", asked.get("InitialVariantWeight", 1.0)))
    return Variant(
        name=name,
        model_name=str(asked.get("ModelName", "")),
        instance_type=instance_type,
        count=count,
        desired=int(running.get("DesiredInstanceCount", count)),
        weight=weight,
        desired_weight=float(running.get("DesiredWeight", weight)),
        hourly=_hourly(prices, instance_type, region, count, serverless),
        serverless=serverless,
        steps=tuple(_steps(running.get("VariantStatus", ()))),
    )


def _steps(told: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for one in told:
        message = str(one.get("StatusMessage", ""))
        yield f"{one['Status']}: {message}" if message else str(one["Status"])


def _hourly(prices: PriceBook, instance_type: str, region: str, count: int, serverless: Serverless | None) -> Quote:
    if serverless:
        return unknown(PROVISIONED if serverless.provisioned else BY_USE)
    return hourly(prices, Kind.ENDPOINT, instance_type, region, count) if instance_type else unknown(NO_TYPE)


def together(variants: Sequence[Variant]) -> Quote:
    """What all variants cost for an hour; where some are unknown, at least what the others are."""
    if len(variants) == 1:
        return variants[0].hourly
    known = [one.hourly for one in variants if one.hourly.amount is not None]
    missing = [one for one in variants if one.hourly.amount is None]
    if not known:
        return missing[0].hourly if missing else unknown(NO_TYPE)
    summed = sum((one.amount for one in known if one.amount is not None), Decimal(0))
    return Quote(
        amount=None if missing else summed,
        unit_price=known[0].unit_price if len({one.unit_price for one in known}) == 1 else None,
        seconds=3600,
        count=sum(one.count for one in known),
        currency=known[0].currency,
        source=known[0].source,
        date=known[0].date,
        why_unknown=f"{missing[0].name}: {missing[0].hourly.why_unknown}" if missing else "",
        is_estimate=any(one.is_estimate for one in known),
        basis="one hour",
        least=summed if missing else None,
    )


def answering(serverless: Serverless, prices: PriceBook, region: str, seconds: int = 1000) -> Quote:
    """What a serverless variant costs for seconds of computing; only the price of 3 GB is in the book."""
    price = prices.beside(Extra.SERVERLESS_3GB, region) if serverless.memory_mb == SERVERLESS_PRICED_MB else None
    if price is None:
        return unknown(f"the price book has no price for a serverless endpoint of {serverless.memory_mb:,} MB here")
    return Quote(
        amount=price.amount * seconds,
        unit_price=price.amount,
        seconds=seconds,
        count=1,
        currency=price.currency,
        source=price.source,
        date=price.date,
        is_estimate=price.is_estimate,
        basis="of answering",
    )


def shares(variants: Sequence[Variant]) -> dict[str, float]:
    """By name, which share of the requests each variant is sent."""
    whole = sum(one.weight for one in variants)
    return {one.name: one.weight / whole if whole else 0.0 for one in variants}
