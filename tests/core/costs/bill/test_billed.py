"""Asking for the bill: one call, paid for, in whatever currency; what AWS refuses says what to do."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from dashboard.core.aws import Aws
from dashboard.core.costs.bill.activate_tags import ActivationPlan, activate
from dashboard.core.costs.bill.billed import MOST_PAGES, Billed, Question, read_billed
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.errors import AccessDenied, KennelError, ReadOnly, Refused, ServiceFault
from tests.core.conftest import FakeAws, refusal

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MONTH = Period(date(2026, 11, 1), date(2026, 11, 30))
SAGEMAKER, TAX = "Amazon SageMaker", "Tax"


def group(*keys: str, amount: str, unit: str = "USD") -> dict[str, Any]:
    return {"Keys": list(keys), "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": unit}}}


def answer(*groups: dict[str, Any], estimated: bool = True, **more: Any) -> dict[str, Any]:
    period = {"Start": "2026-11-01", "End": "2026-12-01"}
    return {
        "ResultsByTime": [{"TimePeriod": period, "Total": {}, "Groups": list(groups), "Estimated": estimated}]
    } | more


def ask(aws: Aws, by: By = By.SERVICE, period: Period = MONTH, **more: Any) -> Billed:
    return read_billed(aws, Question(period, by, **more), NOW)


def test_the_bill_by_service_with_what_was_put_on_and_taken_off(fake: FakeAws, aws: Aws) -> None:
    fake.on(
        "GetCostAndUsage",
        answer(
            group(SAGEMAKER, "Usage", amount="4.20"),
            group(SAGEMAKER, "Credit", amount="-1.20"),
            group(TAX, "Tax", amount="0.57"),
        ),
    )
    found = ask(aws)
    assert found.amount(SAGEMAKER) == Decimal("3.00")
    assert found.total == Decimal("3.57")
    assert found.records() == {"Usage": Decimal("4.20"), "Credit": Decimal("-1.20"), "Tax": Decimal("0.57")}
    assert (found.currency, found.is_estimated, found.pages, found.cost) == ("USD", True, 1, Decimal("0.01"))
    ((_, asked),) = fake.calls
    assert asked["TimePeriod"] == {"Start": "2026-11-01", "End": "2026-12-01"}
    assert [one["Key"] for one in asked["GroupBy"]] == ["SERVICE", "RECORD_TYPE"]
    assert "Filter" not in asked


def test_several_months_are_added_up(fake: FakeAws, aws: Aws) -> None:
    first, second = (answer(group(SAGEMAKER, "Usage", amount=amount)) for amount in ("1.1", "2.2"))
    fake.on("GetCostAndUsage", {"ResultsByTime": first["ResultsByTime"] + second["ResultsByTime"]})
    assert ask(aws).total == Decimal("3.3")


def test_a_tag_is_told_without_its_key_and_filters_are_tags(fake: FakeAws, aws: Aws) -> None:
    fake.on(
        "GetCostAndUsage",
        answer(group("project$dogs", "Usage", amount="2"), group("project$", "Usage", amount="1")),
    )
    found = ask(aws, By.PROJECT, only=((By.OWNER, "ada"), (By.PROJECT, "")))
    assert found.groups == {"dogs": {"Usage": Decimal(2)}, "": {"Usage": Decimal(1)}}
    assert not found.lacks_tags
    ((_, asked),) = fake.calls
    assert asked["GroupBy"][0] == {"Type": "TAG", "Key": "project"}
    assert asked["Filter"] == {
        "And": [
            {"Tags": {"Key": "owner", "Values": ["ada"]}},
            {"Tags": {"Key": "project", "MatchOptions": ["ABSENT"]}},
        ]
    }


def test_a_bill_without_any_tag_says_so(fake: FakeAws, aws: Aws) -> None:
    fake.on("GetCostAndUsage", answer(group("owner$", "Usage", amount="1")))
    assert ask(aws, By.OWNER).lacks_tags
    fake.on("GetCostAndUsage", answer())
    assert not ask(aws, By.OWNER).lacks_tags  # nothing was billed at all


def test_another_currency_is_told_as_it_is_and_not_compared(fake: FakeAws, aws: Aws) -> None:
    fake.on("GetCostAndUsage", answer(group(SAGEMAKER, "Usage", amount="100", unit="INR")))
    found = ask(aws)
    assert (found.currency, found.is_comparable, found.total) == ("INR", False, Decimal(100))


def test_pages_are_asked_for_and_paid_up_to_a_bound(fake: FakeAws, aws: Aws) -> None:
    fake.on("GetCostAndUsage", answer(group(SAGEMAKER, "Usage", amount="1"), NextPageToken="more"))
    found = ask(aws)
    assert fake.counts["GetCostAndUsage"] == MOST_PAGES
    assert (found.pages, found.is_whole, found.cost) == (MOST_PAGES, False, Decimal("0.05"))

    pages = iter([answer(group("a", "Usage", amount="1"), NextPageToken="2"), answer(group("b", "Usage", amount="2"))])
    fake.on("GetCostAndUsage", lambda _: next(pages))
    found = ask(aws)
    assert (found.total, found.is_whole, found.cost) == (Decimal(3), True, Decimal("0.02"))


def test_a_page_that_cannot_be_read_leaves_those_that_were_paid_for(fake: FakeAws, aws: Aws) -> None:
    first = answer(group("a", "Usage", amount="1"), NextPageToken="2")
    fake.on(
        "GetCostAndUsage", lambda asked: refusal("AccessDeniedException", "no") if "NextPageToken" in asked else first
    )
    found = ask(aws)
    assert (found.total, found.pages, found.is_whole, found.cost) == (Decimal(1), 1, False, Decimal("0.01"))


def test_nothing_past_the_next_month_is_asked_for(fake: FakeAws, aws: Aws) -> None:
    fake.on("GetCostAndUsage", answer())
    ask(aws, period=Period(date(2026, 10, 30), date(2027, 3, 1)))
    assert fake.calls[0][1]["TimePeriod"] == {"Start": "2026-10-30", "End": "2026-12-01"}


def test_days_that_have_not_begun_cost_no_question(fake: FakeAws, aws: Aws) -> None:
    with pytest.raises(Refused, match="has not begun"):
        ask(aws, period=Period(date(2026, 11, 22), date(2026, 11, 30)))
    assert fake.calls == []


@pytest.mark.parametrize(
    ("code", "message", "meaning", "said"),
    [
        ("AccessDeniedException", "User: x is not authorized to perform: ce:GetCostAndUsage", AccessDenied, "ce:Get"),
        ("AccessDeniedException", "User not enabled for cost explorer access", Refused, "switch it on"),
        ("DataUnavailableException", "", Refused, "within a day"),
        ("NotImplemented", "The service ce is not part of it", ServiceFault, "not available here"),
    ],
)
def test_refusals_say_what_to_do(
    fake: FakeAws, aws: Aws, code: str, message: str, meaning: type[KennelError], said: str
) -> None:
    fake.on("GetCostAndUsage", refusal(code, message, 501 if code == "NotImplemented" else 400))
    with pytest.raises(meaning, match=said):
        ask(aws)


@pytest.mark.parametrize(
    "wrong",
    [
        group(SAGEMAKER, "Usage", amount="many"),
        group(SAGEMAKER, "Usage", amount="NaN"),
        group(SAGEMAKER, amount="1"),
        {"Keys": [SAGEMAKER, "Usage"], "Metrics": {}},
    ],
)
def test_nonsense_is_no_bill(fake: FakeAws, aws: Aws, wrong: dict[str, Any]) -> None:
    fake.on("GetCostAndUsage", answer(wrong))
    with pytest.raises(ServiceFault, match="no bill"):
        ask(aws)


def test_two_currencies_in_one_answer_are_not_added(fake: FakeAws, aws: Aws) -> None:
    fake.on(
        "GetCostAndUsage", answer(group("a", "Usage", amount="1"), group("b", "Usage", amount="1", unit="EUR"))
    )  # fmt: skip
    with pytest.raises(ServiceFault, match="EUR, USD"):
        ask(aws)


def test_the_question_is_the_nearest_to_what_a_page_shows() -> None:
    shown = Selection(Nature.LISTED, MONTH, By.INSTANCE, ((By.PROJECT, "dogs"), (By.PLATFORM, "EC2")))
    assert Question.of(shown) == Question(MONTH, By.SERVICE, ((By.PROJECT, "dogs"),))
    assert Question.unasked(shown) == (By.PLATFORM,)
    assert Question.of(Selection(Nature.LISTED, MONTH, By.OWNER)) == Question(MONTH, By.OWNER)


def test_a_read_only_account_may_ask_and_activates_nothing(fake: FakeAws, aws: Aws) -> None:
    looking = Aws(replace(aws.account, writable=False), aws._session)
    fake.on("GetCostAndUsage", answer(group(SAGEMAKER, "Usage", amount="1")))
    assert ask(looking).total == 1
    with pytest.raises(ReadOnly):
        activate(looking, ActivationPlan(("project", "owner")))
    assert fake.counts["UpdateCostAllocationTagsStatus"] == 0
