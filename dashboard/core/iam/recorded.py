"""What a role was seen to do: its calls as CloudTrail recorded them, each as the right that it needed."""

from dataclasses import dataclass
from datetime import datetime

from dashboard.core.iam.rights import Right


@dataclass(frozen=True)
class RecordedCall:
    """One right that a role used, however often. denied: how many of the calls were refused for want of a right.

    sessions: the names of the role's sessions that did ("SageMaker", an instance's id, a function's name), which tell
    what worked as the role; () where they are not known.
    """

    right: Right
    count: int
    first: datetime
    last: datetime
    denied: int = 0
    sessions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recorded:
    """What was read of a role. since: from when on it is complete; None when nothing could be read at all.

    source: where it was read ("CloudTrail's event history", "the trail NAME"). partial: why some of it is missing, in
    a sentence each; () when all of it was read. lacks_data: no trail tells data events, so that what was done with
    objects and which endpoints and functions were called is not among the calls.
    """

    role_arn: str
    calls: tuple[RecordedCall, ...] = ()
    since: datetime | None = None
    source: str = ""
    partial: tuple[str, ...] = ()
    lacks_data: bool = False
