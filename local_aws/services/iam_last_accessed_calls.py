"""IAM's operations of last accessed data, and when each role was last used."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dashboard.core.iam.documents import Policy
from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto
from local_aws.protocol import Caller
from local_aws.services.cloudtrail_store import moment
from local_aws.services.iam_last_accessed import GRANULARITIES, PAGE, Accessor, Job, Jobs
from local_aws.services.iam_policies import entity, policy_of
from local_aws.services.iam_uses import Uses

TELL_LAST_USED = ("GetRole", "GetAccountAuthorizationDetails")
"""The operations that tell RoleLastUsed. Source: IAM API Reference, Role and RoleDetail; ListRoles does not."""

Params = dict[str, Any]


class LastAccessedCalls:
    """Mixed into the service."""

    _moto: Moto
    _uses: Uses
    _jobs: Jobs

    def generate_service_last_accessed_details(self, params: Params, caller: Caller) -> Params:
        granularity = params.get("Granularity") or GRANULARITIES[0]
        if granularity not in GRANULARITIES:
            raise ServiceError("InvalidInput", f"Granularity is {' or '.join(GRANULARITIES)}.")
        policies, accessors = self._asked_about(params["Arn"])
        return {"JobId": self._jobs.add(granularity, policies, accessors, self._uses).id}

    def get_service_last_accessed_details(self, params: Params, caller: Caller) -> Params:
        job = self._jobs.get(params["JobId"])
        told, more = _page(job.services, params)
        return {"JobType": job.granularity, "ServicesLastAccessed": [_timed(one) for one in told], **_done(job), **more}

    def get_service_last_accessed_details_with_entities(self, params: Params, caller: Caller) -> Params:
        job = self._jobs.get(params["JobId"])
        namespace = params["ServiceNamespace"].lower()
        if namespace not in {one["ServiceNamespace"] for one in job.services}:
            raise ServiceError("NoSuchEntity", f"The report has no service {params['ServiceNamespace']}.", 404)
        told, more = _page(job.entities.get(namespace, []), params)
        return {"EntityDetailsList": [_timed(one) for one in told], **_done(job), **more}

    def tell_last_used(self) -> None:
        """Let moto's roles know when they were last used, which they tell in their answers."""
        last = self._uses.last()
        with self._moto.using("iam") as backends:
            for role in backends[ACCOUNT]["aws"].roles.values():
                told = last.get(f"role/{role.name}")
                # another role of that name may have been there before
                if told is not None and told[0] >= role.create_date.replace(tzinfo=UTC).timestamp():
                    role.last_used = datetime.fromtimestamp(told[0], UTC).replace(tzinfo=None)
                    role.last_used_region = told[1]

    def _asked_about(self, arn: str) -> tuple[list[Policy], list[Accessor]]:
        """What it allows, and who may use that. Raises ServiceError InvalidInput or NoSuchEntity."""
        kind = arn.split(":", 5)[-1].partition("/")[0]
        if kind == "policy":
            policies = [policy_of(self._moto, arn)]
        else:
            policies = [one.policy for one in entity(self._moto, arn).policies]
        with self._moto.using("iam") as backends:
            return policies, list(dict.fromkeys(_accessors(backends[ACCOUNT]["aws"], kind, arn)))


def _accessors(iam: Any, kind: str, arn: str) -> Iterator[Accessor]:
    """Of a policy whoever it is attached to, of a group its members, of a role or user itself."""

    def has(one: Any) -> bool:
        return arn in one.managed_policies if kind == "policy" else one.arn == arn

    for role in iam.roles.values():
        if has(role):
            yield _accessor("ROLE", role)
    for user in iam.users.values():
        if has(user):
            yield _accessor("USER", user)
    for group in iam.groups.values():
        if has(group):
            yield from (_accessor("USER", user) for user in group.users)


def _accessor(kind: str, one: Any) -> Accessor:
    return Accessor(f"{kind.lower()}/{one.name}", one.arn, one.name, kind, one.id, one.path)


def _done(job: Job) -> Params:
    return {"JobStatus": "COMPLETED", "JobCreationDate": moment(job.at), "JobCompletionDate": moment(job.at)}


def _page(found: Sequence[Params], params: Params) -> tuple[Sequence[Params], Params]:
    marker = params.get("Marker") or "0"
    if not marker.isdecimal() or int(marker) > len(found):
        raise ServiceError("InvalidInput", "Invalid Marker.")
    first, most = int(marker), params.get("MaxItems") or PAGE
    rest = first + most
    more = rest < len(found)
    return found[first:rest], {"IsTruncated": more, **({"Marker": str(rest)} if more else {})}


def _timed(told: Mapping[str, Any]) -> Params:
    """With times in the place of epoch seconds."""
    return {
        name: moment(value)
        if name in ("LastAuthenticated", "LastAccessedTime")
        else [_timed(one) for one in value]
        if name == "TrackedActionsLastAccessed"
        else value
        for name, value in told.items()
    }
