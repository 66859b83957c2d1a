"""Receipts to test with: of a few lines each, or ten thousand of them over a year."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.prices import Confidence, Price
from dashboard.core.costs.receipt import Expectation, Fact, Line, Nature, Receipt, Service

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def price(amount: str, confidence: Confidence = Confidence.LISTED) -> Price:
    return Price(Decimal(amount), "USD", "a price list", date(2026, 11, 1), confidence)


def line(
    started: datetime, ended: datetime, each: str | None, *, what: str = "instances", essential: bool = True
) -> Line:
    """Hours × a price, or an unknown amount when `each` is None."""
    hours = Decimal(round((ended - started).total_seconds())) / 3600
    paid = None if each is None else price(each)
    amount = None if paid is None else hours * paid.amount
    why = "" if paid else f"no price for {what}"
    return Line(what, hours, "instance-hours", paid, amount, started, ended, f"{hours} h", why, essential)


def run(
    name: str,
    started: datetime,
    hours: float = 1,
    each: str | None = "0.36",
    *,
    nature: Nature = Nature.SIMULATED,
    project: str = "",
    owner: str = "",
    platform: str = "SageMaker",
    parent: str = "",
    extra: tuple[Line, ...] = (),
    expected: Expectation | None = None,
    saving: Decimal | None = None,
) -> Receipt:
    """A training that has ended."""
    ended = started + timedelta(hours=hours)
    return Receipt(
        f"run:{name}", name, Service.EC2 if platform == "EC2" else Service.TRAINING, nature, started, ended,
        (line(started, ended, each), *extra), "completed", project, owner, platform, "ml.m5.large", 1, "on demand",
        parent, saving, (Fact("DescribeTrainingJob", "BillableTimeInSeconds", "3600"),), expected,
    )  # fmt: skip


def endpoint(
    name: str, started: datetime, ended: datetime | None = None, each: str = "0.24", nature: Nature = Nature.SIMULATED
) -> Receipt:
    """An endpoint; one without an end serves on."""
    lines = (line(started, ended or NOW, each),)
    status = "serving" if ended is None else "deleted"
    key = f"endpoint:{name}@{round(started.timestamp())}"
    return Receipt(key, name, Service.ENDPOINTS, nature, started, ended, lines, status, instance_type="ml.m5.large")


def ledger(*receipts: Receipt, **told: object) -> Ledger:
    return Ledger(tuple(receipts), NOW, **told)  # type: ignore[arg-type]


def many(count: int, days: int = 365, seed: int = 7) -> Ledger:
    """So many receipts over so many days: nine of ten are runs, the others endpoints of up to a week."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        started = NOW - timedelta(days=draw.random() * days)
        if number % 10:
            platform = "EC2" if draw.random() < 0.4 else "SageMaker"
            project = f"project {'ABCDE'[number % 5]}"
            made.append(run(f"run-{number}", started, draw.random() * 3, project=project, platform=platform))
        else:
            made.append(endpoint(f"endpoint-{number}", started, min(NOW, started + timedelta(days=draw.random() * 7))))
    return ledger(*made)
