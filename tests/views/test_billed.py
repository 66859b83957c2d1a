"""The bill on the Spend page: never asked for without a click, beside list prices, open to what it is made of."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.core.costs.bill.requests import Asked, receipts
from dashboard.core.costs.ledger.collect import Collector
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.ledger.trail_book import TrailBook
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Service
from dashboard.core.errors import AccessDenied, NotFound, ServiceFault
from dashboard.readings import Reading
from tests.core.costs.receipts import HOUR, endpoint, line
from tests.views.conftest import Open, links, text
from tests.views.scripted import EMBEDDED, REAL, ScriptedAws, busy_account

SAGEMAKER = "Amazon SageMaker"


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedAws:
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path))
    return on(busy_account(), tmp_path)


def on(account: ScriptedAws, folder: Path) -> ScriptedAws:
    """An account that keeps what it keeps in that folder."""
    account.account = replace(account.account, client_file=str(folder / "aws" / "client.json"))
    return account


def answer(account: ScriptedAws, *groups: tuple[str, str, str], unit: str = "USD", **more: Any) -> None:
    """What Cost Explorer says from now on: (name, record type, amount)."""
    told = [
        {"Keys": [name, record], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": unit}}}
        for name, record, amount in groups
    ]
    period = {"Start": "2026-11-01", "End": "2026-12-01"}
    result = {"TimePeriod": period, "Total": {}, "Groups": told, "Estimated": True}
    account._GetCostAndUsage = lambda asked: {"ResultsByTime": [result], **more}  # type: ignore[attr-defined]


def ask(test: AppTest, key: str = "bill-ask") -> AppTest:
    """Open the dialog and confirm it."""
    test.button(key=key).click().run()
    return test.button(key="confirm-do").click().run()


def spend(visit: Open, account: ScriptedAws, **query: str) -> AppTest:
    return visit(account, "costs", **{"of": "simulated", "period": "30d"} | query)


def test_nothing_is_asked_before_its_price_was_confirmed(aws: ScriptedAws, visit: Open) -> None:
    answer(aws, (SAGEMAKER, "Usage", "1.5"))
    test = spend(visit, aws)
    assert "asking costs $0.01" in text(test)
    test.button(key="bill-ask").click().run()
    said = text(test)
    assert "Cost Explorer charges $0.01 for this call" in said
    assert any("UnblendedCost" in code.value for code in test.code)
    test.button(key="confirm-cancel").click().run()
    assert aws.asked("GetCostAndUsage") == []


def test_what_asking_does_to_the_budget_is_said_before(aws: ScriptedAws, visit: Open) -> None:
    aws.add_budget(limit="1000")
    test = spend(visit, aws)
    assert "after this" not in text(test)
    test.button(key="bill-ask").click().run()
    said = text(test)
    assert "of $1,000 is left, $" in said
    assert "after this" in said
    assert "It counts as spent here too" in said


def test_the_bill_stands_beside_list_prices_and_is_asked_for_once(aws: ScriptedAws, visit: Open) -> None:
    answer(aws, (SAGEMAKER, "Usage", "1.5"), ("Tax", "Tax", "0.25"))
    test = ask(spend(visit, aws))
    said = text(test)
    assert not test.exception
    assert "Billed $1.75 by " in said
    assert "Asked just now for $0.01, which is in neither sum" in said
    assert "tax: +$0.25" in said
    test.run()
    assert len(aws.asked("GetCostAndUsage")) == 1
    shown = [query for _, page, query in links(test) if "receipt" in page and "bill=" in query]
    assert any("bill=SageMaker" in query for query in shown)
    assert any("bill=Tax" in query for query in shown)


def test_the_question_itself_becomes_a_receipt(aws: ScriptedAws, visit: Open, tmp_path: Path) -> None:
    answer(aws, (SAGEMAKER, "Usage", "1"))
    ask(spend(visit, aws))
    (kept,) = (tmp_path / "aws" / "costs").glob("*bill-requests.jsonl")
    assert kept.read_text().count("GetCostAndUsage") == 1
    made = Collector(TrailBook(tmp_path / "trail.json")).collect(aws, PriceBook.load(), datetime.now(UTC))
    assert [one.amount for one in made.receipts if one.service is Service.COST_EXPLORER] == [Decimal("0.01")]


def test_the_receipt_of_a_question_tells_of_no_seconds(
    aws: ScriptedAws, visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 11, 21, 19, 42, tzinfo=UTC)
    asked = receipts((Asked("GetCostAndUsage", 1, at),), is_embedded=True)
    monkeypatch.setattr(state, "ledger", lambda aws: Reading(Ledger(asked, at), at))
    said = text(visit(aws, "receipt", receipt=asked[0].key))
    assert "19:42 UTC" in said
    assert "Simulated: requests × list price" in said
    assert "Lasted" not in said
    assert "Simulated: this machine" not in said


def test_a_question_is_among_the_receipts_and_lasts_no_time(aws: ScriptedAws, visit: Open) -> None:
    answer(aws, (SAGEMAKER, "Usage", "1"))
    test = ask(spend(visit, aws))
    until = time.monotonic() + 20
    while "question 1" not in text(test) and time.monotonic() < until:
        test.run()
    assert "Cost Explorer, question 1" in text(test)
    table = next(one.value for one in test.dataframe if "Receipt" in one.value)
    assert [row["Lasted"] for row in table.to_dict("records") if row["Service"] == "Cost Explorer"] == [""]


def test_an_answer_that_is_no_bill_was_paid_for_all_the_same(aws: ScriptedAws, visit: Open, tmp_path: Path) -> None:
    answer(aws, (SAGEMAKER, "Usage", "NaN"))
    test = ask(spend(visit, aws))
    assert not test.exception
    assert "Cost Explorer answered what is no bill" in text(test)
    (kept,) = (tmp_path / "aws" / "costs").glob("*bill-requests.jsonl")
    assert kept.read_text().count("GetCostAndUsage") == 1


def test_a_line_of_the_bill_opens_to_what_aws_answered(aws: ScriptedAws, visit: Open) -> None:
    answer(aws, (SAGEMAKER, "Usage", "1.5000000001"), (SAGEMAKER, "Credit", "-0.5"), ("Tax", "Tax", "0.25"))
    test = ask(spend(visit, aws))
    test.switch_page("views/receipt.py")
    test.query_params["of"], test.query_params["period"] = "simulated", "30d"
    test.query_params["bill"] = "SageMaker"
    test.run()
    said = text(test)
    assert not test.exception
    assert "1.5000000001" in said
    assert "Credit" in said
    assert "1.0000000001" in said  # their sum
    assert "0.25" not in said  # another line's
    assert any("GetCostAndUsage" in caption.value for caption in test.caption)
    test.query_params["bill"] = "*"
    test.run()
    assert "1.2500000001" in text(test)


def test_a_link_to_a_bill_that_nobody_asked_for_offers_to_ask(aws: ScriptedAws, visit: Open) -> None:
    test = visit(aws, "receipt", of="simulated", period="30d", bill="SageMaker")
    assert not test.exception
    assert "not asked for yet" in text(test)
    assert test.button(key="bill-ask")


def test_without_permission_the_page_stands_and_names_the_statement(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["GetCostAndUsage"] = AccessDenied("not allowed to ce:GetCostAndUsage", action="ce:GetCostAndUsage")
    test = ask(spend(visit, aws))
    said = text(test)
    assert not test.exception
    assert "Not allowed to ce:GetCostAndUsage" in said
    assert any("ce:GetCostAndUsage" in code.value for code in test.code)
    assert "Billed by AWS" in said
    test.button(key="confirm-cancel").click().run()
    assert "Receipts" in text(test)


def test_an_aws_without_cost_explorer_says_so(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["GetCostAndUsage"] = ServiceFault("ce GetCostAndUsage is not available here", "not part of it")
    test = ask(spend(visit, aws))
    assert "is not available here" in text(test)


def test_another_currency_is_shown_and_not_compared(aws: ScriptedAws, visit: Open) -> None:
    answer(aws, (SAGEMAKER, "Usage", "500"), unit="INR")
    said = text(ask(spend(visit, aws)))
    assert "₹500.00 billed by " in said
    assert "in INR: not comparable" in said


def test_a_sample_is_not_billed(aws: ScriptedAws, visit: Open) -> None:
    aws.add_job("an-example", sample=True)
    test = spend(visit, aws, of="sample")
    assert "nothing of it is billed" in text(test)
    (head,) = [one.value for one in test.get("html") if "Billed by AWS" in one.value]
    assert "simulated" not in head
    assert not [button for button in test.button if button.key == "bill-ask"]


def test_a_view_that_no_bill_knows_says_which_filter(aws: ScriptedAws, visit: Open) -> None:
    said = text(spend(visit, aws, platform="SageMaker"))
    assert "A bill is not told by platform" in said


def test_tags_are_activated_after_a_plan(aws: ScriptedAws, visit: Open) -> None:
    answer(aws, ("project$", "Usage", "2"))
    aws.add_job("marked", tags={"project": "dogs", "owner": "ada"})
    aws._UpdateCostAllocationTagsStatus = lambda asked: {"Errors": []}  # type: ignore[attr-defined]
    test = ask(spend(visit, aws, by="project"))
    assert "Nothing on this bill carries a project" in text(test)
    test.button(key="bill-activate").click().run()
    assert "from now on" in text(test)
    assert aws.asked("UpdateCostAllocationTagsStatus") == []
    test.button(key="confirm-do").click().run()
    (asked,) = aws.asked("UpdateCostAllocationTagsStatus")
    assert [one["TagKey"] for one in asked["CostAllocationTagsStatus"]] == ["project", "owner"]
    assert any("are activated" in toast.value for toast in test.toast)


def test_a_tag_that_aws_does_not_know_yet_is_explained(aws: ScriptedAws, visit: Open) -> None:
    aws.add_job("marked", tags={"owner": "ada"})
    aws.errors["UpdateCostAllocationTagsStatus"] = NotFound("Tag keys not found: owner")
    test = ask(spend(visit, aws, by="owner"), "bill-activate")
    assert "up to a day after something that is billed first carried it" in text(test)


def test_a_real_accounts_bill_is_marked_as_billed(visit: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path))
    account = busy_account()
    account.account = REAL
    answer(account, (SAGEMAKER, "Usage", "1"))
    test = ask(spend(visit, account, of="listed"))
    said = text(test)
    assert "Billed $1.00" in said
    assert "lag behind by up to a day" in said
    assert "billed when it ends" not in said


def test_two_accounts_do_not_see_each_others_bill(aws: ScriptedAws, visit: Open, tmp_path: Path) -> None:
    answer(aws, (SAGEMAKER, "Usage", "77"))
    assert "$77.00" in text(ask(spend(visit, aws)))
    other = ScriptedAws(replace(EMBEDDED, account_id="999999999999"))
    other.add_job("alone")
    assert "$77.00" not in text(spend(visit, on(other, tmp_path / "other")))


def test_list_prices_stay_those_of_the_moment_of_the_question(
    aws: ScriptedAws, visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, later = datetime.now(UTC) - 2 * HOUR, datetime.now(UTC) + HOUR
    serving = replace(endpoint("dogs", began), lines=(line(began, later, "0.24"),))  # $0.48 by now, $0.72 by then
    monkeypatch.setattr(state, "ledger", lambda aws: Reading(Ledger((serving,), later), later))
    answer(aws, (SAGEMAKER, "Usage", "0.5"))
    test = ask(spend(visit, aws))
    assert "than the list price of $0.48" in text(test)  # and what the seconds of this test add
    (whole,) = {query for _, page, query in links(test) if "until=" in query and "service=" not in query}
    test.switch_page("views/receipt.py")
    test.query_params.update(dict(parse_qsl(whole)))
    test.run()
    assert not test.exception
    said = text(test)
    assert "As it stood on" in said
    assert "$0.48" in said
    assert "$0.72" not in said
