"""An endpoint as the engine sees it: what it is to run, and how it is now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from local_aws.engine.objects import Location


class Status(StrEnum):
    """SageMaker's endpoint status, those of them that happen here."""

    CREATING = "Creating"
    IN_SERVICE = "InService"
    UPDATING = "Updating"  # it serves, and its instances are being added, taken away or replaced
    ROLLING_BACK = "RollingBack"  # it serves as it was, and what should have replaced that is being taken away
    SYSTEM_UPDATING = "SystemUpdating"  # it was in service, and its processes are being restarted
    FAILED = "Failed"
    DELETING = "Deleting"


class Phase(StrEnum):
    """How far the replacement of an endpoint's variants is: SageMaker's VariantStatus."""

    CREATING = "Creating"
    ACTIVATING = "ActivatingTraffic"
    BAKING = "Baking"
    DELETING = "Deleting"


class Routing(StrEnum):
    """How requests find an instance of a variant."""

    LEAST = "LEAST_OUTSTANDING_REQUESTS"
    RANDOM = "RANDOM"


@dataclass(frozen=True)
class ModelFiles:
    """Where a model's files come from. packed: one gzipped tar, else every object below the address."""

    source: Location
    packed: bool


@dataclass(frozen=True)
class Serverless:
    """A variant without instances. memory: MiB that a process may have; most: requests at once; provisioned: processes
    that are kept for it whether anybody asks or not.
    """

    memory: int
    most: int
    provisioned: int = 0


@dataclass(frozen=True)
class Variant:
    """A production variant: `count` processes that serve one model; a serverless one has as many as requests need.

    weight: its share of the requests; startup: seconds until it must answer /ping, None: the machine's own limit;
    role: the ARN as which the processes work; routing: one of Routing, "" for the one with the fewest requests.
    """

    name: str
    model: ModelFiles | None
    environment: Mapping[str, str]
    count: int
    weight: float
    instance_type: str = ""
    image: str = ""
    startup: float | None = None
    role: str = ""
    serverless: Serverless | None = None
    routing: str = ""

    @property
    def kept(self) -> int:
        """Processes that it has whether anybody asks or not."""
        return self.serverless.provisioned if self.serverless else self.count


@dataclass(frozen=True)
class Endpoint:
    """What an endpoint is to run. generation: another number for each configuration that it is given."""

    name: str
    arn: str
    variants: tuple[Variant, ...]
    generation: int = 0

    @property
    def kept(self) -> int:
        return sum(variant.kept for variant in self.variants)


@dataclass(frozen=True)
class VariantView:
    """How a variant is now: how many of its processes answer, and what is to be said about the others."""

    name: str
    weight: float
    running: int
    desired: int
    message: str


@dataclass(frozen=True)
class Pending:
    """What is on its way to replace what an endpoint runs. share: of the requests that go to it already, 0–1."""

    phase: Phase
    since: float
    share: float
    variants: tuple[VariantView, ...]


@dataclass(frozen=True)
class View:
    """How an endpoint is now. was_in_service: it has answered since it was created.

    generation: of what serves; attempt: the number of the last change that was asked for; refused: why that is not.
    """

    status: Status
    was_in_service: bool
    failure: str
    variants: tuple[VariantView, ...]
    generation: int = 0
    attempt: int = 0
    pending: Pending | None = None
    refused: str = ""


def nothing() -> None:
    """What is done when a request without a place of its own has ended."""


@dataclass(frozen=True)
class Target:
    """A process that takes one request: `done` is called when that has ended.

    instances: how many the variant has that can take one, 0 for a serverless one; instance: its name; setup: seconds
    that the process took to start for this request, None for one that ran already; use: of a serverless variant.
    """

    variant: str
    port: int
    instances: int = 1
    instance: str = ""
    done: Callable[[], None] = nothing
    setup: float | None = None
    use: "Use | None" = None


@dataclass(frozen=True)
class Use:
    """A serverless variant at the moment that it takes a request. busy: requests that it has, this one included.

    on_provisioned: whether one of the provisioned processes takes it; provisioned_busy: how many of those have one.
    """

    config: Serverless
    busy: int
    on_provisioned: bool
    provisioned_busy: int


class Throttled(Exception):  # noqa: N818 (it says what is so)
    """A serverless variant has as many requests as it may have at once (`most`)."""

    def __init__(self, variant: str, most: int) -> None:
        super().__init__(f"variant {variant} has {most} requests at once, which is its MaxConcurrency")
        self.variant = variant


class Full(Exception):  # noqa: N818
    """Every process has as many requests waiting as it may have. instances: how many, 0 of a serverless variant."""

    def __init__(self, variant: str, instances: int = 0) -> None:
        super().__init__(f"every process of variant {variant} has as many requests as it takes")
        self.variant = variant
        self.instances = instances
