"""Policy documents as IAM reads them: statements with what they allow or deny, on what, and when."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any

from dashboard.core.iam import variables
from dashboard.core.iam.wildcard import ANY, ONE, Reach, any_of, fits_resource, prepared

CURRENT = "2012-10-17"  # the version that knows policy variables
VERSIONS = ("2008-10-17", CURRENT)
LARGEST = 131_072  # characters
_ELEMENTS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
MOST_REMEMBERED = 512  # actions of which a policy keeps the statements that are about them


def listed(given: Any) -> list[Any]:
    """A policy writes one value alone or several in a list: a list of them; empty for None."""
    if given is None:
        return []
    return list(given) if isinstance(given, list) else [given]


class PolicyError(ValueError):
    """The document is no policy; the sentence says where and why."""


class Effect(StrEnum):
    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True)
class Condition:
    """One operator on one context key: `StringLike` `aws:username` ("a*", "b"). The values are alternatives."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """What is empty was not in the document. has_principal: it is of a resource's policy, and may name no resource.

    has_variables: `${…}` in it means something.
    """

    sid: str
    effect: Effect
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    has_principal: bool = False
    has_variables: bool = False

    def is_about(self, action: str) -> bool:
        """Whether Action or NotAction take in an action, which is given in lower case."""
        return self._fits_actions(action) is bool(self.actions)

    def covers(self, resource: str, context: variables.Context) -> bool:
        """Whether Resource or NotResource take in a resource. A variable without a value fits nothing."""
        fits = self._fits_plain_resources(resource)
        if not fits and self._resources_with_variables:
            filled = (variables.filled(one, context, enabled=True) for one in self._resources_with_variables)
            fits = any(pattern is not None and fits_resource(pattern, resource) for pattern in filled)
        return fits if self.resources else not fits

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The context keys that it asks for, as they are written, by name."""
        found = {condition.key for condition in self.conditions}
        if self.has_variables:
            texts = [*self.resources, *self.not_resources]
            texts += [value for condition in self.conditions for value in condition.values]
            found.update(key for text in texts for key in variables.keys(text))
        return tuple(sorted(found))

    @cached_property
    def resource_keys(self) -> tuple[str, ...]:
        """Those of them that Resource or NotResource ask for."""
        return tuple(key for text in self._resources_with_variables for key in variables.keys(text))

    @cached_property
    def action_patterns(self) -> frozenset[str]:
        """What Action, or NotAction, lists: prepared, in lower case, and "*:*" as the "*" that it is."""
        listed = (one.lower() for one in self.actions or self.not_actions)
        return frozenset(prepared("*" if one == "*:*" else one) for one in listed)

    def patterns_for(self, action: str) -> Iterable[str]:
        """Those of them that may have to do with an action, or with a pattern of actions (prepared, in lower case)."""
        service = action.partition(":")[0]
        if ANY in service or ONE in service:
            return self.action_patterns
        return chain(self._patterns_by_service.get(service, ()), self._patterns_by_service.get(ANY, ()))

    @cached_property
    def _patterns_by_service(self) -> Mapping[str, Sequence[str]]:
        """By the service that they name; under ANY those that leave it open."""
        found: dict[str, list[str]] = {}
        for one in self.action_patterns:
            service = one.partition(":")[0]
            found.setdefault(ANY if ANY in service or ONE in service else service, []).append(one)
        return found

    @cached_property
    def _fits_actions(self) -> Callable[[str], bool]:
        return any_of(tuple(self.action_patterns), Reach.TEXT)

    @cached_property
    def _resources_with_variables(self) -> tuple[str, ...]:
        given = self.resources or self.not_resources
        return tuple(one for one in given if self.has_variables and "${" in one)

    @cached_property
    def _fits_plain_resources(self) -> Callable[[str], bool]:
        given = self.resources or self.not_resources
        plain = [prepared(one) for one in given if one not in self._resources_with_variables]
        return any_of(plain, Reach.RESOURCE)


@dataclass(frozen=True)
class Policy:
    """A document by a name of the caller's choosing; has_variables: `${…}` in it means something."""

    name: str
    statements: tuple[Statement, ...]
    has_variables: bool

    @classmethod
    def parse(cls, document: str | Mapping[str, Any], name: str = "") -> "Policy":
        """Read a document (JSON text, or what it says). Raises PolicyError."""
        if isinstance(document, str):
            if len(document) > LARGEST:
                raise PolicyError(f"The policy {name} is longer than {LARGEST} characters")
            try:
                document = json.loads(document, object_pairs_hook=_unique)
            except (ValueError, RecursionError) as wrong:
                raise PolicyError(f"The policy {name} is not JSON: {wrong}") from wrong
        if not isinstance(document, Mapping):
            raise PolicyError(f"The policy {name} is not a JSON object")
        version = document.get("Version", VERSIONS[0])
        if version not in VERSIONS:
            raise PolicyError(f"The policy {name} has the version {version}, not {CURRENT}")
        given = document.get("Statement")
        statements = given if isinstance(given, list) else [given]
        has_variables = version == CURRENT
        return cls(name, tuple(_statement(one, name, has_variables) for one in statements), has_variables)

    @classmethod
    def of(cls, document: "Document", name: str = "") -> "Policy":
        """The same of a document in any form, read once for however many times it is given. Raises PolicyError."""
        if isinstance(document, Policy):
            return document
        if isinstance(document, str):
            return _parsed(document, name)
        if isinstance(document, Mapping):
            try:
                return _parsed(json.dumps(document), name)
            except (TypeError, ValueError, RecursionError):  # no JSON: parse() says what is wrong with it
                return cls.parse(document, name)
        raise PolicyError(f"The policy {name} is not a document but {type(document).__name__}")

    def about(self, action: str) -> tuple[tuple[int, Statement], ...]:
        """The statements that are about an action, which is given in lower case, each with its place (from 0)."""
        found = self._about.get(action)
        if found is None:
            if len(self._about) >= MOST_REMEMBERED:
                self._about.clear()
            found = tuple((place, one) for place, one in enumerate(self.statements) if one.is_about(action))
            self._about[action] = found
        return found

    @cached_property
    def _about(self) -> dict[str, tuple[tuple[int, Statement], ...]]:
        return {}


Document = Policy | Mapping[str, Any] | str
"""A policy that is parsed already, what JSON says, or JSON text."""


@lru_cache(maxsize=2048)
def _parsed(text: str, name: str) -> Policy:
    return Policy.parse(text, name)


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which no name comes twice: which of the two counts, a reader could not tell."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is given twice")
    return found


def _statement(given: Any, policy: str, has_variables: bool) -> Statement:
    if not isinstance(given, Mapping):
        raise PolicyError(f"The policy {policy} has no Statement, or one that is no object")
    sid = given.get("Sid", "")
    where = f"The statement {sid} of the policy {policy}" if sid else f"A statement of the policy {policy}"
    if unknown := [str(name) for name in given if name not in _ELEMENTS]:
        # a misspelt Condition would be one that is always met
        raise PolicyError(f"{where} has the element {unknown[0]}, which there is not")
    if given.get("Effect") not in tuple(Effect):
        raise PolicyError(f"{where} needs the Effect Allow or Deny")
    for one, other in (("Action", "NotAction"), ("Resource", "NotResource")):
        if one in given and other in given:
            raise PolicyError(f"{where} has both {one} and {other}")
    if "Action" not in given and "NotAction" not in given:
        raise PolicyError(f"{where} has neither Action nor NotAction")
    has_principal = "Principal" in given or "NotPrincipal" in given
    if "Resource" not in given and "NotResource" not in given and not has_principal:
        raise PolicyError(f"{where} has neither Resource nor NotResource")
    return Statement(
        str(sid),
        Effect(given["Effect"]),
        _texts(given.get("Action"), where),
        _texts(given.get("NotAction"), where),
        _texts(given.get("Resource"), where),
        _texts(given.get("NotResource"), where),
        tuple(_conditions(given.get("Condition", {}), where)),
        has_principal,
        has_variables,
    )


def _texts(given: Any, where: str) -> tuple[str, ...]:
    """One text or a list of them."""
    if given is None:
        return ()
    found = given if isinstance(given, list) else [given]
    if not found or not all(isinstance(one, str) for one in found):
        raise PolicyError(f"{where} has something else than texts where actions or resources are due")
    return tuple(found)


def _conditions(given: Any, where: str) -> list[Condition]:
    if not isinstance(given, Mapping) or not all(isinstance(keys, Mapping) for keys in given.values()):
        raise PolicyError(f"{where} has a Condition that is not operators with keys")
    return [
        Condition(
            operator, key, tuple(_value(one, where) for one in (values if isinstance(values, list) else [values]))
        )
        for operator, keys in given.items()
        for key, values in keys.items()
    ]


def _value(given: Any, where: str) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, str | int | float):
        try:
            return str(given)
        except ValueError as wrong:  # an integer of more digits than Python writes
            raise PolicyError(f"{where} compares with a number that is too long") from wrong
    raise PolicyError(f"{where} compares with something that is neither text, number nor true or false")
