"""Whole services, or all of them: what no role needs.

A policy is judged with all the others of its role: several that together leave nothing of a service out, a Deny that
takes some of it back (one for a single bucket takes nothing of `s3:*` back that would matter), the boundary.
AWS's own *FullAccess, AdministratorAccess and PowerUserAccess are told of by name too: AWS widens them as it likes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dashboard.core.iam import actions
from dashboard.core.iam.documents import Effect
from dashboard.core.iam.entities import PolicyText
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge import whole
from dashboard.core.iam.judge.reach import Clause, Part, Rights, probes

ADMINISTRATOR = ("AdministratorAccess", "PowerUserAccess")
CRUCIAL = frozenset({"iam", "organizations"})
"""Services that, given whole, give everything else too."""
MOST_NAMED = 6
_FIX = "attach a policy that names the actions it uses and the resources it needs them on, then take this one away"


@dataclass(frozen=True)
class Held:
    """Services that a clause gives whole. everything: all of them. left: what no Deny takes back of their changing
    actions; bounded: how many of those the boundary takes back. part: less than half of what it gave.
    """

    clause: Clause
    services: frozenset[str]
    everything: bool
    but: tuple[str, ...]
    left: frozenset[str]
    given: int
    bounded: int

    @property
    def is_crucial(self) -> bool:
        """Whether it comes to everything: who may change the rights of others may give themselves any."""
        return any(one.partition(":")[0] in CRUCIAL for one in self.left)

    @property
    def is_held_back(self) -> bool:
        """Whether the boundary takes all of it back that changes something."""
        return bool(self.bounded) and self.bounded == len(self.left)


def is_broad_by_name(policy: PolicyText) -> bool:
    """Whether AWS wrote the policy and calls it full access."""
    return policy.is_aws_managed and ("FullAccess" in policy.name or policy.name.startswith(ADMINISTRATOR))


def held(rights: Rights) -> tuple[Held, ...]:
    """What the role has of whole services, statement by statement, the statements that only together do so last."""
    found = [one for clause in rights.allows if (one := _of_clause(rights, clause)) is not None]
    covered = frozenset[str]().union(*(one.services for one in found))
    return (*found, *_together(rights, covered))


def findings(rights: Rights, all_held: Iterable[Held]) -> Iterator[Finding]:
    """One for each policy that gives a whole service or is of AWS's broad ones."""
    by_policy: dict[tuple[str, str], list[Held]] = {}
    for one in all_held:
        by_policy.setdefault((one.clause.policy.arn, one.clause.policy.name), []).append(one)
    for policy in rights.role.policies:
        found = by_policy.get((policy.arn, policy.name), [])
        if found:
            yield _of_policy(rights, policy, found)
        elif is_broad_by_name(policy) and (policy.policy is None or _is_alive(rights, policy)):
            yield _by_name(rights, policy)
        elif (
            _is_called_so(policy) and _is_alive(rights, policy) and any(_is_on_all(one) for one in _of(rights, policy))
        ):
            yield _as_called(rights, policy)


def narrowed(clause: Clause) -> tuple[str, ...]:
    """The keys of a condition that makes the statement count only now and then."""
    return tuple(dict.fromkeys(one.key for one in clause.limit.narrowing))


def listed(names: Iterable[str]) -> str:
    """ "ec2, s3 and 14 more"."""
    told = sorted(names)
    if len(told) <= MOST_NAMED:
        return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
    return f"{', '.join(told[:MOST_NAMED])} and {len(told) - MOST_NAMED} more"


def _of_clause(rights: Rights, clause: Clause) -> Held | None:
    statement = clause.statement
    given = whole.given(statement.actions, statement.not_actions)
    services = given.services | whole.spelled_out(statement.actions)
    if not services:
        return None
    if given.everything:
        if not (statement.not_resources or whole.is_everywhere(statement)):
            wide = frozenset(
                one for one in services if whole.is_wide(statement.resources, statement.not_resources, one)
            )
            return _held(rights, clause, wide, False, ())
        return _held(rights, clause, services, True, given.but)
    wide = frozenset(one for one in services if whole.is_wide(statement.resources, statement.not_resources, one))
    return _held(rights, clause, wide, False, ())


def _together(rights: Rights, covered: frozenset[str]) -> Iterator[Held]:
    """Services that several statements give whole between them."""
    patterns: dict[str, list[tuple[Clause, str]]] = {}
    for clause in rights.allows:
        for pattern in clause.statement.actions:
            service = pattern.partition(":")[0].lower()
            if service not in covered and ("*" in pattern or "?" in pattern):
                patterns.setdefault(service, []).append((clause, pattern))
    for service, given in patterns.items():
        if len({id(clause) for clause, _ in given}) < 2:
            continue
        wide = [
            clause
            for clause in rights.allows
            if whole.is_wide(clause.statement.resources, clause.statement.not_resources, service)
        ]
        wanted = tuple(
            one for clause in wide for one in clause.statement.actions if one.partition(":")[0].lower() == service
        )
        if service in whole.spelled_out(wanted):
            most = max(given, key=lambda one: (len(actions.expand([one[1]])), one[0].policy.name, -one[0].place))[0]
            found = _held(rights, most, frozenset({service}), False, ())
            if found is not None:
                yield found


def _held(
    rights: Rights, clause: Clause, services: frozenset[str], everything: bool, but: tuple[str, ...]
) -> Held | None:
    """None where nothing that changes something is left."""
    if not services:
        return None
    given = whole.changing_in(clause.statement.resources, clause.statement.not_resources, services)
    if but:
        given -= actions.expand(but)
    left = _undenied(rights, given)
    if given and not left:
        return None
    bounded = len(left) - len(_within(rights.bounds, rights, left)) if rights.bounds is not None else 0
    return Held(clause, services, everything, but, left, len(given), bounded)


def left(rights: Rights, given: frozenset[str]) -> frozenset[str]:
    """Those of the actions that neither a Deny nor the boundary takes back on resources of any name."""
    undenied = _undenied(rights, given)
    return undenied if rights.bounds is None else _within(rights.bounds, rights, undenied)


def _undenied(rights: Rights, given: frozenset[str]) -> frozenset[str]:
    left = given
    for deny in rights.denies:
        about = whole.named(deny.statement) & left
        if whole.is_everywhere(deny.statement):
            left -= about
        else:
            left -= {one for one in about if all(_denied(rights, one, at) for at in probes(one.lower()))}
    return left


def _denied(rights: Rights, action: str, resource: str) -> bool:
    return rights.denied(action.lower(), rights.own(resource))


def _within(bounds: Part, rights: Rights, left: frozenset[str]) -> frozenset[str]:
    """Those that the boundary leaves on resources of any name."""
    found: frozenset[str] = frozenset()
    for clause in bounds.clauses:
        if clause.statement.effect is Effect.ALLOW and not clause.limit.never:
            found |= whole.named(clause.statement) & left
    return frozenset(
        one for one in found if any(rights.within_boundary(one.lower(), rights.own(at)) for at in probes(one.lower()))
    )


def _of_policy(rights: Rights, policy: PolicyText, found: list[Held]) -> Finding:
    worst = min(found, key=lambda one: (_severity(one).rank, -len(one.services), one.clause.place))
    services = frozenset[str]().union(*(one.services for one in found))
    if worst.everything:
        what = "every action of every service" + (f" but {listed(worst.but)} (NotAction)" if worst.but else "")
        attack = "read, change and delete nearly everything in the account"
        if worst.is_crucial and not worst.but:
            attack = "take over the account: read, change and delete all of it"
    else:
        what = f"every action of {listed(services)}"
        attack = f"read, change and delete everything that the account has of {listed(services)}"
    if worst.is_crucial and not worst.everything:
        attack += ", and give themselves any other right with it"
    return Finding(
        rights.role.name,
        Kind.FULL_ACCESS,
        _severity(worst),
        f"{_whose(policy)} gives {what} on {_on(worst.clause)}",
        f"{unbounded(rights) if worst.is_held_back else ''}whoever works as this role can {attack}",
        _FIX,
        policy.name,
        worst.clause.place,
        worst.clause.written,
        rights.role.arn,
        _mitigated(rights, worst),
    )


def _severity(one: Held) -> Severity:
    if one.is_held_back:
        return Severity.LOW
    if one.is_crucial:
        severity = Severity.CRITICAL
    elif one.everything or any(whole.is_grave(service) for service in one.services):
        severity = Severity.HIGH
    else:
        severity = Severity.MEDIUM
    steps = (len(one.left) < one.given / 2) + (one.bounded > len(one.left) / 2) + bool(narrowed(one.clause))
    return lowered(severity, steps)


def unbounded(rights: Rights) -> str:
    """How a sentence begins that is of what the boundary keeps from happening."""
    return f"once the permissions boundary {rights.role.boundary.name} is gone, " if rights.role.boundary else ""


def lowered(severity: Severity, steps: int) -> Severity:
    """So many steps less severe, LOW at least."""
    ranks = tuple(Severity)
    return ranks[min(severity.rank + steps, len(ranks) - 1)]


def _mitigated(rights: Rights, one: Held) -> str:
    told = []
    if one.bounded and rights.role.boundary is not None:
        how = (
            "lets it change at most what that names"
            if one.is_held_back
            else f"takes back {one.bounded:,} of {len(one.left):,} actions that change something"
        )
        told.append(f"the permissions boundary {rights.role.boundary.name} {how}")
    if len(one.left) < one.given:
        told.append(f"a Deny takes back {one.given - len(one.left):,} of {one.given:,} actions that change something")
    if keys := narrowed(one.clause):
        told.append(f"a condition on {listed(keys)}")
    return "; ".join(told)


def _on(clause: Clause) -> str:
    statement = clause.statement
    if statement.not_resources:
        return f"everything but {listed(statement.not_resources)} (NotResource)"
    return listed(statement.resources)


def _whose(policy: PolicyText) -> str:
    if policy.is_aws_managed:
        return f"AWS's policy {policy.name}"
    return f"the {'inline ' if policy.is_inline else ''}policy {policy.name}"


def _is_alive(rights: Rights, policy: PolicyText) -> bool:
    """Whether anything of the policy is left by the denials of the role."""
    names = [whole.named(one.statement) for one in _of(rights, policy)]
    return not any(names) or any(_undenied(rights, one) for one in names)


def _of(rights: Rights, policy: PolicyText) -> tuple[Clause, ...]:
    return tuple(one for one in rights.allows if one.policy is policy)


def _is_called_so(policy: PolicyText) -> bool:
    """Whether whoever wrote the policy calls it full access."""
    return "fullaccess" in policy.name.lower() or policy.name.startswith(ADMINISTRATOR)


def _is_on_all(clause: Clause) -> bool:
    """Whether the statement is about everything of some kind."""
    statement = clause.statement
    on = statement.resources, statement.not_resources
    return any(whole.is_wide_for(*on, one.lower()) for one in sorted(whole.named(statement))) or whole.is_everywhere(
        statement
    )


def _as_called(rights: Rights, policy: PolicyText) -> Finding:
    """A copy of one of AWS's policies, or one of the account's own in their manner."""
    clause = next(one for one in _of(rights, policy) if _is_on_all(one))
    return Finding(
        rights.role.name,
        Kind.FULL_ACCESS,
        Severity.LOW,
        f"{_whose(policy)} is called full access and is about {_on(clause)}",
        "whoever works as this role can do with all things of a kind what it may need to do with one",
        _FIX,
        policy.name,
        clause.place,
        clause.written,
        rights.role.arn,
    )


def _by_name(rights: Rights, policy: PolicyText) -> Finding:
    clause = next(iter(_of(rights, policy)), None)
    severity = Severity.MEDIUM if policy.policy is not None else Severity.HIGH
    if policy.name == ADMINISTRATOR[0]:
        severity = Severity.CRITICAL
    unseen = " (its document is not in this answer)" if policy.policy is None else ""
    names = frozenset[str]().union(*(whole.named(one.statement) for one in _of(rights, policy)))
    reach = listed({one.partition(":")[0] for one in names}) if names else "its service"
    return Finding(
        rights.role.name,
        Kind.FULL_ACCESS,
        severity,
        f"AWS's policy {policy.name} is meant to give all of its service{unseen}",
        f"whoever works as this role can do all that AWS takes for full access to {reach}, now and when AWS adds to it",
        _FIX,
        policy.name,
        clause.place if clause else None,
        clause.written if clause else None,
        rights.role.arn,
    )
