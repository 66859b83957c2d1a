"""What all of SageMaker's operations share: the resources, their ARNs and tags, and the checks of a request."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.model import OperationModel
from starlette.requests import Request

from local_aws.engine.as_role import AsRole
from local_aws.engine.objects import Objects
from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.services import sagemaker_constraints
from local_aws.services.sagemaker_resources import Document, Resources
from local_aws.store import Store

MOST_TAGS = 50


class SageMakerBase(Service):
    """The resources of SageMaker by kind, and the operations on their tags. Who completes it sets `objects`."""

    name = "sagemaker"
    objects: Objects
    as_role: AsRole | None = None

    def storage_of(self, role: str, region: str) -> Objects:
        """S3 as a role finds it."""
        return self.as_role.storage(role, region, self.objects) if self.as_role else self.objects

    def __init__(self, store: Store) -> None:
        self.training_jobs = Resources(store, "training-job")
        self.tuning_jobs = Resources(store, "hyper-parameter-tuning-job")
        self.models = Resources(store, "model")
        self.endpoint_configs = Resources(store, "endpoint-config")
        self.endpoints = Resources(store, "endpoint")
        self.model_package_groups = Resources(store, "model-package-group")
        self.model_packages = Resources(store, "model-package")
        self.notebooks = Resources(store, "notebook-instance")
        self.lifecycle_configs = Resources(store, "notebook-instance-lifecycle-config")
        self._switching = threading.RLock()  # a notebook instance is looked at and sent on its way as one step
        self._changed_notebook = threading.Event()
        self._registering = threading.Lock()  # versions are counted, and a group is deleted only when it is empty
        served = (self.models, self.endpoint_configs, self.endpoints, self.model_package_groups, self.model_packages)
        kinds = (self.training_jobs, self.tuning_jobs, *served, self.notebooks, self.lifecycle_configs)
        self._by_kind = {one.kind: one for one in kinds}

    def parse(self, request: Request, operation: OperationModel, body: bytes) -> dict[str, Any]:
        params = super().parse(request, operation, body)
        sagemaker_constraints.check(operation.input_shape, params)
        return params

    def add_tags(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        def change(document: Document) -> Document:
            return {**document, "Tags": merged(document.get("Tags", ()), params["Tags"])}

        return {"Tags": self._tagged(params, caller).change(params["ResourceArn"], change)["Tags"]}  # type: ignore[index]

    def list_tags(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        # all of them fit on one page, so there is never a NextToken
        document = self._tagged(params, caller).get(params["ResourceArn"]) or {}
        return {"Tags": document.get("Tags", [])}

    def delete_tags(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        def change(document: Document) -> Document:
            kept = [tag for tag in document.get("Tags", ()) if tag["Key"] not in params["TagKeys"]]
            return {**document, "Tags": kept}

        self._tagged(params, caller).change(params["ResourceArn"], change)
        return {}

    def _tagged(self, params: Mapping[str, Any], caller: Caller) -> Resources:
        """The resources among which the ARN is. Raises ServiceError ValidationException when it is not there."""
        arn = params["ResourceArn"]
        region, account, rest = (*arn.split(":", 5), "", "", "", "", "")[3:6]
        resources = self._by_kind.get(rest.partition("/")[0])
        if (region, account) != (caller.region, caller.account) or resources is None or resources.get(arn) is None:
            raise ServiceError("ValidationException", f"Could not find a resource with the ARN {arn}.")
        return resources


def arn_of(kind: str, name: str, caller: Caller) -> str:
    return f"arn:aws:sagemaker:{caller.region}:{caller.account}:{kind}/{name}"


def merged(before: Iterable[Mapping[str, str]], added: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Tags with others added to them; a key that is there gets the new value. Raises ServiceError for too many."""
    added = list(added)
    if len({tag["Key"] for tag in added}) < len(added):
        raise ServiceError("ValidationException", "Duplicate tag keys found. Each key can be given once.")
    if any(tag["Key"].lower().startswith("aws:") for tag in added):
        raise ServiceError("ValidationException", "Tag keys that begin with aws: are AWS's own.")
    tags = {tag["Key"]: tag["Value"] for tag in (*before, *added)}
    if len(tags) > MOST_TAGS:
        raise ServiceError("ValidationException", f"A resource can have {MOST_TAGS} tags, not {len(tags)}.")
    return [{"Key": key, "Value": value} for key, value in tags.items()]
