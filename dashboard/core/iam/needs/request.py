"""One request as its rights are worked out: what it says, and how a service's table reads it.

A table says of an operation the action that it needs and on what: ARNs with `{Member}` where the request's own words
go. A dotted path leads into structures and through lists; a list makes one right each. Of `{One|Other}` the first that
the request has counts.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol

from dashboard.core.iam.rights import ANYTHING, Right, Where

Context = dict[str, tuple[str, ...]]

_MEMBER = re.compile(r"\{([A-Za-z.|]+)\}")


class Lookup(Protocol):
    """What only the account knows, for whoever can ask it. None: there is none of that name."""

    def iam_arn(self, kind: str, name: str) -> str | None:
        """The ARN, with its path, of a "role", "user", "group" or "instance-profile"."""

    def boundary(self, kind: str, name: str) -> str | None:
        """The ARN of the permissions boundary that a "role" or "user" has."""

    def profile_role(self, profile: str) -> str | None:
        """The ARN of the role in an instance profile."""


class Unasked:
    """A Lookup that knows nothing: paths are then taken to be "/", and a profile's role to have the profile's name."""

    def iam_arn(self, kind: str, name: str) -> str | None:
        return None

    def boundary(self, kind: str, name: str) -> str | None:
        return None

    def profile_role(self, profile: str) -> str | None:
        return None


@dataclass(frozen=True)
class Request:
    """parameters: as botocore takes them. Their first letters may be small, as CloudTrail has them inside."""

    operation: str
    parameters: Mapping[str, Any]
    where: Where
    lookup: Lookup

    def values(self, path: str) -> tuple[str, ...]:
        """Every text at a dotted path (of several paths, apart by |, the first that says something); () for none."""
        found: tuple[str, ...] = ()
        for one in path.split("|"):
            found = tuple(_texts(self.parameters, one.split("."))) or found
            if any(found):
                break
        return found

    def value(self, path: str) -> str:
        """The first of them, "" for none."""
        found = self.values(path)
        return found[0] if found else ""

    def structures(self, path: str) -> tuple["Request", ...]:
        """The structures in a list at a dotted path, each to be read as the request is."""
        found: Any = self.parameters
        for name in path.split("."):
            found = _member(found, name)
        inner = (one for one in found if isinstance(one, Mapping)) if isinstance(found, list | tuple) else ()
        return tuple(replace(self, parameters=one) for one in inner)

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        """An ARN of this account and region, or of those given ("" for none)."""
        region = self.where.region if region is None else region
        account = self.where.account if account is None else account
        return f"arn:{self.where.partition}:{service}:{region}:{account}:{resource}"

    def context(self, members: Mapping[str, str]) -> Context:
        """Condition keys with the members of the request that say them; those it leaves out are not there."""
        found = ((key, self.values(path)) for key, path in members.items())
        return {key: values for key, values in found if values}

    def tags(self, member: str = "Tags") -> Context:
        """aws:RequestTag/… and aws:TagKeys of the tags that it gives, or of the keys that it takes away."""
        given: Any = self.parameters
        for name in member.split("."):
            given = _member(given, name)
        tags: dict[str, str] = {}
        if isinstance(given, Mapping):
            tags = {str(key): str(value) for key, value in given.items()}
        elif isinstance(given, Sequence) and not isinstance(given, str):
            for one in given:
                if isinstance(one, Mapping):
                    tags[str(_member(one, "Key") or "")] = str(_member(one, "Value") or "")
        keys = tuple(tags) or self.values("TagKeys") or self.values("TagKeyList")
        if not keys:
            return {}
        return {"aws:TagKeys": keys, **{f"aws:RequestTag/{key}": (value,) for key, value in tags.items()}}

    def passes(self, role: str, service: str) -> Iterator[Right]:
        """iam:PassRole for a role's ARN that is handed to a service; nothing where none is handed over."""
        if role:
            if not role.startswith("arn:"):
                role = self.lookup.iam_arn("role", role) or self.arn("iam", f"role/{role}", region="")
            yield Right("iam:PassRole", role, {"iam:PassedToService": (service,)})


def together(*tables: Mapping[str, str]) -> dict[str, str]:
    """Tables of operations by their resources as one."""
    found: dict[str, str] = {}
    for table in tables:
        for templates, operations in table.items():
            found[templates] = f"{found.get(templates, '')} {operations}"
    return found


Extra = Callable[[Request], Iterable[Right]]


@dataclass(frozen=True)
class Needs:
    """What the requests of one service need.

    prefix: of its actions. base: what every ARN begins with ("arn:{partition}:sagemaker:{region}:{account}:").
    resources: by what comes after that ("endpoint/{EndpointName}", "*" for actions that take none; several, apart by
    spaces, are all needed; one after a "?" only where the request says it) the operations that need it. actions: the
    operations whose action has another name. contexts: condition keys by operation, each with the member that says it.
    tags: the member with tags. tagging: the action that a request with tags needs too, on what it makes. extra:
    what else an operation needs. special: the operations that need something of another kind altogether.
    """

    prefix: str
    base: str
    resources: Mapping[str, str]
    actions: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tags: str = "Tags"
    tagging: str = ""
    extra: Mapping[str, Extra] = field(default_factory=dict)
    special: Mapping[str, Extra] = field(default_factory=dict)

    def rights(self, request: Request) -> tuple[Right, ...] | None:
        """None for an operation that is not in the table."""
        operation = request.operation
        if operation in self.special:
            return tuple(self.special[operation](request))
        templates = _by_operation(_Table(self)).get(operation)
        if templates is None:
            return None
        action = f"{self.prefix}:{self.actions.get(operation, operation)}"
        tags = request.tags(self.tags) if self.tags else {}
        context = {**request.context(self.contexts.get(operation, {})), **tags}
        # what says nothing of its resources is about any
        resources = [arn for template in templates for arn in self.arns(template, request)] or [ANYTHING]
        rights = [Right(action, resource, context) for resource in resources]
        if tags and self.tagging and operation.startswith(("Create", "Register", "Put", "Start")):
            rights += [Right(f"{self.prefix}:{self.tagging}", one, tags) for one in _made(operation, resources)]
        if operation in self.extra:
            rights += self.extra[operation](request)
        return tuple(rights)

    @property
    def operations(self) -> frozenset[str]:
        """Every operation that it knows."""
        return frozenset(_by_operation(_Table(self))) | frozenset(self.special)

    def arns(self, template: str, request: Request) -> tuple[str, ...]:
        """A template's ARNs. A member that is an ARN already needs no base; what is not said is anything."""
        if template == ANYTHING:
            return (ANYTHING,)
        if template.startswith("?"):
            template = template[1:]
            if not all(request.values(path) for path in _MEMBER.findall(template)):
                return ()
        where = request.where
        whole = template if template.startswith("arn:") else self.base + template
        for name in ("partition", "region", "account"):
            whole = whole.replace(f"{{{name}}}", getattr(where, name))
        found = [whole]
        for path in _MEMBER.findall(template):
            values = request.values(path) or (ANYTHING,)
            found = [_put(one, f"{{{path}}}", value) for one in found for value in values]
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, eq=False)
class _Table:
    """A key for what is worked out once for each table: by the table itself, not by what it says."""

    needs: Needs

    def __hash__(self) -> int:
        return id(self.needs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Table) and other.needs is self.needs


@lru_cache(maxsize=64)
def _by_operation(table: _Table) -> Mapping[str, tuple[str, ...]]:
    return {
        operation: tuple(templates.split())
        for templates, operations in table.needs.resources.items()
        for operation in operations.split()
    }


def _made(operation: str, resources: Sequence[str]) -> Sequence[str]:
    """Of the resources of an operation the one that it makes: CreateEndpoint is about an endpoint-config too."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", operation).lower().partition("-")[2]
    return [one for one in resources if one.rpartition(":")[2].partition("/")[0].endswith(kind)] or resources


def _put(template: str, place: str, value: str) -> str:
    """A value in its place; an ARN takes what comes before it with it. (That of a log group may end in ":*".)"""
    if not value.startswith("arn:"):
        return template.replace(place, value)
    rest = template.partition(place)[2]
    return value.removesuffix(":*") + rest if rest else value


def _member(given: Any, name: str) -> Any:
    if not isinstance(given, Mapping):
        return None
    found = given.get(name)
    return given.get(name[:1].lower() + name[1:]) if found is None else found


def _texts(given: Any, path: Sequence[str]) -> Iterator[str]:
    if isinstance(given, Mapping):
        if path:
            yield from _texts(_member(given, path[0]), path[1:])
    elif isinstance(given, list | tuple):
        for one in given:
            yield from _texts(one, path)
    elif given is not None and not path:
        yield str(given).lower() if isinstance(given, bool) else str(given)
