"""What a role has today, as the measure of what it may be given: a proposal never gives more. Pure.

Resources and values with wildcards are looked at as they are written: only a wildcard of the role's own policies
matches one, so that what is held is held for everything that the wildcard stands for. What a Deny takes out of that
still has to be taken out: a role's own Deny statements go with every proposal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dashboard.core.iam.documents import Effect, Policy
from dashboard.core.iam.entities import Role
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.least.grants import Grant, gathered
from dashboard.core.iam.policy_text import PolicyText


@dataclass(frozen=True)
class Held:
    """policies: those of the role that can be judged, without what denies. denied: that, as it is written. unreadable:
    the names of policies that cannot be judged, which count as if they gave nothing.
    """

    policies: tuple[Policy, ...]
    denied: tuple[Mapping[str, Any], ...] = ()
    unreadable: tuple[str, ...] = ()

    @classmethod
    def of(cls, role: Role) -> "Held":
        return cls(
            tuple(_allowing(one.policy) for one in role.policies if one.policy is not None),
            tuple(statement for one in role.policies for statement in _denied(one)),
            tuple(one.name for one in role.policies if one.policy is None),
        )

    def has(self, grant: Grant) -> bool:
        """Whether the role has all of this already."""
        return all(
            evaluate(self.policies, right.action, right.resource, right.context).allowed for right in grant.rights()
        )

    def part(self, grants: Iterable[Grant]) -> tuple[tuple[Grant, ...], tuple[Grant, ...]]:
        """What of these the role has already, and what it has not."""
        has: list[Grant] = []
        lacks: list[Grant] = []
        for grant in grants:
            for atom in grant.atoms():
                (has if self.has(atom) else lacks).append(atom)
        return gathered(has), gathered(lacks)


def _allowing(policy: Policy) -> Policy:
    return replace(policy, statements=tuple(one for one in policy.statements if one.effect is Effect.ALLOW))


def _denied(policy: PolicyText) -> list[Mapping[str, Any]]:
    return [dict(one) for one in policy.written if isinstance(one, Mapping) and one.get("Effect") == "Deny"]
