"""Whether the policy of a resource (a role's trust, a function's) lets a caller of the same account in.

Sources: IAM User Guide, "AWS JSON policy elements: Principal" and "Policy evaluation for requests within a single
account": who is named there needs no policy of its own; where the account is named, its own policies decide. A session
whose role is named stays within the boundary of the role and the policies of the session; a user or session that is
named itself does not.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from dashboard.core.iam.documents import CURRENT, PolicyError, listed
from dashboard.core.iam.evaluate import Outcome, evaluate
from local_aws import ACCOUNT
from local_aws.authorize import Context
from local_aws.principal import ROOT, Principal
from local_aws.standing import BOUNDARY, IDENTITY, SESSION


class Entry(Enum):
    """How a resource's policy answers a caller."""

    NONE = auto()
    ACCOUNT = auto()  # if its own policies allow it
    ROLE = auto()  # the role, or everybody: all of its sessions
    NAMED = auto()
    DENIED = auto()

    @property
    def excuses(self) -> tuple[str, ...]:
        """The layers of the caller's own policies that need not allow what is asked."""
        return {Entry.ROLE: (IDENTITY,), Entry.NAMED: (IDENTITY, BOUNDARY, SESSION)}.get(self, ())


def entry(policy: Mapping[str, Any], principal: Principal, action: str, resource: str, context: Context) -> Entry:
    """A policy that cannot be judged lets nobody in."""
    try:
        statements = listed(policy.get("Statement"))
        version = policy.get("Version", CURRENT)
        named = [one for one in statements if _names(one, principal)]
        account = [one for one in statements if not _names(one, principal) and _names_account(one)]
        found = _judged(version, named, action, resource, context)
        whole = _judged(version, account, action, resource, context)
    except (PolicyError, AttributeError, TypeError):  # AttributeError, TypeError: what should be an object is none
        return Entry.DENIED
    if Outcome.EXPLICIT_DENY in (found, whole):
        return Entry.DENIED
    if found is Outcome.ALLOWED:
        direct = [one for one in named if _names_itself(one, principal)]
        return Entry.NAMED if _judged(version, direct, action, resource, context) is Outcome.ALLOWED else Entry.ROLE
    return Entry.ACCOUNT if whole is Outcome.ALLOWED else Entry.NONE


def _judged(version: str, statements: list[Any], action: str, resource: str, context: Context) -> Outcome:
    if not statements:
        return Outcome.IMPLICIT_DENY
    plain = [
        {"Resource": resource} | {key: value for key, value in one.items() if key not in ("Principal", "NotPrincipal")}
        for one in statements
    ]
    return evaluate([{"Version": version, "Statement": plain}], action, resource, context).outcome


def _names(statement: Mapping[str, Any], principal: Principal) -> bool:
    """Whether a statement is about the caller itself.

    A Deny with NotPrincipal spares a caller whose account, role or user, and session are all named there.
    """
    if "NotPrincipal" in statement:
        if statement.get("Effect") != "Deny":
            return False  # AWS takes no Allow with it
        spared = set(_identities(statement["NotPrincipal"]))
        return not ({ROOT, ACCOUNT} & spared and {principal.arn, principal.identity} <= spared)
    given = _identities(statement.get("Principal"))
    return "*" in given or principal.arn in given or (principal.is_limited and principal.identity in given)


def _names_itself(statement: Mapping[str, Any], principal: Principal) -> bool:
    """Whether a statement that is about the caller names it, and not the role whose session it is, or everybody."""
    return not principal.is_session or principal.arn in _identities(statement.get("Principal"))


def _names_account(statement: Mapping[str, Any]) -> bool:
    return bool({ROOT, ACCOUNT} & set(_identities(statement.get("Principal"))))


def _identities(principal: Any) -> list[str]:
    if principal is None:
        return []
    return ["*"] if principal == "*" else listed(principal.get("AWS"))
