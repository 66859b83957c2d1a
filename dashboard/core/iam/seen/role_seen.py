"""One role out of a whole account's reading: what it is, what is wrong with it, what works as it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import NotFound
from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding, Severity
from dashboard.core.iam.judge.unused import last_use
from dashboard.core.iam.seen.account import ROLES
from dashboard.core.iam.usage import Duty, Usage, Use


@dataclass(frozen=True)
class RoleSeen:
    """usage: of the whole account. unread: what could not be looked at, so that something may be missing here; partial:
    what was looked at in part only, in a sentence each.
    """

    role: Role
    findings: tuple[Finding, ...]
    usage: Usage
    unread: tuple[Unread, ...] = ()
    partial: tuple[str, ...] = ()

    @property
    def uses(self) -> tuple[Use, ...]:
        return self.usage.of(self.role.arn)

    @property
    def duties(self) -> tuple[Duty, ...]:
        return self.usage.duties(self.role.arn)

    @property
    def last(self) -> datetime | None:
        """The latest of what IAM says and of what was seen; None where neither says."""
        return last_use(self.role, self.usage)

    @property
    def worst(self) -> Severity | None:
        return min((one.severity for one in self.findings), key=lambda one: one.rank, default=None)


def pick(
    name: str,
    roles: Iterable[Role],
    findings: Iterable[Finding],
    usage: Usage,
    unread: tuple[Unread, ...] = (),
) -> RoleSeen:
    """The role of this name. Raises NotFound, or what kept the roles from being read."""
    role = next((one for one in roles if one.name == name), None)
    if role is None:
        hidden = next((one.problem for one in unread if one.what == ROLES), None)
        if hidden is not None:
            raise hidden
        raise NotFound(
            f"there is no role {name}",
            "no role of this account has that name; names differ by capital letters too",
            "open Security for those there are",
        )
    return RoleSeen(role, tuple(one for one in findings if one.role == name), usage, unread)
