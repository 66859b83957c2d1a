"""A tuning job among receipts: one line, the same sum."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from dashboard.core.costs.ledger.tuning_receipt import folded, together
from tests.core.costs.receipts import HOUR, NOW, ledger, run
from tests.core.costs.spend.test_statement import of

ALONE = run("alone", NOW - 9 * HOUR, 1, "0.90")
TRIALS = [run(f"search-{n}", NOW - n * HOUR, 1, "0.50", parent="search", project="dogs") for n in (1, 2)]


def test_trials_are_one_line_that_costs_what_they_do_and_stands_where_that_belongs() -> None:
    rows = folded(ledger(ALONE, *TRIALS).of(of()))
    assert [(one.name, one.key, amount) for one, amount in rows] == [
        ("search", "run:search", Decimal(1)),
        ("alone", "run:alone", Decimal("0.9")),
    ]
    job = rows[0][0]
    assert (job.amount, job.trials, job.status, job.project) == (Decimal(1), 2, "completed", "dogs")
    assert (job.started, job.ended) == (NOW - 2 * HOUR, NOW)


def test_the_sum_is_that_of_the_days_that_are_shown() -> None:
    rows = ledger(ALONE, *TRIALS).of(of())
    half = [(one, None if amount is None else amount / 2) for one, amount in rows]
    assert sum(amount or 0 for _, amount in folded(half)) == sum(amount or 0 for _, amount in half)


def test_what_trials_do_not_share_is_left_out_and_what_is_unknown_of_one_is_missing() -> None:
    failed = replace(TRIALS[0], status="failed", instance_type="ml.c5.large", project="cats", ended=None)
    unknown = run("search-3", NOW - timedelta(hours=3), 1, None, parent="search")
    job = together([*TRIALS, failed, unknown])
    assert (job.status, job.instance_type, job.project, job.ended) == ("3 completed, 1 failed", "", "", None)
    assert job.is_least
    assert job.amount == Decimal("1.5")
    rows = folded([(unknown, None), (ALONE, Decimal("0.9"))])
    assert [(one.name, amount) for one, amount in rows] == [("alone", Decimal("0.9")), ("search", None)]


def test_receipts_without_a_tuning_job_stay_as_they_are() -> None:
    rows = ledger(ALONE).of(of())
    assert folded(rows) == rows
    with pytest.raises(ValueError, match="without trials"):
        together([])
