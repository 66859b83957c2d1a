"""The products of the price list: the shipped price book in the shape that AWS's Pricing API tells it.

Only figures that somebody listed are products. An estimate of the price book is none, and so has no price here: who
refreshes prices from this service never mistakes an estimate for AWS's word.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dashboard.core.costs.prices import Extra, Kind, Price, PriceBook

Document = dict[str, Any]

SAGEMAKER, EC2, LAMBDA = "AmazonSageMaker", "AmazonEC2", "AWSLambda"
ON_DEMAND, PER_UNIT = "JRTCKXETXF", "6YS6EN2CT7"
"""AWS's own codes for the terms without a commitment, and for a rate per unit."""
PREFIXES = {
    "us-east-1": "USE1",
    "us-east-2": "USE2",
    "eu-west-1": "EU",
    "ap-south-1": "APS3",
    "ap-northeast-1": "APN1",
}
LOCATIONS = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "eu-west-1": "EU (Ireland)",
    "ap-south-1": "Asia Pacific (Mumbai)",
    "ap-northeast-1": "Asia Pacific (Tokyo)",
}
USES = {Kind.SAGEMAKER_TRAINING: "Train", Kind.ENDPOINT: "Host", Kind.NOTEBOOK: "Notebk"}
GROUPS = {
    Extra.LAMBDA_REQUEST: ("AWS-Lambda-Requests", "Request", "Requests"),
    Extra.LAMBDA_DURATION_X86: ("AWS-Lambda-Duration", "Lambda-GB-Second", "Lambda-GB-Second"),
    Extra.LAMBDA_DURATION_ARM: ("AWS-Lambda-Duration-ARM", "Lambda-GB-Second-ARM", "Lambda-GB-Second"),
    Extra.LAMBDA_PROVISIONED: (
        "AWS-Lambda-Provisioned-Concurrency",
        "Lambda-Provisioned-Concurrency",
        "Lambda-GB-Second",
    ),
    Extra.LAMBDA_PROVISIONED_DURATION: (
        "AWS-Lambda-Duration-Provisioned",
        "Lambda-Provisioned-GB-Second",
        "Lambda-GB-Second",
    ),
}
"""Of each figure of Lambda: its group, its usage type, its unit."""


@dataclass(frozen=True)
class Product:
    """One product: its service, family and attributes, and what a unit of it costs."""

    service: str
    family: str
    attributes: Mapping[str, str]
    unit: str
    price: Price

    @property
    def sku(self) -> str:
        told = f"{self.service} {self.attributes['regionCode']} {self.attributes['usagetype']}"
        return hashlib.sha256(told.encode()).hexdigest()[:16].upper()

    def value(self, field: str) -> str | None:
        """The value of a metadata field, None where the product has no such field. Names are AWS's own."""
        named = {"servicecode": self.service, "productfamily": self.family, "sku": self.sku}
        return named.get(field.lower(), self.attributes.get(field))

    def document(self) -> Document:
        """As an entry of GetProducts' PriceList. The list's day is the figure's own."""
        since, term = f"{self.price.date}T00:00:00Z", f"{self.sku}.{ON_DEMAND}"
        dimension = {
            "unit": self.unit,
            "beginRange": "0",
            "endRange": "Inf",
            "description": f"${self.price.amount:f} per {self.unit} · {self.price.source}",
            "appliesTo": [],
            "rateCode": f"{term}.{PER_UNIT}",
            "pricePerUnit": {self.price.currency: f"{_padded(self.price.amount):f}"},
        }
        return {
            "product": {"productFamily": self.family, "attributes": dict(self.attributes), "sku": self.sku},
            "serviceCode": self.service,
            "terms": {
                "OnDemand": {
                    term: {
                        "priceDimensions": {f"{term}.{PER_UNIT}": dimension},
                        "sku": self.sku,
                        "effectiveDate": since,
                        "offerTermCode": ON_DEMAND,
                        "termAttributes": {},
                    }
                }
            },
            "version": f"{self.price.date:%Y%m%d}000000",
            "publicationDate": since,
        }


def products(book: PriceBook) -> tuple[Product, ...]:
    """All products of the book, in no particular order."""
    return (*_instances(book), *_lambda(book))


def _instances(book: PriceBook) -> Iterator[Product]:
    for kind, instance, region in book.prices:
        price = book.price(kind, instance, region)
        if price is None or price.is_estimate or region not in PREFIXES:
            continue
        if kind is Kind.EC2:
            usage = _usage(region, f"BoxUsage:{instance}", bare="us-east-1")
            more = {
                "instanceType": instance,
                "tenancy": "Shared",
                "operatingSystem": "Linux",
                "preInstalledSw": "NA",
                "licenseModel": "No License required",
                "capacitystatus": "Used",
                "marketoption": "OnDemand",
                "operation": "RunInstances",
            }
            yield Product(EC2, "Compute Instance", _placed(EC2, region, usage) | more, "Hrs", price)
        else:
            usage = f"{PREFIXES[region]}-{USES[kind]}:{instance}"
            more = {"instanceName": instance, "operation": "RunInstance"}
            yield Product(SAGEMAKER, "ML Instance", _placed(SAGEMAKER, region, usage) | more, "Hrs", price)


def _lambda(book: PriceBook) -> Iterator[Product]:
    for what, region in book.extras:
        price = book.beside(what, region)
        if price is None or price.is_estimate or what not in GROUPS or region not in PREFIXES:
            continue
        group, usage, unit = GROUPS[what]
        attributes = _placed(LAMBDA, region, _usage(region, usage, bare="us-east-1"))
        yield Product(LAMBDA, "Serverless", attributes | {"group": group, "groupDescription": what.word}, unit, price)


def _usage(region: str, usage: str, *, bare: str) -> str:
    return usage if region == bare else f"{PREFIXES[region]}-{usage}"


def _placed(service: str, region: str, usage: str) -> dict[str, str]:
    return {
        "servicecode": service,
        "regionCode": region,
        "location": LOCATIONS[region],
        "locationType": "AWS Region",
        "usagetype": usage,
    }


def _padded(amount: Decimal) -> Decimal:
    """AWS tells ten decimals at least."""
    exponent = amount.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    return amount.quantize(Decimal(1).scaleb(-max(10, places)))
