"""What an audit finds: which statement of which role gives too much, what it lends itself to, and what mends it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any


class Severity(StrEnum):
    """The worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return tuple(Severity).index(self)


class Kind(StrEnum):
    """What is wrong, as exports name it."""

    FULL_ACCESS = "full-access"
    WILDCARD = "wildcard"  # writes anything of a kind, short of a whole service
    PASS_ROLE = "pass-role"  # noqa: S105 (no password)
    PRIVILEGE_ESCALATION = "privilege-escalation"
    TRUST = "trust"
    SHARED_ROLE = "shared-role"
    UNUSED_ROLE = "unused-role"
    UNUSED_POLICY = "unused-policy"
    RESOURCE_POLICY = "resource-policy"
    FUNCTION_URL = "function-url"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a role, a policy or a function.

    role: its name; "" for what is of no role (a policy attached to nothing, a function). arn: of the role, policy or
    function. policy: the name of the policy, "trust" for the trust policy, "" where none is to blame. statement: the
    one to blame as it is written, and place: where in the policy it stands (from 0). reason: what is wrong. attack:
    what somebody who works as the role could do, in one sentence. fix: what would mend it. mitigated_by: what takes
    something of it back (a boundary, a Deny, a condition), "" for nothing; the severity has that in it already.
    """

    role: str
    kind: Kind
    severity: Severity
    reason: str
    attack: str
    fix: str
    policy: str = ""
    place: int | None = None
    statement: Mapping[str, Any] | None = None
    arn: str = ""
    mitigated_by: str = ""

    @cached_property
    def key(self) -> str:
        """The same for the same fault as long as nothing about it changes: what an accepted risk is kept by."""
        told = json.dumps([self.arn or self.role, self.kind, self.policy, self.statement, self.reason], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:20]

    def as_record(self) -> dict[str, Any]:
        """As the command line and the exports write it."""
        return {
            "role": self.role,
            "kind": self.kind.value,
            "severity": self.severity.value,
            "policy": self.policy,
            "place": self.place,
            "statement": dict(self.statement) if self.statement is not None else None,
            "reason": self.reason,
            "attack": self.attack,
            "fix": self.fix,
            "mitigated_by": self.mitigated_by,
            "arn": self.arn,
            "key": self.key,
        }
