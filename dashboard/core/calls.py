"""The requests that a confirmed plan is made of: each with what it does in words, and all of them as a program."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name

from dashboard.core.aws import Account
from dashboard.core.showcode import connection, literal, variable


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a plan, and what it does in words."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    does: str


def code(calls: Iterable[Call], account: Account) -> str:
    """The same calls as a program."""
    calls = list(calls)
    lines = [connection(account, *dict.fromkeys(call.service for call in calls))]
    for call in calls:
        asked = f"{variable(call.service)}.{xform_name(call.operation)}"
        lines.append(f"{asked}(**{literal(dict(call.parameters))})")
    return "\n".join(lines) + "\n"
