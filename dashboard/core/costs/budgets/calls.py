"""The requests that a plan for budgets is made of, and the SNS topic that alerts are published to."""

import json
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call
from dashboard.core.costs.budgets.budgets import Alert
from dashboard.core.errors import NotFound

TOPIC = "kennel-budget-alerts"
SERVICE = "budgets.amazonaws.com"
STATEMENT = "KennelBudgetAlerts"


def notification(alert: Alert) -> dict[str, Any]:
    """An alert as AWS names it."""
    return {
        "NotificationType": "FORECASTED" if alert.is_forecast else "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": float(alert.threshold),
        "ThresholdType": "PERCENTAGE",
    }


def subscribers(alert: Alert) -> list[dict[str, str]]:
    """Whom an alert tells, as AWS lists them."""
    mails = [{"SubscriptionType": "EMAIL", "Address": one} for one in alert.emails]
    return [*mails, *([{"SubscriptionType": "SNS", "Address": alert.topic}] if alert.topic else [])]


def topic_policy(aws: Aws) -> str | None:
    """The policy of the topic; None when there is no topic. Raises the errors of `Aws.call`."""
    try:
        told = aws.call("sns", "GetTopicAttributes", TopicArn=topic_arn(aws.account))
    except NotFound:
        return None
    return str(told["Attributes"].get("Policy") or "{}")


def topic_arn(account: Account) -> str:
    """Of the topic that Kennel's alerts go to."""
    return f"arn:{account.partition}:sns:{account.region}:{account.account_id}:{TOPIC}"


def topic_calls(known: str | None, account: Account) -> list[Call]:
    """What is missing of the topic, and of the right of AWS Budgets to publish to it; `known` is its policy."""
    arn = topic_arn(account)
    policy = json.loads(known or "{}")
    statements = policy.get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    ours = _statement(arn, account)
    calls = []
    if known is None:
        made = {"Name": TOPIC, "Tags": [{"Key": tags.MADE_BY, "Value": tags.KENNEL}]}
        calls.append(Call("sns", "CreateTopic", made, f"makes the topic {TOPIC}, to which programs can subscribe"))
    if ours not in statements:
        kept = [one for one in statements if one.get("Sid") != STATEMENT]
        document = {"Version": "2012-10-17", **policy, "Statement": [*kept, ours]}
        new = {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": json.dumps(document)}
        calls.append(Call("sns", "SetTopicAttributes", new, f"lets {SERVICE} publish to it for this account's budgets"))
    return calls


def _statement(arn: str, account: Account) -> dict[str, Any]:
    """As AWS documents it for budgets ("Creating an Amazon SNS topic for budget notifications")."""
    return {
        "Sid": STATEMENT,
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "SNS:Publish",
        "Resource": arn,
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account.account_id},
            "ArnLike": {"aws:SourceArn": f"arn:{account.partition}:budgets::{account.account_id}:*"},
        },
    }
