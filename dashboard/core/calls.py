"""The requests that a confirmed plan is made of: each with what it does in words, and all of them as a program."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import NotFound
from dashboard.core.showcode import connection, literal, variable

_REMOVES = ("Delete", "Deregister", "Detach", "Remove", "Untag")


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a plan, and what it does in words."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    does: str


def send(aws: Aws, call: Call) -> None:
    """One request of a plan; what it removes may be gone already. Raises the errors of `Aws.call`."""
    try:
        aws.call(call.service, call.operation, **call.parameters)
    except NotFound:
        if not call.operation.startswith(_REMOVES):
            raise


def code(calls: Iterable[Call], account: Account) -> str:
    """The same calls as a program."""
    calls = list(calls)
    lines = [connection(account, *dict.fromkeys(call.service for call in calls))]
    for call in calls:
        asked = f"{variable(call.service)}.{xform_name(call.operation)}"
        lines.append(f"{asked}(**{literal(dict(call.parameters))})")
    return "\n".join(lines) + "\n"
