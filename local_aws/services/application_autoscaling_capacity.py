"""The capacities that are scaled: read and set by the operations of their own services, as a service-linked role."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore import xform_name

from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.services.application_autoscaling_request import FUNCTION, INSTANCES, SERVERLESS, Resource, invalid

PRINCIPAL = "application-autoscaling.amazonaws.com"
NO_INSTANCES = ("ml.t2.", "ml.t3.", "ml.t3a.", "ml.t4g.")
"""Burstable types, which SageMaker does not scale (SageMaker Developer Guide, "Configure model auto scaling")."""

Params = dict[str, Any]
Done = Callable[[Service, str, Params, Caller], None]


@dataclass(frozen=True)
class Reading:
    """How many there are to be (desired), and whether they are (stable: nothing is being changed).

    failure: why they never will be, "" where they may; undone: why a change was taken back, "" where none was.
    """

    desired: int
    stable: bool
    failure: str = ""
    undone: str = ""


class Capacity(Protocol):
    """One dimension's. Every method raises ServiceError as the service that is asked does."""

    def check(self, resource: Resource) -> None:
        """Raises ServiceError ValidationException for a resource that cannot be scaled."""

    def read(self, resource: Resource) -> Reading | None:
        """None for a resource that is not there any more."""

    def set(self, resource: Resource, number: int) -> None: ...


class Asked:
    """Calls the operations of a service in this process. done: told of each change, as CloudTrail wants to know."""

    def __init__(self, service: Service, role: str, done: Done | None) -> None:
        self._service = service
        self._role = role
        self._done = done

    def __call__(self, resource: Resource, operation: str, **params: Any) -> Params:
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{self._role}/AutoScaling"
        caller = Caller(ACCOUNT, resource.region, "", arn)
        answer: Params = getattr(self._service, xform_name(operation))(params, caller)
        if self._done and not operation.startswith(("Describe", "Get")):
            self._done(self._service, operation, params, caller)
        return answer or {}


def role_name(resource: Resource) -> str:
    """The service-linked role as which a resource is scaled."""
    return f"AWSServiceRoleForApplicationAutoScaling_{resource.dimension.role}"


class Variants:
    """Instances of the variants of SageMaker's endpoints, and the provisioned concurrency of serverless ones."""

    def __init__(self, sagemaker: Service, done: Done | None) -> None:
        self._ask = Asked(sagemaker, f"AWSServiceRoleForApplicationAutoScaling_{INSTANCES.role}", done)

    def check(self, resource: Resource) -> None:
        endpoint, variant = self._variant(resource)
        if endpoint is None or variant is None:
            raise invalid(f"SageMaker endpoint variant doesn't exist: {resource.id}")
        if endpoint["EndpointStatus"] not in ("InService", "Updating", "SystemUpdating", "RollingBack"):
            name = resource.parts["endpoint"]
            raise invalid(f'The endpoint "{name}" is {endpoint["EndpointStatus"]}, not InService: it cannot be scaled.')
        config = self._config(resource, endpoint)
        if bool(config.get("ServerlessConfig")) != (resource.dimension is SERVERLESS):
            raise invalid(
                f"{resource.dimension.name} does not belong to {resource.id}, a variant "
                f"{'without' if resource.dimension is SERVERLESS else 'with'} ServerlessConfig."
            )
        kind = config.get("InstanceType") or ""
        if kind.startswith(NO_INSTANCES):
            raise invalid(
                f"Automatic scaling is not supported for burstable performance instances: {resource.id} has {kind}."
            )

    def read(self, resource: Resource) -> Reading | None:
        endpoint, variant = self._variant(resource)
        if endpoint is None or variant is None or endpoint["EndpointStatus"] == "Deleting":
            return None
        stable, said = endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason") or ""
        failure = said or "the endpoint failed" if endpoint["EndpointStatus"] == "Failed" else ""
        if resource.dimension is SERVERLESS:
            config = variant.get("DesiredServerlessConfig") or variant.get("CurrentServerlessConfig") or {}
            return Reading(config.get("ProvisionedConcurrency") or 0, stable, failure, said)
        return Reading(variant["DesiredInstanceCount"], stable, failure, said)

    def set(self, resource: Resource, number: int) -> None:
        change: Params = {"VariantName": resource.parts["variant"]}
        if resource.dimension is SERVERLESS:
            change["ServerlessUpdateConfig"] = {"ProvisionedConcurrency": number}
        else:
            change["DesiredInstanceCount"] = number
        self._ask(
            resource,
            "UpdateEndpointWeightsAndCapacities",
            EndpointName=resource.parts["endpoint"],
            DesiredWeightsAndCapacities=[change],
        )

    def _variant(self, resource: Resource) -> tuple[Params | None, Params | None]:
        try:
            endpoint = self._ask(resource, "DescribeEndpoint", EndpointName=resource.parts["endpoint"])
        except ServiceError as error:
            if error.code == "ValidationException":  # SageMaker's way to say that it is not there
                return None, None
            raise
        name = resource.parts["variant"]
        variants = endpoint.get("ProductionVariants") or ()
        return endpoint, next((one for one in variants if one["VariantName"] == name), None)

    def _config(self, resource: Resource, endpoint: Mapping[str, Any]) -> Params:
        """The variant as the endpoint's configuration has it; nothing of it where that was deleted."""
        try:
            found = self._ask(resource, "DescribeEndpointConfig", EndpointConfigName=endpoint["EndpointConfigName"])
        except ServiceError as error:
            if error.code == "ValidationException":
                return {}
            raise
        name = resource.parts["variant"]
        return next((one for one in found["ProductionVariants"] if one["VariantName"] == name), {})


class Functions:
    """The provisioned concurrency of Lambda's aliases and versions."""

    def __init__(self, functions: Service, done: Done | None) -> None:
        self._ask = Asked(functions, f"AWSServiceRoleForApplicationAutoScaling_{FUNCTION.role}", done)

    def check(self, resource: Resource) -> None:
        try:
            self._ask(resource, "GetFunctionConfiguration", **_named(resource))
        except ServiceError as error:
            if error.status == 404:
                raise invalid(f"Lambda function alias or version doesn't exist: {resource.id}") from error
            raise

    def read(self, resource: Resource) -> Reading | None:
        try:
            told = self._ask(resource, "GetProvisionedConcurrencyConfig", **_named(resource))
        except ServiceError as error:
            if error.code == "ProvisionedConcurrencyConfigNotFoundException":
                return Reading(0, stable=True)
            if error.status == 404:
                return None
            raise
        failure = told.get("StatusReason") or "the environments failed" if told["Status"] == "FAILED" else ""
        wanted = told["RequestedProvisionedConcurrentExecutions"]
        return Reading(wanted, told["Status"] == "READY", failure)

    def set(self, resource: Resource, number: int) -> None:
        if number:
            wanted = {"ProvisionedConcurrentExecutions": number}
            self._ask(resource, "PutProvisionedConcurrencyConfig", **_named(resource), **wanted)
        else:
            self._ask(resource, "DeleteProvisionedConcurrencyConfig", **_named(resource))


def _named(resource: Resource) -> Params:
    return {"FunctionName": resource.parts["function"], "Qualifier": resource.parts["qualifier"]}


def capacities(services: Mapping[str, Service], done: Done | None = None) -> dict[str, Capacity]:
    """By dimension. services: those of this embedded AWS by botocore's name; what needs another is not scaled."""
    found: dict[str, Capacity] = {}
    if "sagemaker" in services:
        found |= dict.fromkeys((INSTANCES.name, SERVERLESS.name), Variants(services["sagemaker"], done))
    if "lambda" in services:
        found[FUNCTION.name] = Functions(services["lambda"], done)
    return found
