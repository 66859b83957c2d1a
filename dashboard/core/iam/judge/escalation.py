"""Which ways to more rights a role has, over all of its policies together."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from dashboard.core.iam import actions
from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge.escalations import WAYS, Target, Way
from dashboard.core.iam.judge.full_access import Held, listed, lowered, unbounded
from dashboard.core.iam.judge.pass_role import KEY, Passing
from dashboard.core.iam.judge.reach import Reached, Rights
from dashboard.core.iam.wildcard import fits_resource, overlap, prepared

_POLICY = "iam:policyarn"
"""The key of conditions on which policy is attached."""


@dataclass(frozen=True)
class Open:
    """A way that the role has, by these statements, the first the one to blame. onto: strong roles that it leads to."""

    way: Way
    by: tuple[Reached, ...]
    severity: Severity
    onto: tuple[str, ...] = ()


def findings(
    rights: Rights, passing: tuple[Passing, ...], all_held: tuple[Held, ...], strong: Collection[str]
) -> Iterator[Finding]:
    """One for each statement that opens ways. strong: ARNs of roles that may do everything, in the same account.

    A role that may do everything itself has nowhere to go.
    """
    if any(one.everything and one.is_crucial and not one.but and not one.bounded for one in all_held):
        return
    by_clause: dict[int, list[Open]] = {}
    for one in ways(rights, passing, strong):
        by_clause.setdefault(id(one.by[0].clause), []).append(one)
    for found in by_clause.values():
        yield _finding(rights, found)


def ways(rights: Rights, passing: tuple[Passing, ...], strong: Collection[str]) -> Iterator[Open]:
    """Every way that is open, once for each statement that opens it: to take one of them away would not do."""
    every = tuple(strong)
    onto = {id(each): _taken_in(rights, each, every) for one in passing for each in one.reached}
    for way in WAYS:
        yield from _passed(rights, way, passing, onto) if way.passes_to else _direct(rights, way, every)


def _taken_in(rights: Rights, one: Reached, strong: tuple[str, ...]) -> tuple[str, ...]:
    """The strong roles that it takes in, but for the role itself. An account may have thousands of them."""
    statement = one.clause.statement
    if statement.not_resources or (statement.has_variables and "${" in one.resource):
        found = tuple(arn for arn in strong if statement.covers(arn, rights.context))
    else:
        found = _fitting(one.resource, strong)
    if rights.denies:
        found = tuple(arn for arn in found if not rights.denied(one.action, arn))
    return tuple(arn for arn in found if arn != rights.role.arn) if rights.role.arn in found else found


@lru_cache(maxsize=256)
def _fitting(resource: str, strong: tuple[str, ...]) -> tuple[str, ...]:
    pattern = prepared(resource)
    return tuple(arn for arn in strong if fits_resource(pattern, arn))


def _direct(rights: Rights, way: Way, strong: tuple[str, ...]) -> Iterator[Open]:
    if _rest(rights, way, way.needs[1:]) is None:
        return
    by_clause: dict[int, list[Reached]] = {}
    for one in rights.reaches(way.needs[0].lower()):
        if not _is_guarded(rights, one, way) and _leads_on(rights, one, way, strong):
            by_clause.setdefault(id(one.clause), []).append(one)
    for found in by_clause.values():
        best = min(found, key=lambda one: (one.is_bounded, bool(_keys(one, way)), not one.is_anything))
        rest = _rest(rights, way, way.needs[1:], best if way.target is Target.MADE else None) or ()
        onto = _taken_in(rights, best, strong) if way.target is Target.ROLE else ()
        yield _open(way, (best, *rest), onto)


def _passed(
    rights: Rights, way: Way, passing: tuple[Passing, ...], onto: Mapping[int, tuple[str, ...]]
) -> Iterator[Open]:
    """onto: the strong roles that each Reached of `passing` takes in, by its id."""
    needed = _rest(rights, way, way.needs)
    for one in passing if needed is not None else ():
        if not one.allows(way.passes_to):
            continue
        found = [(each, onto[id(each)]) for each in one.reached if each.has_wildcard or onto[id(each)]]
        if found:
            best, leads = min(found, key=lambda each: (each[0].is_bounded, not each[0].is_anything, not each[1]))
            opened = _open(way, (best, *(needed or ())), leads)
            steps = 0 if best.is_anything or leads else 1
            yield Open(opened.way, opened.by, lowered(opened.severity, steps), leads)


def _rest(rights: Rights, way: Way, needs: tuple[str, ...], made: Reached | None = None) -> tuple[Reached, ...] | None:
    """The statement that gives each of the actions; None when one of them is not given. made: on something of what
    this gives, where it is not all the same on what.
    """
    found = []
    for action in needs:
        reached = [
            one
            for one in rights.reaches(action.lower())
            if not _is_guarded(rights, one, way) and (made is None or _meet(one.resource, made.resource))
        ]
        if not reached:
            return None
        found.append(min(reached, key=lambda one: (one.is_bounded, bool(one.clause.limit.told(action)), _place(one))))
    return tuple(found)


def _place(one: Reached) -> tuple[str, int]:
    """So that the order in which policies are attached decides nothing."""
    return one.clause.policy.name, one.clause.place


def _meet(one: str, other: str) -> bool:
    """Whether there is anything in both Resources, as they are written. One that leaves things out may be anything."""
    return any(each.startswith("all but") for each in (one, other)) or overlap(prepared(one), prepared(other))


def _leads_on(rights: Rights, one: Reached, way: Way, strong: tuple[str, ...]) -> bool:
    target = way.target
    if target is Target.MADE:
        return _rest(rights, way, way.needs[1:], one) is not None
    if target is Target.ANY or one.is_anything:
        return True
    if target is Target.ROLE:
        is_itself = one.action != "iam:updateassumerolepolicy" and rights.covers(one, rights.role.arn)
        return is_itself or bool(_taken_in(rights, one, strong))
    if target is Target.POLICY:
        own = [policy.arn for policy in rights.role.policies if policy.arn and not policy.is_aws_managed]
        return any(rights.covers(one, arn) for arn in own)
    return False


def _is_guarded(rights: Rights, one: Reached, way: Way) -> bool:
    """Whether a condition names what alone may be given. Which policies may be attached is no limit to whoever may
    write one of these.
    """
    keys = {key.lower() for key in one.clause.limit.told(one.action)} & way.guards
    return bool(keys - {_POLICY}) or (bool(keys) and not _writes(rights, one))


def _writes(rights: Rights, one: Reached) -> bool:
    """Whether it may write a policy of those that the condition lets it attach."""
    named = [value for each in one.clause.statement.conditions if each.key.lower() == _POLICY for value in each.values]
    return any(
        _meet(reached.resource, value)
        for action in ("iam:createpolicy", "iam:createpolicyversion")
        for reached in rights.reaches(action)
        for value in named
    )


def _keys(one: Reached, way: Way) -> tuple[str, ...]:
    """Keys of conditions that make the way narrower; those that only say to which service a role is passed do not."""
    return one.clause.limit.told(one.action, frozenset({KEY}) | way.guards)


def _open(way: Way, by: tuple[Reached, ...], onto: tuple[str, ...]) -> Open:
    bounded = any(one.is_bounded for one in by)
    steps = 3 if bounded else int(any(_keys(one, way) for one in by))
    return Open(way, by, lowered(way.severity, steps), onto)


def _finding(rights: Rights, found: list[Open]) -> Finding:
    role, clause = rights.role, found[0].by[0].clause
    worst = min(found, key=lambda one: one.severity.rank)
    others = dict.fromkeys(
        one.clause.policy.name for opened in found for one in opened.by if one.clause.policy is not clause.policy
    )
    names = dict.fromkeys(one.way.name for one in found)
    beside = f", with the {'policy' if len(others) == 1 else 'policies'} {listed(others)}" if others else ""
    return Finding(
        role.name,
        Kind.PRIVILEGE_ESCALATION,
        worst.severity,
        f"the policy {clause.policy.name}{beside} opens {'a way' if len(names) == 1 else f'{len(names)} ways'} to more "
        f"rights: {'; '.join(names)}",
        f"{unbounded(rights) if any(one.is_bounded for one in worst.by) else ''}whoever works as this role can "
        f"{worst.way.does}{_onto(worst)}, and so get rights that nobody gave it",
        _fix(worst),
        clause.policy.name,
        clause.place,
        clause.written,
        role.arn,
        _mitigated(role, worst),
    )


def _onto(one: Open) -> str:
    return f" ({listed(arn.rpartition('/')[2] for arn in one.onto)})" if one.onto else ""


def _fix(one: Open) -> str:
    if one.way.passes_to:
        return (
            f"let it pass only the one role that it needs, to {one.way.passes_to}, and no role that may do everything"
        )
    if one.way.guards:
        return f"take {one.way.needs[0]} away, or ask for a permissions boundary in a condition"
    return f"take {one.way.needs[0]} away, or name in Resource the only things that it needs it on"


def _mitigated(role: Role, one: Open) -> str:
    told = []
    if bounded := [actions.canonical(by.action) for by in one.by if by.is_bounded]:
        name = role.boundary.name if role.boundary is not None else ""
        told.append(f"the permissions boundary {name} does not allow {listed(bounded)}")
    if keys := dict.fromkeys(key for by in one.by for key in _keys(by, one.way)):
        told.append(f"a condition on {listed(keys)}")
    if softened := dict.fromkeys(name for by in one.by for name in by.softened):
        told.append(f"a Deny under a condition in {listed(softened)}")
    return "; ".join(told)
