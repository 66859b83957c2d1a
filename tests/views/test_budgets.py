"""Budgets on Spend and Overview: the month's bar and warning, and a budget that is set, changed and deleted."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.core.errors import AccessDenied, Unreachable
from dashboard.readings import Reading
from tests.core.costs.receipts import ledger, run
from tests.views import scripted
from tests.views.conftest import Open, links, text
from tests.views.scripted import REAL, ScriptedAws

DENIED = AccessDenied("not allowed to budgets:ViewBudget", "no policy allows it", action="budgets:ViewBudget")


def settled(page: AppTest, words: str) -> str:
    """What a page says once it says `words`: receipts are read while it is shown."""
    deadline = time.monotonic() + 20
    while words not in (said := text(page)) and time.monotonic() < deadline:
        page.run()
    assert words in said
    return said


def test_without_a_budget_spend_offers_to_set_one(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "costs")
    assert not page.exception
    said = text(page)
    assert "No monthly budget for the whole account." in said
    assert "Set a budget" in said
    assert "Budget left" not in said


def test_a_month_within_its_budget_says_what_is_left(aws: ScriptedAws, visit: Open) -> None:
    aws.add_budget(limit="1000")
    said = settled(visit(aws, "costs"), "1 % of $1,000")
    assert "Budget left" in said
    assert "of the month has passed" in said
    assert "over the limit" not in said


def test_a_month_over_its_budget_is_warned_of_on_both_pages(aws: ScriptedAws, visit: Open) -> None:
    aws.add_budget(limit="0.01")
    page = visit(aws, "costs")
    said = settled(page, "Over budget")
    assert "over the limit of $0.01." in said
    assert "kn-failed-text" in said
    settled(visit(aws), "over the limit of $0.01")
    assert ("Open Spend", "costs") in [(label, page) for label, page, _ in links(visit(aws))]


def test_the_sample_has_no_budget(visit: Open) -> None:
    aws = ScriptedAws()
    aws.add_job("drawn", sample=True)
    aws.add_budget(limit="0.0001")
    page = visit(aws, "costs")
    said = settled(page, "A budget counts the account's own money")
    assert "over the limit" not in said
    assert "over the limit" not in text(visit(aws))


def test_a_budget_is_set_after_it_was_planned_and_confirmed(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "costs")
    page.button(key="budget-set").click().run()
    page.number_input(key="budget-limit-all-").set_value(250.5).run()
    page.text_input(key="budget-mails-all-").set_value("ada@example.com").run()
    assert not page.exception
    planned = text(page)
    assert "CreateBudget" in planned
    assert (
        "sets $250.50 a month for the whole account, "
        "and tells ada@example.com at 80 % spent, 100 % spent, 100 % expected" in planned
    )
    assert "No e-mail leaves the embedded AWS: what would be sent is kept under the budget on Spend" in planned
    assert "budgets.create_budget(" in page.code[-1].value
    assert aws.asked("CreateBudget") == []

    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert aws.budgets["kennel-month"]["BudgetLimit"] == {"Amount": "250.50", "Unit": "USD"}
    assert [toast.value for toast in page.toast] == [r"kennel-month is set\: \$250.50 a month for the whole account"]
    settled(page, "Budget left")


def test_a_wrong_address_is_said_and_nothing_can_be_confirmed(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "costs")
    page.button(key="budget-set").click().run()
    page.text_input(key="budget-mails-all-").set_value("ada").run()
    assert "ada is not an e-mail address" in text(page)
    assert page.button(key="confirm-blocked").disabled


def test_a_limit_beyond_all_money_breaks_nothing(aws: ScriptedAws, visit: Open) -> None:
    aws.add_budget(limit="9" * 40)  # by another program
    page = visit(aws, "costs")
    page.button(key="budget-set").click().run()
    field = page.number_input(key="budget-limit-all-")
    assert (field.value, field.max) == (1e9, 1e9)
    assert not page.exception
    assert "changes the limit from $9,999" in text(page)


def test_names_in_the_budget_dialog_are_shown_as_they_are(
    aws: ScriptedAws, visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = ledger(run("r", scripted.NOW, 1, "1.00", project="a_b_ $c$"))
    monkeypatch.setattr(state, "ledger", lambda aws: Reading(book, scripted.NOW))
    page = visit(aws, "costs")
    page.button(key="budget-set").click().run()
    assert "project a_b_ $c$" in page.selectbox(key="budget-for").options


def test_a_changed_limit_is_one_call(aws: ScriptedAws, visit: Open) -> None:
    aws.add_budget(limit="500")
    page = visit(aws, "costs")
    page.button(key="budget-set").click().run()
    assert "there is nothing to change" in text(page)
    page.number_input(key="budget-limit-all-").set_value(600.0).run()
    assert "changes the limit from $500.00 to $600.00 a month" in text(page)
    page.button(key="confirm-do").click().run()
    assert [one["NewBudget"]["BudgetLimit"]["Amount"] for one in aws.asked("UpdateBudget")] == ["600.00"]


def test_kennels_budget_can_be_deleted_and_anothers_is_left_alone(aws: ScriptedAws, visit: Open) -> None:
    aws.add_budget()
    aws.add_budget("theirs", "20", TimeUnit="ANNUALLY")
    page = visit(aws, "costs")
    said = text(page)
    assert "made outside of Kennel: change it in the AWS console" in said
    assert "its period is annually, not a month" in said
    assert not [one for one in page.button if one.key == "delete-budget-theirs"]
    page.button(key="delete-budget-kennel-month").click().run()
    assert "Nobody is told any more" in text(page)
    page.button(key="confirm-do").click().run()
    assert list(aws.budgets) == ["theirs"]


def test_without_the_right_to_budgets_both_pages_stand_and_say_so(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["DescribeBudgets"] = DENIED
    page = visit(aws, "costs")
    assert not page.exception
    said = text(page)
    assert "Budgets: not checked. not allowed to budgets:ViewBudget" in said
    assert "Month to date" in said
    assert not [one for one in page.button if one.key == "budget-set"]
    overview = visit(aws)
    assert not overview.exception
    settled(overview, "budget not checked")


def test_budgets_that_cannot_be_reached_take_nothing_else_with_them(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["DescribeBudgets"] = Unreachable("budgets DescribeBudgets got no answer in time")
    said = settled(visit(aws, "costs"), "Budgets: not checked")
    assert "Month to date" in said


def test_a_topic_that_cannot_be_read_is_said_where_it_is_wanted(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["GetTopicAttributes"] = AccessDenied("not allowed to sns:GetTopicAttributes")
    page = visit(aws, "costs")
    page.button(key="budget-set").click().run()
    assert page.button(key="confirm-do")
    page.toggle(key="budget-topic-all-").set_value(True).run()
    assert "not allowed to sns:GetTopicAttributes" in text(page)
    assert page.button(key="confirm-blocked").disabled


def test_a_refused_change_stays_in_the_dialog(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["CreateBudget"] = AccessDenied("not allowed to budgets:ModifyBudget", action="budgets:ModifyBudget")
    page = visit(aws, "costs")
    page.button(key="budget-set").click().run()
    page.button(key="confirm-do").click().run()
    assert "Not allowed to budgets:ModifyBudget" in text(page)
    assert aws.budgets == {}


def test_mails_that_were_kept_are_shown_with_why_one_would_not_arrive(aws: ScriptedAws, visit: Open) -> None:
    aws.add_budget()
    aws.mails = [
        {"to": "ada@example.com", "subject": "Over", "message": "ACTUAL Amount: $81", "problem": ""},
        {"to": "topic", "subject": "Over", "message": "m", "problem": "its policy does not let budgets publish"},
    ]
    page = visit(aws, "costs")
    assert not page.exception
    assert "ACTUAL Amount: $81" in [one.value for one in page.code]
    assert "It would not have arrived: its policy does not let budgets publish" in text(page)
    assert [one for one in page.expander if "`ada@example.com`" in one.label]


def test_a_real_accounts_budget_is_not_called_simulated(visit: Open) -> None:
    aws = ScriptedAws(REAL)
    aws.add_endpoint("dogs")
    aws.add_budget()
    said = settled(visit(aws, "costs"), "AWS has billed $0.00")
    assert "simulated" not in said


def test_the_months_card_says_what_is_in_it(aws: ScriptedAws, visit: Open) -> None:
    settled(visit(aws), "7 receipts, no budget")


def test_the_month_of_an_empty_account(empty: ScriptedAws, visit: Open) -> None:
    settled(visit(empty), "0 receipts, no budget")
