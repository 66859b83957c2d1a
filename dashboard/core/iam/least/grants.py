"""What a generated policy is made of: grants with why they are there, written down as the statements of a document."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dashboard.core.iam.documents import CURRENT
from dashboard.core.iam.rights import ANYTHING, Right


@dataclass(frozen=True)
class Limit:
    """A condition of a grant: `StringLike` `s3:prefix` ("data/", "data/*"). The values are alternatives."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Grant:
    """Actions on resources, which may hold wildcards, under limits that all have to be met.

    sid: letters and digits. why: what needs it, as the end of a sentence ("the job reads its data").
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = (ANYTHING,)
    limits: tuple[Limit, ...] = ()
    why: str = ""

    def statement(self) -> dict[str, Any]:
        """As a policy document has it: what is alone is no list."""
        told: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": _one(self.actions),
            "Resource": _one(self.resources),
        }
        conditions: dict[str, dict[str, Any]] = {}
        for limit in self.limits:
            conditions.setdefault(limit.operator, {})[limit.key] = _one(limit.values)
        return told | ({"Condition": conditions} if conditions else {})

    def rights(self) -> tuple[Right, ...]:
        """One right for each action and resource, with the limits as the context: wildcards stay in it as they are."""
        context = {limit.key: limit.values for limit in self.limits}
        return tuple(Right(action, resource, context) for action in self.actions for resource in self.resources)

    def atoms(self) -> tuple["Grant", ...]:
        """The same, as one grant for each action, resource and value of its only limit (several are kept together)."""
        apart = self.limits[0] if len(self.limits) == 1 else None
        limits = [(replace(apart, values=(value,)),) for value in apart.values] if apart else [self.limits]
        return tuple(
            replace(self, actions=(action,), resources=(resource,), limits=limit)
            for action in self.actions
            for resource in self.resources
            for limit in limits
        )


def document(grants: Iterable[Grant], denied: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """A policy document. denied: statements that stand in it as they are, after the grants."""
    return {"Version": CURRENT, "Statement": [*(grant.statement() for grant in grants), *(dict(one) for one in denied)]}


def gathered(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Grants with as few statements as say the same and no more: what has the same limits and the same resources, or
    the same actions, is one. Each Sid is there once, in the order in which they come.
    """
    found: dict[tuple[str, str], Grant] = {}
    limited: dict[tuple[str, str, tuple[tuple[str, str], ...]], Grant] = {}
    for grant in grants:  # values of one limit together
        for atom in grant.atoms():
            names = tuple((limit.operator, limit.key) for limit in atom.limits)
            where = (atom.actions[0], atom.resources[0], names)
            known = limited.get(where)
            if known is None:
                limited[where] = atom
            elif len(names) == 1:
                values = tuple(dict.fromkeys((*known.limits[0].values, *atom.limits[0].values)))
                limited[where] = replace(known, limits=(replace(known.limits[0], values=values),))
    by_action: dict[tuple[str, tuple[Limit, ...]], Grant] = {}
    for atom in limited.values():  # resources of one action together
        named = (atom.actions[0], atom.limits)
        known = by_action.get(named)
        by_action[named] = (
            replace(known, resources=tuple(dict.fromkeys((*known.resources, *atom.resources)))) if known else atom
        )
    by_place: dict[tuple[str, tuple[str, ...], tuple[Limit, ...]], Grant] = {}
    for one in by_action.values():  # actions on the same resources together
        place = (one.sid, one.resources, one.limits)
        known = by_place.get(place)
        by_place[place] = replace(known, actions=(*known.actions, *one.actions)) if known else one
    for one in by_place.values():
        sid, number = one.sid, 2
        while (sid, "") in found:
            sid, number = f"{one.sid}{number}", number + 1
        found[sid, ""] = replace(one, sid=sid)
    return tuple(found.values())


def _one(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
