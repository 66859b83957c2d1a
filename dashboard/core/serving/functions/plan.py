"""What is about to be done to a function, to be confirmed: its requests, what changes in words, what it costs.

Every change of a function is a `Plan`, made from how things stand, and carried out by `act.act` after another look.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from botocore import xform_name

from dashboard.core.aws import Account
from dashboard.core.calls import Call
from dashboard.core.errors import Refused
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.model import Function
from dashboard.core.showcode import connection, literal, variable

PUBLISHED = "the version that was just published"
"""Stands in an alias's request for the number that PublishVersion answers."""
ZIP_FILE = "function.zip"


class About(StrEnum):
    """The part of a function that a plan changes; what must still be as it was planned from."""

    NEW = "new"  # there is no such function yet
    SETTINGS = "its code and settings"
    CONCURRENCY = "its concurrency"
    INVOKERS = "who may invoke it"
    ALL = "all of it"  # it goes


@dataclass(frozen=True)
class Change:
    """One difference: "memory", "256 MB", "512 MB"."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Plan:
    """before: what `standing` told when this was planned; after: what it tells once it is done ("" where that cannot be
    known). hourly: USD that what is kept ready costs from then on, None unknown; stands: whether there is such a cost.
    """

    function: str
    about: About
    title: str
    button: str
    calls: tuple[Call, ...]
    said: str
    order: str = ""
    before: str = ""
    after: str = ""
    changes: tuple[Change, ...] = ()
    goes: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    hourly: Decimal | None = Decimal(0)

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change."""
        return not self.calls

    def code(self, account: Account) -> str:
        """The same as Python. Zips are read from a file beside it; a published version's number is handed on."""
        services = list(dict.fromkeys(call.service for call in self.calls))
        lines = [connection(account, *services)]
        for call in self.calls:
            lines.append(f"# {call.does}")
            body = ",\n".join(f"    {name}={_value(value)}" for name, value in call.parameters.items())
            made = "published = " if call.operation in ("PublishVersion", "CreateFunction") else ""
            lines.append(f"{made}{variable(call.service)}.{xform_name(call.operation)}(\n{body},\n)")
        return "\n".join(lines) + "\n"


def standing(details: Details, about: About, calls: Sequence[Call] = ()) -> str:
    """How the part of a function is that a plan is about, as one text: another one is not acted on.

    calls: the plan's own. Of who may invoke it, what they make or remove is left out: half of that may be done already.
    """
    one = details.function
    if about is About.CONCURRENCY:
        moved = {each.qualifier for each in details.scaled}  # by auto scaling, at any moment
        kept = [each for each in details.provisioned if each.requested and each.qualifier not in moved]
        return repr(
            (
                one.reserved,
                sorted((each.qualifier, each.requested) for each in kept),
                sorted((each.qualifier, each.minimum, each.maximum, each.target) for each in details.scaled),
            )
        )
    if about is About.INVOKERS:
        own = {call.parameters.get("StatementId") for call in calls}
        url = None if details.url is None or _is_about(details.url.auth, calls) else details.url
        return repr((sorted((each.qualifier, each.sid) for each in details.policy if each.sid not in own), url))
    return settings(
        one.code_sha, one.memory_mb, one.timeout, one.environment, one.architecture, one.subnets, one.groups
    )


def _is_about(auth: str, calls: Sequence[Call]) -> bool:
    """Whether calls make a URL that knows its callers in this way, or take the URL away."""
    return any(
        call.operation == "DeleteFunctionUrlConfig"
        or (call.operation == "CreateFunctionUrlConfig" and call.parameters["AuthType"] == auth)
        for call in calls
    )


def settings(*parts: object) -> str:
    """The text of a function's code and settings."""
    return repr([sorted(part.items()) if isinstance(part, dict) else part for part in parts])


def differences(rows: Sequence[tuple[str, str, str]]) -> tuple[Change, ...]:
    """Those of (what, before, after) that differ."""
    return tuple(Change(*row) for row in rows if row[1] != row[2])


def ours(one: Function, does: str) -> None:
    """Raises Refused for a function that Kennel did not make; `does`: "change", "delete"."""
    if not (one.is_kennels or one.is_sample):
        raise Refused(f"Kennel does not {does} {one.name}", "it did not make it", f"{does} it where it was made")


def account_warnings(account: Account) -> tuple[str, ...]:
    """What is worth knowing before something is done in this account."""
    if account.is_embedded:
        return ()
    found = ["not yet run against a live account: look at the first invocations"]
    if not account.writable:
        found.append("this account is connected read-only: it will be refused")
    return tuple(found)


def _value(value: object) -> str:
    if isinstance(value, bytes):
        return f'open("{ZIP_FILE}", "rb").read()'
    if value == PUBLISHED:
        return 'published["Version"]'
    if isinstance(value, dict) and any(isinstance(one, bytes) for one in value.values()):
        return f'{{"ZipFile": open("{ZIP_FILE}", "rb").read()}}'
    return literal(value, 4)
