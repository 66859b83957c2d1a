"""IAM: moto keeps users, roles and policies; what they allow is simulated by the rules of dashboard.core.iam."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.model import OperationModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dashboard.core.iam.documents import Policy, PolicyError
from dashboard.core.iam.evaluate import Decision, Outcome, context_keys, evaluate
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto, MotoService
from local_aws.protocol import Caller
from local_aws.services.iam_details import DetailsCalls
from local_aws.services.iam_last_accessed import Jobs
from local_aws.services.iam_last_accessed_calls import TELL_LAST_USED, LastAccessedCalls
from local_aws.services.iam_linked_roles import POLICIES, make
from local_aws.services.iam_policies import Applied, check_exclusions, entity, is_excluded
from local_aws.services.iam_uses import Uses

PAGE = 100
MOST_PAIRS = 2_000  # actions × resources of one simulation: about a second of work
_ACTION = re.compile(r"[a-zA-Z0-9-]+:[a-zA-Z0-9]+")
_SEVEREST = (Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY, Outcome.ALLOWED)

Params = dict[str, Any]


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidInput", message)


class Iam(LastAccessedCalls, DetailsCalls, MotoService):
    """The service. uses: when each role and user last called what; jobs: of last accessed data."""

    invalid_code = "ValidationError"

    def __init__(self, moto: Moto, uses: Uses, jobs: Jobs) -> None:
        super().__init__("iam", moto)
        self._uses, self._jobs = uses, jobs

    async def handle(self, request: Request, operation: OperationModel, caller: Caller) -> Response:
        if operation.name in TELL_LAST_USED:
            await run_in_threadpool(self.tell_last_used)
        return await super().handle(request, operation, caller)

    def create_service_linked_role(self, params: Params, caller: Caller) -> Params:
        service = params["AWSServiceName"]
        if service not in POLICIES:
            raise _invalid(
                f"The embedded AWS makes no service-linked role for {service}. It does for {' and '.join(POLICIES)}."
            )
        if params.get("CustomSuffix"):
            raise _invalid(f"Custom suffix is not allowed for {service}")
        return {"Role": make(self._moto, service, params.get("Description") or "")}

    def simulate_principal_policy(self, params: Params, caller: Caller) -> Params:
        exclusions = params.get("PolicyExclusionList") or []
        check_exclusions(exclusions)
        found = entity(self._moto, params["PolicySourceArn"])
        policies = [one for one in found.policies if not is_excluded(one, exclusions)]
        policies += _given(params, "PolicyInputList")
        boundary = found.boundary
        if boundary and is_excluded(boundary, exclusions, boundary=True):
            boundary = None
        return _simulated(policies, _given_boundary(params) or boundary, params, caller)

    def simulate_custom_policy(self, params: Params, caller: Caller) -> Params:
        if params.get("OrderedOrganizationPolicyInputList"):
            raise _invalid(
                "The embedded AWS cannot simulate policies of an organization yet (OrderedOrganizationPolicyInputList)."
            )
        return _simulated(_given(params, "PolicyInputList"), _given_boundary(params), params, caller)

    def get_context_keys_for_custom_policy(self, params: Params, caller: Caller) -> Params:
        return {"ContextKeyNames": list(context_keys([one.policy for one in _given(params, "PolicyInputList")]))}

    def get_context_keys_for_principal_policy(self, params: Params, caller: Caller) -> Params:
        policies = [*entity(self._moto, params["PolicySourceArn"]).policies, *_given(params, "PolicyInputList")]
        return {"ContextKeyNames": list(context_keys([one.policy for one in policies]))}


def _given(params: Params, member: str) -> list[Applied]:
    """The documents of a request, named as IAM names them in its answers: PolicyInputList.1 …"""
    try:
        return [
            Applied(Policy.parse(document, f"{member}.{number}"), "none")
            for number, document in enumerate(params.get(member) or (), 1)
        ]
    except PolicyError as wrong:
        raise _invalid(f"{wrong}.") from wrong


def _given_boundary(params: Params) -> Applied | None:
    found = _given(params, "PermissionsBoundaryPolicyInputList")
    if len(found) > 1:
        raise _invalid("PermissionsBoundaryPolicyInputList holds one policy at most.")
    return found[0] if found else None


def _simulated(policies: Sequence[Applied], boundary: Applied | None, params: Params, caller: Caller) -> Params:
    for member, what in (
        ("ResourcePolicy", "resource-based policies"),
        ("ResourceHandlingOption", "EC2 scenarios of several resources"),
    ):
        if params.get(member):
            raise _invalid(f"The embedded AWS cannot simulate {what} yet ({member}). Leave it out.")
    if params.get("ResourceOwner") not in (None, caller.account, f"arn:aws:iam::{caller.account}:root"):
        raise _invalid("The embedded AWS has one account, which owns every resource (ResourceOwner). Leave it out.")
    actions, resources = params["ActionNames"], params.get("ResourceArns") or ["*"]
    for action in actions:
        if not _ACTION.fullmatch(action):
            raise _invalid(f"Invalid action name: {action}. An action is written as service:Operation.")
    for resource in resources:
        if resource != "*" and resource.count(":") < 5:
            raise _invalid(f"Invalid resource: {resource}. A resource is * or an ARN.")
    if len(actions) * len(resources) > MOST_PAIRS:
        raise _invalid(f"At most {MOST_PAIRS:,} combinations of an action and a resource can be simulated at once.")
    first, most = _marker(params, len(actions)), params.get("MaxItems") or PAGE
    documents, context = [one.policy for one in policies], _context(params.get("ContextEntries") or ())
    kinds = {one.policy.name: one.kind for one in (*policies, *([boundary] if boundary else ()))}
    results = []
    for action in actions[first : first + most]:
        try:
            decisions = [
                evaluate(documents, action, resource, context, boundary.policy if boundary else None)
                for resource in resources
            ]
        except PolicyError as wrong:
            raise ServiceError("PolicyEvaluation", f"{wrong}.", 400) from wrong
        results.append(_result(action, resources, decisions, kinds))
    rest = first + most
    more = rest < len(actions)
    return {"EvaluationResults": results, "IsTruncated": more, **({"Marker": str(rest)} if more else {})}


def _marker(params: Params, actions: int) -> int:
    marker = params.get("Marker") or "0"
    if not marker.isdecimal() or int(marker) >= max(actions, 1):
        raise _invalid("Invalid Marker.")
    return int(marker)


def _context(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    for one in entries:
        if not one.get("ContextKeyName") or not one.get("ContextKeyType"):
            raise _invalid("Each of ContextEntries needs ContextKeyName, ContextKeyValues and ContextKeyType.")
        if not one["ContextKeyType"].endswith("List") and len(one.get("ContextKeyValues") or ()) != 1:
            raise _invalid(f"The context key {one['ContextKeyName']} of type {one['ContextKeyType']} has one value.")
    return {one["ContextKeyName"]: list(one.get("ContextKeyValues") or ()) for one in entries}


def _result(action: str, resources: Sequence[str], decisions: Sequence[Decision], kinds: Mapping[str, str]) -> Params:
    """One result an action: the most restrictive decision of all resources, and each of them where they were named."""
    outcome = next(one for one in _SEVEREST if any(decision.outcome is one for decision in decisions))
    decisive = [decision for decision in decisions if decision.outcome is outcome]
    statements = dict.fromkeys(matched for decision in decisive for matched in decision.matched)
    result: Params = {
        "EvalActionName": action,
        "EvalResourceName": "*",
        "EvalDecision": outcome.value,
        "MatchedStatements": [_statement(one.policy, kinds) for one in statements],
        "MissingContextValues": sorted({key for decision in decisions for key in decision.missing}),
    }
    boundaries = [decision.allowed_by_boundary for decision in decisions]
    if None not in boundaries:
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": all(boundaries)}
    if list(resources) != ["*"]:
        result["ResourceSpecificResults"] = [
            _specific(resource, decision, kinds) for resource, decision in zip(resources, decisions, strict=True)
        ]
    return result


def _specific(resource: str, decision: Decision, kinds: Mapping[str, str]) -> Params:
    result: Params = {
        "EvalResourceName": resource,
        "EvalResourceDecision": decision.outcome.value,
        "MatchedStatements": [_statement(one.policy, kinds) for one in decision.matched],
        "MissingContextValues": list(decision.missing),
    }
    if decision.allowed_by_boundary is not None:
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": decision.allowed_by_boundary}
    return result


def _statement(policy: str, kinds: Mapping[str, str]) -> Params:
    return {"SourcePolicyId": policy, "SourcePolicyType": kinds[policy]}
