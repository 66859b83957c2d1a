"""The front's check of a caller whom policies limit: which rights a request needs, and whether it has them.

What a request needs is what `dashboard.core.iam.requests` says; an operation that is not known there is open to the
account's root user alone, since nobody could say which right opens it.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from botocore.model import OperationModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from dashboard.core.iam.requests import UnknownRequest, rights_of
from dashboard.core.iam.rights import Right, Where
from local_aws import ACCOUNT, asked
from local_aws.authorize import Authority, Circumstances, Context, denied, refused
from local_aws.errors import ServiceError
from local_aws.iam_lookup import IamLookup
from local_aws.protocol import DENIED_KEYS, Caller, Service

DECIDED_ELSEWHERE = {"sts": ("AssumeRole", "GetCallerIdentity")}
"""Operations whose service looks at more than the caller's policies, or at none."""
LOOKED_UP = ("iam", "ec2")
"""Services of whose requests the account is asked more, which may have to wait."""
Params = Mapping[str, Any]
Excuses = Callable[[Caller, Right], Collection[str]]
"""The layers of a caller's own policies that need not allow a right, since the policy of what it is about does."""


Denials = Callable[[Caller, Right, Context], str]
"""Why the policy of what a right is about denies it, as the end of AWS's sentence; "" where it does not."""


class Permits:
    """now: the clock. excuses, denials: by the prefix of an action, for services whose resources have policies."""

    def __init__(
        self,
        authority: Authority,
        now: Callable[[], datetime],
        lookup: IamLookup,
        excuses: Mapping[str, Excuses] | None = None,
        denials: Mapping[str, Denials] | None = None,
    ) -> None:
        self._authority = authority
        self._now = now
        self._lookup = lookup
        self._excuses = excuses or {}
        self._denials = denials or {}

    async def check(
        self, service: Service, operation: OperationModel, request: Request, caller: Caller, body: bytes
    ) -> None:
        """Raises ServiceError when the caller may not; as the service does when the request has not its form."""
        if operation.name in DECIDED_ELSEWHERE.get(service.name, ()):
            return
        params = await asked.parameters(service, operation, request, body)
        if service.name == "iam":
            params = _of_oneself(operation, params, caller)
        circumstances = self._circumstances(request, caller)
        if service.name == "s3" and operation.name == "DeleteObjects":
            request.scope[DENIED_KEYS] = await run_in_threadpool(self._denied_keys, params, caller, circumstances)
            return
        named = partial(self._rights, service, operation.name, params, caller)
        rights = await run_in_threadpool(named) if service.name in LOOKED_UP else named()
        judged = partial(self._refusal, caller, rights, circumstances)
        why_not = judged() if self._authority.is_quick(caller.who, rights) else await run_in_threadpool(judged)
        if why_not:
            raise denied(service.name, service.protocol, why_not)

    def _denied_keys(self, params: Params, caller: Caller, circumstances: Circumstances) -> dict[str, str]:
        """The keys of a DeleteObjects that the caller may not delete, each with why: S3 answers each by itself."""
        asked = params["Delete"]["Objects"]
        rights = rights_of("s3", "DeleteObjects", params, Where(ACCOUNT, caller.region))
        told = ((one["Key"], right) for one, right in zip(asked, rights, strict=True))
        judged = ((key, self._refusal(caller, (right,), circumstances)) for key, right in told)
        return {key: why_not for key, why_not in judged if why_not}

    def _rights(self, service: Service, operation: str, params: Params, caller: Caller) -> tuple[Right, ...]:
        if service.name == "ec2":
            params = self._lookup.with_ids(params, caller.region)
        try:
            return rights_of(service.name, operation, params, Where(ACCOUNT, caller.region), self._lookup)
        except UnknownRequest:
            sentence = (
                f"User: {caller.arn} is not authorized to perform: {service.name}:{operation}: the embedded AWS does "
                "not know which right that needs, so it is open to the account's root user only"
            )
            raise denied(service.name, service.protocol, sentence) from None

    def _refusal(self, caller: Caller, rights: tuple[Right, ...], circumstances: Circumstances) -> str:
        for right in rights:
            denials = self._denials.get(right.service)
            denied_by = denials(caller, right, circumstances.context) if denials else ""
            if denied_by:
                return refused(caller.who, right, denied_by)
            excuses = self._excuses.get(right.service)
            excused = excuses(caller, right) if excuses else ()
            why_not = self._authority.refusal(caller.who, (right,), circumstances, excused=excused)
            if why_not:
                return why_not
        return ""

    def told(self, service: Service, request: Request, caller: Caller, error: ServiceError) -> ServiceError:
        """What a limited caller is told of an error: S3 keeps from who may not list a bucket what is not in it.

        Source: Amazon S3 API Reference, GetObject, "Permissions".
        """
        if service.name != "s3" or error.code not in ("NoSuchKey", "404"):
            return error
        bucket = Right("s3:ListBucket", f"arn:aws:s3:::{request.path_params.get('Bucket', '')}")
        why_not = self._authority.refusal(caller.who, (bucket,), self._circumstances(request, caller))
        return denied("s3", service.protocol, why_not) if why_not else error

    def _circumstances(self, request: Request, caller: Caller) -> Circumstances:
        address = request.client.host if request.client else "127.0.0.1"
        if address.endswith(".amazonaws.com"):  # a service that does it for the caller
            address = ""
        return Circumstances(self._now(), caller.region, address, request.headers.get("user-agent", ""))


def _of_oneself(operation: OperationModel, params: Params, caller: Caller) -> Params:
    """IAM's operations on users are about the caller where they name nobody (GetUser, CreateAccessKey …)."""
    shape, who = operation.input_shape, caller.who
    if "UserName" in params or who.is_session or shape is None or "UserName" not in shape.members:
        return params
    return {**params, "UserName": who.name}
