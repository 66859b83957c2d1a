"""One role out of an account's reading."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import AccessDenied, NotFound, ServiceFault
from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.seen.account import ROLES
from dashboard.core.iam.seen.role_seen import pick
from dashboard.core.iam.usage import Duty, Usage, Use

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DOG = Role("Dog", "arn:aws:iam::123456789012:role/Dog", last_used=NOW - timedelta(days=3))
CAT = Role("Cat", "arn:aws:iam::123456789012:role/Cat")


def finding(role: str, severity: Severity) -> Finding:
    return Finding(role, Kind.WILDCARD, severity, "", "", "")


def test_a_role_has_its_own_findings_and_uses_only() -> None:
    use = Use(Duty.TRAINING, "a", "arn:aws:sagemaker:::training-job/a", NOW)
    findings = [finding("Dog", Severity.LOW), finding("Cat", Severity.CRITICAL), finding("Dog", Severity.HIGH)]
    seen = pick("Dog", [CAT, DOG], findings, Usage({DOG.arn: (use,)}))
    assert [one.severity for one in seen.findings] == [Severity.LOW, Severity.HIGH]
    assert seen.worst is Severity.HIGH and seen.uses == (use,) and seen.duties == (Duty.TRAINING,)
    assert seen.last == NOW, "the later of what IAM says and of what was seen"


def test_a_name_is_meant_to_the_letter() -> None:
    with pytest.raises(NotFound, match="there is no role dog"):
        pick("dog", [DOG], [], Usage())


def test_roles_that_could_not_be_read_are_not_said_to_be_missing() -> None:
    denied = AccessDenied("not allowed to list roles", action="iam:GetAccountAuthorizationDetails")
    with pytest.raises(AccessDenied):
        pick("Dog", [], [], Usage(), (Unread("notebooks", ServiceFault("no")), Unread(ROLES, denied)))
    with pytest.raises(NotFound):
        pick("Dog", [], [], Usage(), (Unread("notebooks", ServiceFault("no")),))
