"""What a set of policies says of one action on one resource: allowed, denied, or not mentioned.

The rules are those of the IAM User Guide ("Policy evaluation logic"): an explicit Deny anywhere wins; else an Allow is
needed, and where there is a permissions boundary, one there too. GetCallerIdentity needs none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dashboard.core.iam import conditions
from dashboard.core.iam.documents import Document, Effect, Policy, PolicyError
from dashboard.core.iam.variables import Context

__all__ = ["Decision", "Document", "Matched", "Outcome", "Policy", "PolicyError", "context_keys", "evaluate"]

Value = str | bool | int | float | datetime
"""What a context key may have: text, or what text would say."""
ALWAYS_ALLOWED = "sts:getcalleridentity"


class Outcome(StrEnum):
    """As IAM's simulator names them."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


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
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED


def evaluate(
    policies: Sequence[Document] | Document,
    action: str,
    resource: str,
    context: Mapping[str, Value | Sequence[Value]] | None = None,
    boundary: Document | None = None,
) -> Decision:
    """Judge one action ("s3:GetObject") on one resource (an ARN, or "*" for an action that takes none).

    policies: identity-based ones, judged together: documents as JSON text, as what JSON says, or parsed. One document
    that stands alone is a list of one. context: the request's context keys; their case does not matter.
    Raises PolicyError for what is no policy, and where a statement that could decide cannot be judged (a date that is
    none): that is no pass.
    """
    values = _context(context) if context else {}
    missing: set[str] = set()
    allows, denies = _matching(_read(policies), action, resource, values, missing)
    allowed_by_boundary: bool | None = None
    if boundary is not None:
        limits, limits_denying = _matching([Policy.of(boundary, "boundary")], action, resource, values, missing)
        allowed_by_boundary = bool(limits) and not limits_denying
        denies = [*denies, *limits_denying]
    told = tuple(sorted(missing)) if missing else ()
    if action.lower() == ALWAYS_ALLOWED:
        return Decision(Outcome.ALLOWED, tuple(allows), told, allowed_by_boundary)
    if denies:
        return Decision(Outcome.EXPLICIT_DENY, tuple(denies), told, allowed_by_boundary)
    if allows and allowed_by_boundary is not False:
        return Decision(Outcome.ALLOWED, tuple(allows), told, allowed_by_boundary)
    return Decision(Outcome.IMPLICIT_DENY, (), told, allowed_by_boundary)


def context_keys(policies: Sequence[Document] | Document) -> tuple[str, ...]:
    """Every context key that the policies ask for, as it is written there, by name."""
    return tuple(sorted({key for policy in _read(policies) for one in policy.statements for key in one.keys}))


def _read(policies: Sequence[Document] | Document) -> list[Policy]:
    """Documents that bring no name are called by their place, as IAM's simulator does it."""
    given = [policies] if isinstance(policies, Policy | Mapping | str) else policies
    return [Policy.of(one, "" if isinstance(one, Policy) else f"policy {place}") for place, one in enumerate(given, 1)]


def _context(given: Mapping[str, Value | Sequence[Value]]) -> Context:
    """By lower-case key. A key without any value is one that is not there."""
    values = {
        key.lower(): (_text(value),) if isinstance(value, Value) else tuple(map(_text, value))
        for key, value in given.items()
    }
    return {key: value for key, value in values.items() if value}


def _text(value: Value) -> str:
    """As AWS writes it: true, 10, 2026-11-22T10:00:00Z."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _matching(
    policies: Sequence[Policy], action: str, resource: str, context: Context, missing: set[str]
) -> tuple[list[Matched], list[Matched]]:
    """The statements that apply: those that allow, and those that deny. Adds to `missing`."""
    found: tuple[list[Matched], list[Matched]] = ([], [])
    wanted = action.lower()
    for policy in policies:
        for place, statement in policy.about(wanted):
            if statement.resource_keys:
                missing.update(key for key in statement.resource_keys if key.lower() not in context)
            if not statement.covers(resource, context):
                continue
            if statement.keys:
                missing.update(key for key in statement.keys if key.lower() not in context)
                # every condition is judged, so that one that cannot be is told of whatever the others say
                judged = [
                    conditions.holds(condition, context, variables=policy.has_variables)
                    for condition in statement.conditions
                ]
                if not all(judged):
                    continue
            found[statement.effect is Effect.DENY].append(Matched(policy.name, place, statement.sid))
    return found
