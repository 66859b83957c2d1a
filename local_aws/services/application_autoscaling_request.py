"""What Application Auto Scaling can scale here, and the checks of its requests in AWS's words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller

MOST_STEPS = 20
MOST_TAGS = 50

Params = dict[str, Any]


@dataclass(frozen=True)
class Dimension:
    """A scalable dimension. resource: the form of its resource ids; role: the suffix of its service-linked role;
    words: what its activities call the capacity; cooldown: seconds, where a policy says none; steps: whether step
    scaling is there; predefined: the metrics that target tracking knows."""

    name: str
    resource: "re.Pattern[str]"
    service: str
    role: str
    words: str
    cooldown: int
    steps: bool
    least: int
    predefined: tuple[str, ...]


_VARIANT = re.compile(
    r"endpoint/(?P<endpoint>[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62})/variant/(?P<variant>[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62})"
)
_FUNCTION = re.compile(r"function:(?P<function>[a-zA-Z0-9-_]{1,64}):(?P<qualifier>[a-zA-Z0-9$_-]{1,129})")

INSTANCES = Dimension(
    "sagemaker:variant:DesiredInstanceCount",
    _VARIANT,
    "sagemaker",
    "SageMakerEndpoint",
    "desired instance count",
    300,
    True,
    1,
    ("SageMakerVariantInvocationsPerInstance", "SageMakerVariantConcurrentRequestsPerModelHighResolution"),
)
SERVERLESS = Dimension(
    "sagemaker:variant:DesiredProvisionedConcurrency",
    _VARIANT,
    "sagemaker",
    "SageMakerEndpoint",
    "provisioned concurrency",
    300,
    True,
    1,
    ("SageMakerVariantProvisionedConcurrencyUtilization",),
)
FUNCTION = Dimension(
    "lambda:function:ProvisionedConcurrency",
    _FUNCTION,
    "lambda",
    "LambdaConcurrency",
    "provisioned concurrency",
    0,
    False,
    0,
    ("LambdaProvisionedConcurrencyUtilization",),
)
DIMENSIONS = {one.name: one for one in (INSTANCES, SERVERLESS, FUNCTION)}


@dataclass(frozen=True)
class Resource:
    """What is scaled: one dimension of one resource in one region."""

    region: str
    dimension: Dimension
    id: str

    @property
    def key(self) -> str:
        return f"{self.region}/{self.dimension.name}/{self.id}"

    @property
    def parts(self) -> Mapping[str, str]:
        """endpoint and variant, or function and qualifier."""
        found = self.dimension.resource.fullmatch(self.id)
        return found.groupdict() if found else {}

    @property
    def words(self) -> str:
        """As AWS's errors name it."""
        return (
            f"service namespace: {self.dimension.service}, resource ID: {self.id}, scalable dimension: "
            f"{self.dimension.name}"
        )


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def missing(what: str, resource: Resource) -> ServiceError:
    return ServiceError("ObjectNotFoundException", f"No {what} for {resource.words}")


def resource_of(params: Mapping[str, Any], caller: Caller) -> Resource:
    """What a request is about. Raises ServiceError ValidationException for what cannot be scaled here."""
    namespace, name, dimension = params["ServiceNamespace"], params["ResourceId"], params["ScalableDimension"]
    check_namespace(namespace)
    found = DIMENSIONS.get(dimension)
    if dimension.startswith("sagemaker:inference-component:"):
        raise invalid("The embedded AWS has no inference components (ScalableDimension). Scale a variant.")
    if found is None or found.service != namespace:
        raise invalid("Unsupported service namespace, resource type or scalable dimension")
    if found is FUNCTION and re.fullmatch(r"function:[a-zA-Z0-9-_]{1,64}", name):
        raise invalid(
            "Lambda provisioned concurrency belongs to an alias or a version: the resource ID is "
            f"function:NAME:ALIAS-OR-VERSION, not {name}."
        )
    if not found.resource.fullmatch(name) or name.endswith(":$LATEST"):
        raise invalid("Unsupported service namespace, resource type or scalable dimension")
    return Resource(caller.region, found, name)


def check_namespace(namespace: str) -> None:
    """Raises ServiceError ValidationException for a service whose resources are not scaled here."""
    if namespace not in {one.service for one in DIMENSIONS.values()}:
        raise invalid(
            f"The embedded AWS cannot scale {namespace} yet (ServiceNamespace). It scales sagemaker and lambda."
        )


def check_range(low: int, high: int, dimension: Dimension) -> None:
    """Raises ServiceError ValidationException for a minimum and maximum that no resource of it can have."""
    if low > high:
        raise invalid("Maximum capacity cannot be less than minimum capacity")
    if low < dimension.least:
        raise invalid(
            f"Minimum capacity cannot be less than {dimension.least} for {dimension.name}: a variant scales to 0 only "
            "with inference components or asynchronous inference."
        )


def check_tags(tags: Mapping[str, str]) -> None:
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("Tag keys that begin with aws: are AWS's own.")
    if len(tags) > MOST_TAGS:
        raise ServiceError("TooManyTagsException", f"A resource can have {MOST_TAGS} tags, not {len(tags)}.")


def check_steps(config: Mapping[str, Any]) -> None:
    """Raises ServiceError ValidationException for steps that overlap, leave a gap, or say nothing."""
    kind, steps = config.get("AdjustmentType"), config.get("StepAdjustments") or ()
    if kind not in ("ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"):
        raise invalid("AdjustmentType must be ChangeInCapacity, PercentChangeInCapacity or ExactCapacity.")
    if not steps:
        raise invalid("StepAdjustments must have at least one step.")
    if len(steps) > MOST_STEPS:
        raise ServiceError("LimitExceededException", f"A step scaling policy can have {MOST_STEPS} step adjustments.")
    if config.get("MinAdjustmentMagnitude") is not None and kind != "PercentChangeInCapacity":
        raise invalid("MinAdjustmentMagnitude is only allowed with PercentChangeInCapacity.")
    if config.get("MetricAggregationType") not in (None, "Average", "Minimum", "Maximum"):
        raise invalid("MetricAggregationType must be Average, Minimum or Maximum.")
    if kind == "ExactCapacity" and any(one["ScalingAdjustment"] < 0 for one in steps):
        raise invalid("ScalingAdjustment must not be negative with ExactCapacity.")
    low, high = float("-inf"), float("inf")
    ends = sorted(
        (one.get("MetricIntervalLowerBound", low), one.get("MetricIntervalUpperBound", high)) for one in steps
    )
    if any(start is None or end is None or start >= end for start, end in ends):
        raise invalid("Each step needs a lower bound below its upper bound; leave a bound out where there is none.")
    for (_, end), (start, _) in pairwise(ends):
        if start != end:
            raise invalid(
                f"StepAdjustments must not {'overlap' if start < end else 'leave a gap'}: {end:g} and {start:g}."
            )
