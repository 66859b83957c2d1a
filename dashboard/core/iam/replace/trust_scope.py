"""Whether one trust policy lets in anybody whom another does not. Conservative: what it cannot tell it calls wider."""

from collections.abc import Iterator, Mapping
from typing import Any

from dashboard.core.iam.documents import Condition, listed
from dashboard.core.iam.judge.principals import Grant, grants
from dashboard.core.iam.replace.standing import canonical
from dashboard.core.iam.wildcard import matches

Document = Mapping[str, Any]


def wider(before: Document, after: Document) -> tuple[str, ...]:
    """Whom `after` lets in and `before` did not, a sentence each; () when it is as narrow or narrower."""
    old, unread_old = grants(before, "trust")
    new, unread = grants(after, "trust")
    found = [f"a statement of the new trust policy cannot be judged: {why}" for _, _, why in unread]
    if unread_old:  # what a statement said that cannot be read, nobody can compare with
        found += [f"a statement of the present trust policy cannot be judged: {why}" for _, _, why in unread_old]
    for one in new:
        if one.is_allow:
            found += _beyond(one, old)
    kept = {canonical(one.written) for one in new if not one.is_allow}
    found += [
        "a Deny of the present trust policy would be gone"
        for one in old
        if not one.is_allow and canonical(one.written) not in kept
    ]
    return tuple(dict.fromkeys(found))


def _beyond(one: Grant, old: tuple[Grant, ...]) -> Iterator[str]:
    if any(each.is_allow and canonical(_without_sid(each)) == canonical(_without_sid(one)) for each in old):
        return
    if one.statement.not_actions:
        yield "the new trust policy allows all actions but some (NotAction)"
        return
    if "NotPrincipal" in one.written:
        yield "the new trust policy lets in everybody but some (NotPrincipal)"
        return
    for who in _principals(one):
        for action in one.statement.actions:
            if not any(_covers(each, who, action, one) for each in old):
                yield f"{who[1]} could call {action} for this role under conditions under which it cannot today"


def _without_sid(one: Grant) -> dict[str, Any]:
    return {name: value for name, value in one.written.items() if name != "Sid"}


def _principals(one: Grant) -> Iterator[tuple[str, str]]:
    """(kind, name) of everybody in a statement, as it writes them."""
    told = one.written["Principal"]
    for kind, names in ({"*": "*"} if told == "*" else told).items():
        for name in listed(names):
            yield (kind, name)


def _covers(old: Grant, who: tuple[str, str], action: str, new: Grant) -> bool:
    """Whether a statement lets in `who` for the action whenever the new one does."""
    return (
        old.is_allow
        and "NotPrincipal" not in old.written
        and not old.statement.not_actions
        and any(matches(each.lower(), action.lower()) for each in old.statement.actions)
        and _lets_in(old, who)
        and all(any(_implies(each, limit) for each in new.statement.conditions) for limit in old.statement.conditions)
    )


def _lets_in(old: Grant, who: tuple[str, str]) -> bool:
    kind, name = who
    if old.written["Principal"] == "*" or who in set(_principals(old)):
        return True
    if kind != "AWS" or name == "*":
        return False
    account = name if name.isdecimal() else (name.split(":") + [""] * 5)[4]
    return old.everyone or account in old.accounts


def _implies(new: Condition, old: Condition) -> bool:
    """Whether whoever meets the new condition meets the old one too: the same test with fewer alternatives, or, where
    it says "none of these", with more of them."""
    if (new.operator.lower(), new.key.lower()) != (old.operator.lower(), old.key.lower()):
        return False
    if "not" in new.operator.lower():
        return set(old.values) <= set(new.values)
    return set(new.values) <= set(old.values)
