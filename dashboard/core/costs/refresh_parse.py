"""Reading AWS's price list strictly: one product, one rate, in dollars, in the unit that is expected. Pure.

Whatever is otherwise is left out with a sentence that says why, never guessed at.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from dashboard.core.costs.prices import Price

CURRENCY = "USD"


class LeftOut(ValueError):  # noqa: N818 - what happened to the answer, not a failure of the call
    """An answer that cannot be used; its text says why, as the end of a sentence."""


def price(listed: Sequence[str], unit: str, per: str, today: date, teller: str, *, tiered: bool = False) -> Price:
    """The one price in GetProducts' PriceList. `tiered`: of several tiers, the first, which starts at 0.

    Its day is that on which AWS published the list; `teller` is who told it. Raises LeftOut.
    """
    if not listed:
        raise LeftOut("AWS lists no price for it")
    found = {_one(text, unit, per, today, teller, tiered=tiered) for text in listed}
    if len(found) != 1:
        amounts = ", ".join(sorted(f"${one.amount:f}" for one in found))
        raise LeftOut(f"AWS lists {len(found)} prices for it: {amounts}")
    return found.pop()


def _one(text: str, unit: str, per: str, today: date, teller: str, *, tiered: bool) -> Price:
    try:
        product: Mapping[str, Any] = json.loads(text)
        terms = list(product["terms"].get("OnDemand", {}).values())
        dimensions = [one for term in terms for one in term["priceDimensions"].values()]
        published = datetime.fromisoformat(product["publicationDate"]).date()
        if not terms:
            raise LeftOut("AWS lists no price on demand for it")
        if tiered:
            dimensions = [one for one in dimensions if one["beginRange"] == "0"]
        if len(dimensions) != 1:
            raise LeftOut(f"AWS lists {len(dimensions)} rates for it, not one")
        told, currencies = dimensions[0]["unit"], dict(dimensions[0]["pricePerUnit"])
        if told != unit:
            raise LeftOut(f"AWS lists it per {told}, not per {unit}")
        if set(currencies) != {CURRENCY}:
            raise LeftOut(f"AWS lists it in {' and '.join(sorted(currencies))}, not in {CURRENCY}")
        amount = Decimal(currencies[CURRENCY])
    except LeftOut:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as error:
        raise LeftOut(f"AWS's answer has not the form of a price list ({type(error).__name__})") from error
    if not amount.is_finite() or amount <= 0:
        raise LeftOut(f"AWS lists it at {amount}, which is no price")
    tier = ", first tier" if tiered else ""
    amount = amount.normalize()
    return Price(amount, CURRENCY, f"{teller}, published {published}{tier}", min(published, today), per=per)
