"""Budgets as documents: what AWS takes, what it fills in, and the periods that a budget counts. Pure.

What a budget counts is kept as an expression of Cost Explorer's kind, in whichever of AWS's two ways it was written.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from local_aws.errors import ServiceError

MOST_NOTIFICATIONS = 10
MOST_MAILS, MOST_TOPICS = 10, 1
MOST_DIGITS = 30  # of an amount or a threshold; far more than any bill has, and arithmetic holds them
FOR_EVER = datetime(2087, 6, 15, tzinfo=UTC)  # what AWS sets where no end is asked for
MONTHS = {"MONTHLY": 1, "QUARTERLY": 3, "ANNUALLY": 12}
_METRICS = ("UnblendedCost", "BlendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost")
_TYPES_TRUE = (
    "IncludeTax",
    "IncludeSubscription",
    "IncludeRefund",
    "IncludeCredit",
    "IncludeUpfront",
    "IncludeRecurring",
    "IncludeOtherSubscription",
    "IncludeSupport",
    "IncludeDiscount",
)
_TYPES_FALSE = ("UseBlended", "UseAmortized")
_DIMENSIONS = {
    "Service": "SERVICE",
    "Region": "REGION",
    "LinkedAccount": "LINKED_ACCOUNT",
    "UsageType": "USAGE_TYPE",
    "InstanceType": "INSTANCE_TYPE",
}
_NOT_YET = ("AutoAdjustData", "PlannedBudgetLimits", "BillingViewArn")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+")
_TOPIC = re.compile(r"arn:aws:sns:[a-z0-9-]+:(\d{12}):[A-Za-z0-9_-]{1,256}")

Params = dict[str, Any]


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)


def made(asked: Mapping[str, Any], now: datetime) -> Params:
    """A budget as it is kept: checked, and filled in as AWS does. Raises ServiceError InvalidParameterException."""
    for name in _NOT_YET:
        if asked.get(name):
            raise invalid(f"The embedded AWS has no {name} yet. Leave it out.")
    if any(part in asked["BudgetName"] for part in (":", "\\", "/action/")):  # a pattern that Python cannot say
        raise invalid(f"A budget's name has no :, no \\ and no /action/ in it: {asked['BudgetName']}")
    if asked["BudgetType"] != "COST":
        raise invalid(f"The embedded AWS has budgets of type COST only, none of {asked['BudgetType']}.")
    unit = asked["TimeUnit"]
    if unit not in (*MONTHS, "DAILY"):
        raise invalid(f"The embedded AWS has no TimeUnit {unit} yet.")
    kept: Params = {
        "BudgetName": asked["BudgetName"],
        "BudgetLimit": _limit(asked.get("BudgetLimit")),
        "TimeUnit": unit,
        "TimePeriod": _times(asked.get("TimePeriod") or {}, unit, now),
        "BudgetType": "COST",
        "CostFilters": dict(asked.get("CostFilters") or {}),
        "LastUpdatedTime": now.timestamp(),
    }
    is_new, is_old = bool(asked.get("FilterExpression") or asked.get("Metrics")), bool(asked.get("CostTypes"))
    if is_new and (is_old or kept["CostFilters"]):
        raise invalid("Use either FilterExpression and Metrics, or CostFilters and CostTypes.")
    if is_new:
        kept["Metrics"] = _metrics(asked.get("Metrics") or ["UnblendedCost"])
        kept["FilterExpression"] = asked.get("FilterExpression") or {}
    else:
        defaults = dict.fromkeys(_TYPES_TRUE, True) | dict.fromkeys(_TYPES_FALSE, False)
        kept["CostTypes"] = defaults | dict(asked.get("CostTypes") or {})
    expression(kept)
    return kept


def _limit(asked: Mapping[str, str] | None) -> dict[str, str]:
    if not asked:
        raise invalid("BudgetLimit is required for a budget of type COST.")
    if asked["Unit"] != "USD":
        raise invalid(f"The unit of a COST budget is the currency of the account, USD, not {asked['Unit']}.")
    if not re.fullmatch(r"([0-9]*\.)?[0-9]+", asked["Amount"]) or not Decimal(asked["Amount"]):
        raise invalid("BudgetLimit.Amount must be a number greater than 0.")
    if len(asked["Amount"]) > MOST_DIGITS:
        raise invalid(f"BudgetLimit.Amount has more than {MOST_DIGITS} signs.")
    return {"Amount": asked["Amount"], "Unit": "USD"}


def _metrics(asked: Sequence[str]) -> list[str]:
    if len(asked) != 1 or asked[0] not in _METRICS:
        # Without reservations, discounts and a second account all of the five are the same money.
        raise invalid(f"Metrics of a COST budget must be one of {', '.join(_METRICS)}.")
    return list(asked)


def _times(asked: Mapping[str, datetime], unit: str, now: datetime) -> dict[str, float]:
    start = utc(asked["Start"]) if asked.get("Start") else period(unit, now)[0]
    end = utc(asked["End"]) if asked.get("End") else FOR_EVER
    if start >= end or end > FOR_EVER:
        raise invalid("TimePeriod.Start must be before its End, and the End not after 2087-06-15 00:00 UTC.")
    return {"Start": start.timestamp(), "End": end.timestamp()}


def utc(moment: datetime) -> datetime:
    """A request's time, which is parsed without its zone: it is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def period(unit: str, at: datetime) -> tuple[datetime, datetime]:
    """The period around a moment: its first moment, and that of the next one. AWS counts UTC days."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "DAILY":
        return day, day + timedelta(days=1)
    size = MONTHS[unit]
    first = day.replace(month=(day.month - 1) // size * size + 1, day=1)
    return first, next_month(first, size)


def next_month(first: datetime, months: int = 1) -> datetime:
    number = first.month - 1 + months
    return first.replace(year=first.year + number // 12, month=number % 12 + 1)


def expression(budget: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a budget counts, as Cost Explorer writes it; None for everything. Raises InvalidParameterException."""
    if budget.get("FilterExpression"):
        found: dict[str, Any] = budget["FilterExpression"]
        return found
    parts = [_filter(key, values) for key, values in sorted(budget["CostFilters"].items())]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else {"And": parts}


def _filter(key: str, values: Sequence[str]) -> dict[str, Any]:
    if key in _DIMENSIONS:
        return {"Dimensions": {"Key": _DIMENSIONS[key], "Values": list(values)}}
    if key != "TagKeyValue":
        raise invalid(f"The embedded AWS cannot filter by {key} (CostFilters).")
    by_key: dict[str, list[str]] = {}
    for one in values:
        name, found, value = one.removeprefix("user:").partition("$")
        if not found:
            raise invalid(f"A TagKeyValue is written as user:key$value, not {one}.")
        by_key.setdefault(name, []).append(value)
    tags = [{"Tags": {"Key": name, "Values": chosen}} for name, chosen in by_key.items()]
    return tags[0] if len(tags) == 1 else {"And": tags}


# notifications


def notification(asked: Mapping[str, Any]) -> Params:
    """A notification as it is kept, its own state left out: that is AWS's to tell.

    Raises ServiceError InvalidParameterException for a threshold that is no number, which JSON's NaN passes for.
    """
    if not math.isfinite(asked["Threshold"]):
        raise invalid("Notification.Threshold must be a number.")
    return {
        "NotificationType": asked["NotificationType"],
        "ComparisonOperator": asked["ComparisonOperator"],
        "Threshold": float(asked["Threshold"]),
        "ThresholdType": asked.get("ThresholdType") or "PERCENTAGE",
    }


def find(record: Params, asked: Mapping[str, Any]) -> Params:
    """One notification of a record, with its subscribers. Raises ServiceError NotFoundException."""
    wanted = notification(asked)
    for one in record["Notifications"]:
        if one["Notification"] == wanted:
            found: Params = one
            return found
    raise ServiceError("NotFoundException", "Unable to get notification: the notification doesn't exist.")


def add(record: Params, asked: Mapping[str, Any], subscribers: Sequence[Mapping[str, str]], account: str) -> None:
    """Give a budget one more notification. Raises ServiceError for one that is there already, or one too many."""
    wanted = notification(asked)
    if any(one["Notification"] == wanted for one in record["Notifications"]):
        raise ServiceError("DuplicateRecordException", "The notification already exists.")
    if len(record["Notifications"]) >= MOST_NOTIFICATIONS:
        raise ServiceError(
            "CreationLimitExceededException", f"A budget has at most {MOST_NOTIFICATIONS} notifications."
        )
    record["Notifications"].append(
        {"Notification": wanted, "Subscribers": checked(subscribers, account), "raised": "", "told": ""}
    )


def checked(subscribers: Sequence[Mapping[str, str]], account: str) -> list[dict[str, str]]:
    """Subscribers as they are kept. Raises ServiceError for too many, for doubles and for addresses that are none."""
    found = [{"SubscriptionType": one["SubscriptionType"], "Address": one["Address"]} for one in subscribers]
    if not found:
        raise invalid("A notification must have at least one subscriber.")
    if len({json.dumps(one) for one in found}) < len(found):
        raise ServiceError("DuplicateRecordException", "The subscriber already exists.")
    kinds = [one["SubscriptionType"] for one in found]
    if kinds.count("EMAIL") > MOST_MAILS or kinds.count("SNS") > MOST_TOPICS:
        raise ServiceError(
            "CreationLimitExceededException",
            f"A notification has at most {MOST_MAILS} e-mail subscribers and {MOST_TOPICS} SNS topic.",
        )
    for one in found:
        topic = _TOPIC.fullmatch(one["Address"])
        if one["SubscriptionType"] == "SNS" and (topic is None or topic[1] != account):
            raise invalid(f"Invalid SNS topic: {one['Address']} is not the ARN of a topic of this account.")
        if one["SubscriptionType"] == "EMAIL" and not _MAIL.fullmatch(one["Address"]):
            raise invalid(f"Invalid email address: {one['Address']}")
    return found
