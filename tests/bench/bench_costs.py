"""Spending of 10,000 runs over 12 months: what is kept between two looks, against working all of it out each time."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, cast

from dashboard.core.aws import Account, Aws
from dashboard.core.costs.ledger.book import LedgerBook
from dashboard.core.costs.ledger.collect import Collector
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.ledger.run_receipt import run_receipt
from dashboard.core.costs.ledger.trail_book import TrailBook
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature, Receipt
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.costs.spend.statement import Statement, statement
from dashboard.core.errors import ServiceFault
from dashboard.core.runs.listing import Listing
from dashboard.core.runs.model import Capacity, Platform, Run, RunStatus
from dashboard.core.runs.window import Window
from dashboard.ui import figures_spend
from tests.bench.rows import Row, interleaved

RUNS, MONTHS = 10_000, 12
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
REGION = "us-east-1"
ACCOUNT = Account("bench", REGION, "123456789012", is_embedded=True, writable=False)
PROJECTS = ("beagles", "collies", "poodles", "terriers")
ROUNDS = 7
DAY = timedelta(days=1)


def rows() -> list[Row]:
    """One row for a look at all of it, one for a look after another run has ended; milliseconds."""
    prices, made = PriceBook.load(), runs()
    whole = Selection(Nature.SIMULATED, Period((NOW - 365 * DAY).date(), NOW.date()), By.PROJECT)

    ledger = Ledger(tuple(_receipts(made, prices)), NOW)

    def warm() -> Statement:
        return _drawn(ledger, whole)

    def anew() -> Statement:
        return _drawn(Ledger(tuple(_receipts(made, prices)), NOW), whole)

    if warm().total != anew().total:
        raise RuntimeError("the two disagree on the sum")
    looked, remade = interleaved(warm, anew, rounds=ROUNDS)

    book = LedgerBook(lambda: NOW, Collector(TrailBook(None)))
    without = cast(Aws, _Without())
    changes: Iterator[Listing] = (
        Listing((*made, replace(made[0], name=f"new-{number}")), Window.ALL, NOW) for number in range(1_000)
    )

    def refreshed() -> Ledger:
        found = book.look(without, next(changes), prices, patience=5, fresh=365 * DAY)
        found.total(whole)
        return found

    def from_nothing() -> Ledger:
        found = Ledger(tuple(_receipts(next(changes).runs, prices)), NOW)
        found.total(whole)
        return found

    if len(refreshed().receipts) != len(from_nothing().receipts):
        raise RuntimeError("the two disagree on the receipts")
    kept, all_again = interleaved(refreshed, from_nothing, rounds=ROUNDS)
    return [
        Row.of_times(
            f"costs: {RUNS:,} runs × {MONTHS} months by project, added up and drawn",
            1000 * looked,
            1000 * remade,
            "ms, warm",
            "baseline: every receipt and its days made again from the runs",
        ),
        Row.of_times(
            f"costs: one more run among {RUNS:,}, to the new sum",
            1000 * kept,
            1000 * all_again,
            "ms",
            "baseline: the first reading",
        ),
    ]


def runs(count: int = RUNS, months: int = MONTHS, seed: int = 7) -> tuple[Run, ...]:
    """So many ended trainings of every kind, evenly over the months before NOW, the newest first."""
    chance = random.Random(seed)
    step = 365 * DAY * months / 12 / count
    return tuple(_run(number, NOW - (number + 1) * step, chance) for number in range(count))


def _run(number: int, created: datetime, chance: random.Random) -> Run:
    seconds = chance.randrange(60, 40_000)
    on_ec2 = chance.random() < 0.3
    kind = chance.choice(("m5.large", "m5.xlarge", "c5.2xlarge", "g4dn.xlarge"))
    return Run(
        name=f"bench-{number:05d}",
        status=chance.choice((RunStatus.COMPLETED,) * 8 + (RunStatus.FAILED, RunStatus.STOPPED)),
        instance_type=kind if on_ec2 else f"ml.{kind}",
        instance_count=1 if on_ec2 else chance.choice((1, 1, 1, 2, 4)),
        created=created,
        started=created + timedelta(seconds=30),
        ended=min(NOW, created + timedelta(seconds=30 + seconds)),
        training_seconds=float(seconds),
        billable_seconds=float(seconds),
        tags={"project": chance.choice(PROJECTS), "owner": chance.choice(("ada", "ben", "cy")), "kennel:made-by": "x"},
        platform=Platform.EC2 if on_ec2 else Platform.SAGEMAKER,
        capacity=Capacity.ON_DEMAND,
        volume_gb=30,
    )


def _receipts(made: Sequence[Run], prices: PriceBook) -> list[Receipt]:
    return [run_receipt(run, prices, REGION, NOW, is_embedded=True) for run in made]


def _drawn(ledger: Ledger, selection: Selection) -> Statement:
    """All that the page says, and its chart as the browser gets it."""
    said = statement(ledger, selection)
    figures_spend.each(said.series, str).to_json()
    return said


class _Without:
    """An account in which nothing but the runs can be read."""

    account = ACCOUNT

    def call(self, service: str, operation: str, **parameters: Any) -> NoReturn:
        raise ServiceFault(f"{service}:{operation} is not part of this measurement")

    pages = client = translated = call
