"""What a set of policies says of one action on one resource: allowed, denied, or not mentioned.

The rules are those of the IAM User Guide ("Policy evaluation logic"): an explicit Deny anywhere wins; else an Allow is
needed, and where there is a permissions boundary, one there too. GetCallerIdentity needs none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dashboard.core.iam import conditions, variables
from dashboard.core.iam.documents import Effect, Policy, PolicyError, Statement
from dashboard.core.iam.variables import Context
from dashboard.core.iam.wildcard import fits_arn, matches

__all__ = ["Decision", "Matched", "Outcome", "Policy", "PolicyError", "context_keys", "evaluate"]

ALWAYS_ALLOWED = "sts:getcalleridentity"


class Outcome(StrEnum):
    """As IAM's simulator names them."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"

    @property
    def is_allowed(self) -> bool:
        return self is Outcome.ALLOWED


@dataclass(frozen=True)
class Matched:
    """A statement that decided: its policy's name, its place there (from 0) and its Sid."""

    policy: str
    place: int
    sid: str


@dataclass(frozen=True)
class Decision:
    """missing: context keys that statements on this action and resource ask for and the context lacks.

    allowed_by_boundary: None without a boundary.
    """

    outcome: Outcome
    matched: tuple[Matched, ...] = ()
    missing: tuple[str, ...] = ()
    allowed_by_boundary: bool | None = None

    @property
    def is_allowed(self) -> bool:
        return self.outcome.is_allowed


def evaluate(
    policies: Sequence[Policy],
    action: str,
    resource: str,
    context: Mapping[str, str | Sequence[str]] | None = None,
    boundary: Policy | None = None,
) -> Decision:
    """Judge one action ("s3:GetObject") on one resource (an ARN, or "*" for an action that takes none).

    policies: identity-based ones, judged together. context: the request's context keys; their case does not matter.
    Raises PolicyError where a statement that could decide cannot be judged (a date that is none): that is no pass.
    """
    values = _context(context or {})
    missing: set[str] = set()
    found = _matching(policies, action, resource, values, missing)
    limits = _matching([boundary], action, resource, values, missing) if boundary else {}
    allowed_by_boundary = bool(limits.get(Effect.ALLOW)) and not limits.get(Effect.DENY) if boundary else None
    denied = (*found[Effect.DENY], *limits.get(Effect.DENY, ()))
    told = tuple(sorted(missing))
    if action.lower() == ALWAYS_ALLOWED:
        return Decision(Outcome.ALLOWED, tuple(found[Effect.ALLOW]), told, allowed_by_boundary)
    if denied:
        return Decision(Outcome.EXPLICIT_DENY, denied, told, allowed_by_boundary)
    if found[Effect.ALLOW] and allowed_by_boundary is not False:
        return Decision(Outcome.ALLOWED, tuple(found[Effect.ALLOW]), told, allowed_by_boundary)
    return Decision(Outcome.IMPLICIT_DENY, (), told, allowed_by_boundary)


def context_keys(policies: Sequence[Policy]) -> tuple[str, ...]:
    """Every context key that the policies ask for, as it is written there, by name."""
    return tuple(sorted({key for policy in policies for one in policy.statements for key in _keys(one, policy)}))


def _context(given: Mapping[str, str | Sequence[str]]) -> Context:
    return {key.lower(): (value,) if isinstance(value, str) else tuple(value) for key, value in given.items()}


def _matching(
    policies: Sequence[Policy], action: str, resource: str, context: Context, missing: set[str]
) -> dict[Effect, list[Matched]]:
    """The statements that apply, by effect; adds to `missing`."""
    found: dict[Effect, list[Matched]] = {effect: [] for effect in Effect}
    for policy in policies:
        for place, statement in enumerate(policy.statements):
            if not _names(statement, action, resource, context, policy, missing):
                continue
            missing.update(key for key in _keys(statement, policy) if key.lower() not in context)
            # every condition is judged, so that one that cannot be is told of whatever the others say
            judged = [
                conditions.holds(condition, context, variables=policy.has_variables)
                for condition in statement.conditions
            ]
            if all(judged):
                found[statement.effect].append(Matched(policy.name, place, statement.sid))
    return found


def _names(
    statement: Statement, action: str, resource: str, context: Context, policy: Policy, missing: set[str]
) -> bool:
    """Whether the statement is about this action on this resource."""
    wanted = action.lower()
    if statement.actions:
        about = any(matches(pattern.lower(), wanted) for pattern in statement.actions)
    else:
        about = not any(matches(pattern.lower(), wanted) for pattern in statement.not_actions)
    if not about:
        return False
    given = statement.resources or statement.not_resources
    patterns = [variables.filled(one, context, enabled=policy.has_variables) for one in given]
    if None in patterns and policy.has_variables:
        missing.update(key for one in given for key in variables.keys(one) if key.lower() not in context)
    fits = any(pattern is not None and fits_arn(pattern, resource) for pattern in patterns)
    return fits if statement.resources else not fits


def _keys(statement: Statement, policy: Policy) -> set[str]:
    found = {condition.key for condition in statement.conditions}
    if policy.has_variables:
        texts = [*statement.resources, *statement.not_resources]
        texts += [value for condition in statement.conditions for value in condition.values]
        found.update(key for text in texts for key in variables.keys(text))
    return found
