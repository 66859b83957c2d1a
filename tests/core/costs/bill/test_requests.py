"""Every question to Cost Explorer has a receipt of a cent a page, and is remembered."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from dashboard.core.costs.bill.requests import Asked, note, read, receipts
from dashboard.core.costs.receipt import Nature, Service
from dashboard.core.errors import ServiceFault

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_questions_become_receipts(tmp_path: Path) -> None:
    file = tmp_path / "costs" / "requests.jsonl"
    assert read(file) == ()
    asked = (Asked("GetCostAndUsage", 2, AT), Asked("UpdateCostAllocationTagsStatus", 1, AT))
    for one in asked:
        note(file, one)
    assert read(file) == asked
    first, second = receipts(read(file), is_embedded=True)
    assert (first.amount, second.amount) == (Decimal("0.02"), Decimal("0.01"))
    assert first.by_day() == {AT.date(): Decimal("0.02")}
    assert (first.service, first.nature) == (Service.COST_EXPLORER, Nature.SIMULATED)
    assert first.key != second.key
    assert first.note == "simulated: requests × list price, nothing was charged"  # nobody's seconds
    real = receipts(read(file), is_embedded=False)[0]
    assert real.nature is Nature.LISTED
    assert real.note.startswith("list price × requests; credits")


def test_notes_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text('{"operation": "GetCostAndUsage"\n')
    with pytest.raises(ServiceFault, match="mend that file"):
        read(file)


def test_a_note_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "costs").write_text("a file where the folder should be")
    with pytest.raises(ServiceFault, match="could not be noted"):
        note(tmp_path / "costs" / "requests.jsonl", Asked("GetCostAndUsage", 1, AT))
