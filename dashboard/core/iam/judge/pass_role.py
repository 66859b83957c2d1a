"""Whom a role may make a service work as: `iam:PassRole`, and to which services.

Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dashboard.core.iam.documents import Statement
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge.full_access import Held, listed, lowered
from dashboard.core.iam.judge.principals import is_vacuous
from dashboard.core.iam.judge.reach import Reached, Rights
from dashboard.core.iam.wildcard import matches

PASS = "iam:passrole"  # noqa: S105 (no password)
KEY = "iam:passedtoservice"


@dataclass(frozen=True)
class Passing:
    """A statement that lets roles be passed. to: the services, as patterns; None for any."""

    reached: tuple[Reached, ...]
    to: tuple[str, ...] | None

    @property
    def worst(self) -> Reached:
        """That with the most roles, of those that no boundary takes back where there are such."""
        return min(self.reached, key=lambda one: (one.is_bounded, not one.is_anything, not one.has_wildcard))

    def allows(self, service: str) -> bool:
        return self.to is None or any(matches(one.lower(), service) for one in self.to)


def passings(rights: Rights) -> tuple[Passing, ...]:
    """Every statement of the role's that lets it pass roles."""
    found: dict[int, list[Reached]] = {}
    for one in rights.reaches(PASS):
        found.setdefault(id(one.clause), []).append(one)
    return tuple(Passing(tuple(reached), passed_to(reached[0].clause.statement)) for reached in found.values())


def passed_to(statement: Statement) -> tuple[str, ...] | None:
    """The services that a statement lets roles be passed to; None for any."""
    found = None
    for one in statement.conditions:
        operator = one.operator.lower().removeprefix("foranyvalue:").removesuffix("ifexists")
        named = operator in ("stringequals", "stringlike", "stringequalsignorecase") and not is_vacuous(one)
        if one.key.lower() == KEY and named:
            found = one.values
    return found


def findings(rights: Rights, found: tuple[Passing, ...], all_held: tuple[Held, ...]) -> Iterator[Finding]:
    """Of each statement that lets more than single named roles be passed, or to any service.

    One that gives everything anyway is told of as such.
    """
    whole = {id(one.clause) for one in all_held if one.is_crucial or one.everything}
    for one in found:
        worst = one.worst
        if id(worst.clause) in whole or (not worst.has_wildcard and one.to is not None):
            continue
        yield _finding(rights, one)


def _finding(rights: Rights, one: Passing) -> Finding:
    worst = one.worst
    which = (
        "any role" if worst.is_anything else f"{'every role that fits ' if worst.has_wildcard else ''}{worst.resource}"
    )
    to = "to any service (no iam:PassedToService)" if one.to is None else f"to {listed(one.to)}"
    fix = [] if one.to is not None else ["ask for the service in a condition on iam:PassedToService"]
    if worst.has_wildcard:
        fix.insert(0, "name the one role that it has to pass in Resource")
    severity = Severity.HIGH if worst.is_anything else Severity.MEDIUM if worst.has_wildcard else Severity.LOW
    keys = worst.clause.limit.told(PASS, frozenset({KEY}))
    steps = (one.to is not None) + bool(keys) + 3 * worst.is_bounded
    boundary = rights.role.boundary.name if rights.role.boundary is not None else ""
    mitigated = [f"the permissions boundary {boundary} does not allow it"] if worst.is_bounded else []
    mitigated += [f"a condition on {listed(keys)}"] if keys else []
    mitigated += [f"a Deny under a condition in {listed(worst.softened)}"] if worst.softened else []
    return Finding(
        rights.role.name,
        Kind.PASS_ROLE,
        lowered(severity, steps),
        f"the policy {worst.clause.policy.name} lets it pass {which} {to}",
        "whoever works as this role can start something that works as a stronger one, and use its rights",
        ", and ".join(fix),
        worst.clause.policy.name,
        worst.clause.place,
        worst.clause.written,
        rights.role.arn,
        "; ".join(mitigated),
    )
