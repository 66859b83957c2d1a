"""The audit of an account: what is wrong with each of its roles, judged over all of a role's policies together.

It takes the merged answer of GetAccountAuthorizationDetails and asks AWS nothing. What is not in that answer (resource
policies, policies of the organization) is not judged; what is in it and cannot be judged is a finding of kind
`unknown`, and so is a role in whose judgement this code fails: never a pass. Service-linked roles are passed over:
nobody can change them.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from dashboard.core.iam import actions, entities
from dashboard.core.iam.entities import PolicyText, Role
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge import broad_writes, escalation, full_access, pass_role, sharing, trust, unused
from dashboard.core.iam.judge.full_access import Held
from dashboard.core.iam.judge.limits import known
from dashboard.core.iam.judge.reach import Rights, Unjudged
from dashboard.core.iam.usage import Usage

UNUSED_DAYS = unused.DAYS

_UNFINISHED = Finding(
    "",
    Kind.UNKNOWN,
    Severity.MEDIUM,
    "this is a part of the account: the answer says that more pages follow",
    "the roles and policies on the other pages may be anything",
    "read all pages, and audit them together",
)

logger = logging.getLogger(__name__)


def audit(
    authorization_details: Mapping[str, Any],
    *,
    usage: Usage | None = None,
    now: datetime | None = None,
    unused_days: int = UNUSED_DAYS,
    tell: Callable[[int], None] = lambda _: None,
) -> list[Finding]:
    """Everything that is wrong, the worst first, then by role.

    authorization_details: the answer, all pages merged (see `entities.merged`), with documents as objects or as text.
    usage: what works as which role, where that is known: roles are shared or unused by it too. now: what counts as
    unused is counted from then; the present where it is None. tell: hears how many roles are judged,
    after each. Raises InvalidInput for what is no such answer.
    """
    moment = now if now is not None else datetime.now(UTC)
    strong = _strong(authorization_details, moment)
    found: list[Finding] = []
    # parsed anew and let go one by one: what is worked out about thousands is more than the answer itself
    for number, role in enumerate(entities.roles(authorization_details), 1):
        if not role.is_service_linked:
            found += _of_role(role, usage, moment, unused_days, strong)
        tell(number)
    found += unused.of_policies(entities.policies(authorization_details))
    if authorization_details.get(entities.TRUNCATED) is True:
        found.append(_UNFINISHED)
    return sorted(found, key=lambda one: (one.severity.rank, one.role, tuple(Kind).index(one.kind), one.policy))


def audit_role(
    role: Role, *, usage: Usage | None = None, now: datetime, unused_days: int = UNUSED_DAYS
) -> list[Finding]:
    """The same of one role alone: which other roles are strong is not known."""
    found = _of_role(role, usage, now, unused_days, ())
    return sorted(found, key=lambda one: (one.severity.rank, tuple(Kind).index(one.kind), one.policy))


def _strong(details: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    """The ARNs of roles that may do everything, whom to pass is to hand over everything."""
    found = []
    for role in entities.roles(details):
        _, held, _ = _judged(role, now)
        if any(one.is_crucial and not one.bounded for one in held):
            found.append(role.arn)
    return tuple(found)


def _of_role(
    role: Role, usage: Usage | None, now: datetime, unused_days: int, strong: tuple[str, ...]
) -> list[Finding]:
    rights, held, found = _judged(role, now)
    if rights is not None:
        found += _guarded(role, _of_policies(rights, held, strong))
    found += _guarded(role, trust.findings(role), sharing.findings(role, usage))
    found += _guarded(role, unused.findings(role, usage, now, unused_days))
    found += _unread(role)
    return found


def _judged(role: Role, now: datetime) -> tuple[Rights | None, tuple[Held, ...], list[Finding]]:
    """The role's rights, which whole services it has, and what failed on the way."""
    rights: Rights | None = None
    held: tuple[Held, ...] = ()
    failed: list[Finding] = []

    def judge() -> Iterator[Finding]:
        nonlocal rights, held
        rights = Rights.of(role, known(role, now))
        held = full_access.held(rights)
        return iter(())

    failed += _guarded(role, _late(judge))
    return rights, held, failed


def _late(make: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    yield from make()


def _of_policies(rights: Rights, held: tuple[Held, ...], strong: tuple[str, ...]) -> Iterator[Finding]:
    passing = pass_role.passings(rights)
    whole = list(full_access.findings(rights, held))
    yield from whole
    yield from pass_role.findings(rights, passing, held)
    yield from escalation.findings(rights, passing, held, strong)
    broad = {one.policy for one in whole}
    yield from (one for one in broad_writes.findings(rights, held) if one.policy not in broad)
    for one in rights.unjudged:
        yield _unknown(rights.role, one)
    for policy in rights.role.policies:
        yield from _unknown_actions(rights.role, policy)


def _guarded(role: Role, *found: Iterable[Finding]) -> list[Finding]:
    """What each finds; a failure of our own becomes a finding, because a role nobody judged is no good role."""
    told: list[Finding] = []
    for one in found:
        try:
            told += one
        except Exception as error:
            logger.exception("the role %s could not be judged", role.name)
            why = f"judging it failed: {type(error).__name__}: {error}"
            told.append(_unknown_finding(role, "", None, None, why))
    return told


def _unknown(role: Role, one: Unjudged) -> Finding:
    written = one.policy.written[one.place] if one.place is not None else None
    name = one.policy.name
    if role.boundary is not None and one.policy is role.boundary:
        name = f"{name} (permissions boundary)"
    return _unknown_finding(role, name, one.place, written if isinstance(written, Mapping) else None, one.why)


def _unknown_finding(
    role: Role, policy: str, place: int | None, statement: Mapping[str, Any] | None, why: str
) -> Finding:
    return Finding(
        role.name,
        Kind.UNKNOWN,
        Severity.MEDIUM,
        f"this could not be judged: {why}",
        "what whoever works as this role can do by it is not known, so that it may be anything",
        "write it anew so that it can be read, or read it yourself",
        policy,
        place,
        statement,
        role.arn,
    )


def _unread(role: Role) -> Iterator[Finding]:
    for why in role.errors:
        yield _unknown_finding(role, "", None, None, why)


def _unknown_actions(role: Role, policy: PolicyText) -> Iterator[Finding]:
    """Actions of the account's own policies that AWS does not list. AWS's own name some that are not public."""
    if policy.is_aws_managed or policy.policy is None:
        return
    for place, statement in enumerate(policy.policy.statements):
        unknown = [one for one in (*statement.actions, *statement.not_actions) if not actions.fits_any(one)]
        if unknown:
            yield Finding(
                role.name,
                Kind.UNKNOWN,
                Severity.LOW,
                f"the policy {policy.name} names what is no action that AWS lists: {full_access.listed(unknown)}",
                "none is known: it gives nothing, or something newer than the list that Kennel has",
                "correct the name, or take it out",
                policy.name,
                place,
                policy.written[place],
                role.arn,
            )
            return
