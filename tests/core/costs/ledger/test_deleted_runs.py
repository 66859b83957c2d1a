"""A run that was deleted cost what it cost."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from dashboard.core.aws import Account
from dashboard.core.costs.ledger import deleted_runs
from dashboard.core.costs.ledger.run_receipt import run_receipt
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import ServiceFault
from dashboard.core.runs.model import Capacity, Platform, Run, RunKind, RunStatus
from tests.core.costs.ledger.test_book import Desk, listed
from tests.core.runs.made import NOW, run

PRICES = PriceBook.load()
ON_EC2 = run(
    "spot",
    platform=Platform.EC2,
    instance_type="m5.large",
    capacity=Capacity.SPOT,
    spot_price=Decimal("0.04"),
    volume_gb=30,
    billable_seconds=683.5,
)


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account("embedded", "us-east-1", "1", True, True, client_file=str(tmp_path / "client.json"))


@pytest.mark.parametrize(
    "one",
    [
        run(tags={"project": "p", "kennel:sample": "true"}, instance_count=2, volume_gb=30, parent="search"),
        run(status=RunStatus.FAILED, capacity=Capacity.SPOT, training_seconds=900, billable_seconds=300),
        run(status=RunStatus.STOPPED, billable_seconds=None, started=None, ended=None),
        ON_EC2,
    ],
)
def test_its_receipt_is_the_one_that_it_had(account: Account, one: Run) -> None:
    file = deleted_runs.place(account)
    deleted_runs.note(file, [one])
    deleted_runs.note(file, [one, run("search", kind=RunKind.TUNING)])  # told twice, and one without a cost of its own
    (kept,) = deleted_runs.receipts(account, PRICES, NOW + timedelta(days=400))
    had = run_receipt(one, PRICES, "us-east-1", NOW, is_embedded=True)
    assert (kept.amount, kept.by_day(), kept.lines, kept.nature) == (had.amount, had.by_day(), had.lines, had.nature)
    assert (kept.project, kept.parent, kept.saving, kept.facts) == (had.project, had.parent, had.saving, had.facts)
    assert kept.key.startswith(f"deleted-{had.key}@")
    assert kept.status.endswith("deleted")


def test_a_name_that_is_used_again_has_two_receipts(account: Account) -> None:
    file = deleted_runs.place(account)
    deleted_runs.note(file, [run(), run(created=NOW - timedelta(days=3))])
    kept = deleted_runs.receipts(account, PRICES, NOW)
    assert len({one.key for one in kept}) == 2


def test_one_that_is_still_listed_is_counted_once(account: Account) -> None:
    one, gone = run(), run("gone")
    deleted_runs.note(deleted_runs.place(account), [one, gone])
    desk = Desk(*deleted_runs.receipts(account, PRICES, NOW))
    seen = desk.look(listing=listed(one))
    assert sorted(receipt.name for receipt in seen.receipts) == ["dogs-1", "gone"]
    again = desk.look(listing=listed(replace(one, created=NOW)))
    assert sorted(receipt.name for receipt in again.receipts) == ["dogs-1", "dogs-1", "gone"]


def test_nothing_was_deleted(account: Account) -> None:
    assert deleted_runs.receipts(account, PRICES, NOW) == ()


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "x"}', "3"])
def test_a_file_that_makes_no_sense_is_said_and_left(account: Account, text: str) -> None:
    file = deleted_runs.place(account)
    file.parent.mkdir(parents=True)
    file.write_text(text + "\n")
    with pytest.raises(ServiceFault, match="cannot be read"):
        deleted_runs.receipts(account, PRICES, NOW)
    assert file.read_text() == text + "\n"


def test_a_disk_that_takes_nothing_is_said(account: Account, tmp_path: Path) -> None:
    (tmp_path / "costs").write_text("a file where the folder should be")
    with pytest.raises(ServiceFault, match="could not be kept"):
        deleted_runs.note(deleted_runs.place(account), [run()])
