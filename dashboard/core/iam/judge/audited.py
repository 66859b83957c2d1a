"""An account that was audited: its roles and policies, and what was found, by reading it or from an exported file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.iam.entities import ManagedPolicy, Role, parse, policies
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.findings import audit
from dashboard.core.iam.judge.functions import Exposure
from dashboard.core.iam.judge.unused import DAYS
from dashboard.core.iam.seen.account import AccountIam, worst_first
from dashboard.core.iam.usage import Usage

ACCOUNT = "the account"
"""What a finding is about that is of no single thing."""


@dataclass(frozen=True)
class Audited:
    """findings: all of them, the worst first. policies: managed ones. unread, partial: what was not looked at."""

    at: datetime
    roles: tuple[Role, ...]
    policies: tuple[ManagedPolicy, ...]
    findings: tuple[Finding, ...]
    usage: Usage = field(default_factory=Usage)
    functions: tuple[Exposure, ...] = ()
    unread: tuple[Unread, ...] = ()
    partial: tuple[str, ...] = ()

    @property
    def judged(self) -> int:
        """How many roles an audit is about: those that a service or IAM Identity Center keeps are none of them."""
        return sum(not one.is_service_linked and not one.is_reserved for one in self.roles)

    def role(self, name: str) -> Role | None:
        return next((one for one in self.roles if one.name == name), None)

    def document(self, finding: Finding) -> Mapping[str, Any] | None:
        """The whole policy document that a finding's statement stands in, None where it is not at hand."""
        role = self.role(finding.role) if finding.role else None
        if role is not None:
            if finding.policy == "trust":
                return role.trust
            bounded = role.boundary if role.boundary and role.boundary.name == finding.policy else None
            found = role.policy(finding.policy) or bounded
            return found.document if found is not None else None
        exposed = next((one for one in self.functions if one.arn == finding.arn), None)
        if exposed is not None:
            return exposed.document(finding.policy)
        return next((one.text.document for one in self.policies if one.arn == finding.arn), None)


def of_account(account: AccountIam, unused_days: int = DAYS) -> Audited:
    """What an account that was read comes to. unused_days: after how long a role counts as unused."""
    return Audited(
        account.at,
        parse(account.details),
        policies(account.details),
        account.findings(unused_days),
        account.usage,
        account.functions,
        account.unread,
        account.partial,
    )


def of_export(details: Mapping[str, Any], at: datetime, unused_days: int = DAYS) -> Audited:
    """What the merged answer of GetAccountAuthorizationDetails comes to, without looking at its account.

    Raises InvalidInput when it is none.
    """
    found = audit(details, now=at, unused_days=unused_days)
    return Audited(at, parse(details), policies(details), worst_first(found))


def by_severity(findings: Sequence[Finding]) -> dict[Severity, int]:
    """How many of each severity there are, the worst first."""
    return {severity: sum(one.severity is severity for one in findings) for severity in Severity}


def subject(finding: Finding) -> str:
    """What a finding is about: the role, else the policy's or function's own name, or the whole account."""
    if finding.role:
        return finding.role
    if finding.arn.endswith(":root") or not (finding.arn or finding.policy):
        return ACCOUNT
    if finding.kind is Kind.UNUSED_POLICY:
        return finding.policy
    return finding.arn.rpartition(":")[2] if ":function:" in finding.arn else finding.arn.rpartition("/")[2]


def by_subject(findings: Sequence[Finding]) -> dict[str, tuple[Finding, ...]]:
    """The findings of each role, policy or function; the one with the worst first, then the one with the most."""
    found: dict[str, list[Finding]] = {}
    for one in findings:
        found.setdefault(subject(one), []).append(one)

    def order(name: str) -> tuple[tuple[int, ...], str]:
        counts = by_severity(found[name])
        return tuple(-counts[severity] for severity in Severity), name

    return {name: tuple(found[name]) for name in sorted(found, key=order)}
