"""The price book of one region as a list: what is known with its price, and what is not with why. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from dashboard.core.costs.prices import Dated, Extra, Kind, Price, PriceBook


class Group(StrEnum):
    """What a price is for, as the page puts prices together."""

    TRAINING = "training"
    ENDPOINT = "endpoint"
    NOTEBOOK = "notebook"
    EC2 = "EC2"
    LAMBDA = "Lambda"
    OTHER = "storage and network"


KINDS = {
    Kind.SAGEMAKER_TRAINING: Group.TRAINING,
    Kind.ENDPOINT: Group.ENDPOINT,
    Kind.NOTEBOOK: Group.NOTEBOOK,
    Kind.EC2: Group.EC2,
}
HOURLY = "h"


@dataclass(frozen=True)
class Row:
    """One thing: its price that holds now, None with why; `before` are those that it had, oldest first."""

    group: Group
    name: str
    price: Price | None
    why_unknown: str = ""
    before: Dated = ()

    def month(self, hours: Decimal) -> Decimal | None:
        """What it costs for a month of so many hours; None for what is not priced by the hour, or unknown."""
        return self.price.amount * hours if self.price is not None and self.price.per == HOURLY else None

    def says(self, text: str) -> bool:
        """Whether it is found by this text, in capitals or not, by every word of it."""
        source = f"{self.price.source} {self.price.confidence.word}" if self.price else "unknown"
        told = f"{self.group} {self.name} {source}".casefold()
        return all(word in told for word in text.casefold().split())


def rows(book: PriceBook, region: str) -> tuple[Row, ...]:
    """Everything that the book has a price of in any region, with what it has in this one; by group and name."""
    instances = sorted({(kind, instance) for kind, instance, _ in book.prices}, key=lambda one: (one[0], _size(one[1])))
    found = [_instance(book, kind, instance, region) for kind, instance in instances]
    found += [_extra(book, what, region) for what in Extra if any(known is what for known, _ in book.extras)]
    # What nobody can tell for a whole family stands where people would look for it.
    found += [
        Row(
            Group.TRAINING if prefix.startswith("ml.") else Group.EC2, f"{prefix}, every size", None, f"no price: {why}"
        )
        for prefix, why in book.unknown.items()
    ]
    return tuple(sorted(found, key=lambda row: list(Group).index(row.group)))


def regions(book: PriceBook, own: str, others: Iterable[str] = ()) -> list[str]:
    """The account's own region, those that the book has prices of, then the others that AWS can be asked for."""
    known = {region for *_, region in book.prices} | {region for _, region in book.extras}
    return [own, *sorted(known - {own}), *sorted({*others} - known - {own})]


def unknown(found: Sequence[Row]) -> list[Row]:
    return [row for row in found if row.price is None]


def _instance(book: PriceBook, kind: Kind, instance: str, region: str) -> Row:
    price = book.price(kind, instance, region)
    before = tuple(one for one in book.prices.get((kind, instance, region), ()) if one is not price)
    return Row(KINDS[kind], instance, price, book.why_unknown(kind, instance, region), before)


def _extra(book: PriceBook, what: Extra, region: str) -> Row:
    price = book.beside(what, region)
    before = tuple(one for one in book.extras.get((what, region), ()) if one is not price)
    group = Group.LAMBDA if what.value.startswith("lambda-") else Group.OTHER
    return Row(group, what.word, price, book.why_missing(what, region), before)


SIZES = ("nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge")


def _size(instance: str) -> tuple[str, int, str]:
    """By family, small ones first."""
    family, _, size = instance.rpartition(".")
    return family, SIZES.index(size) if size in SIZES else len(SIZES), size
