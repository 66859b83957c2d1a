"""docs/reference-projects.md tells what is replayed of the five reference projects, and what it costs in us-east-1."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from dashboard.core.costs.ledger.run_receipt import run_receipt
from dashboard.core.costs.prices import PriceBook
from dashboard.core.format import duration, money
from dashboard.core.runs.model import Capacity, Platform, Run, RunStatus
from local_aws.sample_replays import REPLAYS, Replayed

DOCUMENT = (Path(__file__).resolve().parent.parent / "docs" / "reference-projects.md").read_text()
BEGUN = datetime(2026, 9, 4, 10, 15, tzinfo=UTC)


def cost(one: Replayed) -> Decimal | None:
    """By the receipt of the run that Kennel sees; a search costs what its trials cost."""
    run = Run(
        name=one.name,
        status=RunStatus.COMPLETED,
        instance_type=one.instance_type,
        instance_count=one.count,
        created=BEGUN,
        started=BEGUN,
        ended=BEGUN + timedelta(seconds=one.took),
        training_seconds=one.took,
        billable_seconds=one.billed or one.took,
        platform=Platform.EC2 if one.is_on_ec2 else Platform.SAGEMAKER,
        capacity=Capacity.SPOT if one.is_spot else Capacity.ON_DEMAND,
    )
    prices = PriceBook.load()
    made = run_receipt(run, prices, "us-east-1", BEGUN + timedelta(days=1), is_embedded=True)
    if made.amount is None or made.lines[0].amount is None:  # an address alone is not what a training costs
        return None
    return made.amount * max(1, one.trials)


def row(one: Replayed) -> str:
    where = "EC2" if one.is_on_ec2 else "SageMaker"
    machines = one.instance_type if one.count == 1 else f"{one.count} × {one.instance_type}"
    trials = f", {one.trials} trials" if one.trials else ""
    spot = " spot" if one.is_spot else ""
    known = "published" if one.seconds else "estimated"
    cells = (one.project, where, f"{machines}{spot}{trials}", duration(one.lasted), known, money(cost(one)))
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("one", REPLAYS, ids=lambda one: one.name)
def test_the_table_has_each_replayed_training_as_it_is(one: Replayed) -> None:
    assert row(one) in DOCUMENT.splitlines()


def test_the_table_has_no_other() -> None:
    assert sum(
        line.startswith(tuple(f"| {project} |" for project in "ABCDE")) for line in DOCUMENT.splitlines()
    ) == len(REPLAYS)


def test_the_published_figures_come_out() -> None:
    by_name = {one.name: cost(one) for one in REPLAYS}
    assert money(by_name["project-c-single"]) == "$0.0751"
    assert money(by_name["project-c-two-on-spot"]) == "$0.1308"
    assert by_name["project-d-ec2-spot"] is None  # nobody told the price, and a guess would be an invented figure
