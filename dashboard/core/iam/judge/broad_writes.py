"""Changing anything of a kind, short of a whole service: `s3:PutObject` on `*`, or `s3:*` on one bucket.

Only actions that could be limited to a resource count, and only where what is given is limited by no condition.
"""

from collections.abc import Iterator
from functools import lru_cache

from dashboard.core.iam import actions
from dashboard.core.iam.documents import Statement
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge import whole
from dashboard.core.iam.judge.escalations import WAYS, Target
from dashboard.core.iam.judge.full_access import Held, left, listed
from dashboard.core.iam.judge.reach import Clause, Rights, names_service, probes

# What a job, a function or an agent of AWS's writes about itself: more of it takes nothing from anybody.
_OWN_RECORDS = frozenset(
    {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments",
     "xray:PutTelemetryRecords", "cloudwatch:PutMetricData", "ssm:UpdateInstanceInformation", "ssm:PutInventory",
     "ssm:PutComplianceItems", "ssm:PutConfigurePackageResult", "ssm:UpdateAssociationStatus",
     "ssm:UpdateInstanceAssociationStatus", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
     "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
     "iam:CreateServiceLinkedRole", "iam:PassRole"}
)  # fmt: skip


_READING = ("Get", "List", "Describe")
_SECRETS = frozenset({"secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"})
# told of as ways to more rights
_ESCALATING = frozenset(one for way in WAYS if way.target is not Target.ANY for one in way.needs)


def findings(rights: Rights, all_held: tuple[Held, ...]) -> Iterator[Finding]:
    """One for each policy, of the statement with most of it. Where a service is given whole, that is told instead."""
    told = {id(one.clause) for one in all_held}
    by_policy: dict[int, list[tuple[Clause, frozenset[str], frozenset[str]]]] = {}
    for clause in rights.allows:
        if id(clause) in told or clause.limit.narrowing:
            continue
        broad = left(rights, _broad(clause.statement))
        services = frozenset(one for one in _whole(clause.statement) if _is_given(rights, clause, one))
        if broad or services:
            by_policy.setdefault(id(clause.policy), []).append((clause, broad, services))
    for found in by_policy.values():
        yield _finding(rights, *max(found, key=lambda one: (len(one[1]), len(one[2]))))


@lru_cache(maxsize=512)
def _broad(statement: Statement) -> frozenset[str]:
    """Changing actions on everything of a kind, of those that could be limited."""
    if not statement.not_resources and not any("*" in one for one in statement.resources):
        return frozenset()
    return frozenset(
        one
        for one in whole.named(statement) - _OWN_RECORDS - _ESCALATING
        if ((actions.access_level(one).changes and not _is_of_reading(one)) or one in _SECRETS)
        and probes(one.lower()) != (whole.EVERYTHING,)
        and whole.is_wide_for(statement.resources, statement.not_resources, one.lower())
    )


def _is_of_reading(action: str) -> bool:
    """Whether it tells who has rights and changes nothing, though the reference has it among those that give rights."""
    name = action.partition(":")[2]
    return actions.access_level(action) is actions.AccessLevel.PERMISSIONS and name.startswith(_READING)


@lru_cache(maxsize=8192)
def _whole(statement: Statement) -> frozenset[str]:
    """Services of which it gives every action, those included that give rights or start something, on what it names."""
    services = whole.given(statement.actions, statement.not_actions).services
    return frozenset(
        one
        for one in services
        if whole.is_grave(one) and any(names_service(on, one, whole.kinds(one)) for on in statement.resources)
    )


def _is_given(rights: Rights, clause: Clause, service: str) -> bool:
    """Whether something that changes the service's resources is left on what the clause names."""
    return any(
        reached.clause is clause
        for action in left(rights, whole.changing(service))
        for reached in rights.reaches(action.lower())
    )


def _finding(rights: Rights, clause: Clause, broad: frozenset[str], services: frozenset[str]) -> Finding:
    if broad:
        levels = {actions.access_level(one) for one in broad}
        what = f"it may do {listed(broad)} on anything"
        attack = f"change or delete what is not its own with {listed(broad)}"
        fix = f"name the resources that it needs {listed(broad)} on in Resource"
    else:
        grave = any(whole.has_permissions(one) for one in services)
        levels = {actions.AccessLevel.PERMISSIONS} if grave else set()
        what = f"it may do everything of {listed(services)} on {listed(clause.statement.resources)}"
        rights_too = ", and give others rights on it" if grave else ""
        attack = f"change and delete {listed(clause.statement.resources)}{rights_too}"
        fix = "name the actions that it uses"
    grave_too = actions.AccessLevel.PERMISSIONS in levels or bool(broad & _SECRETS)
    severity = Severity.MEDIUM if grave_too or len(broad) > 1 else Severity.LOW
    return Finding(
        rights.role.name,
        Kind.WILDCARD,
        severity,
        f"by the policy {clause.policy.name} {what}",
        f"whoever works as this role can {attack}",
        fix,
        clause.policy.name,
        clause.place,
        clause.written,
        rights.role.arn,
    )
