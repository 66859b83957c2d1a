"""Roles that nobody works as, and policies that are attached to nothing.

Source: IAM User Guide, "Refine permissions using last accessed information": AWS keeps 400 days, so that of an older
role without a record nobody can say that it was never used.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from dashboard.core.iam.entities import ManagedPolicy, Role
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.usage import Usage

KEPT = timedelta(days=400)
DAYS = 90
_FIX = "detach its policies and deny it everything first; delete it some days later, when nothing has missed it"


def findings(role: Role, usage: Usage | None, now: datetime, unused_days: int = DAYS) -> Iterator[Finding]:
    """That nobody has worked as the role for `unused_days`, by AWS's record and by what uses it.

    A role that is younger than that is passed over, and so is one that AWS or IAM Identity Center keeps.
    """
    if role.is_service_linked or role.is_reserved:
        return
    since = now - timedelta(days=unused_days)
    if role.created is not None and role.created > since:
        return
    last = last_use(role, usage)
    if last is None and role.created is None:  # what was exported says neither: nothing speaks against the role
        return
    uses = usage.of(role.arn) if usage is not None else ()
    moments = [last, *(one.last for one in uses)]  # what was made or changed lately is not forgotten yet either
    if any(moment is not None and moment > since for moment in moments):
        return
    named = [f"{one.duty} {one.name}" for one in uses]
    still = f"; {named[0]} still names it" if named else ""
    yield Finding(
        role.name,
        Kind.UNUSED_ROLE,
        Severity.MEDIUM if role.policies else Severity.LOW,
        _since(role, last, now),
        "whoever finds a way to assume it has rights whose use nobody would notice",
        _FIX + still,
        arn=role.arn,
    )


def last_use(role: Role, usage: Usage | None) -> datetime | None:
    """When something last worked as the role: the later of AWS's record and of what is seen to have worked."""
    uses = usage.of(role.arn) if usage is not None else ()
    seen = [one.last for one in uses if one.last is not None and one.has_worked]
    return max([*seen, *([role.last_used] if role.last_used is not None else [])], default=None)


def of_policies(policies: Iterable[ManagedPolicy]) -> Iterator[Finding]:
    """Policies of the account that nothing has attached and nothing is bounded by."""
    for one in policies:
        if one.text.is_aws_managed or not one.is_unattached or not one.arn:
            continue
        yield Finding(
            "",
            Kind.UNUSED_POLICY,
            Severity.LOW,
            "it is attached to no user, group or role, and bounds none",
            "somebody who may attach policies finds its rights ready to take",
            "keep a copy of it, then delete it",
            one.name,
            arn=one.arn,
        )


def _since(role: Role, last: datetime | None, now: datetime) -> str:
    """The same every day as long as nothing happens: an accepted risk is kept by it."""
    if last is not None:
        return f"it was last used on {last:%Y-%m-%d}"
    if role.created is not None and now - role.created < KEPT:
        return f"nobody has used it since it was made on {role.created:%Y-%m-%d}"
    return "AWS has no record of a use in the last 400 days, and keeps none of before"
