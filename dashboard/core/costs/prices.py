"""The price book: list prices per instance-hour as shipped in prices.json, each with its source and date."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).with_name("prices.json")


class Confidence(StrEnum):
    """How good a figure is."""

    LISTED = "listed"
    WEAK = "weak"
    ESTIMATE = "estimate"


class Extra(StrEnum):
    """What an EC2 instance needs beside itself, and is charged for apart."""

    GP3 = "gp3"  # a volume, per GB and month
    PUBLIC_IPV4 = "public-ipv4"  # an address, per hour


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
class PriceBook:
    """Prices by (kind, instance type, region). Build it with `load()`; it does not change afterwards."""

    prices: Mapping[tuple[Kind, str, str], Price]
    markups: Mapping[str, Decimal]
    markup_source: str
    markup_date: date
    unknown: Mapping[str, str]
    extras: Mapping[tuple[Extra, str], Price] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path = SHIPPED) -> "PriceBook":
        """Read the shipped prices (or another file of the same form). Raises KeyError or ValueError on a bad file."""
        book: dict[str, Any] = json.loads(file.read_text())
        prices = {}

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

        for row in book["prices"]:
            price = read(row)
            for kind in row["kinds"]:
                prices[Kind(kind), row["instance"], row["region"]] = price
        markup = book["markup"]
        return cls(
            prices=prices,
            markups={family: Decimal(factor) for family, factor in markup["families"].items()},
            markup_source=markup["title"],
            markup_date=date.fromisoformat(markup["date"]),
            unknown=book["unknown"],
            extras={(Extra(row["what"]), row["region"]): read(row) for row in book["extras"]},
        )

    def price(self, kind: Kind | str, instance_type: str, region: str) -> Price | None:
        """The price per instance-hour, or None when unknown (see `why_unknown`).

        Where SageMaker's own price is not in the book, EC2's times SageMaker's usual markup is given, as an estimate
        that says so in its source.
        """
        kind = Kind(kind)
        found = self.prices.get((kind, instance_type, region))
        if found or not kind.is_sagemaker:
            return found
        return self._by_markup(instance_type, region)

    def beside(self, what: Extra, region: str) -> Price | None:
        """The price of something beside the instance, or None when it is not in the book."""
        return self.extras.get((what, region))

    def why_unknown(self, kind: Kind | str, instance_type: str, region: str) -> str:
        """Why `price` gives None, as part of a sentence; "" when it does not."""
        if self.price(kind, instance_type, region):
            return ""
        for prefix, reason in self.unknown.items():
            if instance_type.startswith(prefix):
                return f"no price for {instance_type}: {reason}"
        return f"no price for {instance_type} in {region} in the price book"

    def _by_markup(self, instance_type: str, region: str) -> Price | None:
        plain = instance_type.removeprefix("ml.")
        factor = self.markups.get(plain.split(".")[0])
        ec2 = self.prices.get((Kind.EC2, plain, region))
        if not factor or not ec2:
            return None
        return Price(
            ec2.amount * factor,
            ec2.currency,
            f"estimate: EC2 {plain} in {region} × {factor}, {self.markup_source}",
            min(ec2.date, self.markup_date),
            Confidence.ESTIMATE,
        )
