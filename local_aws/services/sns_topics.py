"""SNS topics as documents: what may be set on one, and whom its policy lets publish."""

import json
import re
from collections.abc import Mapping
from typing import Any

from dashboard.core.iam.documents import Policy, PolicyError, listed
from dashboard.core.iam.evaluate import evaluate
from local_aws.errors import ServiceError

MOST_TAGS = 50
_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_AS_OWNER = ("cloudwatch.amazonaws.com",)  # publishes for the account itself: the default policy lets alarms in
_OWNERS_ACTIONS = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)


def invalid(what: str, reason: str = "") -> ServiceError:
    """AWS's words for a value that does not fit: "Invalid parameter: Topic Name"."""
    return ServiceError("InvalidParameter", f"Invalid parameter: {what}{f' Reason: {reason}' if reason else ''}")


def topic_arn(name: str, account: str, region: str) -> str:
    """Raises ServiceError InvalidParameter for a name that SNS does not take."""
    if not _NAME.fullmatch(name):
        raise invalid("Topic Name")
    return f"arn:aws:sns:{region}:{account}:{name}"


def check_arn(arn: str, region: str = "", account: str = "") -> None:
    """Raises ServiceError InvalidParameter for what is no topic's ARN, or one of another region or account."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[:3] != ["arn", "aws", "sns"]:
        raise invalid("TopicArn")
    if (region or parts[3], account or parts[4]) != (parts[3], parts[4]):
        raise invalid("TopicArn", "The topic is of another region or account than the request.")


def default_policy(arn: str, account: str) -> str:
    """What AWS gives a topic without a policy of its own: only its account uses it."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in _OWNERS_ACTIONS],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})


def attributes(given: Mapping[str, str]) -> dict[str, str]:
    """The attributes of a topic that were set, checked. Raises ServiceError InvalidParameter."""
    kept: dict[str, str] = {}
    for name, value in given.items():
        match name:
            case "DisplayName":
                if len(value) > 100:
                    raise invalid("DisplayName")
                kept[name] = value
            case "Policy":
                kept[name] = _policy(value)
            case "FifoTopic" if value == "false":
                pass
            case _:
                raise invalid("AttributeName", f"The embedded AWS has no {name} for topics yet. Leave it out.")
    return kept


def _policy(text: str) -> str:
    try:
        policy = Policy.parse(_without_principals(json.loads(text)), "Policy")
    except (ValueError, TypeError, AttributeError, RecursionError) as wrong:  # PolicyError is a ValueError
        raise invalid("Policy", f"{wrong}") from wrong
    for statement in policy.statements:
        for action in statement.actions:
            if action != "*" and not action.lower().startswith("sns:"):
                raise invalid("Policy", "statement action out of service scope!")
    return text


def _without_principals(document: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's policy as the rules of identities read it: who is meant is looked at apart."""
    names = ("Principal", "NotPrincipal")
    return {
        **document,
        "Statement": [{k: v for k, v in one.items() if k not in names} for one in _statements(document)],
    }


def _statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return listed(document.get("Statement"))


def may_publish(policy: str, topic: str, service: str, source: str) -> bool:
    """Whether a topic's policy lets an AWS service ("budgets.amazonaws.com") publish for `source` (an ARN).

    A policy that cannot be judged lets nobody.
    """
    document = json.loads(policy)
    as_owner = service in _AS_OWNER
    ours = [one for one in _statements(document) if _is_about(one.get("Principal"), service, as_owner=as_owner)]
    if not ours or any("NotPrincipal" in one for one in _statements(document)):
        return False
    context = {
        "aws:SourceAccount": source.split(":")[4],
        "aws:SourceArn": source,
        "aws:PrincipalServiceName": service,
        **({"aws:SourceOwner": source.split(":")[4]} if as_owner else {}),
    }
    try:
        judged = Policy.parse(_without_principals({**document, "Statement": ours}), "Policy")
        return evaluate([judged], "sns:Publish", topic, context).allowed
    except PolicyError:
        return False


def _is_about(principal: Any, service: str, *, as_owner: bool = False) -> bool:
    """Services are named as such: {"AWS": "*"} means accounts and their users, and services that come as one."""
    if principal == "*" or (as_owner and isinstance(principal, dict) and principal.get("AWS") in ("*", ["*"])):
        return True
    named = principal.get("Service") if isinstance(principal, dict) else None
    return named == service or (isinstance(named, list) and service in named)


def tags(given: list[Mapping[str, str]]) -> dict[str, str]:
    """Tags as a dict. Raises ServiceError InvalidParameter or TagLimitExceeded."""
    found = {one["Key"]: one["Value"] for one in given}
    if len(found) < len(given):
        raise invalid("Tags", "Duplicate keys are not allowed.")
    if any(key.lower().startswith("aws:") for key in found):
        raise invalid("Tags", "aws: prefixed tag key names are not allowed.")
    if len(found) > MOST_TAGS:
        raise ServiceError(
            "TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded: 50 tags."
        )
    return found
