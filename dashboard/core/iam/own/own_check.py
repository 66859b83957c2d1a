"""Kennel's own roles before the audit that every other role of an account is held to. Pure."""

from datetime import datetime

from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding
from dashboard.core.iam.findings import audit_role
from dashboard.core.iam.own.own_roles import OwnRole
from dashboard.core.iam.policy_text import text_of


def findings_of(made: OwnRole, now: datetime) -> tuple[Finding, ...]:
    """What would be wrong with the role, were it there and in use. Without its boundary, which only takes rights."""
    statement = made.trust["Statement"][0]
    account = str(statement["Principal"]["AWS"]).split(":")[4]
    role = Role(
        made.name,
        f"arn:aws:iam::{account}:role/{made.name}",
        trust=made.trust,
        policies=tuple(text_of(name, document) for name, document in made.policies.items()),
        last_used=now,
        created=now,
    )
    return tuple(audit_role(role, now=now))
