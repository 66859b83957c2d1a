"""The stack that holds what Kennel made in an account: how it stands, what is in it, what happened to it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import AccessDenied, InvalidInput, NotFound
from dashboard.core.parallel import gather
from dashboard.core.setup.pieces import Piece
from dashboard.core.setup.template import STACK, pieces_in

MOST_EVENTS = 4
"""Pages of events that are read, of a hundred each."""
_RESOURCE = re.compile(r"^    Type: AWS::", re.MULTILINE)
"""As Kennel's template writes them."""
_NOT_HELD = ("DELETE_COMPLETE", "DELETE_SKIPPED", "CREATE_FAILED")
"""Of a resource: taken away, left behind, or never made, as when another one of that name is there."""


class StackStatus(StrEnum):
    """As CloudFormation has it; ABSENT is Kennel's word for no stack at all."""

    ABSENT = "ABSENT"
    REVIEW_IN_PROGRESS = "REVIEW_IN_PROGRESS"
    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    CREATE_FAILED = "CREATE_FAILED"
    CREATE_COMPLETE = "CREATE_COMPLETE"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"
    ROLLBACK_COMPLETE = "ROLLBACK_COMPLETE"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETE_FAILED = "DELETE_FAILED"
    DELETE_COMPLETE = "DELETE_COMPLETE"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS"
    UPDATE_COMPLETE_CLEANUP_IN_PROGRESS = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    UPDATE_COMPLETE = "UPDATE_COMPLETE"
    UPDATE_FAILED = "UPDATE_FAILED"
    UPDATE_ROLLBACK_IN_PROGRESS = "UPDATE_ROLLBACK_IN_PROGRESS"
    UPDATE_ROLLBACK_FAILED = "UPDATE_ROLLBACK_FAILED"
    UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
    UPDATE_ROLLBACK_COMPLETE = "UPDATE_ROLLBACK_COMPLETE"
    IMPORT_IN_PROGRESS = "IMPORT_IN_PROGRESS"
    IMPORT_COMPLETE = "IMPORT_COMPLETE"
    IMPORT_ROLLBACK_IN_PROGRESS = "IMPORT_ROLLBACK_IN_PROGRESS"
    IMPORT_ROLLBACK_FAILED = "IMPORT_ROLLBACK_FAILED"
    IMPORT_ROLLBACK_COMPLETE = "IMPORT_ROLLBACK_COMPLETE"

    @property
    def is_there(self) -> bool:
        """Whether it holds, or held, resources: one that is only prepared has none."""
        return self not in (StackStatus.ABSENT, StackStatus.REVIEW_IN_PROGRESS, StackStatus.DELETE_COMPLETE)

    @property
    def is_busy(self) -> bool:
        """Whether CloudFormation is at work on it."""
        return self.value.endswith("IN_PROGRESS") and self is not StackStatus.REVIEW_IN_PROGRESS

    @property
    def is_new(self) -> bool:
        """Whether the next change set makes it."""
        return self in (StackStatus.ABSENT, StackStatus.REVIEW_IN_PROGRESS, StackStatus.DELETE_COMPLETE)

    @property
    def can_change(self) -> bool:
        """Whether a change set may be made for it."""
        whole = (
            StackStatus.CREATE_COMPLETE,
            StackStatus.UPDATE_COMPLETE,
            StackStatus.UPDATE_ROLLBACK_COMPLETE,
            StackStatus.IMPORT_COMPLETE,
        )
        return self.is_new or self in whole

    @property
    def must_go(self) -> bool:
        """Whether nothing can be done with it but to delete it: its making was taken back, or has failed."""
        return self in (
            StackStatus.ROLLBACK_COMPLETE,
            StackStatus.ROLLBACK_FAILED,
            StackStatus.CREATE_FAILED,
            StackStatus.DELETE_FAILED,
        )

    @property
    def tone(self) -> str:
        if self is StackStatus.ABSENT:
            return "ahead"
        if self is StackStatus.REVIEW_IN_PROGRESS:
            return "waiting"
        if self.is_busy:
            return "waiting" if "ROLLBACK" in self else "running"
        return "failed" if "ROLLBACK" in self or "FAILED" in self else "done"

    @property
    def words(self) -> str:
        """What it means."""
        return {
            StackStatus.ABSENT: "not made yet",
            StackStatus.REVIEW_IN_PROGRESS: "prepared, nothing made yet",
            StackStatus.CREATE_IN_PROGRESS: "being made",
            StackStatus.CREATE_COMPLETE: "complete",
            StackStatus.UPDATE_COMPLETE: "complete",
            StackStatus.ROLLBACK_IN_PROGRESS: "failed, being taken back",
            StackStatus.ROLLBACK_COMPLETE: "failed and taken back: nothing of it is left",
            StackStatus.UPDATE_IN_PROGRESS: "being changed",
            StackStatus.UPDATE_ROLLBACK_COMPLETE: "the last change failed and was taken back",
            StackStatus.DELETE_IN_PROGRESS: "being deleted",
            StackStatus.DELETE_COMPLETE: "deleted",
            StackStatus.DELETE_FAILED: "could not be deleted whole",
        }.get(self, self.value.replace("_", " ").lower())


@dataclass(frozen=True)
class Event:
    """One thing that happened to a resource of the stack, or to the stack itself."""

    at: datetime
    resource: str
    physical: str
    type: str
    status: str
    reason: str = ""

    @property
    def is_failure(self) -> bool:
        return self.status.endswith("_FAILED")


@dataclass(frozen=True)
class Resource:
    """One resource of the stack as it is."""

    name: str
    physical: str
    type: str
    status: str


@dataclass(frozen=True)
class Stack:
    """events: the newest first. template: as it was sent, "" where it may not be read."""

    status: StackStatus = StackStatus.ABSENT
    id: str = ""
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    resources: tuple[Resource, ...] = ()
    events: tuple[Event, ...] = ()
    template: str = ""

    @property
    def held(self) -> tuple[Resource, ...]:
        """The resources that it holds now."""
        return tuple(one for one in self.resources if one.status not in _NOT_HELD)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The pieces that it made."""
        return pieces_in({one.name for one in self.held})

    @property
    def size(self) -> int:
        """How many resources its template has."""
        return len(_RESOURCE.findall(self.template))

    @property
    def is_kennels(self) -> bool:
        """Whether Kennel made it: another stack may have the same name."""
        return not self.status.is_there or tags.is_kennels(self.marks)

    @property
    def latest(self) -> tuple[Event, ...]:
        """What happened since the last operation began, the oldest first."""
        found: list[Event] = []
        for event in self.events:
            found.append(event)
            if event.type == "AWS::CloudFormation::Stack" and event.status in (
                "CREATE_IN_PROGRESS",
                "UPDATE_IN_PROGRESS",
                "DELETE_IN_PROGRESS",
            ):
                break
        return tuple(reversed(found))

    @property
    def failures(self) -> tuple[Event, ...]:
        """Why the last operation failed, the first reason first; none of those that were only stopped by it."""
        return tuple(
            one
            for one in self.latest
            if one.is_failure and one.reason and "cancelled" not in one.reason and one.physical != self.id
        )


def read(aws: Aws) -> Stack:
    """The stack as it is now. Raises the errors of `Aws.call`."""
    told = _described(aws)
    if told is None:
        return Stack()
    named = told["StackId"]
    looks: list[Callable[[], Any]] = [partial(look, aws, named) for look in (_resources, _events, _template)]
    resources, events, template = gather(lambda look: look(), looks)
    return Stack(
        StackStatus(told["StackStatus"]),
        named,
        told.get("StackStatusReason", ""),
        {one["OutputKey"]: one["OutputValue"] for one in told.get("Outputs", [])},
        {one["ParameterKey"]: one["ParameterValue"] for one in told.get("Parameters", [])},
        tags.as_dict(told.get("Tags", [])),
        resources,
        events,
        template,
    )


def is_busy(aws: Aws) -> bool:
    """Whether CloudFormation is at work on the stack: one call. Raises the errors of `Aws.call`."""
    told = _described(aws)
    return told is not None and StackStatus(told["StackStatus"]).is_busy


def _described(aws: Aws) -> dict[str, Any] | None:
    """As DescribeStacks tells the stack; None where there is none, which CloudFormation calls a wrong value."""
    try:
        told: dict[str, Any] = aws.call("cloudformation", "DescribeStacks", StackName=STACK)["Stacks"][0]
    except NotFound:
        return None
    except InvalidInput as wrong:
        if "does not exist" not in str(wrong):
            raise
        return None
    return told


def _resources(aws: Aws, stack_id: str) -> tuple[Resource, ...]:
    found = aws.call("cloudformation", "DescribeStackResources", StackName=stack_id)["StackResources"]
    return tuple(
        Resource(
            one["LogicalResourceId"], one.get("PhysicalResourceId", ""), one["ResourceType"], one["ResourceStatus"]
        )
        for one in found
    )


def _events(aws: Aws, stack_id: str) -> tuple[Event, ...]:
    pages = aws.pages("cloudformation", "DescribeStackEvents", limit=MOST_EVENTS, StackName=stack_id)
    return tuple(_event(one) for page in pages for one in page["StackEvents"])


def _event(told: Mapping[str, Any]) -> Event:
    return Event(
        told["Timestamp"],
        told.get("LogicalResourceId", ""),
        told.get("PhysicalResourceId", ""),
        told.get("ResourceType", ""),
        told.get("ResourceStatus", ""),
        told.get("ResourceStatusReason", ""),
    )


def _template(aws: Aws, stack_id: str) -> str:
    """A stack that is only prepared has none; without the right to read it nothing is compared with it."""
    try:
        found = aws.call("cloudformation", "GetTemplate", StackName=stack_id).get("TemplateBody", "")
    except (AccessDenied, InvalidInput, NotFound):
        return ""
    return found if isinstance(found, str) else ""
