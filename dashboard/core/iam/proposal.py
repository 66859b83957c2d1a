"""What is proposed in the place of a role's rights: a policy and a trust for one duty, each action with evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from dashboard.core.iam.usage import Duty


class Basis(StrEnum):
    """Why an action is in a proposal, or is not."""

    RECORDED = "used, as recorded"
    NEEDED = "needed by the code path"
    DROPPED = "not seen, dropped"


@dataclass(frozen=True)
class Evidence:
    """One action, and what speaks for or against it. last: when it was last seen. detail: one sentence.

    stands_for: how many actions it is; more than one for a whole service ("ec2:*").
    """

    action: str
    basis: Basis
    detail: str
    last: datetime | None = None
    stands_for: int = 1


@dataclass(frozen=True)
class Proposal:
    """role_name: of the role that it is made for. For a role with one duty it is that role's new policy; of a role that
    several duties share there is one proposal a duty, each for a role of its own (`new_role`, "" where the role stays).

    policy, trust: documents. further: more policies beside `policy`, where one alone would be longer than IAM takes
    (nearly always none). evidence: of every action in the policies and of every one that is dropped; a service of which
    nothing is left is one of them ("ec2:*").
    """

    role_name: str
    duty: Duty
    policy_name: str
    policy: Mapping[str, Any]
    trust: Mapping[str, Any]
    evidence: tuple[Evidence, ...]
    new_role: str = ""
    warnings: tuple[str, ...] = ()
    further: tuple[Mapping[str, Any], ...] = ()

    @property
    def documents(self) -> Mapping[str, Mapping[str, Any]]:
        """Every policy of the proposal by the name it is to have."""
        names = (self.policy_name, *(f"{self.policy_name}-{number}" for number in range(2, len(self.further) + 2)))
        return dict(zip(names, (self.policy, *self.further), strict=True))

    @property
    def dropped(self) -> tuple[Evidence, ...]:
        return tuple(one for one in self.evidence if one.basis is Basis.DROPPED)
