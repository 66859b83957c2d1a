"""STS: sessions of roles for those whom the role's trust policy lets in. Where moto would let everybody, this does not.

AWS lets its root user assume no role; here it may, where the role trusts the account, for an account that begins with
nobody else in it. A role that only a service may assume opens to no person: services are not imitated.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.model import OperationModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dashboard.core.iam.documents import Policy, PolicyError
from dashboard.core.iam.rights import Right
from local_aws import ACCOUNT
from local_aws.authorize import Authority, Circumstances
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto, MotoService
from local_aws.principal import ROOT
from local_aws.protocol import Caller
from local_aws.resource_policy import Entry, entry

ASSUME = "sts:AssumeRole"
SHORTEST, LONGEST = 900, 43_200  # seconds of a session
KEPT_EXPIRED = timedelta(days=1)
"""For how long a session that has ended is known, so that its key is told it has expired."""
LONGEST_CHAINED = 3600
"""Seconds of a session that a session has begun."""
LARGEST_SESSION_POLICY = 2_048  # characters, of which AWS counts the policy and its ARNs
MOST_POLICY_ARNS = 10
_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_REFUSED = ("Tags", "TransitiveTagKeys", "SerialNumber", "TokenCode", "SourceIdentity", "ProvidedContexts")

_ROOT_FACTS = {"aws:PrincipalArn": ROOT, "aws:PrincipalAccount": ACCOUNT, "aws:PrincipalType": "Account"}

Params = dict[str, Any]


class Sts(MotoService):
    """The service."""

    invalid_code = "ValidationError"

    def __init__(self, moto: Moto, authority: Authority, now: Callable[[], datetime]) -> None:
        super().__init__("sts", moto)
        self._authority = authority
        self._now = now

    def get_caller_identity(self, params: Params, caller: Caller) -> Params:
        return {"Account": caller.account, "Arn": caller.arn, "UserId": self._user_id(caller)}

    def _user_id(self, caller: Caller) -> str:
        if not caller.who.is_limited:
            return caller.account
        told = self._authority.of(caller.who).facts.get("aws:userid", "")
        return str(told) or caller.access_key_id

    async def handle(self, request: Request, operation: OperationModel, caller: Caller) -> Response:
        if operation.name != "AssumeRole":
            return await super().handle(request, operation, caller)
        params = self.parse(request, operation, await request.body())
        address = request.client.host if request.client else "127.0.0.1"
        asked = Circumstances(self._now(), caller.region, address, request.headers.get("user-agent", ""))
        result = await run_in_threadpool(self.assume, params, caller, asked)
        return self.respond(request, operation, result)

    def assume(self, params: Params, caller: Caller, circumstances: Circumstances) -> Params:
        """Begin a session. Raises ServiceError ValidationError, MalformedPolicyDocument, AccessDenied."""
        _check(params)
        found = self._role(params["RoleArn"])
        if found is None or not self._may(found, params, caller, circumstances):
            raise ServiceError(
                "AccessDenied",
                f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {params['RoleArn']}",
                403,
            )
        seconds = params.get("DurationSeconds") or 3600
        if caller.who.is_session and seconds > LONGEST_CHAINED:
            raise _invalid(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
            )
        if seconds > int(found.max_session_duration or 3600):
            raise _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        return self._begin(found, params, caller, seconds)

    def _role(self, arn: str) -> Any:
        with self._moto.using("iam") as backends:
            return next((one for one in backends[ACCOUNT]["aws"].roles.values() if one.arn == arn), None)

    def _may(self, role: Any, params: Params, caller: Caller, circumstances: Circumstances) -> bool:
        """Whether the role trusts the caller, and the caller's own policies do not stand against it."""
        who, asked = caller.who, {"sts:RoleSessionName": params["RoleSessionName"]}
        if params.get("ExternalId"):
            asked["sts:ExternalId"] = params["ExternalId"]
        facts = self._authority.of(who).facts if who.is_limited else _ROOT_FACTS
        context = {**circumstances.context, **facts, **asked}
        kept = role.assume_role_policy_document
        found = entry(json.loads(kept) if isinstance(kept, str) else kept, who, ASSUME, role.arn, context)
        if found is Entry.NONE or found is Entry.DENIED:
            return False
        right = Right(ASSUME, role.arn, {key: (value,) for key, value in asked.items()})
        return not self._authority.refusal(who, (right,), circumstances, excused=found.excuses)

    def _begin(self, role: Any, params: Params, caller: Caller, seconds: int) -> Params:
        with self._moto.using("sts", changes=True) as backends:
            sts = backends[ACCOUNT]["aws"]
            longest_ago = self._now().astimezone(UTC).replace(tzinfo=None) - KEPT_EXPIRED  # as moto tells times
            sts.assumed_roles = [one for one in sts.assumed_roles if one.expiration > longest_ago]
            made = sts.assume_role(
                region_name=caller.region,
                role_session_name=params["RoleSessionName"],
                role_arn=params["RoleArn"],
                policy=params.get("Policy") or "",
                duration=seconds,
                external_id=params.get("ExternalId") or "",
            )
            made.kennel = {
                "issued": self._now(),
                "role_id": role.id,
                "policy_arns": tuple(one["arn"] for one in params.get("PolicyArns") or ()),
            }
            size = len(params.get("Policy") or "")
            return {
                "Credentials": {
                    "AccessKeyId": made.access_key_id,
                    "SecretAccessKey": made.secret_access_key,
                    "SessionToken": made.session_token,
                    "Expiration": made.expiration.replace(tzinfo=UTC),
                },
                "AssumedRoleUser": {"AssumedRoleId": made.user_id, "Arn": made.arn},
                **({"PackedPolicySize": -(-100 * size // LARGEST_SESSION_POLICY)} if size else {}),
            }


def _check(params: Params) -> None:
    """Raises ServiceError for what no session can be begun with."""
    for member in _REFUSED:
        if params.get(member):
            raise _invalid(f"The embedded AWS cannot do {member} of AssumeRole yet. Leave it out.")
    name = params["RoleSessionName"]
    if not _NAME.fullmatch(name):
        raise _invalid(
            f"1 validation error detected: Value '{name[:200]}' at 'roleSessionName' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\w+=,.@-]* and have 2 to 64 characters"
        )
    seconds = params.get("DurationSeconds")
    if seconds is not None and not SHORTEST <= seconds <= LONGEST:
        raise _invalid(f"DurationSeconds must be {SHORTEST} to {LONGEST}.")
    if len(params.get("PolicyArns") or ()) > MOST_POLICY_ARNS:
        raise _invalid(f"At most {MOST_POLICY_ARNS} PolicyArns can be given.")
    policy = params.get("Policy")
    if policy is None:
        return
    if len(policy) > LARGEST_SESSION_POLICY:
        raise ServiceError(
            "PackedPolicyTooLarge", f"The session policy has more than {LARGEST_SESSION_POLICY} characters."
        )
    try:
        Policy.parse(policy, "of the session")
    except PolicyError as wrong:
        raise ServiceError("MalformedPolicyDocument", f"{wrong}.") from wrong


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)
