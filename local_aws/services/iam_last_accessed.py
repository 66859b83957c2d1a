"""Last accessed: which services and actions a user, group, role or policy allows, and when each was last used.

Other than AWS's, a job is done at once, and a call is in it at once. As AWS's, it tracks actions that manage things:
none of objects, endpoints' answers, invocations or passed roles. Source: IAM User Guide, "IAM action last accessed
information services and actions".
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from moto.core.utils import get_service_model

from dashboard.core.iam import actions
from dashboard.core.iam.documents import Effect, Policy
from dashboard.core.iam.requests import UnknownRequest, known_operations, rights_of
from dashboard.core.iam.rights import Where
from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.services.cloudtrail_kinds import kind_of
from local_aws.services.iam_uses import Use, Uses
from local_aws.store import Documents, Store

SERVICES = ("cloudwatch", "ec2", "iam", "lambda", "logs", "s3", "sagemaker", "sts")
"""Services (botocore's names) of which actions are tracked: those that are here."""
JOB_KEPT = timedelta(hours=24)
PAGE = 100
MOST_JOBS = 500
GRANULARITIES = ("SERVICE_LEVEL", "ACTION_LEVEL")
_WHERE = Where(ACCOUNT, "us-east-1")


@dataclass(frozen=True)
class Accessor:
    """Somebody who may use what is asked about. principal: as Uses names it."""

    principal: str
    arn: str
    name: str
    kind: str
    id: str
    path: str


@dataclass(frozen=True)
class Job:
    """What one request asked for, as it was when it did. services: as IAM's answer tells them, times as epoch seconds.

    entities: who used each service, with when.
    """

    id: str
    granularity: str
    at: float
    services: list[dict[str, Any]]
    entities: dict[str, list[dict[str, Any]]]


class Jobs:
    """Jobs by id, for a day; the oldest go when there are many."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._kept = Documents(store, "last-accessed-job")
        self._now = now

    def add(self, granularity: str, policies: Iterable[Policy], accessors: Iterable[Accessor], uses: Uses) -> Job:
        """Put one together from what the policies allow and what these accessors did."""
        now = self._now().timestamp()
        found = {one: _by_service(uses.of(one.principal)) for one in accessors}
        allowed = allowed_actions(policies)
        services = [
            _service(prefix, names, found, in_actions=granularity == "ACTION_LEVEL")
            for prefix, names in sorted(allowed.items())
        ]
        entities = {prefix: _entities(prefix, found) for prefix in allowed}
        job = Job(str(uuid.uuid4()), granularity, now, services, {k: v for k, v in entities.items() if v})
        kept = sorted(self._kept.all(), key=lambda one: -float(one["at"]))
        for old in [one for n, one in enumerate(kept) if n >= MOST_JOBS or now - one["at"] > JOB_KEPT.total_seconds()]:
            self._kept.delete(old["id"])
        self._kept.put(job.id, asdict(job))
        return job

    def get(self, job_id: str) -> Job:
        """Raises ServiceError NoSuchEntity for one that is not there, or not any more."""
        kept = self._kept.get(job_id)
        if kept is None or self._now().timestamp() - kept["at"] > JOB_KEPT.total_seconds():
            raise ServiceError("NoSuchEntity", f"The job {job_id} cannot be found; jobs are kept for a day.", 404)
        return Job(**kept)


def allowed_actions(policies: Iterable[Policy]) -> dict[str, set[str]]:
    """The actions that a statement allows, whatever a Deny or a condition takes back, by their service's prefix."""
    found: dict[str, set[str]] = {}
    for policy in policies:
        for one in policy.statements:
            if one.effect is Effect.ALLOW:
                for action in actions.expand(one.actions or ("*",), one.not_actions):
                    found.setdefault(action.partition(":")[0].lower(), set()).add(action)
    return found


@cache
def tracked_actions() -> frozenset[str]:
    """The actions whose last use is told: those of management events."""
    found: set[str] = set()
    for service in SERVICES:
        model = get_service_model(service)
        for operation in known_operations(service) & set(model.operation_names):
            kind = kind_of(service, model.operation_model(operation))
            action = action_of(service, operation)
            if kind is not None and not kind.is_data and action:
                found.add(action)
    return frozenset(found)


@cache
def action_of(service: str, operation: str) -> str:
    """The action that a call of an operation uses: "s3:ListAllMyBuckets" for S3's ListBuckets; "" for none."""
    try:
        rights = rights_of(service, operation, {}, _WHERE)
        return rights[0].action if rights else ""
    except UnknownRequest:
        prefix = {"sagemaker-runtime": "sagemaker", "service-quotas": "servicequotas"}.get(service, service)
        action = f"{prefix}:{operation}"
        return actions.canonical(action) if actions.known(action) else ""


def _by_service(uses: Iterable[Use]) -> dict[str, dict[str, Use]]:
    """The last use of each action, by prefix; uses come the last first."""
    found: dict[str, dict[str, Use]] = {}
    for one in uses:
        action = action_of(one.service, one.operation)
        if action:
            found.setdefault(action.partition(":")[0].lower(), {}).setdefault(action, one)
    return found


Found = Mapping[Accessor, Mapping[str, Mapping[str, Use]]]


def _service(prefix: str, names: set[str], found: Found, *, in_actions: bool) -> dict[str, Any]:
    users = [(one, use) for one, by in found.items() for use in by.get(prefix, {}).values()]
    told: dict[str, Any] = {
        "ServiceName": actions.service_name(prefix),
        "ServiceNamespace": prefix,
        "TotalAuthenticatedEntities": len({one.arn for one, _ in users}),
    }
    if users:
        who, last = max(users, key=lambda one: one[1].at)
        told |= {
            "LastAuthenticated": last.at,
            "LastAuthenticatedEntity": who.arn,
            "LastAuthenticatedRegion": last.region,
        }
    tracked = sorted(names & tracked_actions()) if in_actions else []
    if tracked:
        told["TrackedActionsLastAccessed"] = [_action(action, prefix, found) for action in tracked]
    return told


def _action(action: str, prefix: str, found: Found) -> dict[str, Any]:
    told: dict[str, Any] = {"ActionName": action.partition(":")[2]}
    users = [(one, use) for one, by in found.items() if (use := by.get(prefix, {}).get(action)) is not None]
    if users:
        who, last = max(users, key=lambda one: one[1].at)
        told |= {"LastAccessedEntity": who.arn, "LastAccessedTime": last.at, "LastAccessedRegion": last.region}
    return told


def _entities(prefix: str, found: Found) -> list[dict[str, Any]]:
    """Who used a service, the last first."""
    users = [(who, max(use.at for use in by[prefix].values())) for who, by in found.items() if by.get(prefix)]
    return [
        {
            "EntityInfo": {"Arn": who.arn, "Name": who.name, "Type": who.kind, "Id": who.id, "Path": who.path},
            "LastAuthenticated": at,
        }
        for who, at in sorted(users, key=lambda one: -one[1])
    ]
