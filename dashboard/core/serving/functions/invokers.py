"""Who may invoke a function: the statements of its resource policy in words, and the changes of it, planned.

Source: Lambda Developer Guide, "Working with resource-based IAM policies" and "Control access to function URLs". Since
October 2025 a function URL needs two statements: lambda:InvokeFunctionUrl, and lambda:InvokeFunction for calls that
come through a URL.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.iam.judge.functions import openings

INVOKE, INVOKE_URL = "lambda:InvokeFunction", "lambda:InvokeFunctionUrl"
API_GATEWAY = "apigateway.amazonaws.com"
_ACCOUNT = re.compile(r"\d{12}")
_API = re.compile(r"arn:aws[a-z-]*:execute-api:[a-z0-9-]+:(\d{12}):[a-z0-9]+/[^\s]+")
_SOURCE = ("aws:sourcearn", "aws:sourceaccount", "aws:principalorgid", "lambda:functionurlauthtype",
           "lambda:invokedviafunctionurl")  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """One statement of a function's policy. `revision` is of the policy that it was read from."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    services: tuple[str, ...]
    identities: tuple[str, ...]  # ARNs or account ids; "*" is anybody
    source_arn: str = ""
    source_account: str = ""
    organisation: str = ""
    url_auth: str = ""
    is_through_url: bool = False
    other_conditions: tuple[str, ...] = ()
    qualifier: str = ""  # the alias or version that it is about; "" the function itself
    revision: str = ""
    problem: str = ""  # why it is too wide, "" for what is as narrow as it should be

    @property
    def is_open(self) -> bool:
        """Whether anybody may invoke by it: everyone, or a service on anybody's behalf."""
        return bool(self.problem)

    @property
    def words(self) -> str:
        """Who may do what, in one sentence without its end."""
        who = [
            *(_SERVICES.get(one, one) for one in self.services),
            *("anybody" if one == "*" else _identity(one) for one in self.identities),
        ]
        may = "may not" if self.effect == "Deny" else "may"
        does = "call its URL" if self.actions == (INVOKE_URL,) else "invoke it"
        if self.is_through_url:
            does = "invoke it through its URL"
        if set(self.actions) - {INVOKE, INVOKE_URL}:
            does = f"do {', '.join(self.actions)}"
        where = f" for {self.source_arn}" if self.source_arn else ""
        where += f" of the account {self.source_account}" if self.source_account else ""
        where += f" in the organisation {self.organisation}" if self.organisation else ""
        where += " with a signed request" if self.url_auth == "AWS_IAM" else ""
        where += f" if {' and '.join(self.other_conditions)}" if self.other_conditions else ""
        return f"{' and '.join(who) or 'nobody'} {may} {does}{where}"


_SERVICES = {
    API_GATEWAY: "API Gateway",
    "events.amazonaws.com": "EventBridge",
    "s3.amazonaws.com": "S3",
    "sns.amazonaws.com": "SNS",
    "scheduler.amazonaws.com": "EventBridge Scheduler",
    "elasticloadbalancing.amazonaws.com": "a load balancer",
}


class Caller(StrEnum):
    """Whom the page can let in."""

    API_GATEWAY = "API Gateway"
    ACCOUNT = "one account"
    URL_SIGNED = "its URL, signed requests"
    URL_OPEN = "its URL, anybody"

    @property
    def is_url(self) -> bool:
        return self in (Caller.URL_SIGNED, Caller.URL_OPEN)


@dataclass(frozen=True)
class Invitation:
    """Who is to be let in: an API's ARN for API Gateway, twelve digits for an account or a signed URL."""

    caller: Caller
    source: str = ""


def statements(document: str, qualifier: str = "", revision: str = "") -> tuple[Statement, ...]:
    """The statements of a policy document as GetPolicy tells it. Raises Refused for what is none."""
    try:
        policy = json.loads(document)
        told = policy["Statement"]
        rows = told if isinstance(told, list) else [told]
        wide = openings(policy)
        return tuple(_statement(row, qualifier, revision, wide.get(place, "")) for place, row in enumerate(rows))
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise Refused("the function's policy cannot be read", f"it is no policy document ({wrong})", "") from wrong


def refuse(wanted: Invitation, account: Account) -> InvalidInput | None:
    """Why an invitation cannot be sent; None when it can."""
    if wanted.caller is Caller.API_GATEWAY:
        found = _API.fullmatch(wanted.source)
        if not found:
            return InvalidInput(
                "the source must be the ARN of one API of API Gateway",
                f'it is "{wanted.source}"' if wanted.source else "without it any API of anybody's could invoke",
                f"write it as arn:{account.partition}:execute-api:{account.region}:{account.account_id}:"
                "API-ID/STAGE/POST/classify; "
                "* stands for any stage, method or path",
                field="source",
            )
        return None
    if wanted.caller is Caller.URL_OPEN:
        return None
    if not _ACCOUNT.fullmatch(wanted.source):
        return InvalidInput(
            "an account is twelve digits",
            f'it is "{wanted.source}"' if wanted.source else "it is empty",
            "take them from whoever is to call",
            field="source",
        )
    return None


def permissions(wanted: Invitation, sid: str) -> tuple[dict[str, Any], ...]:
    """AddPermission's parameters but for the function's name: one statement, two for a URL."""
    if wanted.caller is Caller.API_GATEWAY:
        return ({"StatementId": sid, "Action": INVOKE, "Principal": API_GATEWAY, "SourceArn": wanted.source},)
    if wanted.caller is Caller.ACCOUNT:
        return ({"StatementId": sid, "Action": INVOKE, "Principal": wanted.source},)
    is_open = wanted.caller is Caller.URL_OPEN
    principal, auth = ("*", "NONE") if is_open else (wanted.source, "AWS_IAM")
    return (
        {"StatementId": sid, "Action": INVOKE_URL, "Principal": principal, "FunctionUrlAuthType": auth},
        {"StatementId": f"{sid}-call", "Action": INVOKE, "Principal": principal, "InvokedViaFunctionUrl": True},
    )


def has(there: Sequence[Statement], sid: str) -> bool:
    """Whether a statement of this name is there already."""
    return any(one.sid == sid for one in there)


def _identity(arn: str) -> str:
    account = arn.split(":")[4] if arn.count(":") >= 5 else arn
    return f"the account {account}" if arn.endswith(":root") or arn == account else arn


def _statement(row: Mapping[str, Any], qualifier: str, revision: str, problem: str) -> Statement:
    principal = row.get("Principal", {})
    named: Mapping[str, Any] = {"AWS": principal} if isinstance(principal, str) else principal
    values: dict[str, str] = {}
    others: list[str] = []
    for operator, keys in (row.get("Condition") or {}).items():
        for key, value in keys.items():
            text = ", ".join(str(one) for one in _many(value))
            if key.lower() in _SOURCE:
                values[key.lower()] = text
            else:
                others.append(f"{key} {operator} {text}")
    return Statement(
        sid=str(row.get("Sid", "")),
        effect=str(row["Effect"]),
        actions=tuple(_many(row.get("Action"))),
        services=tuple(_many(named.get("Service"))),
        identities=tuple(_many(named.get("AWS"))),
        source_arn=values.get("aws:sourcearn", ""),
        source_account=values.get("aws:sourceaccount", ""),
        organisation=values.get("aws:principalorgid", ""),
        url_auth=values.get("lambda:functionurlauthtype", ""),
        is_through_url=values.get("lambda:invokedviafunctionurl", "").lower() == "true",
        other_conditions=tuple(others),
        qualifier=qualifier,
        revision=revision,
        problem=problem,
    )


def _many(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
