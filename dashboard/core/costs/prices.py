"""The price book: what AWS asks for each thing, as shipped in prices.json or as AWS told later, sourced and dated."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

SHIPPED = Path(__file__).with_name("prices.json")


class Confidence(StrEnum):
    """How good a figure is."""

    LISTED = "listed"
    WEAK = "weak"
    ESTIMATE = "estimate"

    @property
    def word(self) -> str:
        """It, for a person."""
        return "weaker source" if self is Confidence.WEAK else self.value


class Extra(StrEnum):
    """What is charged for beside instance-hours. Each has a price of its own in each region."""

    GP3 = "gp3"
    GP2 = "gp2"
    PUBLIC_IPV4 = "public-ipv4"
    S3_STANDARD = "s3-standard"
    ML_STORAGE = "ml-storage"
    ENDPOINT_DATA = "endpoint-data"
    SERVERLESS_3GB = "serverless-3gb"
    LAMBDA_REQUEST = "lambda-request"
    LAMBDA_DURATION_X86 = "lambda-duration-x86"
    LAMBDA_DURATION_ARM = "lambda-duration-arm"
    LAMBDA_EPHEMERAL = "lambda-ephemeral"
    LAMBDA_PROVISIONED = "lambda-provisioned"
    LAMBDA_PROVISIONED_DURATION = "lambda-provisioned-duration"
    NAT_HOUR = "nat-hour"
    NAT_DATA = "nat-data"
    LOGS = "logs"
    ECR = "ecr"

    @property
    def word(self) -> str:
        """It, for a person."""
        return _WORDS[self]


_WORDS = {
    Extra.GP3: "EBS volume, gp3",
    Extra.GP2: "EBS volume, gp2",
    Extra.PUBLIC_IPV4: "public IPv4 address",
    Extra.S3_STANDARD: "S3 Standard storage",
    Extra.ML_STORAGE: "storage of SageMaker instances",
    Extra.ENDPOINT_DATA: "data into and out of an endpoint",
    Extra.SERVERLESS_3GB: "serverless endpoint, 3 GB, while it answers",
    Extra.LAMBDA_REQUEST: "Lambda request",
    Extra.LAMBDA_DURATION_X86: "Lambda duration, x86",
    Extra.LAMBDA_DURATION_ARM: "Lambda duration, ARM",
    Extra.LAMBDA_EPHEMERAL: "Lambda storage over 512 MB",
    Extra.LAMBDA_PROVISIONED: "Lambda provisioned, kept ready",
    Extra.LAMBDA_PROVISIONED_DURATION: "Lambda provisioned, duration",
    Extra.NAT_HOUR: "NAT gateway",
    Extra.NAT_DATA: "data through a NAT gateway",
    Extra.LOGS: "CloudWatch Logs, ingested",
    Extra.ECR: "ECR image storage",
}


class Kind(StrEnum):
    """What is charged for by the hour."""

    SAGEMAKER_TRAINING = "sagemaker-training"
    ENDPOINT = "endpoint"
    EC2 = "ec2"
    NOTEBOOK = "notebook"

    @property
    def is_sagemaker(self) -> bool:
        return self is not Kind.EC2


@dataclass(frozen=True)
class Price:
    """One instance for one hour, unless `per` says another unit: `amount` in `currency`, its source and day."""

    amount: Decimal
    currency: str
    source: str
    date: date
    confidence: Confidence = Confidence.LISTED
    per: str = "h"

    @property
    def is_estimate(self) -> bool:
        return self.confidence is Confidence.ESTIMATE


@dataclass(frozen=True)
class Observation:
    """What spot was seen to cost an hour, on its day: from `lowest` to `highest`. No list price, and no promise."""

    instance_type: str
    region: str
    lowest: Decimal
    highest: Decimal
    currency: str
    source: str
    date: date


Dated = tuple[Price, ...]
"""The prices that one thing is known to have had, oldest first. Never empty."""


@dataclass(frozen=True)
class PriceBook:
    """Prices by (kind, instance type, region), with their history. It does not change; `with_prices` gives another."""

    prices: Mapping[tuple[Kind, str, str], Dated]
    markups: Mapping[str, Decimal]
    markup_source: str
    markup_date: date
    unknown: Mapping[str, str]
    extras: Mapping[tuple[Extra, str], Dated] = field(default_factory=dict)
    observed: tuple[Observation, ...] = ()

    @classmethod
    def load(cls, file: Path = SHIPPED) -> "PriceBook":
        """Read the shipped prices (or another file of the same form). Raises KeyError or ValueError on a bad file."""
        book: dict[str, Any] = json.loads(file.read_text())

        def read(row: Mapping[str, Any]) -> Price:
            source = book["sources"][row["source"]]
            return Price(
                Decimal(row["amount"]),
                book["currency"],
                source["title"],
                date.fromisoformat(source["date"]),
                Confidence(source["confidence"]),
                row.get("per", "h"),
            )

        def observation(row: Mapping[str, Any]) -> Observation:
            source = book["sources"][row["source"]]
            day = date.fromisoformat(source["date"])
            lowest, highest = Decimal(row["lowest"]), Decimal(row["highest"])
            return Observation(row["instance"], row["region"], lowest, highest, book["currency"], source["title"], day)

        markup = book["markup"]
        return cls(
            prices=_together(
                ((Kind(kind), row["instance"], row["region"]), read(row))
                for row in book["prices"]
                for kind in row["kinds"]
            ),
            markups={family: Decimal(factor) for family, factor in markup["families"].items()},
            markup_source=markup["title"],
            markup_date=date.fromisoformat(markup["date"]),
            unknown=book["unknown"],
            extras=_together(((Extra(row["what"]), row["region"]), read(row)) for row in book["extras"]),
            observed=tuple(observation(row) for row in book.get("observed", ())),
        )

    def with_prices(
        self,
        prices: Iterable[tuple[tuple[Kind, str, str], Price]],
        extras: Iterable[tuple[tuple[Extra, str], Price]] = (),
        *,
        read_on: date | None = None,
    ) -> "PriceBook":
        """The book with further prices, each beside those that were known.

        One of the same day takes the place of another amount; the same amount says nothing new, and changes nothing.
        `read_on`: AWS told these on that day, and so that they hold since their own day: what others told in between
        gives way.
        """
        prices, extras = tuple(prices), tuple(extras)
        return replace(
            self,
            prices=_together(prices, _before(self.prices, prices, read_on)),
            extras=_together(extras, _before(self.extras, extras, read_on)),
        )

    def price(
        self, kind: Kind | str, instance_type: str, region: str, at: datetime | date | None = None
    ) -> Price | None:
        """The price per instance-hour in force at a moment, the newest without one; None when unknown (`why_unknown`).

        That is the newest that was collected on or before the moment's UTC day, else the first that is known. An
        estimate counts only where no figure is known. Where SageMaker's own price is not in the book, EC2's times
        SageMaker's usual markup is given, as an estimate that says so in its source.
        """
        kind = Kind(kind)
        found = self.prices.get((kind, instance_type, region))
        if found:
            return in_force(found, at)
        return self._by_markup(instance_type, region, at) if kind.is_sagemaker else None

    def beside(self, what: Extra, region: str, at: datetime | date | None = None) -> Price | None:
        """The price of something beside instance-hours, as `price` chooses it, or None when it is not in the book."""
        found = self.extras.get((what, region))
        return in_force(found, at) if found else None

    def changes(self, kind: Kind, instance_type: str, region: str) -> tuple[date, ...]:
        """The UTC days from which `price` is another amount than before; empty for a price that never changed."""
        found = self.prices.get((kind, instance_type, region))
        if not found and kind.is_sagemaker:
            found = self.prices.get((Kind.EC2, instance_type.removeprefix("ml."), region))
        return _changes(found or ())

    def changes_beside(self, what: Extra, region: str) -> tuple[date, ...]:
        """The same for `beside`."""
        return _changes(self.extras.get((what, region), ()))

    def why_unknown(self, kind: Kind | str, instance_type: str, region: str) -> str:
        """Why `price` gives None, as part of a sentence; "" when it does not."""
        if self.price(kind, instance_type, region):
            return ""
        for prefix, reason in self.unknown.items():
            if instance_type.startswith(prefix):
                return f"no price for {instance_type}: {reason}"
        return f"no price for {instance_type} in {region} in the price book"

    def why_missing(self, what: Extra, region: str) -> str:
        """Why `beside` gives None, as part of a sentence; "" when it does not."""
        if self.beside(what, region):
            return ""
        return f"no price for {what.word} in {region} in the price book"

    def _by_markup(self, instance_type: str, region: str, at: datetime | date | None) -> Price | None:
        plain = instance_type.removeprefix("ml.")
        factor = self.markups.get(plain.split(".")[0])
        ec2 = self.prices.get((Kind.EC2, plain, region))
        if not factor or not ec2:
            return None
        of = in_force(ec2, at)
        return Price(
            of.amount * factor,
            of.currency,
            f"estimate: EC2 {plain} in {region} × {factor}, {self.markup_source}",
            min(of.date, self.markup_date),
            Confidence.ESTIMATE,
        )


def in_force(known: Dated, at: datetime | date | None) -> Price:
    """The one of these prices that holds at a moment; see `PriceBook.price`."""
    told = _told(known)
    if at is None:
        return told[-1]
    day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
    return next((price for price in reversed(told) if price.date <= day), told[0])


def _told(known: Dated) -> Dated:
    """Without estimates, where there is a figure."""
    return tuple(price for price in known if not price.is_estimate) or known


def _changes(known: Dated) -> tuple[date, ...]:
    return tuple(later.date for earlier, later in pairwise(_told(known)) if later.amount != earlier.amount)


K = TypeVar("K")


def _before(known: Mapping[K, Dated], told: Iterable[tuple[K, Price]], read_on: date | None) -> Mapping[K, Dated]:
    """What is known without what AWS's own word, read on a day, stands against."""
    if read_on is None:
        return known
    since: dict[K, date] = {}
    for key, price in told:
        since[key] = min(price.date, since.get(key, price.date))
    return {
        key: tuple(one for one in dated if not since[key] < one.date <= read_on) if key in since else dated
        for key, dated in known.items()
    }


def _together(told: Iterable[tuple[K, Price]], before: Mapping[K, Dated] | None = None) -> dict[K, Dated]:
    found: dict[K, Dated] = dict(before or {})
    for key, price in told:
        known = found.get(key, ())
        if any(one.date == price.date and one.amount == price.amount for one in known):
            continue
        others = tuple(one for one in known if one.date != price.date)
        found[key] = tuple(sorted((*others, price), key=lambda one: one.date))
    return found
