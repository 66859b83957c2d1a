"""An endpoint as the engine sees it: what it is to run, and how it is now."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from local_aws.engine.objects import Location


class Status(StrEnum):
    """SageMaker's endpoint status, those of them that happen here."""

    CREATING = "Creating"
    IN_SERVICE = "InService"
    UPDATING = "Updating"  # it serves, and its instances are being added or taken away
    SYSTEM_UPDATING = "SystemUpdating"  # it was in service, and its processes are being restarted
    FAILED = "Failed"
    DELETING = "Deleting"

    @property
    def serves(self) -> bool:
        """Whether its processes take requests."""
        return self in (Status.IN_SERVICE, Status.UPDATING)


@dataclass(frozen=True)
class ModelFiles:
    """Where a model's files come from. packed: one gzipped tar, else every object below the address."""

    source: Location
    packed: bool


@dataclass(frozen=True)
class Variant:
    """A production variant: `count` processes that serve one model.

    weight: its share of the requests; startup: seconds until it must answer /ping, None: the machine's own limit;
    role: the ARN as which the processes work.
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


@dataclass(frozen=True)
class Endpoint:
    """What an endpoint is to run."""

    name: str
    arn: str
    variants: tuple[Variant, ...]


@dataclass(frozen=True)
class VariantView:
    """How a variant is now: how many of its processes answer, and what is to be said about the others."""

    name: str
    weight: float
    running: int
    desired: int
    message: str


@dataclass(frozen=True)
class View:
    """How an endpoint is now. was_in_service: it has answered since it was created."""

    status: Status
    was_in_service: bool
    failure: str
    variants: tuple[VariantView, ...]


@dataclass(frozen=True)
class Target:
    """A process that can take a request now. instances: how many the variant has that can; instance: its name."""

    variant: str
    port: int
    instances: int = 1
    instance: str = ""
