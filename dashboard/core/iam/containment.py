"""Whether one statement gives no more than others do, told from their texts: never a guess, "no" where it is not plain.

Statements are compared as sets of requests: an Allow is within another one when its actions, resources and conditions
are. A Deny that there was must still be there for whatever it took something of.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dashboard.core.iam import variables
from dashboard.core.iam.documents import Condition, Effect, Policy, Statement
from dashboard.core.iam.wildcard import Reach, contains, overlap, prepared

EVERYTHING = "*"
_NEGATED = "not"
# operators whose values the other one's take in: equality is a pattern without wildcards
_LOOSER = {"stringequals": "stringlike", "arnequals": "arnlike", "arnlike": "arnequals"}
_PATTERNS = ("stringlike", "arnlike", "arnequals")


@dataclass(frozen=True)
class Grant:
    """One action on one resource as a statement writes them, which may be patterns.

    `excepted`: the actions, or resources, are all but those of the statement (NotAction, NotResource).
    """

    statement: Statement
    action: str
    resource: str

    @property
    def excepts_actions(self) -> bool:
        return bool(self.statement.not_actions)

    @property
    def excepts_resources(self) -> bool:
        return bool(self.statement.not_resources)

    def __str__(self) -> str:
        action = f"all but {', '.join(self.statement.not_actions)}" if self.excepts_actions else self.action
        rest = f"all but {', '.join(self.statement.not_resources)}" if self.excepts_resources else self.resource
        return f"{action} on {rest}"


def beyond(policies: Sequence[Policy], others: Sequence[Policy], denying: Sequence[Policy] = ()) -> Iterator[Grant]:
    """What the policies allow and the others do not give, or cannot be shown to.

    denying: policies whose Denies take from the first ones what those of the others take from them.
    """
    allows = [one for policy in others for one in policy.statements if one.effect is Effect.ALLOW]
    denies = [one for policy in others for one in policy.statements if one.effect is Effect.DENY]
    still = [one for policy in denying for one in policy.statements if one.effect is Effect.DENY]
    lifted = [one for one in denies if any(True for _ in _beyond(one, still, ()))]
    for policy in policies:
        for statement in policy.statements:
            if statement.effect is Effect.ALLOW:
                yield from _beyond(statement, allows, lifted)


def _beyond(statement: Statement, allows: Sequence[Statement], denies: Sequence[Statement]) -> Iterator[Grant]:
    """Of one statement. Which others take in an action, and which a resource, is told apart: as the bits of a number,
    so that a statement of many of both costs their sum and not their product.
    """
    looser = [
        one
        for one in allows
        if _asks_no_more(one.conditions, statement.conditions, one.has_variables == statement.has_variables)
    ]
    actions, resources = statement.actions or (EVERYTHING,), statement.resources or (EVERYTHING,)
    whole = [Grant(statement, action, resources[0]) for action in actions]
    given = [_bits(_takes_in_actions(one, grant) for one in looser) for grant in whole]
    taken = [_bits(_touches_actions(one, grant) for one in denies) for grant in whole]
    for resource in resources:
        there = Grant(statement, actions[0], resource)
        gives = _bits(_takes_in_resource(one, there) for one in looser)
        takes = _bits(_touches_resource(one, there) for one in denies)
        for place, action in enumerate(actions):
            if not given[place] & gives or taken[place] & takes:
                yield Grant(statement, action, resource)


def _bits(answers: Iterable[bool]) -> int:
    return sum(answer << place for place, answer in enumerate(answers))


def _takes_in_actions(wide: Statement, grant: Grant) -> bool:
    if grant.excepts_actions:
        return _covered(wide, grant.statement) if wide.not_actions else _has_all(wide.actions)
    if _is_plain(grant.action):
        return wide.is_about(grant.action.lower())
    action = _action(grant.action)
    if wide.not_actions:
        return not any(overlap(one, action) for one in wide.patterns_for(action))
    return any(contains(one, action, Reach.TEXT) for one in wide.patterns_for(action))


def _takes_in_resource(wide: Statement, grant: Grant) -> bool:
    if grant.excepts_resources:
        if wide.not_resources:
            return _excepts_as_little(wide, grant.statement)
        return _has_all(wide.resources)
    inner = _any_value(grant.statement, grant.resource)
    if wide.not_resources:
        return not any(overlap(_any_value(wide, one), inner) for one in wide.not_resources)
    return any(_contains_resource(wide, one, grant.statement, grant.resource) for one in wide.resources)


def _excepts_as_little(wide: Statement, narrow: Statement) -> bool:
    """Whether all that the wide one leaves out, the narrow one leaves out too."""
    return all(
        any(_contains_resource(narrow, mine, wide, theirs) for mine in narrow.not_resources)
        for theirs in wide.not_resources
    )


def _contains_resource(wide: Statement, outer: str, narrow: Statement, inner: str) -> bool:
    if outer == EVERYTHING:
        return True
    if _has_variable(wide, outer):  # what it stands for is only the same where it is written the same
        return outer == inner and narrow.has_variables
    return contains(prepared(outer), _any_value(narrow, inner), Reach.RESOURCE)


def _asks_no_more(wide: Sequence[Condition], narrow: Sequence[Condition], same_variables: bool) -> bool:
    """Whether every condition of the wide one is met wherever those of the narrow one are."""
    return all(any(_implies(mine, asked, same_variables) for mine in narrow) for asked in wide)


def _implies(condition: Condition, asked: Condition, same_variables: bool) -> bool:
    if condition.key.lower() != asked.key.lower():
        return False
    operator, wanted = condition.operator.lower(), asked.operator.lower()
    if any("${" in value for value in (*condition.values, *asked.values)):
        return operator == wanted and set(condition.values) == set(asked.values) and same_variables
    plain, plain_wanted = operator.removesuffix("ifexists"), wanted.removesuffix("ifexists")
    if plain != operator and plain_wanted == wanted:
        return False  # met without the key, where the other is not
    quantifier, _, name = plain.rpartition(":")
    quantifier_wanted, _, name_wanted = plain_wanted.rpartition(":")
    if quantifier != quantifier_wanted or (name != name_wanted and _LOOSER.get(name) != name_wanted):
        return False
    if _NEGATED in name:
        return set(asked.values) <= set(condition.values)
    if name_wanted not in _PATTERNS:
        return set(condition.values) <= set(asked.values)
    reach = Reach.TEXT if name_wanted == "stringlike" else Reach.ARN
    # a * of StringEquals is one, and no pattern
    literal = name == "stringequals"
    return all(
        value in asked.values
        if literal and ("*" in value or "?" in value)
        else any(contains(prepared(one), prepared(value), reach) for one in asked.values)
        for value in condition.values
    )


def _touches_actions(deny: Statement, grant: Grant) -> bool:
    """Whether a Deny may be about what a grant is about."""
    if grant.excepts_actions:
        return True
    if _is_plain(grant.action):
        return deny.is_about(grant.action.lower())
    action = _action(grant.action)
    if deny.not_actions:
        return not any(contains(one, action, Reach.TEXT) for one in deny.patterns_for(action))
    return any(overlap(one, action) for one in deny.patterns_for(action))


def _touches_resource(deny: Statement, grant: Grant) -> bool:
    if grant.excepts_resources:
        return True
    if deny.not_resources:
        return not any(_contains_resource(deny, one, grant.statement, grant.resource) for one in deny.not_resources)
    resource = _any_value(grant.statement, grant.resource)
    return any(overlap(_any_value(deny, one), resource) for one in deny.resources)


def _covered(wide: Statement, narrow: Statement) -> bool:
    """Whether all actions that the wide one leaves out, the narrow one leaves out too."""
    return all(
        any(contains(outer, inner, Reach.TEXT) for outer in narrow.patterns_for(inner))
        for inner in wide.action_patterns
    )


def _has_all(patterns: Sequence[str]) -> bool:
    return any(one and not one.strip("*") for one in patterns)


def _is_plain(pattern: str) -> bool:
    return "*" not in pattern and "?" not in pattern


@lru_cache(maxsize=8192)
def _action(pattern: str) -> str:
    return prepared(EVERYTHING if pattern == "*:*" else pattern.lower())


def _has_variable(statement: Statement, pattern: str) -> bool:
    return statement.has_variables and "${" in pattern


def _any_value(statement: Statement, pattern: str) -> str:
    """The prepared pattern with its variables as what may be anything."""
    return variables.anything(pattern) if _has_variable(statement, pattern) else prepared(pattern)
