"""What is scaled: a variant of an endpoint, by what its kind has more or fewer of."""

import re
from dataclasses import dataclass
from enum import StrEnum

from dashboard.core.serving.model import EndpointStatus

NAMESPACE = "sagemaker"
BURSTABLE = re.compile(r"ml\.t\d")
"""Instance types that earn credits while idle: "SageMaker doesn't support auto scaling for burstable instances"
(SageMaker Developer Guide, "Configure model auto scaling with the console")."""


class Kind(StrEnum):
    """How a variant answers, and so what of it can be scaled."""

    REAL_TIME = "real-time"
    ASYNCHRONOUS = "asynchronous"
    SERVERLESS = "serverless"
    COMPONENTS = "inference components"

    @property
    def dimension(self) -> str:
        """Application Auto Scaling's name of what there is more or less of."""
        of = "DesiredProvisionedConcurrency" if self is Kind.SERVERLESS else "DesiredInstanceCount"
        return f"sagemaker:variant:{of}"

    @property
    def least(self) -> int:
        """The smallest minimum that the service takes: nothing at all only where requests wait in a queue.

        Sources: SageMaker Developer Guide, "Register a model" (at least 1), "Autoscale an asynchronous endpoint" (0),
        "Automatically scale Provisioned Concurrency for a serverless endpoint" (at least 1).
        """
        return 0 if self is Kind.ASYNCHRONOUS else 1

    @property
    def has_instances(self) -> bool:
        """Whether instances are what there is more or fewer of."""
        return self in (Kind.REAL_TIME, Kind.ASYNCHRONOUS)

    @property
    def noun(self) -> str:
        return "provisioned concurrency" if self is Kind.SERVERLESS else "instances"

    def many(self, number: int) -> str:
        """ "1 instance", "3 instances", "provisioned concurrency 3"."""
        if self is Kind.SERVERLESS:
            return f"provisioned concurrency {number}"
        return f"{number} instance" if number == 1 else f"{number} instances"


@dataclass(frozen=True)
class Variant:
    """A variant as it is now. `current` is there, `desired` is asked for: instances, or provisioned concurrency.

    For a serverless one `memory_mb` is its memory and `most` its MaxConcurrency; it has no `instance_type`.
    """

    endpoint: str
    name: str
    kind: Kind
    status: EndpointStatus
    instance_type: str
    current: int
    desired: int
    memory_mb: int = 0
    most: int = 0
    is_sample: bool = False
    is_kennels: bool = False

    @property
    def resource_id(self) -> str:
        """Application Auto Scaling's name of it."""
        return f"endpoint/{self.endpoint}/variant/{self.name}"

    @property
    def is_burstable(self) -> bool:
        return bool(BURSTABLE.match(self.instance_type))

    @property
    def key(self) -> dict[str, str]:
        """What tells the scalable target from others in each of its requests."""
        return {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": self.resource_id,
            "ScalableDimension": self.kind.dimension,
        }
