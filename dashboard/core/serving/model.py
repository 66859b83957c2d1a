"""An endpoint, as a person thinks of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dashboard.core import tags as tag
from dashboard.core.costs.quote import Quote
from dashboard.core.serving.variant import Pending, Variant


class EndpointStatus(StrEnum):
    """SageMaker's endpoint statuses; a word that it adds later becomes UNKNOWN."""

    CREATING = "Creating"
    IN_SERVICE = "InService"
    UPDATING = "Updating"
    SYSTEM_UPDATING = "SystemUpdating"
    ROLLING_BACK = "RollingBack"
    DELETING = "Deleting"
    FAILED = "Failed"
    OUT_OF_SERVICE = "OutOfService"
    UPDATE_ROLLBACK_FAILED = "UpdateRollbackFailed"
    RESTARTING = "Restarting"  # ours: an update that left no instance, so that nobody answers
    UNKNOWN = "Unknown"

    @classmethod
    def of(cls, text: str, instances: int = 1) -> "EndpointStatus":
        """From EndpointStatus and the number of instances that are there now."""
        status = cls(text) if text in cls._value2member_map_ else cls.UNKNOWN
        return cls.RESTARTING if instances == 0 and status in _SERVING and status in _CHANGING else status

    @property
    def is_serving(self) -> bool:
        """Answers photos; an endpoint keeps answering while it is updated."""
        return self in _SERVING

    @property
    def is_changing(self) -> bool:
        """On its way to another status: worth looking at again soon."""
        return self in _CHANGING

    @property
    def is_coming(self) -> bool:
        """Answers nobody yet, and is about to."""
        return self.is_changing and not self.is_serving and not self.is_going

    @property
    def is_going(self) -> bool:
        """Being deleted: nothing can be done with it any more."""
        return self is EndpointStatus.DELETING

    @property
    def is_bad(self) -> bool:
        return self in (EndpointStatus.FAILED, EndpointStatus.OUT_OF_SERVICE, EndpointStatus.UPDATE_ROLLBACK_FAILED)

    @property
    def is_billed(self) -> bool:
        """Whether its instances cost money: from InService on, also while updating."""
        return self.is_serving

    @property
    def tone(self) -> str:
        """What its colour means: "done" (serving), "running" (changing), "failed" or "stopped"."""
        if self.is_bad:
            return "failed"
        if self is EndpointStatus.IN_SERVICE:
            return "done"
        return "running" if self.is_changing else "stopped"

    @property
    def word(self) -> str:
        return _WORDS[self]


_SERVING = frozenset(
    {
        EndpointStatus.IN_SERVICE,
        EndpointStatus.UPDATING,
        EndpointStatus.SYSTEM_UPDATING,
        EndpointStatus.ROLLING_BACK,
    }
)
_CHANGING = frozenset(
    {
        EndpointStatus.CREATING,
        EndpointStatus.UPDATING,
        EndpointStatus.SYSTEM_UPDATING,
        EndpointStatus.ROLLING_BACK,
        EndpointStatus.RESTARTING,
        EndpointStatus.DELETING,
    }
)
_WORDS = {
    EndpointStatus.CREATING: "starting",
    EndpointStatus.IN_SERVICE: "serving",
    EndpointStatus.UPDATING: "updating",
    EndpointStatus.SYSTEM_UPDATING: "in maintenance",
    EndpointStatus.ROLLING_BACK: "rolling back",
    EndpointStatus.RESTARTING: "restarting",
    EndpointStatus.DELETING: "being deleted",
    EndpointStatus.FAILED: "failed",
    EndpointStatus.OUT_OF_SERVICE: "out of service",
    EndpointStatus.UPDATE_ROLLBACK_FAILED: "update failed, and so did going back",
    EndpointStatus.UNKNOWN: "unknown state",
}


@dataclass(frozen=True)
class Endpoint:
    """One endpoint. `count` instances are there now; `hourly` is what they cost for an hour in service.

    `instance_type` is its first variant's, "" where that is serverless; `variants` has all of them, and `pending` the
    deployment that goes on, if one does.
    """

    name: str
    status: EndpointStatus
    instance_type: str
    count: int
    model_name: str
    created: datetime
    hourly: Quote
    modified: datetime | None = None
    config_name: str = ""
    failure: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    arn: str = ""
    variants: tuple[Variant, ...] = ()
    pending: Pending | None = None

    @property
    def machine(self) -> str:
        """What serves: "2 × ml.m5.large", or that of each variant."""
        if self.variants:
            return " + ".join(dict.fromkeys(one.machine for one in self.variants if one.machine))
        return f"{self.count} × {self.instance_type}" if self.instance_type and self.count > 1 else self.instance_type

    @property
    def is_serverless(self) -> bool:
        """Whether no variant of it has instances."""
        return bool(self.variants) and all(one.serverless for one in self.variants)

    @property
    def run(self) -> str:
        """The run whose model it serves, "" when that was not noted."""
        return self.tags.get(tag.RUN, "")

    @property
    def is_sample(self) -> bool:
        return tag.is_sample(self.tags)

    @property
    def is_kennels(self) -> bool:
        """Made by Kennel (or its sample account), so that Kennel may offer to delete it."""
        return self.is_sample or tag.is_kennels(self.tags)
