"""Prices that AWS told on request, kept on disk for each region: KENNEL_HOME/prices/REGION.json.

They are the same for every account. What the embedded AWS told is kept apart (embedded-REGION.json), as it is this
machine's own price book. A file that cannot be read is set aside under another name, and that is said.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from dashboard.core.costs import whole_file
from dashboard.core.costs.prices import Confidence, Extra, Kind, Price, PriceBook

VERSION = 1
BROKEN = ".broken"


@dataclass(frozen=True, slots=True)
class SpotDay:
    """What spot cost an hour on a UTC day, in the cheapest zone at its lowest and in the dearest at its highest."""

    instance_type: str
    day: date
    lowest: Decimal
    highest: Decimal


@dataclass(frozen=True)
class Refreshed:
    """What AWS told of a region's prices, by its readings so far, and when the last ones were: of prices, of spot.

    `left_out` says which answers could not be used, and why; `spot` is by day and type, in this order.
    """

    region: str
    prices_at: datetime | None = None
    prices: tuple[tuple[tuple[Kind, str], Price], ...] = ()
    extras: tuple[tuple[Extra, Price], ...] = ()
    spot_at: datetime | None = None
    spot: tuple[SpotDay, ...] = ()
    left_out: tuple[str, ...] = ()

    def after(self, before: "Refreshed | None") -> "Refreshed":
        """With what was read before it: prices keep their history, a day of spot is what was told last."""
        if before is None:
            return self
        days = {(one.day, one.instance_type): one for one in (*before.spot, *self.spot)}
        prices = {(key, price.date): (key, price) for key, price in (*before.prices, *self.prices)}
        extras = {(what, price.date): (what, price) for what, price in (*before.extras, *self.extras)}
        return replace(
            self,
            prices_at=self.prices_at or before.prices_at,
            spot_at=self.spot_at or before.spot_at,
            prices=tuple(prices.values()),
            extras=tuple(extras.values()),
            spot=tuple(days[key] for key in sorted(days)),
        )

    def into(self, book: PriceBook) -> PriceBook:
        """The book with these prices beside its own, which give way where AWS's list says otherwise of their day."""
        return book.with_prices(
            (((kind, instance, self.region), price) for (kind, instance), price in self.prices),
            (((what, self.region), price) for what, price in self.extras),
            read_on=self.prices_at.astimezone(UTC).date() if self.prices_at else None,
        )


def file(home: Path, region: str, *, is_embedded: bool) -> Path:
    """Where the prices of a region are kept."""
    return home / "prices" / f"{'embedded-' if is_embedded else ''}{region}.json"


def read(path: Path) -> tuple[Refreshed | None, str]:
    """What is kept, None where nothing is; and what was wrong with it, "" when nothing was.

    A file that makes no sense is renamed, so that the next reading starts afresh and nobody's data is lost.
    """
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8"))), ""
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"{path} cannot be read ({error.strerror}); the shipped prices are used"
    except (ValueError, KeyError, TypeError, ArithmeticError):
        aside = path.with_name(path.name + BROKEN)
        try:
            path.replace(aside)
        except OSError as error:
            return None, f"{path} makes no sense and cannot be set aside ({error.strerror})"
        return None, f"{path} made no sense; it is now {aside.name}, and the shipped prices are used"


def write(path: Path, refreshed: Refreshed) -> None:
    """Keep it: all of it or nothing, whenever this process ends. Raises OSError."""
    whole_file.write(path, _document(refreshed), indent=1)


def _document(kept: Refreshed) -> dict[str, Any]:
    return {
        "version": VERSION,
        "region": kept.region,
        "prices_at": kept.prices_at.isoformat() if kept.prices_at else None,
        "spot_at": kept.spot_at.isoformat() if kept.spot_at else None,
        "prices": [
            {"kind": kind.value, "instance": instance} | _price(price) for (kind, instance), price in kept.prices
        ],
        "extras": [{"what": what.value} | _price(price) for what, price in kept.extras],
        "spot": [[one.instance_type, str(one.day), str(one.lowest), str(one.highest)] for one in kept.spot],
        "left_out": list(kept.left_out),
    }


def _price(price: Price) -> dict[str, str]:
    return {
        "amount": str(price.amount),
        "currency": price.currency,
        "source": price.source,
        "date": str(price.date),
        "confidence": price.confidence.value,
        "per": price.per,
    }


def _parsed(told: Mapping[str, Any]) -> Refreshed:
    if told["version"] != VERSION:
        raise ValueError(f"version {told['version']}")

    def price(row: Mapping[str, Any]) -> Price:
        amount = Decimal(row["amount"])
        if not amount.is_finite() or amount < 0:
            raise ValueError(f"{amount} is no price")
        day, confidence = date.fromisoformat(row["date"]), Confidence(row["confidence"])
        return Price(amount, str(row["currency"]), str(row["source"]), day, confidence, str(row["per"]))

    def moment(told: str | None) -> datetime | None:
        at = datetime.fromisoformat(told) if told is not None else None
        if at is not None and at.tzinfo is None:
            raise ValueError("a moment without its zone")
        return at

    return Refreshed(
        region=str(told["region"]),
        prices_at=moment(told["prices_at"]),
        spot_at=moment(told["spot_at"]),
        prices=tuple(((Kind(row["kind"]), str(row["instance"])), price(row)) for row in told["prices"]),
        extras=tuple((Extra(row["what"]), price(row)) for row in told["extras"]),
        spot=tuple(
            SpotDay(str(name), date.fromisoformat(day), Decimal(lowest), Decimal(highest))
            for name, day, lowest, highest in told["spot"]
        ),
        left_out=tuple(str(one) for one in told["left_out"]),
    )
