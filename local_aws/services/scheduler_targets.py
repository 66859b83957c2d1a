"""What a schedule can start: AWS's operations ("universal targets"), those of them that really happen here.

A target is called as the schedule's role: the role must be there, trust EventBridge Scheduler, and its policies must
allow the operation on what it names, judged as IAM judges them, with the resource's tags.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.validate import ParamValidator

from dashboard.core.iam.evaluate import PolicyError, evaluate
from local_aws.account_facts import AccountFacts
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto
from local_aws.protocol import Caller, Service
from local_aws.services import sagemaker_constraints
from local_aws.services.iam_policies import entity

PRINCIPAL = "scheduler.amazonaws.com"
PREFIX = "arn:aws:scheduler:::aws-sdk:"

Params = dict[str, Any]


@dataclass(frozen=True)
class Doable:
    """An operation that a schedule can call; `names`: the ARNs of what a request is about."""

    service: str
    operation: str
    names: Callable[[Params, Caller], Sequence[str]]


def _sagemaker(kind: str, member: str) -> Callable[[Params, Caller], Sequence[str]]:
    return lambda params, caller: [f"arn:aws:sagemaker:{caller.region}:{caller.account}:{kind}/{params[member]}"]


def _instances(params: Params, caller: Caller) -> Sequence[str]:
    return [f"arn:aws:ec2:{caller.region}:{caller.account}:instance/{one}" for one in params["InstanceIds"]]


DOABLE = {
    "sagemaker:deleteEndpoint": Doable("sagemaker", "DeleteEndpoint", _sagemaker("endpoint", "EndpointName")),
    "sagemaker:updateEndpointWeightsAndCapacities": Doable(
        "sagemaker", "UpdateEndpointWeightsAndCapacities", _sagemaker("endpoint", "EndpointName")
    ),
    "sagemaker:stopTrainingJob": Doable("sagemaker", "StopTrainingJob", _sagemaker("training-job", "TrainingJobName")),
    "ec2:stopInstances": Doable("ec2", "StopInstances", _instances),
    "ec2:terminateInstances": Doable("ec2", "TerminateInstances", _instances),
}

Called = Callable[[Service, str, Params, Caller], None]


class Targets:
    """services: by their name in botocore; called(service, operation, params, caller): told of each that was done."""

    def __init__(
        self, services: Mapping[str, Service], moto: Moto, facts: AccountFacts, called: Called | None = None
    ) -> None:
        self._services = services
        self._moto = moto
        self._facts = facts
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
        doable = DOABLE[target["Arn"].removeprefix(PREFIX)]
        service = self._services[doable.service]
        region, account = schedule_arn.split(":")[3:5]
        role = target["RoleArn"].rpartition("/")[2]
        caller = Caller(account, region, "", f"arn:aws:sts::{account}:assumed-role/{role}/AmazonEventBridgeScheduler")
        params = _read(target)
        shape = service.model.operation_model(doable.operation).input_shape
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            raise ServiceError("ValidationException", report.generate_report())
        if doable.service == "sagemaker":
            sagemaker_constraints.check(shape, params)
        self._check_rights(doable, params, caller, target["RoleArn"], schedule_arn)
        getattr(service, xform_name(doable.operation))(params, caller)
        if self._called:
            self._called(service, doable.operation, params, caller)

    def _check_rights(self, doable: Doable, params: Params, caller: Caller, role: str, schedule_arn: str) -> None:
        action = f"{doable.service}:{doable.operation}"
        if not self._facts.role_exists(role, PRINCIPAL, schedule_arn):
            raise _denied(caller, action, f"its role {role} is not there, or does not trust {PRINCIPAL} any more")
        applied = entity(self._moto, role)
        policies = [one.policy for one in applied.policies]
        boundary = applied.boundary.policy if applied.boundary else None
        for resource in doable.names(params, caller):
            tags = {f"aws:ResourceTag/{key}": value for key, value in self._tags(resource, caller).items()}
            try:
                allowed = evaluate(policies, action, resource, tags, boundary).allowed
            except PolicyError as wrong:
                raise _denied(caller, action, str(wrong)) from wrong
            if not allowed:
                raise _denied(caller, action, f"no policy of {role} allows it on {resource}")

    def _tags(self, resource: str, caller: Caller) -> dict[str, str]:
        """The tags of a resource; none for one that is not there."""
        found: list[Mapping[str, str]] = []
        with suppress(ServiceError):
            if ":ec2:" in resource:
                asked = {"InstanceIds": [resource.rpartition("/")[2]]}
                told = self._services["ec2"].describe_instances(asked, caller)  # type: ignore[attr-defined]
                found = told["Reservations"][0]["Instances"][0].get("Tags", [])
            else:
                told = self._services["sagemaker"].list_tags({"ResourceArn": resource}, caller)  # type: ignore[attr-defined]
                found = told["Tags"]
        return {one["Key"]: one["Value"] for one in found}


def _read(target: Mapping[str, Any]) -> Params:
    try:
        params = json.loads(target.get("Input") or "{}")
    except (ValueError, RecursionError):
        params = None
    if not isinstance(params, dict):
        raise ServiceError("ValidationException", "The Input of the Target is not a JSON object.")
    return params


def _denied(caller: Caller, action: str, why: str) -> ServiceError:
    return ServiceError(
        "AccessDeniedException", f"User: {caller.arn} is not authorized to perform: {action}: {why}", 403
    )
