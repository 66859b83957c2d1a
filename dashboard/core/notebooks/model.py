"""A notebook instance as AWS describes it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dashboard.core import tags as tag
from dashboard.core.costs.quote import Quote

SAFE_PLATFORM = "notebook-al2023-v1"
"""The platform that Kennel asks for: Amazon Linux 2023, AWS's default (CreateNotebookInstance's API reference)."""


class NotebookStatus(StrEnum):
    """As AWS names them."""

    PENDING = "Pending"
    IN_SERVICE = "InService"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    FAILED = "Failed"
    DELETING = "Deleting"
    UPDATING = "Updating"
    PENDING_MAINTENANCE = "PendingMaintenance"
    IN_MAINTENANCE = "InMaintenance"

    @property
    def is_serving(self) -> bool:
        """Whether it can be opened and stopped."""
        return self is NotebookStatus.IN_SERVICE

    @property
    def is_billed(self) -> bool:
        """Whether its instance is paid for: AWS stops charging when it is told to stop."""
        return self in (NotebookStatus.IN_SERVICE, NotebookStatus.PENDING)

    @property
    def is_at_rest(self) -> bool:
        """Whether it can be started and deleted."""
        return self in (NotebookStatus.STOPPED, NotebookStatus.FAILED)

    @property
    def is_changing(self) -> bool:
        """Whether it is on its way to another status by itself."""
        return not (self.is_serving or self.is_at_rest)

    @property
    def is_bad(self) -> bool:
        return self is NotebookStatus.FAILED

    @property
    def tone(self) -> str:
        """The name of its colour and shape (ui/tones.py)."""
        if self.is_bad:
            return "failed"
        if self.is_serving:
            return "running"
        return "stopped" if self.is_at_rest else "waiting"

    @property
    def word(self) -> str:
        return _WORDS[self]


_WORDS = {
    NotebookStatus.PENDING: "starting",
    NotebookStatus.IN_SERVICE: "in service",
    NotebookStatus.STOPPING: "stopping",
    NotebookStatus.STOPPED: "stopped",
    NotebookStatus.FAILED: "failed",
    NotebookStatus.DELETING: "being deleted",
    NotebookStatus.UPDATING: "changing",
    NotebookStatus.PENDING_MAINTENANCE: "waiting for maintenance",
    NotebookStatus.IN_MAINTENANCE: "in maintenance",
}


@dataclass(frozen=True)
class Notebook:
    """One notebook instance. volume_gb: of its disk, which is kept and paid for while it is stopped.

    has_root: whether its users are root on it. has_internet: whether SageMaker gives it a way to the internet. hourly:
    what an hour of its instance costs while it is in service.
    """

    name: str
    arn: str
    status: NotebookStatus
    instance_type: str
    role_arn: str
    created: datetime
    volume_gb: int
    hourly: Quote
    has_root: bool = True
    has_internet: bool = True
    subnet: str = ""
    groups: tuple[str, ...] = ()
    lifecycle: str = ""
    platform: str = ""
    failure: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_kennels(self) -> bool:
        """Whether Kennel made it, and so may start, stop and delete it."""
        return tag.is_kennels(self.tags)

    @property
    def is_sample(self) -> bool:
        return tag.is_sample(self.tags)

    @property
    def role_name(self) -> str:
        return self.role_arn.rpartition("/")[2]


def notebook_of(told: Mapping[str, Any], tags: Mapping[str, str], hourly: Quote) -> Notebook:
    """DescribeNotebookInstance's answer, its tags and its price as one."""
    return Notebook(
        name=str(told["NotebookInstanceName"]),
        arn=str(told["NotebookInstanceArn"]),
        status=NotebookStatus(told["NotebookInstanceStatus"]),
        instance_type=str(told["InstanceType"]),
        role_arn=str(told.get("RoleArn", "")),
        created=told["CreationTime"],
        volume_gb=int(told.get("VolumeSizeInGB", 5)),
        hourly=hourly,
        has_root=told.get("RootAccess", "Enabled") == "Enabled",
        has_internet=told.get("DirectInternetAccess", "Enabled") == "Enabled",
        subnet=str(told.get("SubnetId", "")),
        groups=tuple(told.get("SecurityGroups", ())),
        lifecycle=str(told.get("NotebookInstanceLifecycleConfigName", "")),
        platform=str(told.get("PlatformIdentifier", "")),
        failure=str(told.get("FailureReason", "")),
        tags=dict(tags),
    )
