"""SageMaker's models and endpoint configurations: what an endpoint can be made of."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local_aws.engine.endpoint import ModelFiles, Serverless, Variant
from local_aws.engine.errors import EngineError
from local_aws.engine.objects import Location, Objects
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.sagemaker_base import arn_of, merged
from local_aws.services.sagemaker_model_registry import ModelRegistry
from local_aws.services.sagemaker_refusals import ENDPOINT_CONFIG, MODEL, refuse
from local_aws.services.sagemaker_resources import Document, Resources, moment

_INSTANCES = ("InstanceType", "InitialInstanceCount")


class Models(ModelRegistry):
    """The operations on models and endpoint configurations. The class that completes it sets `objects` and `now`."""

    objects: Objects
    now: Callable[[], float] = staticmethod(time.time)

    def create_model(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        refuse(params, MODEL)
        container = params.get("PrimaryContainer") or next(iter(params.get("Containers", ())), None)
        if container is None or ("PrimaryContainer" in params and params.get("Containers")):
            raise _wrong("A model needs either PrimaryContainer or Containers.")
        container = self._resolved(container, caller)
        if not container.get("Image"):
            raise _wrong("The container needs an Image.")
        params = {**params, "Container": container}  # a package may be gone by the time that an endpoint starts
        files = _files(container)
        if files:
            self._check_data(files, params.get("ExecutionRoleArn", ""), caller.region)
        return {"ModelArn": self._add(self.models, "Model", params, caller)}

    def describe_model(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return _told(self._find(self.models, "model", params["ModelName"], caller))

    def list_models(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found, more = self.models.page(caller.region, params, newest_first=True)
        return {"Models": [_told(one) for one in found], **more}

    def delete_model(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        self.models.remove(self._find(self.models, "model", params["ModelName"], caller)["ModelArn"])
        return {}

    def create_endpoint_config(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        refuse(params, ENDPOINT_CONFIG)
        variants = [{"InitialVariantWeight": 1.0, **variant} for variant in params["ProductionVariants"]]
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) < len(names):
            raise _wrong("Two production variants have the same name.")
        if not any(variant["InitialVariantWeight"] > 0 for variant in variants):
            raise _wrong("At least one production variant needs an InitialVariantWeight above 0.")
        for variant in variants:
            if variant.get("ServerlessConfig"):
                _check_serverless(variant, variants)
            for member in ("ModelName", *(() if variant.get("ServerlessConfig") else _INSTANCES)):
                if not variant.get(member):
                    raise _wrong(f"The production variant {variant['VariantName']} needs a {member}.")
            self._find(self.models, "model", variant["ModelName"], caller)
        params = {**params, "ProductionVariants": variants}
        return {"EndpointConfigArn": self._add(self.endpoint_configs, "EndpointConfig", params, caller)}

    def describe_endpoint_config(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        name = params["EndpointConfigName"]
        return _told(self._find(self.endpoint_configs, "endpoint configuration", name, caller))

    def list_endpoint_configs(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found, more = self.endpoint_configs.page(caller.region, params, newest_first=True)
        return {"EndpointConfigs": [_told(one) for one in found], **more}

    def delete_endpoint_config(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        name = params["EndpointConfigName"]
        found = self._find(self.endpoint_configs, "endpoint configuration", name, caller)
        self.endpoint_configs.remove(found["EndpointConfigArn"])
        return {}

    def variants_of(self, config: Document, caller: Caller) -> tuple[Variant, ...]:
        """What an endpoint of this configuration is to run. Raises ServiceError when a model is gone."""
        variants = []
        for one in config["ProductionVariants"]:
            model = self._find(self.models, "model", one["ModelName"], caller)
            container = model.get("Container") or model.get("PrimaryContainer") or model["Containers"][0]
            variants.append(
                Variant(
                    one["VariantName"],
                    _files(container),
                    container.get("Environment", {}),
                    one.get("InitialInstanceCount", 0),
                    one["InitialVariantWeight"],
                    one.get("InstanceType", ""),
                    container["Image"],
                    one.get("ContainerStartupHealthCheckTimeoutInSeconds"),
                    model.get("ExecutionRoleArn", ""),
                    _serverless(one),
                    one.get("RoutingConfig", {}).get("RoutingStrategy", ""),
                )
            )
        return tuple(variants)

    def _resolved(self, container: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
        """The container with what its model package says; its own Environment wins."""
        if not container.get("ModelPackageName"):
            return container
        if container.get("Image") or container.get("ModelDataUrl") or container.get("ModelDataSource"):
            raise _wrong("A container has either a ModelPackageName or an Image with its model data.")
        packaged = self.container_of(container["ModelPackageName"], caller)
        environment = {**packaged.get("Environment", {}), **container.get("Environment", {})}
        return {**packaged, "Environment": environment}

    def _add(self, resources: Resources, kind: str, params: Mapping[str, Any], caller: Caller) -> str:
        arn = arn_of(resources.kind, params[f"{kind}Name"], caller)
        document = {
            **{name: value for name, value in params.items() if name != "Tags"},
            f"{kind}Arn": arn,
            "CreationTime": self.now(),
            "Tags": merged((), params.get("Tags", ())),
        }
        if not resources.add(arn, document):
            words = {"Model": "model", "EndpointConfig": "endpoint configuration"}[kind]
            raise _wrong(f'Cannot create already existing {words} "{arn}".')
        return arn

    def _find(self, resources: Resources, words: str, name: str, caller: Caller) -> Document:
        arn = arn_of(resources.kind, name, caller)
        found = resources.get(arn)
        if found is None:
            raise _wrong(f'Could not find {words} "{arn}".')
        return found

    def _check_data(self, files: ModelFiles, role: str, region: str) -> None:
        source, objects = files.source, self.storage_of(role, region)
        try:
            if files.packed:
                objects.get(source.bucket, source.key)
                return
            if objects.find(source.bucket, source.key):
                return
        except ServiceError:
            pass
        raise _wrong(
            f'Could not access model data at {source.uri}. Please ensure that the role "{role}" exists and has '
            f"s3:GetObject permissions, and that the object is located in {region}."
        )


def _serverless(variant: Mapping[str, Any]) -> Serverless | None:
    config = variant.get("ServerlessConfig")
    if not config:
        return None
    return Serverless(config["MemorySizeInMB"], config["MaxConcurrency"], config.get("ProvisionedConcurrency", 0))


def _check_serverless(variant: Mapping[str, Any], variants: Sequence[Any]) -> None:
    """Raises ServiceError for what the Developer Guide ("Serverless Inference", feature exclusions) rules out."""
    name, config = variant["VariantName"], variant["ServerlessConfig"]
    if len(variants) > 1:
        raise _wrong("An endpoint with a serverless variant can have no other variant.")
    if given := [member for member in _INSTANCES if variant.get(member)]:
        raise _wrong(f"The production variant {name} is serverless: it cannot have {' and '.join(given)}.")
    if config["MemorySizeInMB"] % 1024:
        raise _wrong("MemorySizeInMB must be one of 1024, 2048, 3072, 4096, 5120 and 6144.")
    if config.get("ProvisionedConcurrency", 0) > config["MaxConcurrency"]:
        raise _wrong("ProvisionedConcurrency must be at most MaxConcurrency.")


def _wrong(sentence: str) -> ServiceError:
    return ServiceError("ValidationException", sentence)


def _files(container: Mapping[str, Any]) -> ModelFiles | None:
    """Where a container's model data lies. Raises ServiceError for an address that is not S3's."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    try:
        if source:
            packed = source["CompressionType"] == "Gzip"
            if packed != (source["S3DataType"] == "S3Object"):
                raise _wrong("ModelDataSource takes S3Object with Gzip, or S3Prefix with None.")
            return ModelFiles(Location.parse(source["S3Uri"]), packed)
        if container.get("ModelDataUrl"):
            return ModelFiles(Location.parse(container["ModelDataUrl"]), packed=True)
    except EngineError as error:
        raise _wrong(str(error)) from error
    return None


def _told(document: Document) -> dict[str, Any]:
    """The document as a response: moto leaves out what the operation's shape does not have."""
    return {**document, "CreationTime": moment(document["CreationTime"])}
