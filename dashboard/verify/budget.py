"""What a verification may cost at most: every part of it at list price for as long as it can last. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from dashboard.core.costs import quote
from dashboard.core.costs.prices import Extra, Kind, PriceBook
from dashboard.core.errors import Refused
from dashboard.core.format import duration, money

CAP = Decimal(2)
"""USD; what could cost more is not begun."""
LONGEST = timedelta(minutes=60)
"""After this everything is deleted, whatever it was doing. Deleting takes some minutes more, which are counted in."""
DELETING = timedelta(minutes=30)
TRAINING_SECONDS = 1200
"""The training's own limit (StoppingCondition)."""
INSTANCE = "ml.m5.large"
_REST = Decimal("0.02")
"""Some megabytes in S3 for an hour, a few log lines, requests and one function call: below a cent together."""


@dataclass(frozen=True)
class Part:
    """One line of the estimate. amount: USD at most."""

    what: str
    amount: Decimal


@dataclass(frozen=True)
class Estimate:
    """parts, and what they come to; all of it is a worst case."""

    parts: tuple[Part, ...]

    @property
    def amount(self) -> Decimal:
        return sum((one.amount for one in self.parts), Decimal(0))

    @property
    def lines(self) -> tuple[str, ...]:
        """As they are shown before anything begins."""
        return (*(f"{money(one.amount):>8}  {one.what}" for one in self.parts), f"{money(self.amount):>8}  at most")


def estimate(prices: PriceBook, region: str) -> Estimate:
    """What it costs at most in a region. Raises Refused where a price is not known, or the sum is above the cap."""
    whole = (LONGEST + DELETING).total_seconds()
    training = _priced(prices, Kind.SAGEMAKER_TRAINING, region, TRAINING_SECONDS)
    endpoint = _priced(prices, Kind.ENDPOINT, region, whole)
    beside = prices.beside(Extra.ML_STORAGE, region)
    volumes = (beside.amount if beside else Decimal("0.30")) * 60 * Decimal(whole) / (730 * 3600)
    found = Estimate(
        (
            Part(f"a training on one {INSTANCE}, stopped after {duration(TRAINING_SECONDS)}", training),
            Part(f"an endpoint on one {INSTANCE}, for {duration(whole)}", endpoint),
            Part("their volumes, 30 GB each" + ("" if beside else ", at a price that is above any known one"), volumes),
            Part("S3, logs, requests, and one call of a Lambda function", _REST),
        )
    )
    if found.amount > CAP:
        raise Refused(
            f"verifying could cost {money(found.amount)} in {region}",
            f"that is above the cap of {money(CAP)}",
            "choose a cheaper region with --region",
        )
    return found


def _priced(prices: PriceBook, kind: Kind, region: str, seconds: float) -> Decimal:
    told = quote.quote(prices, kind, INSTANCE, region, seconds=seconds)
    if told.amount is None:
        raise Refused(
            f"what verifying costs in {region} is not known",
            told.why_unknown,
            "choose a region with --region: us-east-1",
        )
    return told.amount
