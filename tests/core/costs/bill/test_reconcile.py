"""List price and bill beside each other: two sums that are never one, the difference, and what may explain it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.costs.bill.billed import Billed, Question
from dashboard.core.costs.bill.reconcile import Reconciliation, Row, comparable, reconcile
from dashboard.core.costs.bill.requests import Asked, receipts
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import By, Period, Selection
from tests.core.costs.receipts import HOUR, NOW, endpoint, ledger, line, run

MONTH = Period(date(2026, 11, 1), date(2026, 11, 30))
DAY = timedelta(days=1)
SAGEMAKER, EC2 = "Amazon SageMaker", "Amazon Elastic Compute Cloud - Compute"


def bill(by: By = By.SERVICE, currency: str = "USD", **more: Any) -> Billed:
    """One whose usage is `groups` by name."""
    groups = {name: {"Usage": Decimal(amount)} for name, amount in more.pop("groups", {}).items()}
    told = {"is_estimated": False, "pages": 1, **more}
    return Billed(Question(MONTH, by, told.pop("only", ())), {}, more.pop("raw", groups), currency, **told)


def against(held: Ledger, billed: Billed, *, nature: Nature = Nature.LISTED, at: datetime = NOW) -> Reconciliation:
    shown = Selection(nature, MONTH, billed.question.by)
    return reconcile(held, shown, billed, at, is_embedded=nature is not Nature.LISTED)


def rows(made: Reconciliation) -> dict[str, Row]:
    return {row.name: row for row in made.rows}


def reasons(made: Reconciliation) -> str:
    return "; ".join(one.what for one in made.reasons)


LISTED = (
    run("a", NOW - DAY, 2, nature=Nature.LISTED, project="dogs"),  # 0.72
    run("b", NOW - DAY, 1, nature=Nature.LISTED, platform="EC2"),  # 0.36
    endpoint("e", NOW - DAY, NOW, nature=Nature.LISTED),  # 5.76
)


def test_sagemakers_training_and_serving_stand_against_its_one_line_on_the_bill() -> None:
    made = against(ledger(*LISTED), bill(groups={SAGEMAKER: "6.00", EC2: "0.30", "EC2 - Other": "0.06"}))
    sagemaker, ec2 = rows(made)["SageMaker"], rows(made)["EC2"]
    assert (sagemaker.listed, sagemaker.billed, sagemaker.receipts) == (Decimal("6.48"), Decimal("6.00"), 2)
    assert sagemaker.difference == Decimal("-0.48")
    assert sum(share.amount for share in sagemaker.shares) == sagemaker.listed
    assert (ec2.listed, ec2.billed, ec2.parts) == (Decimal("0.36"), Decimal("0.36"), (EC2, "EC2 - Other"))
    assert (made.listed, made.billed, made.difference) == (Decimal("6.84"), Decimal("6.36"), Decimal("-0.48"))


def test_only_the_accounts_own_money_is_held_against_its_bill() -> None:
    others = (run("s", NOW - DAY, nature=Nature.SAMPLE), run("m", NOW - DAY, nature=Nature.SIMULATED))
    assert against(ledger(*LISTED, *others), bill()).listed == Decimal("6.84")
    assert against(ledger(*LISTED, *others), bill(), nature=Nature.SIMULATED).listed == Decimal("0.36")


def test_a_page_of_samples_does_not_make_samples_part_of_it() -> None:
    held = ledger(*LISTED, run("s", NOW - DAY, nature=Nature.SAMPLE))
    assert reconcile(held, Selection(Nature.SAMPLE, MONTH), bill(), NOW, is_embedded=False).listed == Decimal("6.84")
    assert reconcile(held, Selection(Nature.SAMPLE, MONTH), bill(), NOW, is_embedded=True).listed == 0


def test_receipts_of_unknown_cost_alone_are_not_nothing() -> None:
    held = ledger(run("u", NOW - DAY, each=None, nature=Nature.LISTED, project="dogs"))
    for by, name, told in ((By.SERVICE, "SageMaker", SAGEMAKER), (By.PROJECT, "dogs", "dogs")):
        made = against(held, bill(by, groups={told: "2"}))
        row = rows(made)[name]
        assert (row.listed, row.billed, row.difference, row.receipts, row.unknown) == (None, Decimal(2), None, 1, 1)
        assert "without a receipt here" not in reasons(made)
        assert "1 receipt without a known price" in reasons(made)


def test_a_receipt_known_in_part_is_in_the_list_price_and_what_is_missing_is_said() -> None:
    storage = line(NOW - DAY, NOW - DAY + HOUR, None, what="storage", essential=False)
    held = ledger(run("p", NOW - DAY, nature=Nature.LISTED, extra=(storage,)))
    made = against(held, bill(By.SERVICE, groups={SAGEMAKER: "2"}))
    assert rows(made)["SageMaker"].listed == Decimal("0.36")
    assert "1 receipt known in part" in reasons(made)
    assert "known in part" not in reasons(against(ledger(*LISTED), bill()))


def test_only_the_days_of_the_question_count() -> None:
    before = run("old", NOW - 40 * DAY, nature=Nature.LISTED)
    assert against(ledger(*LISTED, before), bill()).listed == Decimal("6.84")


def test_what_one_column_lacks_is_a_dash_and_a_reason_with_its_amount() -> None:
    made = against(ledger(*LISTED), bill(groups={SAGEMAKER: "6.48", "Amazon CloudWatch": "1.50"}))
    ec2, watch = rows(made)["EC2"], rows(made)["Amazon CloudWatch"]
    assert (ec2.billed, ec2.difference) == (None, None)
    assert (watch.listed, watch.difference) == (None, None)
    told = {one.what: one.amount for one in made.reasons}
    assert told["on the bill, without a receipt here: Amazon CloudWatch"] == Decimal("1.50")
    assert told["with receipts here, not on the bill: EC2"] == Decimal("-0.36")


def test_credits_and_tax_have_the_amounts_that_aws_tells() -> None:
    made = against(
        ledger(*LISTED),
        Billed(
            Question(MONTH, By.SERVICE),
            {},
            {SAGEMAKER: {"Usage": Decimal(6), "Credit": Decimal(-2)}, "Tax": {"Tax": Decimal("0.40")}},
            "USD",
            is_estimated=True,
            pages=1,
        ),
    )
    told = {one.what: one.amount for one in made.reasons}
    assert told["credits, taken off by AWS"] == Decimal(-2)
    assert told["tax"] == Decimal("0.40")
    assert "lag behind" in reasons(made)
    assert "free tier" in reasons(made)


def test_another_currency_is_not_compared() -> None:
    made = against(ledger(*LISTED), bill(currency="INR", groups={SAGEMAKER: "500"}))
    assert (made.billed, made.currency, made.is_comparable, made.difference) == (Decimal(500), "INR", False, None)


def test_unknown_prices_are_said_on_both_sides() -> None:
    strange = run("x", NOW - DAY, each=None, nature=Nature.LISTED)
    made = against(ledger(*LISTED, strange), bill(groups={EC2: "0"}, unpriced={EC2: "BoxUsage:x99 in us-east-1"}))
    assert rows(made)["SageMaker"].unknown == 1
    assert "1 receipt without a known price" in reasons(made)
    assert "the bill has no price for BoxUsage:x99 in us-east-1" in reasons(made)


def test_an_answer_that_was_not_read_to_its_end_says_so() -> None:
    assert "more than 5 pages" in reasons(against(ledger(), bill(is_whole=False, pages=5)))


def test_by_project_each_tag_stands_against_its_receipts() -> None:
    made = against(ledger(*LISTED), bill(By.PROJECT, groups={"dogs": "0.70", "": "6.00", "cats": "1"}))
    assert (rows(made)["dogs"].listed, rows(made)["dogs"].billed) == (Decimal("0.72"), Decimal("0.70"))
    assert (rows(made)[""].listed, rows(made)[""].billed) == (Decimal("6.12"), Decimal("6.00"))
    assert rows(made)["cats"].listed is None
    assert "from its activation on" in reasons(made)


def test_list_prices_stop_at_the_moment_of_the_question() -> None:
    then = NOW - timedelta(hours=1)
    asked = receipts((Asked("GetCostAndUsage", 1, then),), is_embedded=False)
    held = ledger(
        endpoint("e", NOW - DAY, nature=Nature.LISTED), run("r", NOW - DAY / 48, nature=Nature.LISTED), *asked
    )
    made = against(held, bill(groups={SAGEMAKER: "5.52"}), at=then)
    assert [row.name for row in made.rows] == ["SageMaker"]  # neither the question, nor what began after it
    assert (made.listed, made.difference) == (Decimal("5.52"), 0)


def test_storage_says_by_how_much_months_differ() -> None:
    assert "on the bill of November 720: a volume comes to 1.4 % more there" in reasons(against(ledger(), bill()))


def test_what_aws_rounds_away_is_no_difference() -> None:
    third = run("t", NOW - DAY, 1, "0.1000000000333", nature=Nature.LISTED)
    made = against(ledger(third), bill(groups={SAGEMAKER: "0.1"}))
    assert made.difference == 0
    assert rows(made)["SageMaker"].difference == 0


def test_the_embedded_aws_says_how_it_bills() -> None:
    made = against(ledger(), bill(), nature=Nature.SIMULATED)
    assert "billed when it ends" in reasons(made)
    assert "free tier" not in reasons(made)


def test_a_sample_and_a_filter_that_no_bill_knows_cannot_be_compared() -> None:
    assert "example" in comparable(Selection(Nature.SAMPLE, MONTH))
    assert "platform" in comparable(Selection(Nature.LISTED, MONTH, only=((By.PLATFORM, "EC2"),)))
    assert comparable(Selection(Nature.LISTED, MONTH, only=((By.PROJECT, "dogs"),))) == ""


names = st.sampled_from([SAGEMAKER, EC2, "EC2 - Other", "AWS Lambda", "Tax", "Amazon CloudWatch", "AWS Cost Explorer"])
amounts = st.decimals(-1000, 1000, places=4)


@given(st.dictionaries(names, amounts))
def test_rows_add_up_to_both_sums_whatever_the_bill_holds(groups: dict[str, Decimal]) -> None:
    made = against(ledger(*LISTED), bill(groups=groups))
    assert sum(row.billed for row in made.rows if row.billed is not None) == made.billed == sum(groups.values())
    assert sum(row.listed for row in made.rows if row.listed is not None) == made.listed == Decimal("6.84")
    assert sorted(part for row in made.rows for part in row.parts) == sorted(groups)
