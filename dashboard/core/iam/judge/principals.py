"""Whom a resource's policy lets in: its principals, and the conditions that narrow them down. Pure.

Sources: IAM User Guide, "AWS JSON policy elements: Principal", "The confused deputy problem", and "AWS global condition
context keys". A condition narrows when it names somebody: one that everybody meets (`aws:SecureTransport`, an ARN whose
account is a *) does not.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.core.iam.documents import CURRENT, Condition, Effect, Policy, PolicyError, Statement
from dashboard.core.iam.wildcard import matches

ACCOUNT = re.compile(r"\d{12}")
GONE = re.compile(r"A(?:RO|ID|GP|NP)A[A-Z0-9]{12,}")
"""What IAM writes in the place of a role or user that was deleted: its unique id."""

WHO = frozenset(
    {"aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:userid"}
)
SOURCE = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"})
NETWORK = frozenset({"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce"})
SECRET = frozenset({"sts:externalid", "lambda:eventsourcetoken"})
_ARNS = frozenset({"aws:principalarn", "aws:sourcearn"})
_ANYWHERE = frozenset({"0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1"})
_NAMING = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress")
_EXCLUDING = ("stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike",
              "notipaddress")  # fmt: skip


@dataclass(frozen=True)
class Grant:
    """One statement of a resource's policy. written: as it stands there; place: from 0. everyone: it names anybody, by
    `*` or by NotPrincipal. accounts: twelve digits each, of principals that are a whole account; identities: ARNs of
    single roles, users or sessions. gone: unique ids of what was deleted.
    """

    place: int
    written: Mapping[str, Any]
    statement: Statement
    everyone: bool = False
    services: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def is_allow(self) -> bool:
        return self.statement.effect is Effect.ALLOW

    @property
    def is_about_services(self) -> bool:
        """Whether services are among those it names: `{"AWS": "*"}` is everybody but them."""
        return bool(self.services) or self.written.get("Principal") == "*"

    def covers(self, action: str) -> bool:
        """Whether the statement is about an action."""
        wanted = action.lower()
        if self.statement.actions:
            return any(matches(one.lower(), wanted) for one in self.statement.actions)
        return not any(matches(one.lower(), wanted) for one in self.statement.not_actions)

    def narrowed(self, keys: frozenset[str], *, sent: bool = False) -> tuple[str, ...]:
        """Those of the keys (lower case) by which the statement is narrowed, as it writes them.

        sent: the key is in every request that comes this way, so that an operator that passes without it (`…IfExists`,
        `ForAllValues:`) narrows too.
        """
        return tuple(
            one.key
            for one in self.statement.conditions
            if one.key.lower() in keys and _operator(one, sent=sent) in _NAMING and not is_vacuous(one)
        )

    def values(self, key: str) -> tuple[str, ...]:
        """The values that conditions on a key (lower case) compare with."""
        return tuple(value for one in self.statement.conditions if one.key.lower() == key for value in one.values)


def grants(document: Mapping[str, Any], name: str) -> tuple[tuple[Grant, ...], tuple[tuple[int, Any, str], ...]]:
    """The statements that can be read, and those that cannot: (place, as it is written, why)."""
    given = document.get("Statement", [])
    read, failed = [], []
    for place, one in enumerate(given if isinstance(given, list) else [given]):
        try:
            read.append(_grant(document.get("Version", CURRENT), one, place, name))
        except PolicyError as wrong:
            failed.append((place, one, str(wrong)))
    return tuple(read), tuple(failed)


def withheld(found: Sequence[Grant], granted: Grant, action: str, keys: frozenset[str]) -> tuple[str, ...]:
    """The keys by which a Deny holds off all whom a statement lets in but those it names: "aws:PrincipalOrgID"."""
    return tuple(
        one.statement.conditions[0].key
        for one in _denials(found, granted, action)
        if len(one.statement.conditions) == 1  # of several all must be met, which one caller may not do
        and one.statement.conditions[0].key.lower() in keys
        and _operator(one.statement.conditions[0], sent=True) in _EXCLUDING
        and not is_vacuous(one.statement.conditions[0])
    )


def is_closed(found: Sequence[Grant], granted: Grant, action: str) -> bool:
    """Whether a Deny without any condition takes an action back from all whom a statement lets in."""
    return any(not one.statement.conditions for one in _denials(found, granted, action))


def _denials(found: Sequence[Grant], granted: Grant, action: str) -> Iterator[Grant]:
    """The Denies of an action to everybody whom a statement may let in."""
    for one in found:
        if one.is_allow or not one.everyone or not one.covers(action):
            continue
        if one.is_about_services or not granted.is_about_services:
            yield one


def is_vacuous(condition: Condition) -> bool:
    """Whether one of the values is met by everybody."""
    return not condition.values or any(_anybody(condition, value) for value in condition.values)


def _anybody(condition: Condition, value: str) -> bool:
    key, literal = condition.key.lower(), "like" not in condition.operator.lower()
    if key == "aws:sourceip":
        return value.strip() in _ANYWHERE
    if key in _ARNS:
        return _any_arn(value) and not (literal and "arn" not in condition.operator.lower())
    if literal:
        return False
    return not value.strip("*?") or (key.endswith("account") and ("*" in value or "?" in value))


def _any_arn(value: str) -> bool:
    """Whether an ARN with wildcards can be of any account: of S3's, whose account is empty, whether it names none."""
    parts = value.split(":", 5)
    if len(parts) < 6:
        return "*" in value or "?" in value
    if parts[4]:
        return "*" in parts[4] or "?" in parts[4]
    return not parts[5].split("/")[0].strip("*?")


def _operator(condition: Condition, *, sent: bool) -> str:
    """The operator by its bare name, lower case; "" for one that passes whoever leaves the key out, unless sent."""
    name = condition.operator.lower()
    bare = name.removeprefix("forallvalues:").removeprefix("foranyvalue:").removesuffix("ifexists")
    passes = name.startswith("forallvalues:") or name.endswith("ifexists")
    return "" if passes and not sent else bare


def _grant(version: Any, given: Any, place: int, name: str) -> Grant:
    statement = Policy.parse({"Version": version, "Statement": [given]}, name).statements[0]
    if "NotPrincipal" in given:
        # an Allow to all but some is one to everybody; a Deny to all but some holds off none of those
        return Grant(place, given, statement, everyone=statement.effect is Effect.ALLOW)
    if "Principal" not in given:
        raise PolicyError(f"A statement of the policy {name} has neither Principal nor NotPrincipal")
    told = given["Principal"]
    if told == "*":
        return Grant(place, given, statement, everyone=True)
    if not isinstance(told, Mapping):
        raise PolicyError(f"A statement of the policy {name} has a Principal that is neither * nor an object")
    by_kind = {str(kind): tuple(_texts(values, name)) for kind, values in told.items()}
    aws = by_kind.pop("AWS", ())
    services, federated = by_kind.pop("Service", ()), by_kind.pop("Federated", ())
    by_kind.pop("CanonicalUser", ())  # of S3 only
    if by_kind:
        raise PolicyError(f"A statement of the policy {name} has a Principal of the unknown kind {min(by_kind)}")
    accounts = tuple(found for one in aws if (found := _whole_account(one)))
    return Grant(
        place,
        given,
        statement,
        "*" in aws,
        services,
        accounts,
        tuple(one for one in aws if one.startswith("arn:") and not _whole_account(one)),
        federated,
        tuple(one for one in aws if GONE.fullmatch(one)),
    )


def _texts(given: Any, name: str) -> Iterator[str]:
    for one in given if isinstance(given, list) else [given]:
        if not isinstance(one, str):
            raise PolicyError(f"A statement of the policy {name} has a Principal that is no text")
        yield one


def _whole_account(principal: str) -> str:
    """The account of "123456789012" or "arn:aws:iam::123456789012:root"; "" for a single identity."""
    if ACCOUNT.fullmatch(principal):
        return principal
    parts = principal.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[5] == "root" else ""
