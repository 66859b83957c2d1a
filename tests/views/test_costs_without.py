"""The pages of costs without a permission, a price or a sensible figure: what is missing is said, the rest stands."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.core.errors import CredentialsProblem, KennelError, ServiceFault, Unreachable
from tests.views import scripted
from tests.views.conftest import Open, text
from tests.views.scripted import ARN, ScriptedAws
from tests.views.test_missing_rights import deny

PAGES = ("costs", "choices", "waste", "prices")
SAMPLE = {"kennel:sample": "true"}


def looked(page: AppTest, words: str) -> str:
    """What the page says once the ledger has been read as a whole."""
    for _ in range(20):
        assert not page.exception
        if words in (said := text(page)):
            return said
        page.run()
    raise AssertionError(f"never said {words!r}:\n{said}")


def bill(currency: str = "USD", amount: str = "12.5") -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Cost Explorer's answer: one service, its use, in that currency."""

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        metrics = {"UnblendedCost": {"Amount": amount, "Unit": currency}}
        groups = [{"Keys": ["Amazon SageMaker", "Usage"], "Metrics": metrics}]
        return {"ResultsByTime": [{"TimePeriod": asked["TimePeriod"], "Groups": groups, "Estimated": True}]}

    return answer


@pytest.mark.parametrize("page", PAGES)
def test_without_cloudtrail_every_page_of_costs_stands(aws: ScriptedAws, visit: Open, page: str) -> None:
    deny(aws, "LookupEvents", "cloudtrail:LookupEvents")
    shown = visit(aws, page)
    assert not shown.exception
    assert "cannot be shown" not in text(shown)


def test_without_cloudtrail_spend_says_which_endpoints_it_cannot_know(aws: ScriptedAws, visit: Open) -> None:
    deny(aws, "LookupEvents", "cloudtrail:LookupEvents")
    said = looked(visit(aws, "costs"), "(CloudTrail): not allowed to cloudtrail:LookupEvents")
    assert "ask for this statement" in said
    assert "forgotten" in said  # an endpoint that is there now is known all the same


def test_without_the_right_to_the_bill_the_list_prices_stand(aws: ScriptedAws, visit: Open) -> None:
    deny(aws, "GetCostAndUsage", "ce:GetCostAndUsage")
    page = visit(aws, "costs")
    looked(page, "Billed by AWS")
    assert not aws.asked("GetCostAndUsage")  # it costs money: not before somebody says so
    page.button(key="bill-ask").click().run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    said = text(page)
    assert "ot allowed to ce:GetCostAndUsage" in said
    assert "Month to date" in said


@pytest.mark.parametrize(
    "problem", [Unreachable("EC2 does not answer"), CredentialsProblem("EC2 refuses the key")], ids=["away", "refused"]
)
def test_choices_stand_without_spot_prices(aws: ScriptedAws, visit: Open, problem: KennelError) -> None:
    aws.errors["DescribeSpotPriceHistory"] = problem
    shown = visit(aws, "choices")
    assert not shown.exception
    assert "cannot be shown" not in text(shown)
    assert "What if" in text(shown)


@pytest.mark.parametrize(
    ("page", "operation"),
    [("costs", "ListEndpoints"), ("costs", "DescribeEndpointConfig"), ("waste", "DescribeEndpoint"),
     ("waste", "DescribeInstances")],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_costs_its_own_part_only(
    aws: ScriptedAws, visit: Open, page: str, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = aws.call
    monkeypatch.setattr(
        aws, "call", lambda service, asked, **of: {} if asked == operation else call(service, asked, **of)
    )
    shown = visit(aws, page)
    looked(shown, "Month to date" if page == "costs" else "Wasted a day")
    assert "could not be drawn" not in text(shown)
    assert "AWS answered something that Kennel cannot read" in text(shown)


@pytest.mark.parametrize("operation", ["GetProducts", "DescribeSpotPriceHistory"])
def test_without_the_right_to_ask_for_prices_the_shipped_ones_stand(
    aws: ScriptedAws, visit: Open, operation: str
) -> None:
    deny(aws, operation, f"pricing:{operation}")
    page = visit(aws, "prices")
    before = page.dataframe[0].value
    assert not page.exception
    page.button(key="refresh-prices").click().run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert f"pricing:{operation}" in text(page)
    assert list(page.dataframe[0].value.iloc[:, 0]) == list(before.iloc[:, 0])


@pytest.mark.parametrize("currency", ["EUR", "CNY"])
def test_a_bill_in_another_currency_is_shown_and_not_compared(aws: ScriptedAws, visit: Open, currency: str) -> None:
    aws._GetCostAndUsage = bill(currency)  # type: ignore[attr-defined]
    page = visit(aws, "costs")
    looked(page, "Billed by AWS")
    page.button(key="bill-ask").click().run()
    page.button(key="confirm-do").click().run()
    page.run()
    assert not page.exception
    said = text(page) + " ".join(link.proto.label for link in page.page_link)
    assert "12.5" in said
    assert currency in said or "€" in said
    assert "$12.5" not in said


def test_the_bill_is_asked_once_for_one_view(aws: ScriptedAws, visit: Open) -> None:
    aws._GetCostAndUsage = bill()  # type: ignore[attr-defined]
    page = visit(aws, "costs")
    looked(page, "Billed by AWS")
    page.button(key="bill-ask").click().run()
    page.button(key="confirm-do").click().run()
    for _ in range(3):
        page.run()
    assert len(aws.asked("GetCostAndUsage")) == 1


def test_without_the_right_to_budgets_spend_says_so(aws: ScriptedAws, visit: Open) -> None:
    deny(aws, "DescribeBudgets", "budgets:ViewBudget")
    said = looked(visit(aws, "costs"), "budgets:ViewBudget")
    assert "Month to date" in said


def test_an_instance_without_a_price_is_missing_from_the_sum_and_said(aws: ScriptedAws, visit: Open) -> None:
    known = looked(visit(aws, "costs"), "Month to date")
    aws.add_job("unpriced", instance="ml.inf1.xlarge", age=700)
    page = visit(aws, "costs")
    said = looked(page, "of unknown cost")
    assert "of unknown cost" not in known
    table = next(one.value for one in page.dataframe if "unpriced" in list(one.value.iloc[:, 0]))
    row = next(row for _, row in table.iterrows() if row.iloc[0] == "unpriced")
    assert row.iloc[1] is None or row.iloc[1] != row.iloc[1]  # no number, which is not 0
    assert said.count("Month to date") == known.count("Month to date")


@pytest.mark.parametrize("page", ["choices", "waste"])
def test_an_instance_without_a_price_breaks_no_page(aws: ScriptedAws, visit: Open, page: str) -> None:
    aws.add_job("unpriced", instance="ml.inf1.xlarge", age=700)
    shown = visit(aws, page)
    assert not shown.exception
    assert "cannot be shown" not in text(shown)


def test_a_receipt_without_a_price_says_why(aws: ScriptedAws, visit: Open) -> None:
    aws.add_job("unpriced", instance="ml.inf1.xlarge", age=700)
    said = looked(visit(aws, "receipt", receipt="run:unpriced"), "no price for ml.inf1.xlarge")
    assert "unknown" in said


def test_a_region_without_a_price_has_receipts_of_unknown_sums(aws: ScriptedAws, visit: Open) -> None:
    aws.account = replace(aws.account, region="sa-east-1")
    said = looked(visit(aws, "receipt", receipt="run:drawn-dogs-5d20e9f1"), "no price for ml.m5.large in sa-east-1")
    assert "$0.00" not in said
    shown = visit(aws, "costs")
    assert not shown.exception


@pytest.mark.parametrize("page", PAGES)
def test_times_that_cannot_be_break_no_page(aws: ScriptedAws, visit: Open, page: str) -> None:
    """Missing ends, ends before starts, clocks that are ahead, and nothing at all."""
    for name in ("endless", "backwards", "ahead", "instant"):
        aws.add_job(name, age=900)
    now = scripted.NOW
    for member in ("TrainingEndTime", "BillableTimeInSeconds", "TrainingTimeInSeconds"):
        del aws.jobs["endless"][member]
    aws.jobs["backwards"] |= {"TrainingEndTime": now - timedelta(days=2)}
    late = {"CreationTime": now + timedelta(hours=3), "TrainingStartTime": now + timedelta(hours=3)}
    aws.jobs["ahead"] |= late
    aws.jobs["instant"] |= {"BillableTimeInSeconds": 0, "TrainingTimeInSeconds": 0}
    shown = visit(aws, page)
    assert not shown.exception
    assert "−$" not in text(shown)  # time that runs backwards pays nothing back


def test_natures_stand_apart(aws: ScriptedAws, visit: Open) -> None:
    """What the account itself spent is the sum of its own receipts; the sample's are a view of their own."""
    page = visit(aws, "costs")
    looked(page, "Month to date")
    ledger = state.ledger(aws).value
    of = {receipt.key: receipt.nature.value for receipt in ledger.receipts}
    assert of["run:sample-drawn-dogs"] == "sample"
    assert of["run:drawn-dogs-5d20e9f1"] == "simulated"
    shown = {str(link.proto.query_string) for link in page.page_link}
    assert not any("sample-drawn-dogs" in query for query in shown)


def test_a_service_that_is_not_there_is_said_and_the_page_stands(aws: ScriptedAws, visit: Open) -> None:
    """As the embedded AWS answers for Lambda and notebooks."""
    for operation in ("ListFunctions", "ListNotebookInstances", "DescribeVolumes", "DescribeAddresses"):
        aws.errors[operation] = ServiceFault(f"{operation} is not available here", "HTTP 501", "use a real account")
    said = looked(visit(aws, "waste"), "not checked")
    assert "Wasted a day" in said


def test_a_replayed_training_has_a_receipt_that_says_so(aws: ScriptedAws, visit: Open) -> None:
    marks = {"kennel:replay": "2026-09-04T10:15:00Z 75", "kennel:replay-basis": "duration published"}
    aws.add_job("project-c-single", age=700, sample=True, tags=marks)
    said = looked(visit(aws, "receipt", receipt="run:project-c-single", of="sample"), "eplayed from a write-up")
    assert "uration published" in said
    assert aws.tags[f"{ARN}:training-job/project-c-single"].items() >= SAMPLE.items()


def test_a_receipt_holds_what_was_expected_against_what_came(aws: ScriptedAws, visit: Open) -> None:
    expected = {"kennel:expected-cost": "0.002", "kennel:expected-most": "0.5", "kennel:expected-seconds": "60"}
    aws.add_job("planned", age=700, seconds=75, tags=expected)
    said = looked(visit(aws, "receipt", receipt="run:planned"), "$0.002")
    assert "20 %" in said
