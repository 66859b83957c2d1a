"""The account's Lambda functions: list them, look at one with all that hangs on it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import AccessDenied, KennelError, NotFound
from dashboard.core.iam.judge.functions import Address
from dashboard.core.parallel import gather
from dashboard.core.serving.functions.invokers import Statement, statements
from dashboard.core.serving.functions.model import LATEST, LIVE, Function, function_of
from dashboard.core.serving.functions.scaled import Scaled, read_scaled

__all__ = ["Alias", "Details", "Function", "Limits", "Provisioned", "Version", "get_function", "list_functions", "read"]

MOST = 100
T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """What the account allows in this region. total: of all functions at once; unreserved: left to those without."""

    total: int
    unreserved: int


@dataclass(frozen=True)
class Version:
    """A published version of a function: code and settings that never change again."""

    number: str
    code_sha: str
    code_bytes: int
    made: datetime
    description: str = ""


@dataclass(frozen=True)
class Alias:
    """A name for a version; `second` gets `share` of the invocations (0 to 1), "" without one."""

    name: str
    version: str
    second: str = ""
    share: float = 0.0
    description: str = ""


@dataclass(frozen=True)
class Provisioned:
    """What is kept ready for one alias or version: asked for, there by now, and how it stands."""

    qualifier: str
    requested: int
    ready: int
    status: str  # "READY", "IN_PROGRESS", "FAILED"
    reason: str = ""
    since: datetime | None = None

    @property
    def is_changing(self) -> bool:
        return self.status == "IN_PROGRESS"

    @property
    def has_failed(self) -> bool:
        return self.status == "FAILED"


@dataclass(frozen=True)
class Details:
    """One function with all that hangs on it. What could not be read is in `unread`, and empty here."""

    function: Function
    versions: tuple[Version, ...] = ()
    aliases: tuple[Alias, ...] = ()
    provisioned: tuple[Provisioned, ...] = ()
    limits: Limits | None = None
    policy: tuple[Statement, ...] = ()
    url: Address | None = None
    scaled: tuple[Scaled, ...] = ()
    unread: tuple[Unread, ...] = field(default=())

    @property
    def live(self) -> Alias | None:
        """The alias that callers use; None for a function that has none of that name."""
        return next((alias for alias in self.aliases if alias.name == LIVE), None)

    @property
    def qualifiers(self) -> tuple[str, ...]:
        """What can be kept ready: aliases that point at a version, then versions."""
        named = [alias.name for alias in self.aliases if alias.version != LATEST]
        return (*named, *(one.number for one in self.versions))

    @property
    def kept_ready(self) -> int:
        """Environments that are asked to be kept ready, over all qualifiers."""
        return sum(one.requested for one in self.provisioned)

    def provisioned_of(self, qualifier: str) -> Provisioned | None:
        return next((one for one in self.provisioned if one.qualifier == qualifier), None)

    def scaled_of(self, qualifier: str) -> Scaled | None:
        return next((one for one in self.scaled if one.qualifier == qualifier), None)

    @property
    def is_changing(self) -> bool:
        return self.function.state.is_changing or any(one.is_changing for one in self.provisioned)


def list_functions(aws: Aws, limit: int = MOST) -> tuple[Function, ...]:
    """The first `limit` functions in Lambda's own order, by name, each with its tags and its reserved concurrency.

    One call each: GetFunction tells them; without that right they stay unknown. Raises the errors of `Aws.call`.
    """
    told: list[Mapping[str, Any]] = []
    for page in aws.pages("lambda", "ListFunctions"):
        told += page.get("Functions", [])
        if len(told) >= limit:
            break

    def look(one: Mapping[str, Any]) -> Function | None:
        try:
            return get_function(aws, str(one["FunctionName"]))
        except NotFound:
            return None  # deleted since it was listed
        except AccessDenied:
            return function_of(one)

    found = [function for function in gather(look, told[:limit]) if function]
    return tuple(sorted(found, key=lambda function: function.name))


def get_function(aws: Aws, name: str) -> Function:
    """One function as it is now. Raises NotFound and the errors of `Aws.call`."""
    told = aws.call("lambda", "GetFunction", FunctionName=name)
    return function_of(told["Configuration"], told.get("Tags"), told.get("Concurrency"))


def read(aws: Aws, name: str) -> Details:
    """One function with its versions, aliases, concurrency, policy and address, read side by side.

    Raises NotFound for a function that is not there; other parts that cannot be read are named in `unread`.
    """
    parts: Sequence[tuple[str, Callable[[], Any], Any]] = (
        ("versions", lambda: _versions(aws, name), ()),
        ("aliases", lambda: _aliases(aws, name), ()),
        ("provisioned concurrency", lambda: _provisioned(aws, name), ()),
        ("the account's limit", lambda: limits(aws), None),
        ("who may invoke", lambda: _policy(aws, name), ()),
        ("the function URL", lambda: _address(aws, name), None),
        ("auto scaling", lambda: read_scaled(aws, name), ()),
    )
    unread: list[Unread] = []

    def part(place: int) -> Any:
        if place == 0:
            return get_function(aws, name)
        what, look, nothing = parts[place - 1]
        try:
            return look()
        except KennelError as problem:
            unread.append(Unread(what, problem))
            return nothing

    function, versions, aliases, provisioned, allowed, policy, url, scaled = gather(part, range(len(parts) + 1))
    return Details(
        function=function,
        versions=versions,
        aliases=aliases,
        provisioned=provisioned,
        limits=allowed,
        policy=policy,
        url=url,
        scaled=scaled,
        unread=tuple(sorted(unread, key=lambda one: one.what)),
    )


def limits(aws: Aws) -> Limits:
    """The account's concurrency in this region (GetAccountSettings). Raises the errors of `Aws.call`."""
    told = aws.call("lambda", "GetAccountSettings")["AccountLimit"]
    return Limits(int(told["ConcurrentExecutions"]), int(told["UnreservedConcurrentExecutions"]))


def _versions(aws: Aws, name: str) -> tuple[Version, ...]:
    """Published versions, the newest first."""
    told = [
        one for page in aws.pages("lambda", "ListVersionsByFunction", FunctionName=name) for one in page["Versions"]
    ]
    found = [
        Version(
            str(one["Version"]),
            str(one.get("CodeSha256", "")),
            int(one.get("CodeSize", 0)),
            datetime.fromisoformat(str(one["LastModified"])),
            str(one.get("Description", "")),
        )
        for one in told
        if one["Version"] != LATEST
    ]
    return tuple(sorted(found, key=lambda one: -int(one.number)))


def _aliases(aws: Aws, name: str) -> tuple[Alias, ...]:
    """Aliases by name, `live` first."""
    found = []
    for page in aws.pages("lambda", "ListAliases", FunctionName=name):
        for one in page.get("Aliases", []):
            more = (one.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
            second, share = next(iter(more.items()), ("", 0.0))
            about = str(one.get("Description", ""))
            found.append(Alias(str(one["Name"]), str(one["FunctionVersion"]), str(second), float(share), about))
    return tuple(sorted(found, key=lambda one: (one.name != LIVE, one.name)))


def _provisioned(aws: Aws, name: str) -> tuple[Provisioned, ...]:
    pages = aws.pages("lambda", "ListProvisionedConcurrencyConfigs", FunctionName=name)
    return tuple(
        Provisioned(
            str(one["FunctionArn"]).rpartition(":")[2],
            int(one.get("RequestedProvisionedConcurrentExecutions", 0)),
            int(one.get("AvailableProvisionedConcurrentExecutions", 0)),
            str(one.get("Status", "")),
            str(one.get("StatusReason", "")),
            datetime.fromisoformat(str(one["LastModified"])) if one.get("LastModified") else None,
        )
        for page in pages
        for one in page.get("ProvisionedConcurrencyConfigs", [])
    )


def _policy(aws: Aws, name: str) -> tuple[Statement, ...]:
    """Who may invoke the function itself, and its alias `live`."""
    found: list[Statement] = []
    for qualifier in ("", LIVE):
        which = {"FunctionName": name, **({"Qualifier": qualifier} if qualifier else {})}
        try:
            told = aws.call("lambda", "GetPolicy", **which)
        except NotFound:
            continue  # it has none: only whoever has the right as a person or role
        found += statements(told["Policy"], qualifier, str(told.get("RevisionId", "")))
    return tuple(found)


def _address(aws: Aws, name: str) -> Address | None:
    """The function URL of `live`, else of the function itself."""
    found = []
    for page in aws.pages("lambda", "ListFunctionUrlConfigs", FunctionName=name):
        for one in page.get("FunctionUrlConfigs", []):
            qualifier = str(one["FunctionArn"]).rpartition(f"function:{name}")[2].lstrip(":")
            found.append(Address(str(one["FunctionUrl"]), str(one["AuthType"]), qualifier))
    return next(iter(sorted(found, key=lambda one: one.qualifier != LIVE)), None)
