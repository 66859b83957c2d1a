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
    """One action, and what speaks for or against it. last: when it was last seen. detail: one sentence."""

    action: str
    basis: Basis
    detail: str
    last: datetime | None = None


@dataclass(frozen=True)
class Proposal:
    """role_name: of the role that it is made for. For a role with one duty it is that role's new policy; of a role that
    several duties share there is one proposal a duty, each for a role of its own (`new_role`, "" where the role stays).

    policy, trust: documents. evidence: of every action in the policy and of every one that is dropped.
    """

    role_name: str
    duty: Duty
    policy_name: str
    policy: Mapping[str, Any]
    trust: Mapping[str, Any]
    evidence: tuple[Evidence, ...]
    new_role: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def dropped(self) -> tuple[Evidence, ...]:
        return tuple(one for one in self.evidence if one.basis is Basis.DROPPED)
