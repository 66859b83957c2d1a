"""A notebook instance as the embedded AWS keeps it: a record with a status that moves on by itself, and no server.

In AWS an instance starts, stops or changes within minutes. Here nothing starts: the record is in the same statuses for
a few seconds, so that what waits for them has something to wait for.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from local_aws.pace import Pace
from local_aws.services.sagemaker_resources import Document, moment


class Status(StrEnum):
    """As AWS names them, those that happen here."""

    PENDING = "Pending"
    IN_SERVICE = "InService"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    UPDATING = "Updating"
    DELETING = "Deleting"
    FAILED = "Failed"


STARTS, STOPS, CHANGES, GOES = 10.0, 5.0, 5.0, 5.0
"""Seconds at the pace of AWS that a start, a stop, a change and a deletion take here."""
AT_REST = (Status.STOPPED, Status.FAILED)
"""Where an instance can be started, changed and deleted from."""
DEFAULTS: Mapping[str, Any] = {
    "DirectInternetAccess": "Enabled",
    "VolumeSizeInGB": 5,
    "RootAccess": "Enabled",
    "IpAddressType": "ipv4",
    "PlatformIdentifier": "notebook-al2023-v1",
    "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
}
"""What CreateNotebookInstance takes for what is left out (its API reference)."""
_KEPT_BY_ITSELF = ("Tags", "Next")


def begun(one: Document, status: Status, becomes: Status | None, at: float, seconds: float, pace: Pace) -> Document:
    """The record on its way: in `status` from `at` on, and after so many seconds in `becomes`, or gone for None."""
    after = {"Status": becomes, "At": at + pace.seconds(seconds)}
    return {**one, "NotebookInstanceStatus": status, "LastModifiedTime": at, "Next": after}


def due(one: Document, now: float) -> bool:
    """Whether its next status has come."""
    after = one.get("Next")
    return bool(after and after["At"] <= now)


def arrived(one: Document) -> Document | None:
    """The record in its next status, which began when it was due; None once it is deleted."""
    after = one["Next"]
    if after["Status"] is None:
        return None
    return {**one, "NotebookInstanceStatus": after["Status"], "LastModifiedTime": after["At"], "Next": None}


def is_counted(one: Document) -> bool:
    """Whether it counts for the quota: it has an instance, or is about to have one."""
    return one["NotebookInstanceStatus"] in (Status.PENDING, Status.IN_SERVICE)


def is_billed(one: Document) -> bool:
    """Whether its instance is paid for: AWS stops charging when StopNotebookInstance is called."""
    return bool(one["NotebookInstanceStatus"] == Status.IN_SERVICE)


def told(one: Document) -> dict[str, Any]:
    """The record as an answer holds it."""
    kept = {name: value for name, value in one.items() if name not in _KEPT_BY_ITSELF and value not in (None, [])}
    return kept | {name: moment(one[name]) for name in ("CreationTime", "LastModifiedTime")} | {"Url": host(one)}


def host(one: Document) -> str:
    """Where AWS would serve Jupyter: a name without a scheme, as DescribeNotebookInstance tells it."""
    region = one["NotebookInstanceArn"].split(":")[3]
    return f"{one['NotebookInstanceName']}.notebook.{region}.sagemaker.aws"
