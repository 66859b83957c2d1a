"""What a schedule can start: AWS's operations ("universal targets"), those of them that really happen here.

A target is called as the schedule's role: the role must be there, trust EventBridge Scheduler, and its policies must
allow the operation on what it names, judged as IAM judges them, with the resource's tags.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from botocore import xform_name
from botocore.validate import ParamValidator

from dashboard.core.iam.requests import rights_of
from dashboard.core.iam.rights import Where
from local_aws.account_facts import AccountFacts
from local_aws.authorize import Authority, Circumstances
from local_aws.errors import ServiceError
from local_aws.principal import session_of
from local_aws.protocol import Caller, Service
from local_aws.services import sagemaker_constraints

PRINCIPAL = "scheduler.amazonaws.com"
SESSION = "AmazonEventBridgeScheduler"
"""What EventBridge Scheduler calls its sessions of roles."""
PREFIX = "arn:aws:scheduler:::aws-sdk:"

Params = dict[str, Any]


DOABLE = {
    "sagemaker:deleteEndpoint": ("sagemaker", "DeleteEndpoint"),
    "sagemaker:updateEndpointWeightsAndCapacities": ("sagemaker", "UpdateEndpointWeightsAndCapacities"),
    "sagemaker:stopTrainingJob": ("sagemaker", "StopTrainingJob"),
    "ec2:stopInstances": ("ec2", "StopInstances"),
    "ec2:terminateInstances": ("ec2", "TerminateInstances"),
}
"""By what AWS calls the target: service and operation as botocore names them."""

Called = Callable[[Service, str, Params, Caller], None]


class Targets:
    """services: by their name in botocore; called(service, operation, params, caller): told of each that was done."""

    def __init__(
        self,
        services: Mapping[str, Service],
        authority: Authority,
        facts: AccountFacts,
        now: Callable[[], datetime],
        called: Called | None = None,
    ) -> None:
        self._services = services
        self._authority = authority
        self._facts = facts
        self._now = now
        self._called = called

    def check(self, target: Mapping[str, Any], schedule_arn: str) -> None:
        """Raises ServiceError ValidationException for a target that could not be called."""
        arn = target["Arn"]
        what = arn.removeprefix(PREFIX)
        if what == arn or what not in DOABLE:
            raise ServiceError(
                "ValidationException",
                f"The embedded AWS cannot invoke {arn} yet (Target.Arn). It can do: {', '.join(sorted(DOABLE))}, each "
                f"after {PREFIX}",
            )
        _read(target)
        if not self._facts.role_exists(target["RoleArn"], PRINCIPAL, schedule_arn):
            raise ServiceError(
                "ValidationException",
                "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
            )

    def call(self, target: Mapping[str, Any], schedule_arn: str) -> None:
        """Do it. Raises ServiceError as the operation does, or AccessDeniedException when the role may not."""
        name, operation = DOABLE[target["Arn"].removeprefix(PREFIX)]
        service = self._services[name]
        region, account = schedule_arn.split(":")[3:5]
        session = session_of(target["RoleArn"], SESSION)
        caller = Caller(account, region, "", session.arn, session)
        params = _read(target)
        shape = service.model.operation_model(operation).input_shape
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            raise ServiceError("ValidationException", report.generate_report())
        if name == "sagemaker":
            sagemaker_constraints.check(shape, params)
        self._check_rights(name, operation, params, caller, schedule_arn)
        getattr(service, xform_name(operation))(params, caller)
        if self._called:
            self._called(service, operation, params, caller)

    def _check_rights(self, service: str, operation: str, params: Params, caller: Caller, schedule_arn: str) -> None:
        role = caller.who.identity
        if not self._facts.role_exists(role, PRINCIPAL, schedule_arn):
            raise ServiceError(
                "AccessDeniedException",
                f"User: {caller.arn} is not authorized to perform: {service}:{operation}: its role {role} is not "
                f"there, or does not trust {PRINCIPAL} any more",
                403,
            )
        rights = rights_of(service, operation, params, Where(caller.account, caller.region))
        why_not = self._authority.refusal(caller.who, rights, Circumstances(self._now(), caller.region, ""))
        if why_not:
            raise ServiceError("AccessDeniedException", why_not, 403)


def _read(target: Mapping[str, Any]) -> Params:
    try:
        params = json.loads(target.get("Input") or "{}")
    except (ValueError, RecursionError):
        params = None
    if not isinstance(params, dict):
        raise ServiceError("ValidationException", "The Input of the Target is not a JSON object.")
    return params
