"""What a role really reaches: all of its policies together, less what a Deny takes back, and within its boundary.

Whether a right is for anything of its kind is asked of a resource that nobody could have named on purpose: a statement
that takes in the role of an impossible name takes in every role, however its Resource or NotResource is written.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from dashboard.core.iam import actions
from dashboard.core.iam.documents import CURRENT, VERSIONS, Effect, Policy, PolicyError, Statement
from dashboard.core.iam.entities import PolicyText, Role
from dashboard.core.iam.judge.limits import Known, Limit, limit_of
from dashboard.core.iam.wildcard import fits_resource, prepared

ODD, ODD_REGION = "zq0never9named7zq", "zz-nowhere-7"
OWN = "000000000000"
"""The account of the role in what is worked out once for all accounts."""
_PLACE = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True)
class Clause:
    """One statement of a policy of the role's. place: from 0."""

    policy: PolicyText
    place: int
    statement: Statement
    limit: Limit

    @property
    def written(self) -> dict[str, object]:
        """The statement as it stands in the document."""
        return dict(self.policy.written[self.place])


@dataclass(frozen=True)
class Unjudged:
    """A statement, or with no place a whole policy, that cannot be judged, and why."""

    policy: PolicyText
    place: int | None
    why: str


@dataclass(frozen=True)
class Part:
    """A policy with its statements that can be judged: `policy.statements[n]` is that of `clauses[n]`."""

    policy: Policy
    clauses: tuple[Clause, ...]

    def about(self, action: str, effect: Effect) -> Iterator[Clause]:
        for index, statement in self.policy.about(action):
            if statement.effect is effect and not self.clauses[index].limit.never:
                yield self.clauses[index]


@dataclass(frozen=True)
class Reached:
    """An action on what one Resource of one statement takes in, as far as no Deny takes it back.

    resource: as it is written. is_anything: it is every resource of the kind; has_wildcard: it is more than one.
    is_bounded: the permissions boundary takes it back. softened: policies whose Deny may do so, under a condition.
    """

    action: str
    clause: Clause
    resource: str
    is_anything: bool
    has_wildcard: bool
    is_bounded: bool = False
    softened: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rights:
    """All that a role's policies say. bounds: of its boundary, None without one that can be judged."""

    role: Role
    context: Known
    parts: tuple[Part, ...]
    bounds: Part | None
    unjudged: tuple[Unjudged, ...]

    @classmethod
    def of(cls, role: Role, context: Known) -> "Rights":
        read = [_part(one, context) for one in role.policies]
        bounds, failed = _part(role.boundary, context) if role.boundary is not None else (None, ())
        unjudged = tuple(one for _, failures in read for one in failures)
        return cls(role, context, tuple(part for part, _ in read if part is not None), bounds, (*unjudged, *failed))

    @cached_property
    def allows(self) -> tuple[Clause, ...]:
        """The statements that give something."""
        return self._clauses(Effect.ALLOW)

    @cached_property
    def denies(self) -> tuple[Clause, ...]:
        """The statements that take something back, whatever is asked for."""
        return tuple(one for one in self._clauses(Effect.DENY) if one.limit.always)

    def own(self, resource: str) -> str:
        """A resource of nobody's account as one of the role's."""
        partition = self.role.arn.split(":", 2)[1] if self.role.arn.startswith("arn:") else "aws"
        return resource.replace(OWN, self.role.account or OWN).replace("arn:aws:", f"arn:{partition}:", 1)

    def reaches(self, action: str) -> tuple[Reached, ...]:
        """Everything that the role can do the action on, statement by statement. action: in lower case."""
        return tuple(self._reaches(action))

    def covers(self, reached: Reached, resource: str) -> bool:
        """Whether it takes in this resource, and no Deny takes that back."""
        clause = reached.clause
        return clause.statement.covers(resource, self.context) and not self.denied(reached.action, resource)

    def denied(self, action: str, resource: str) -> bool:
        """Whether a Deny takes the action on this resource back, whatever else is in the request."""
        return any(
            one.limit.always and one.statement.covers(resource, self.context)
            for part in self.parts
            for one in part.about(action, Effect.DENY)
        )

    def within_boundary(self, action: str, resource: str) -> bool:
        """Whether the boundary leaves it. True without one."""
        if self.bounds is None:
            return True
        if any(
            one.limit.always and one.statement.covers(resource, self.context)
            for one in self.bounds.about(action, Effect.DENY)
        ):
            return False
        return any(one.statement.covers(resource, self.context) for one in self.bounds.about(action, Effect.ALLOW))

    def _clauses(self, effect: Effect) -> tuple[Clause, ...]:
        return tuple(
            clause
            for part in self.parts
            for clause in part.clauses
            if clause.statement.effect is effect and not clause.limit.never
        )

    def _reaches(self, action: str) -> Iterator[Reached]:
        for part in self.parts:
            for clause in part.about(action, Effect.ALLOW):
                for resource, witnesses, is_anything, has_wildcard in _witnesses(clause.statement, action):
                    own = [self.own(one) for one in witnesses]
                    left = [one for one in own if not self.denied(action, one)]
                    if not left:
                        continue
                    bounded = not any(self.within_boundary(action, one) for one in left)
                    softened = self._softened(action, left)
                    yield Reached(action, clause, resource, is_anything, has_wildcard, bounded, softened)

    def _softened(self, action: str, witnesses: Sequence[str]) -> tuple[str, ...]:
        found = (
            one.policy.name
            for part in self.parts
            for one in part.about(action, Effect.DENY)
            if not one.limit.always and all(one.statement.covers(at, self.context) for at in witnesses)
        )
        return tuple(dict.fromkeys(found))


@lru_cache(maxsize=32768)  # every action there is: an audit of many roles comes by all of them again and again
def probes(action: str) -> tuple[str, ...]:
    """A resource of each kind that the action can be limited to, of a name that nobody has given; ("*",) for none."""
    if not actions.known(action):
        return ("*",)
    forms = (form for form in actions.resource_types(action).values() if form != "*")
    return tuple(dict.fromkeys(_filled_form(form) for form in forms)) or ("*",)


def relaxed(pattern: str) -> str:
    """A Resource as it would be for every region, and for every account in the place of the own one."""
    parts = pattern.split(":", 5)
    if len(parts) < 6:
        return pattern
    parts[1] = parts[3] = "*"
    parts[4] = "*" if parts[4] else ""
    return ":".join(parts)


@lru_cache(maxsize=16384)
def _witnesses(statement: Statement, action: str) -> tuple[tuple[str, tuple[str, ...], bool, bool], ...]:
    """For each Resource: as it is written, resources that it takes in, whether it is everything, or more than one."""
    kinds = probes(action)
    if not statement.resources:
        left = tuple(one for one in kinds if statement.covers(one, {}))
        told = f"all but {', '.join(statement.not_resources)}"
        return ((told, left, True, True),) if left else ()
    found = []
    service = action.partition(":")[0]
    for one in statement.resources:
        if not names_service(one, service, kinds):
            continue
        pattern = _PLACE.sub(ODD, one) if statement.has_variables else one
        wide = prepared(relaxed(pattern))
        taken = tuple(_placed(kind, pattern) for kind in kinds if kind == pattern == "*" or fits_resource(wide, kind))
        name = pattern.split(":", 5)[-1]
        has_wildcard = "*" in name or "?" in name
        found.append((one, taken or (_filled(pattern),), bool(taken) and has_wildcard, has_wildcard))
    return tuple(found)


def names_service(resource: str, service: str, kinds: tuple[str, ...]) -> bool:
    """Whether a Resource can be of the service, or of another whose kinds of resource these are: `*` on a bucket gives
    nothing of IAM.
    """
    parts = resource.split(":", 5)
    if len(parts) < 6:
        return True
    owners = {service, *(one.split(":", 3)[2] for one in kinds if one.count(":") >= 5)}
    pattern = prepared(parts[2])
    return any(fits_resource(pattern, one) for one in owners)


def _placed(kind: str, pattern: str) -> str:
    """The probe in the region that a pattern names."""
    parts = pattern.split(":", 5)
    region = parts[3] if len(parts) == 6 else "*"
    return kind if "*" in region or "?" in region else kind.replace(ODD_REGION, region)


def _filled(pattern: str) -> str:
    return pattern.replace("*", ODD).replace("?", "q")


@lru_cache(maxsize=4096)
def _filled_form(form: str) -> str:
    names = {"partition": "aws", "region": ODD_REGION, "account": OWN}
    return _PLACE.sub(lambda found: names.get(found[1].lower(), ODD), form).replace("*", ODD)


def _part(text: PolicyText, context: Known) -> tuple[Part | None, tuple[Unjudged, ...]]:
    """The statements that can be judged, each by itself, and those that cannot."""
    if text.document is None:
        return None, (Unjudged(text, None, text.error),)
    statements: list[tuple[int, Statement]] = []
    failed: list[Unjudged] = []
    if text.policy is not None:
        statements = list(enumerate(text.policy.statements))
    else:
        for place, one in enumerate(text.written):
            try:
                version = text.document.get("Version")
                version = version if version in VERSIONS else CURRENT
                statements.append(
                    (place, Policy.parse({"Version": version, "Statement": [one]}, text.name).statements[0])
                )
            except PolicyError as wrong:
                failed.append(Unjudged(text, place, str(wrong)))
        if not failed:  # it is not one of the statements
            failed.append(Unjudged(text, None, text.error))
    clauses = []
    for place, statement in statements:
        try:
            clauses.append(Clause(text, place, statement, limit_of(statement, context)))
        except PolicyError as wrong:
            failed.append(Unjudged(text, place, str(wrong)))
    if text.policy is not None and len(clauses) == len(text.policy.statements):
        return Part(text.policy, tuple(clauses)), tuple(failed)
    policy = Policy(text.name, tuple(one.statement for one in clauses), has_variables=True)
    return Part(policy, tuple(clauses)), tuple(failed)
