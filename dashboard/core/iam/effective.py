"""What policies give in effect, and how that differs from what others give."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.core.iam import actions
from dashboard.core.iam.containment import Grant, beyond
from dashboard.core.iam.documents import Document, Effect, Policy, Statement
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.rights import ANYTHING, Right


@dataclass(frozen=True)
class Difference:
    """From what there was to what comes.

    added, removed, kept: statements as they are written, without regard to which policy they stand in. gained, lost:
    actions, by name, of which something is allowed now and nothing was, and the other way round. changed: those of
    which something is allowed before and after, but on other resources or under other conditions. rights_gained,
    rights_lost: of the rights that were asked for.
    """

    added: tuple[Mapping[str, Any], ...]
    removed: tuple[Mapping[str, Any], ...]
    kept: tuple[Mapping[str, Any], ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    changed: tuple[str, ...]
    rights_gained: tuple[Right, ...] = ()
    rights_lost: tuple[Right, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed)


def rights_allowed(
    policies: Sequence[Document] | Document, boundary: Document | None, probes: Iterable[Right]
) -> tuple[Right, ...]:
    """Those of the rights that the policies, judged together and within the boundary, give. Raises PolicyError."""
    return tuple(one for one in probes if evaluate(policies, one.action, one.resource, one.context, boundary).allowed)


def actions_allowed(
    policies: Sequence[Document] | Document, boundary: Document | None = None
) -> Mapping[str, frozenset[Any]]:
    """The actions of which anything is allowed, each with on what and when (values to be compared, not read).

    An action is denied only where a Deny takes in every resource and has no condition. Raises PolicyError.
    """
    read = _read(policies)
    found = _scopes(read)
    denies = list(read)
    if boundary is not None:
        limit = Policy.of(boundary, "boundary")
        within = _scopes([limit])
        found = {action: scopes | within[action] for action, scopes in found.items() if action in within}
        denies.append(limit)
    denied = {
        action
        for policy in denies
        for one in policy.statements
        if one.effect is Effect.DENY and not one.conditions and ANYTHING in one.resources
        for action in _actions(one)
    }
    return {action: frozenset(scopes) for action, scopes in found.items() if action not in denied}


def difference(
    before: Sequence[Document] | Document,
    after: Sequence[Document] | Document,
    probes: Iterable[Right] = (),
    *,
    before_boundary: Document | None = None,
    after_boundary: Document | None = None,
) -> Difference:
    """How what two sets of policies give differs: in their statements, over all actions of AWS, and of the probes.

    Raises PolicyError where a policy cannot be read or a probe not be judged.
    """
    old, new = _written(before), _written(after)
    was, becomes = actions_allowed(before, before_boundary), actions_allowed(after, after_boundary)
    asked = tuple(dict.fromkeys(probes))
    had = rights_allowed(before, before_boundary, asked)
    has = rights_allowed(after, after_boundary, asked)
    return Difference(
        added=tuple(one for one in new if one not in old),
        removed=tuple(one for one in old if one not in new),
        kept=tuple(one for one in new if one in old),
        gained=tuple(sorted(becomes.keys() - was.keys())),
        lost=tuple(sorted(was.keys() - becomes.keys())),
        changed=tuple(sorted(one for one in was.keys() & becomes.keys() if was[one] != becomes[one])),
        rights_gained=tuple(one for one in has if one not in had),
        rights_lost=tuple(one for one in had if one not in has),
    )


def widens(
    before_policies: Sequence[Document] | Document,
    before_boundary: Document | None,
    after_policies: Sequence[Document] | Document,
    after_boundary: Document | None,
    extra: Iterable[Right] = (),
) -> tuple[Right | str, ...]:
    """What would be given that was not: () only where it is plain that nothing would.

    A statement that cannot be shown to be within the old ones counts as wider, told as the right that it writes (which
    may hold patterns), or in words where it leaves things out (NotAction, NotResource). extra: rights that are judged
    one by one as well. Raises PolicyError.
    """
    old, new = _read(before_policies), _read(after_policies)
    limit = Policy.of(before_boundary, "boundary") if before_boundary is not None else None
    new_limit = Policy.of(after_boundary, "boundary") if after_boundary is not None else None
    denying = [*new, new_limit] if new_limit else new
    wider = list(beyond(new, old, denying))
    # within a limit that is itself within the old one there is nothing more to look at
    if limit is not None and not (new_limit and not any(True for _ in beyond([new_limit], [limit], denying))):
        wider += beyond(new, [limit], denying)
    found: list[Right | str] = [_told(one) for one in wider]
    asked = tuple(dict.fromkeys(extra))
    had = set(rights_allowed(old, limit, asked))
    found += [one for one in rights_allowed(new, new_limit, asked) if one not in had]
    return tuple(dict.fromkeys(found))


def _told(grant: Grant) -> Right | str:
    if grant.excepts_actions or grant.excepts_resources:
        return str(grant)
    return Right(grant.action, grant.resource)


def _scopes(policies: Sequence[Policy]) -> dict[str, set[Any]]:
    found: dict[str, set[Any]] = {}
    for policy in policies:
        for one in policy.statements:
            if one.effect is Effect.ALLOW:
                when = frozenset((each.operator, each.key, frozenset(each.values)) for each in one.conditions)
                scopes: set[Any] = {(resource, when) for resource in one.resources}
                scopes |= {(frozenset(one.not_resources), when)} if one.not_resources else set()
                for action in _actions(one):
                    found.setdefault(action, set()).update(scopes)
    return found


def _actions(statement: Statement) -> frozenset[str]:
    if statement.actions:
        return actions.expand(statement.actions)
    return actions.expand([ANYTHING], statement.not_actions)


def _read(policies: Sequence[Document] | Document) -> list[Policy]:
    given = [policies] if isinstance(policies, Policy | Mapping | str) else policies
    return [Policy.of(one, "" if isinstance(one, Policy) else f"policy {place}") for place, one in enumerate(given, 1)]


def _written(policies: Sequence[Document] | Document) -> list[Mapping[str, Any]]:
    """The statements in one form each, so that the same ones are equal however they were written."""
    return [_as_written(one) for policy in _read(policies) for one in policy.statements]


def _as_written(statement: Statement) -> Mapping[str, Any]:
    written: dict[str, Any] = {"Sid": statement.sid} if statement.sid else {}
    written["Effect"] = statement.effect.value
    for name, values in (
        ("Action", statement.actions),
        ("NotAction", statement.not_actions),
        ("Resource", statement.resources),
        ("NotResource", statement.not_resources),
    ):
        if values:
            written[name] = values[0] if len(values) == 1 else list(values)
    condition: dict[str, dict[str, Any]] = {}
    for one in statement.conditions:
        condition.setdefault(one.operator, {})[one.key] = one.values[0] if len(one.values) == 1 else list(one.values)
    return {**written, "Condition": condition} if condition else written
