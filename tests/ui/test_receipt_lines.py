"""A receipt's table can be checked by hand, and text from outside stays text."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from dashboard.core.aws import Account
from dashboard.core.costs.prices import Confidence
from dashboard.core.costs.receipt import Expectation, Fact, Nature
from dashboard.core.costs.selection import Period
from dashboard.ui import receipt_lines
from tests.core.costs.receipts import HOUR, NOW, line, price, run

ACCOUNT = Account("embedded", "us-east-1", "123456789012", True, True, "http://127.0.0.1:1", "client.json")


def test_each_line_is_quantity_times_price_with_its_source_and_the_sum_stands_below():
    table = receipt_lines.table(run("r", NOW - 3 * HOUR, 2, "0.408"))
    for said in ("2 instance-hours", "$0.408/h", "$0.816000", "a price list, 2026-11-01", "<th>Sum</th>", "simulated"):
        assert said in table


def test_every_cell_names_its_column_for_a_phone_where_columns_have_no_room():
    table = receipt_lines.table(run("r", NOW - 3 * HOUR, 2, "0.408"))
    for column in ("Quantity", "× price", "= amount", "Price from"):
        assert f'data-of="{column}"' in table.partition("<tfoot>")[0]
    assert 'data-of="= amount"' in table.partition("<tfoot>")[2]
    answers = receipt_lines.answers([Fact("DescribeTrainingJob", "BillableTimeInSeconds", "663")])
    for column in ("Operation", "Member", "Answer"):
        assert f'data-of="{column}"' in answers


def test_files_that_kennel_wrote_are_not_called_answers_of_aws():
    assert receipt_lines.answered_by([Fact("s3 ec2-runs/dogs/status.json", "ended", "x")]) == "What its files in S3 say"
    assert receipt_lines.answered_by([Fact("DescribeTrainingJob", "TrainingEndTime", "x")]) == "What AWS answered"


def test_an_unknown_line_says_why_and_is_not_nought():
    storage = line(NOW - 3 * HOUR, NOW - 2 * HOUR, None, what="storage", essential=False)
    table = receipt_lines.table(run("r", NOW - 3 * HOUR, extra=(storage,)))
    assert "unknown: no price for storage" in table
    assert "$0.000000" not in table


def test_a_receipt_without_an_essential_price_has_an_unknown_sum():
    assert "<tfoot><tr><th>Sum</th><td></td><td></td>" in receipt_lines.table(run("r", NOW - 3 * HOUR, each=None))
    assert "$" not in receipt_lines.table(run("r", NOW - 3 * HOUR, each=None)).replace("list price", "")


def test_an_estimated_price_says_so():
    guessed = replace(line(NOW - HOUR, NOW, "1"), price=price("1", Confidence.ESTIMATE))
    assert "(estimate)" in receipt_lines.source(guessed)


def test_text_from_outside_is_escaped():
    evil = replace(line(NOW - HOUR, NOW, "1", what="<script>"), how="<b>")
    table = receipt_lines.table(replace(run("r", NOW - HOUR), lines=(evil,)))
    assert "<script>" not in table
    assert "<b>" not in table
    assert "<img" not in receipt_lines.answers([Fact("Op", "M", "<img src=x>")])


def test_the_days_of_the_period_stand_out():
    days = {date(2026, 10, 31): Decimal("1"), date(2026, 11, 1): Decimal("2")}
    table = receipt_lines.by_day(days, Period.month(date(2026, 11, 1)))
    assert table.count("kn-inside") == 1
    assert table.index("2026-10-31") < table.index("kn-inside") < table.index("2026-11-01")


@pytest.mark.parametrize(
    ("number", "said"),
    [("0.368333333", "0.368333"), ("2", "2"), ("1234.5", "1,234.5"), ("0.0000001", "under 0.000001"), ("0", "0")],
)
def test_quantities_have_the_digits_that_matter(number, said):
    assert receipt_lines.quantity(Decimal(number)) == said


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (Expectation(Decimal("0.30")), ("$0.30", "cost $0.36 (+20 %)")),
        (
            Expectation(Decimal("0.72"), Decimal("1.50"), 7200.0),
            ("$0.72", "cost $0.36 (−50 %), expected to take 2 h, at most $1.50"),
        ),
        (Expectation(Decimal("0.36")), ("$0.36", "cost $0.36 (as expected)")),
        (Expectation(None), ("unknown", "its cost could not be told at the launch")),
        (Expectation(None, Decimal("0.50")), ("unknown", "its cost could not be told at the launch; at most $0.50")),
    ],
)  # fmt: skip
def test_the_cost_is_held_against_what_was_expected(expected, said):
    assert receipt_lines.against_expected(run("r", NOW - 2 * HOUR, 1, "0.36", expected=expected)) == said


def test_what_goes_on_is_not_judged_yet():
    going = replace(run("r", NOW - 2 * HOUR, 1, "0.36", expected=Expectation(Decimal("0.30"))), ended=None)
    assert receipt_lines.against_expected(going) == ("$0.30", "$0.36 so far")


def test_the_foot_says_whose_money_of_which_kind_read_when_and_where():
    foot = receipt_lines.foot(Nature.SAMPLE, ACCOUNT, NOW + timedelta(minutes=5), "http://host/costs?of=sample")
    for said in (
        "Sample: an example",
        "123456789012",
        "us-east-1",
        "2026-11-21 12:05 UTC",
        "http://host/costs?of=sample",
    ):
        assert said in foot
