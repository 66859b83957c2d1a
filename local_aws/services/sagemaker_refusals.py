"""What SageMaker can do and the embedded AWS cannot: refused by name, never accepted and then left undone."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.errors import ServiceError


def _given(value: Any) -> bool:
    return value not in (None, False, "", 0, [], {})


@dataclass(frozen=True)
class Refusal:
    """A member of a request (path: "InputDataConfig[].ShuffleConfig"), what it would mean, and when that matters."""

    path: str
    what: str
    matters: Callable[[Any], bool] = _given


def refuse(params: Mapping[str, Any], refusals: tuple[Refusal, ...]) -> None:
    """Raises ServiceError ValidationException for the first member that cannot be honoured."""
    for refusal in refusals:
        if any(refusal.matters(value) for value in _values(params, refusal.path.split("."))):
            raise ServiceError(
                "ValidationException",
                f"The embedded AWS cannot do {refusal.what} yet ({refusal.path.replace('[]', '')}). "
                "Leave it out, or use a real AWS account for it.",
            )


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
        return
    name, *rest = path
    if not isinstance(value, Mapping):
        return
    found = value.get(name.removesuffix("[]"))
    if name.endswith("[]"):
        for item in found or ():
            yield from _values(item, rest)
    elif found is not None:
        yield from _values(found, rest)


def other_than(*allowed: Any) -> Callable[[Any], bool]:
    return lambda value: value not in allowed


TRAINING = (
    Refusal("ResourceConfig.InstanceGroups", "instance groups"),
    Refusal("ResourceConfig.InstancePreferences", "instance preferences"),
    Refusal("ResourceConfig.InstancePlacementConfig", "instance placement"),
    Refusal("ResourceConfig.TrainingPlanArn", "training plans"),
    Refusal("ResourceConfig.KeepAlivePeriodInSeconds", "warm pools"),
    Refusal("ResourceConfig.VolumeKmsKeyId", "encryption with a KMS key"),
    Refusal("OutputDataConfig.KmsKeyId", "encryption with a KMS key"),
    Refusal("EnableNetworkIsolation", "network isolation"),
    Refusal("AlgorithmSpecification.AlgorithmName", "algorithm resources"),
    Refusal("AlgorithmSpecification.TrainingInputMode", "pipe input", other_than("File", "FastFile")),
    Refusal(
        "AlgorithmSpecification.TrainingImageConfig.TrainingRepositoryAccessMode",
        "images from a private registry",
        other_than("Platform"),
    ),
    Refusal("InputDataConfig[].InputMode", "pipe input", other_than("File", "FastFile")),
    Refusal("InputDataConfig[].DataSource.FileSystemDataSource", "file system data sources"),
    Refusal("InputDataConfig[].DataSource.DatasetSource", "data set sources"),
    Refusal(
        "InputDataConfig[].DataSource.S3DataSource.S3DataType",
        "manifests and anything else but S3Prefix",
        other_than("S3Prefix"),
    ),
    Refusal("InputDataConfig[].DataSource.S3DataSource.HubAccessConfig", "hub content"),
    Refusal("InputDataConfig[].CompressionType", "compressed channels", other_than("None")),
    Refusal("InputDataConfig[].RecordWrapperType", "RecordIO", other_than("None")),
    Refusal("InputDataConfig[].ShuffleConfig", "shuffling"),
    Refusal("StoppingCondition.MaxPendingTimeInSeconds", "a limit on pending time"),
    Refusal("RetryStrategy", "retries"),
    Refusal("DebugHookConfig", "the debugger"),
    Refusal("DebugRuleConfigurations", "the debugger"),
    Refusal("ProfilerRuleConfigurations", "profiler rules"),
    Refusal("TensorBoardOutputConfig", "TensorBoard output"),
    Refusal("ExperimentConfig", "experiments"),
    Refusal("RemoteDebugConfig.EnableRemoteDebug", "remote debugging"),
    Refusal("InfraCheckConfig.EnableInfraCheck", "infrastructure checks"),
    Refusal("SessionChainingConfig.EnableSessionTagChaining", "session tag chaining"),
    Refusal("ServerlessJobConfig", "serverless jobs"),
    Refusal("MlflowConfig", "MLflow"),
    Refusal("ModelPackageConfig", "model packages"),
)

UPDATE = (
    Refusal("ResourceConfig.KeepAlivePeriodInSeconds", "warm pools"),
    Refusal("ProfilerConfig", "the profiler", other_than({}, {"DisableProfiler": True})),
    Refusal("ProfilerRuleConfigurations", "profiler rules"),
    Refusal("RemoteDebugConfig.EnableRemoteDebug", "remote debugging"),
)

_CONTAINER = (
    ("Mode", "multi-model containers", other_than("SingleModel")),
    ("AdditionalModelDataSources", "additional model data", _given),
    ("ImageConfig.RepositoryAccessMode", "images from a private registry", other_than("Platform")),
    ("ModelDataSource.S3DataSource.ManifestS3Uri", "model data manifests", _given),
    ("ModelDataSource.S3DataSource.HubAccessConfig", "hub content", _given),
)

MODEL = (
    Refusal("Containers", "inference pipelines of several containers", lambda containers: len(containers) > 1),
    Refusal("VpcConfig", "models inside a VPC"),
    Refusal("EnableNetworkIsolation", "network isolation"),
    *(Refusal(f"PrimaryContainer.{path}", what, matters) for path, what, matters in _CONTAINER),
    *(Refusal(f"Containers[].{path}", what, matters) for path, what, matters in _CONTAINER),
)

ENDPOINT_CONFIG = (
    Refusal("DataCaptureConfig.EnableCapture", "data capture"),
    Refusal("KmsKeyId", "encryption with a KMS key"),
    Refusal("AsyncInferenceConfig", "asynchronous inference"),
    Refusal("ExplainerConfig", "explanations"),
    Refusal("ShadowProductionVariants", "shadow variants"),
    Refusal("VpcConfig", "endpoints inside a VPC"),
    Refusal("EnableNetworkIsolation", "network isolation"),
    Refusal("CrossRegionTrafficConfig", "traffic across regions"),
    Refusal("MetricsConfig.EnableEnhancedMetrics", "enhanced metrics"),
    Refusal("MetricsConfig.EnableDetailedObservability", "detailed observability"),
    Refusal("ProductionVariants[].AcceleratorType", "elastic inference"),
    Refusal("ProductionVariants[].CoreDumpConfig", "core dumps"),
    Refusal("ProductionVariants[].EnableSSMAccess", "access through SSM"),
    Refusal("ProductionVariants[].ManagedInstanceScaling", "managed instance scaling"),
    Refusal("ProductionVariants[].InstancePools", "instance pools"),
    Refusal(
        "ProductionVariants[].RoutingConfig.RoutingStrategy",
        "routing by prefix or by KV cache",
        other_than("LEAST_OUTSTANDING_REQUESTS", "RANDOM"),
    ),
    Refusal("ProductionVariants[].CapacityReservationConfig", "capacity reservations"),
    Refusal("ProductionVariants[].AcceleratorPartitionLayouts", "accelerator partitions"),
)

ENDPOINT = (Refusal("DeploymentConfig", "a deployment configuration for an endpoint that is not there yet"),)

_NO_CODE = (
    Refusal("DefaultCodeRepository", "code repositories in notebook instances"),
    Refusal("AdditionalCodeRepositories", "code repositories in notebook instances"),
    Refusal("AcceleratorTypes", "elastic inference"),
    Refusal("IpAddressType", "addresses of IPv6", other_than("ipv4")),
)

NOTEBOOK = (Refusal("KmsKeyId", "encryption with a KMS key"), *_NO_CODE)

UPDATE_NOTEBOOK = _NO_CODE

NOTEBOOK_LISTING = (
    Refusal("DefaultCodeRepositoryContains", "code repositories in notebook instances"),
    Refusal("AdditionalCodeRepositoryEquals", "code repositories in notebook instances"),
)

UPDATE_ENDPOINT = (
    Refusal(
        "ExcludeRetainedVariantProperties[].VariantPropertyType",
        "data capture",
        other_than("DesiredInstanceCount", "DesiredWeight"),
    ),
)
