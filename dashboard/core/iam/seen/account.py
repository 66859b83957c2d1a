"""An account's roles with all that an audit of them needs, read side by side: what they may, who uses them, who may
call the functions. What could not be read is named, and the rest stands.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import KennelError, ServiceFault
from dashboard.core.iam.entities import LISTS, merged
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.findings import audit
from dashboard.core.iam.judge import functions
from dashboard.core.iam.judge.functions import Exposure
from dashboard.core.iam.judge.unused import DAYS
from dashboard.core.iam.seen import used_by
from dashboard.core.iam.seen.functions_read import exposures
from dashboard.core.iam.seen.used_by import Known, Part
from dashboard.core.iam.usage import Usage
from dashboard.core.parallel import gather

PAGE = 1000
"""Roles and policies a call: as many as GetAccountAuthorizationDetails gives."""
MOST_PAGES = 100
ROLES = "roles and their policies"
_FILTER = ["Role", "LocalManagedPolicy", "AWSManagedPolicy"]


@dataclass(frozen=True)
class AccountIam:
    """details: the merged answer of GetAccountAuthorizationDetails, without AWS's own policies that nothing has
    attached. unread: what could not be read at all; partial: what was looked at in part only, a sentence each.
    """

    at: datetime
    details: Mapping[str, Any]
    usage: Usage = field(default_factory=Usage)
    functions: tuple[Exposure, ...] = ()
    unread: tuple[Unread, ...] = ()
    partial: tuple[str, ...] = ()
    account_id: str = ""

    def findings(self, unused_days: int = DAYS) -> tuple[Finding, ...]:
        """All that an audit finds, the worst first."""
        found = audit(self.details, usage=self.usage, now=self.at, unused_days=unused_days)
        found += [one for exposure in self.functions for one in functions.findings(exposure)]
        found += [self._unjudged(part) for part in self.unread if not _is_absent(part.problem)]
        return worst_first(found)

    def _unjudged(self, part: Unread) -> Finding:
        """A part that was not read is told of in exports too, where nothing else would say so."""
        return Finding(
            "",
            Kind.UNKNOWN,
            Severity.MEDIUM,
            f"{part.what} could not be judged: {part.problem.what}",
            "whatever is wrong there is not known",
            part.problem.next_step or "look again, or give whoever audits the right to read it",
            arn=f"arn:aws:iam::{self.account_id}:root",
        )


def _is_absent(problem: KennelError) -> bool:
    """Whether there is no such thing here at all, so that nothing of it can be wrong."""
    return isinstance(problem, ServiceFault) and "is not available here" in problem.what


def read(aws: Aws, known: Known | None = None, clock: Callable[[], datetime] | None = None) -> AccountIam:
    """The account now. known: what an earlier read has learnt that cannot change. Raises nothing of `Aws.call`."""
    now = clock() if clock is not None else datetime.now(UTC)
    unread: list[Unread] = []

    def details() -> Mapping[str, Any]:
        try:
            pages = aws.pages("iam", "GetAccountAuthorizationDetails", limit=MOST_PAGES, Filter=_FILTER,
                              PaginationConfig={"PageSize": PAGE})  # fmt: skip
            return attached_only(merged(pages))
        except KennelError as problem:
            unread.append(Unread(ROLES, problem))
            return {name: [] for name in LISTS}

    def lambdas() -> tuple[tuple[Exposure, ...], Part]:
        try:
            found, denied, partial = exposures(aws)
        except KennelError as problem:
            return (), Part(unread=(Unread("functions", problem),))
        unread.extend(denied)
        told = used_by.of_functions(found)
        return found, Part(told.found, partial)

    looks: list[Callable[[], Any]] = [details, lambdas, *used_by.parts(aws, known or Known(), now)]
    told, (found, own), *rest = gather(_made, looks)
    parts: list[Part] = [own, *rest]
    unread += [one for part in parts for one in part.unread]
    partial = tuple(why for part in parts for why in part.partial)
    usage = used_by.joined(parts, used_by.profiles_of(told))
    return AccountIam(
        now, told, usage, found, tuple(sorted(unread, key=lambda one: one.what)), partial, aws.account.account_id
    )


def _made(look: Callable[[], Any]) -> Any:
    return look()


def attached_only(details: Mapping[str, Any]) -> dict[str, Any]:
    """The same without those of AWS's own policies that nothing in it has attached or is bounded by: there are more
    than a thousand.
    """
    needed: set[str] = set()
    for name in ("RoleDetailList", "UserDetailList", "GroupDetailList"):
        for one in details.get(name, ()):
            needed.update(policy["PolicyArn"] for policy in one.get("AttachedManagedPolicies", ()))
            if boundary := one.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"):
                needed.add(boundary)
    policies = [
        one for one in details.get("Policies", ()) if ":iam::aws:policy/" not in one["Arn"] or one["Arn"] in needed
    ]
    return {**details, "Policies": policies}


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """By severity, then by role, kind, policy and reason."""
    return tuple(sorted(findings, key=lambda one: (one.severity.rank, one.role, one.kind, one.policy, one.reason)))
