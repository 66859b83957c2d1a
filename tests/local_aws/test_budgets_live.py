"""Budgets and SNS over the wire, on the account's own bill: what is asked of Cost Explorer costs a cent each time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Embedded, start_embedded, stop_embedded

ACCOUNT = "123456789012"
OF = {"AccountId": ACCOUNT, "BudgetName": "cents"}
MAIL = {"SubscriptionType": "EMAIL", "Address": "ada@example.com"}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Embedded]:
    running = start_embedded(tmp_path / "state")
    yield running
    if running.process.poll() is None:
        stop_embedded(running)


def ask_for_the_bill(embedded: Embedded) -> None:
    today = datetime.now(UTC).date()
    embedded.client("ce").get_cost_and_usage(
        TimePeriod={"Start": str(today), "End": str(today + timedelta(days=1))},
        Granularity="DAILY",
        Metrics=["UnblendedCost"],
    )


def budget(limit: str) -> dict[str, Any]:
    counted = {"Dimensions": {"Key": "SERVICE", "Values": ["AWS Cost Explorer"]}}
    return {
        "BudgetName": "cents",
        "BudgetLimit": {"Amount": limit, "Unit": "USD"},
        "TimeUnit": "MONTHLY",
        "BudgetType": "COST",
        "FilterExpression": counted,
        "Metrics": ["UnblendedCost"],
    }


def kept(embedded: Embedded) -> list[dict[str, str]]:
    events = embedded.client("logs").filter_log_events(logGroupName="kennel/outbox")["events"]
    return [json.loads(event["message"]) for event in events]


def test_a_budget_counts_the_bill_tells_of_it_and_survives_kill_nine(own: Embedded) -> None:
    budgets, sns = own.client("budgets"), own.client("sns")
    topic = sns.create_topic(Name="alerts", Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]
    told = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 50.0}
    both = [MAIL, {"SubscriptionType": "SNS", "Address": topic}]
    budgets.create_budget(
        AccountId=ACCOUNT,
        Budget=budget("0.03"),
        NotificationsWithSubscribers=[{"Notification": told, "Subscribers": both}],
    )
    for _ in range(2):
        ask_for_the_bill(own)
    spent = budgets.describe_budget(**OF)["Budget"]["CalculatedSpend"]["ActualSpend"]
    assert spent == {"Amount": "0.02", "Unit": "USD"}
    budgets.update_budget(AccountId=ACCOUNT, NewBudget=budget("0.035"))  # each change is looked at once
    assert {(one["to"], bool(one["problem"])) for one in kept(own)} == {("ada@example.com", False), (topic, True)}

    own.process.kill()
    own.process.wait()
    assert own.process.stdout is not None
    own.process.stdout.close()
    for client in own.clients.values():
        client.close()
    again = start_embedded(own.state)
    try:
        found = again.client("budgets").describe_budget(**OF, ShowFilterExpression=True)["Budget"]
        assert found["BudgetLimit"]["Amount"] == "0.035"
        assert found["FilterExpression"] == budget("1")["FilterExpression"]
        (alert,) = again.client("budgets").describe_notifications_for_budget(**OF)["Notifications"]
        assert alert["NotificationState"] == "ALARM"
        again.client("budgets").update_budget(AccountId=ACCOUNT, NewBudget=budget("0.035"))
        assert len(kept(again)) == 2  # told once in a period, whatever happened in between
        assert again.client("sns").list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "a", "Value": "b"}]
    finally:
        stop_embedded(again)


def test_errors_are_awss_own_over_the_wire(embedded: Embedded) -> None:
    budgets, sns = embedded.client("budgets"), embedded.client("sns")
    with pytest.raises(budgets.exceptions.NotFoundException):
        budgets.describe_budget(AccountId=ACCOUNT, BudgetName="missing")
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=f"arn:aws:sns:us-east-1:{ACCOUNT}:missing", Message="x")
    with pytest.raises(ClientError) as caught:
        budgets.describe_budget_actions_for_account(AccountId=ACCOUNT)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    wrong = budget("1") | {"FilterExpression": {"Dimensions": {"Key": "AZ", "Values": ["us-east-1a"]}}}
    with pytest.raises(budgets.exceptions.InvalidParameterException, match="AZ"):
        budgets.create_budget(AccountId=ACCOUNT, Budget=wrong)


def test_the_command_line_makes_a_budget_as_aws_documents_it(embedded: Embedded, tmp_path: Path) -> None:
    pytest.importorskip("awscli")
    asked = tmp_path / "budget.json"
    asked.write_text(json.dumps(budget("5") | {"BudgetName": "by-hand"}))
    environment = {
        "AWS_ACCESS_KEY_ID": embedded.access_key_id,
        "AWS_SECRET_ACCESS_KEY": embedded.secret_access_key,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
    }
    command = [Path(sys.executable).parent / "aws", "--endpoint-url", embedded.endpoint_url, "budgets"]
    made = [*command, "create-budget", "--account-id", ACCOUNT, "--budget", f"file://{asked}"]
    subprocess.run(list(map(str, made)), check=True, env=environment, timeout=60)
    of = {"AccountId": ACCOUNT, "BudgetName": "by-hand"}
    assert embedded.client("budgets").describe_budget(**of)["Budget"]["BudgetLimit"]["Amount"] == "5"
    embedded.client("budgets").delete_budget(**of)
