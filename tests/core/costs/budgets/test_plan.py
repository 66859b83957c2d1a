"""Setting, changing and deleting a budget: what is planned is what AWS has afterwards, and twice is once."""

import os
import runpy
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dashboard.core.aws import EMBEDDED_ACCOUNT, Account, Aws, connect
from dashboard.core.costs.budgets.budgets import Scope, read_budgets
from dashboard.core.costs.budgets.calls import TOPIC, topic_arn
from dashboard.core.costs.budgets.plan import There, carry_out, delete, look, plan_budget, plan_delete, summary
from dashboard.core.costs.budgets.sent import read_sent
from dashboard.core.costs.budgets.wish import Wish, addresses, check, name_of
from dashboard.core.errors import AccessDenied, AlreadyExists, InvalidInput, NotFound
from tests.conftest import start_embedded, stop_embedded

ACCOUNT = Account("embedded", "us-east-1", EMBEDDED_ACCOUNT, True, True, "http://127.0.0.1:1", "client.json")
ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    home = tmp_path_factory.mktemp("budgets")
    running = start_embedded(home / "aws")
    yield connect({**os.environ, "KENNEL_HOME": str(home), "KENNEL_AWS_PROFILE": ""})
    stop_embedded(running)


@pytest.fixture
def empty(aws: Aws) -> Aws:
    for one in read_budgets(aws):
        aws.call("budgets", "DeleteBudget", AccountId=aws.account.account_id, BudgetName=one.name)
    aws.call("sns", "DeleteTopic", TopicArn=topic_arn(aws.account))
    return aws


def wish(limit: str = "500", **more: Any) -> Wish:
    return Wish(Decimal(limit), **more)


def operations(asked: Wish, there: There) -> list[str]:
    return [call.operation for call in plan_budget(asked, there, ACCOUNT).calls]


def set_budget(aws: Aws, asked: Wish) -> list[str]:
    plan = plan_budget(asked, look(aws, asked.scope, asked.group), aws.account)
    carry_out(aws, plan)
    return [call.operation for call in plan.calls]


def test_a_new_budget_is_one_call_that_says_what_it_does() -> None:
    plan = plan_budget(wish(emails=(ADA,)), There(), ACCOUNT)
    (call,) = plan.calls
    assert (call.service, call.operation, plan.name) == ("budgets", "CreateBudget", "kennel-month")
    assert call.does == (
        "sets $500.00 a month for the whole account, "
        "and tells ada@example.com at 80 % spent, 100 % spent, 100 % expected"
    )
    assert call.parameters["Budget"]["BudgetLimit"] == {"Amount": "500", "Unit": "USD"}
    assert summary(plan) == "1 call to AWS"


def test_without_anybody_to_tell_there_are_no_alerts_and_it_is_said() -> None:
    plan = plan_budget(wish(), There(), ACCOUNT)
    assert plan.calls[0].parameters["NotificationsWithSubscribers"] == []
    assert plan.notes == ("nobody is told: the limit and its warning are shown by Kennel only",)


def test_a_project_needs_its_tag_activated_and_it_is_said() -> None:
    plan = plan_budget(wish(scope=Scope.PROJECT, group="dogs", emails=(ADA,)), There(), ACCOUNT)
    assert plan.calls[0].parameters["Budget"]["FilterExpression"]["Tags"]["Values"] == ["dogs"]
    assert any("activated" in warning for warning in plan.notes)


def test_a_read_only_account_is_warned_of() -> None:
    reading = Account("work", "eu-west-1", "210987654321", False, False)
    assert "read-only" in plan_budget(wish(), There(), reading).warnings[0]


def test_the_topic_is_made_and_budgets_may_publish_to_it_before_it_is_used() -> None:
    asked = wish(publishes=True)
    assert operations(asked, There()) == ["CreateTopic", "SetTopicAttributes", "CreateBudget"]
    assert operations(asked, There(topic_policy="{}")) == ["SetTopicAttributes", "CreateBudget"]


def test_without_the_right_to_the_topic_a_budget_is_set_all_the_same_and_nothing_is_overwritten(
    empty: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = empty.call

    def call(service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        if service == "sns":
            raise AccessDenied("not allowed to SNS:GetTopicAttributes", action="SNS:GetTopicAttributes")
        return real(service, operation, **parameters)

    monkeypatch.setattr(empty, "call", call)
    there = look(empty, Scope.ALL, "")
    assert operations(wish(emails=(ADA,)), there) == ["CreateBudget"]
    with pytest.raises(AccessDenied):
        plan_budget(wish(publishes=True), there, empty.account)


def test_what_a_topics_policy_allows_already_stays() -> None:
    other = '{"Version": "2008-10-17", "Statement": {"Sid": "theirs", "Effect": "Deny", "Principal": "*"}}'
    first, *_ = plan_budget(wish(publishes=True), There(topic_policy=other), ACCOUNT).calls
    value = first.parameters["AttributeValue"]
    assert '"theirs"' in value
    assert "2008-10-17" in value
    assert operations(wish(publishes=True), There(topic_policy=value)) == ["CreateBudget"]


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("dogs", "kennel-month-project-dogs"),
        ("my dogs_2.0", "kennel-month-project-my dogs_2.0"),
    ],
)
def test_a_budget_is_named_after_what_it_counts(group: str, name: str) -> None:
    assert name_of(Scope.PROJECT, group) == name


def test_names_that_aws_does_not_take_are_made_fit_and_stay_apart() -> None:
    names = {name_of(Scope.OWNER, one) for one in ("a@b.org", "a:b.org", "a-b.org", "x" * 300, "x" * 299)}
    assert len(names) == 5
    assert all(len(name) <= 100 and not set(name) & set(":@\\/") for name in names)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (wish("0"), "limit"),
        (wish("-5"), "limit"),
        (wish("0.001"), "limit"),
        (wish("NaN"), "limit"),
        (wish("1e10"), "limit"),
        (wish(scope=Scope.PROJECT), "group"),
        (wish(emails=("ada",)), "emails"),
        (wish(emails=tuple(f"{number}@example.com" for number in range(11))), "emails"),
        (wish(spent=(0,)), "alerts"),
        (wish(spent=tuple(range(1, 12)), expected=()), "alerts"),
    ],
)
def test_a_value_that_does_not_fit_names_its_field(asked: Wish, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(asked)
    assert caught.value.field == field


def test_addresses_are_taken_as_people_write_them() -> None:
    assert addresses(f" {ADA}, {BOB};\n{ADA} ") == (ADA, BOB)
    assert addresses("  ") == ()


def test_set_twice_is_set_once(empty: Aws) -> None:
    asked = wish(emails=(ADA,), publishes=True)
    plan = plan_budget(asked, look(empty, asked.scope, asked.group), empty.account)
    assert carry_out(empty, plan) == "kennel-month is set: $500.00 a month for the whole account"
    carry_out(empty, plan)
    (found,) = read_budgets(empty)
    assert (found.limit, found.words, found.actual) == (Decimal(500), "the whole account", Decimal(0))
    assert [one.words for one in found.alerts] == ["80 % spent", "100 % spent", "100 % expected"]
    assert {(one.emails, one.topic) for one in found.alerts} == {((ADA,), topic_arn(empty.account))}
    assert set_budget(empty, asked) == []


def test_a_change_touches_only_what_differs(empty: Aws) -> None:
    set_budget(empty, wish(emails=(ADA,)))
    assert set_budget(empty, wish("750", emails=(ADA,))) == ["UpdateBudget"]
    changed = wish("750", emails=(BOB,), spent=(50, 100), expected=())
    assert sorted(set_budget(empty, changed)) == [
        "CreateNotification",
        "CreateSubscriber",
        "DeleteNotification",
        "DeleteNotification",
        "DeleteSubscriber",
    ]
    (found,) = read_budgets(empty)
    assert (found.limit, [one.words for one in found.alerts]) == (Decimal(750), ["50 % spent", "100 % spent"])
    assert {one.emails for one in found.alerts} == {(BOB,)}
    assert set_budget(empty, changed) == []
    assert set_budget(empty, wish("750")) == ["DeleteNotification", "DeleteNotification"]


def test_a_limit_changes_and_what_it_counts_stays(empty: Aws) -> None:
    of = {"scope": Scope.PROJECT, "group": "dogs"}
    set_budget(empty, wish(**of))
    set_budget(empty, wish("20", **of))
    (found,) = read_budgets(empty)
    assert (found.limit, found.scope, found.group) == (Decimal(20), Scope.PROJECT, "dogs")


def test_somebody_elses_change_in_between_is_not_overwritten(empty: Aws) -> None:
    ours = plan_budget(wish(), look(empty, Scope.ALL, ""), empty.account)
    set_budget(empty, wish("20"))
    with pytest.raises(AlreadyExists):
        carry_out(empty, ours)
    assert [one.limit for one in read_budgets(empty)] == [Decimal(20)]


def test_deleted_twice_is_deleted_once(empty: Aws) -> None:
    set_budget(empty, wish())
    plan = plan_delete(read_budgets(empty)[0], empty.account)
    for _ in range(2):
        assert delete(empty, plan) == "kennel-month is deleted"
    assert read_budgets(empty) == ()


def test_the_code_of_a_plan_does_what_the_plan_does(empty: Aws, tmp_path: Path) -> None:
    asked = wish("12.34", emails=(ADA,), publishes=True, scope=Scope.OWNER, group="ada")
    plan = plan_budget(asked, look(empty, asked.scope, asked.group), empty.account)
    (tmp_path / "plan.py").write_text(plan.code)
    made = runpy.run_path(str(tmp_path / "plan.py"))
    for service in ("sns", "budgets"):
        made[service].close()
    assert set_budget(empty, asked) == []
    assert TOPIC in plan.code


def test_what_would_be_mailed_is_read_newest_first(empty: Aws) -> None:
    start = datetime.now(UTC)
    # What is less than a dollar is told at once: nothing is spent here, and nothing is less than one.
    budget = {
        "BudgetName": "kennel-month-low",
        "BudgetLimit": {"Amount": "1", "Unit": "USD"},
        "TimeUnit": "MONTHLY",
        "BudgetType": "COST",
    }
    low = {"NotificationType": "ACTUAL", "ComparisonOperator": "LESS_THAN", "Threshold": 50}
    told = [{"Notification": low, "Subscribers": [{"SubscriptionType": "EMAIL", "Address": ADA}]}]
    of = {"AccountId": empty.account.account_id}
    empty.call("budgets", "CreateBudget", **of, Budget=budget, NotificationsWithSubscribers=told)
    (sent,) = read_sent(empty, start)
    assert (sent.to, sent.problem) == (ADA, "")
    assert "Budgeted Amount: $1.00" in sent.message
    assert read_sent(empty, datetime.now(UTC)) == ()


def test_an_account_without_an_outbox_has_nothing_to_show(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> Iterator[Any]:
        raise NotFound("no such log group")
        yield

    monkeypatch.setattr(aws, "pages", missing)
    assert read_sent(aws, datetime.now(UTC)) == ()
