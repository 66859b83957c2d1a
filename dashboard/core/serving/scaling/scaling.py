"""How a variant scales now: its settings, the alarms that move it, and what they have done."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.serving.scaling.policy import Settings, StepPolicy, TargetTracking
from dashboard.core.serving.scaling.variant import Variant


class AlarmState(StrEnum):
    """CloudWatch's three states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    NO_DATA = "INSUFFICIENT_DATA"

    @property
    def word(self) -> str:
        return {AlarmState.OK: "ok", AlarmState.ALARM: "in alarm", AlarmState.NO_DATA: "no data"}[self]

    @property
    def tone(self) -> str:
        """What its colour means. A low alarm in alarm is a quiet service, not a failure."""
        return {AlarmState.OK: "done", AlarmState.ALARM: "waiting", AlarmState.NO_DATA: "stopped"}[self]


@dataclass(frozen=True)
class Alarm:
    """One alarm of a scaling policy. It goes off when `metric` is above (`is_high`) or below its threshold
    `datapoints` times of the last `periods` periods of `period` seconds. `value`: the newest one that brought it into
    its state.
    """

    name: str
    policy: str
    state: AlarmState
    is_high: bool
    metric: str
    statistic: str
    threshold: float
    period: int
    periods: int
    datapoints: int
    since: datetime | None = None
    value: float | None = None
    reason: str = ""
    actions_enabled: bool = True


class ActivityStatus(StrEnum):
    """Application Auto Scaling's statuses of an activity; a word that it adds later becomes UNKNOWN."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCESSFUL = "Successful"
    OVERRIDDEN = "Overridden"
    UNFULFILLED = "Unfulfilled"
    FAILED = "Failed"
    UNKNOWN = "Unknown"

    @classmethod
    def of(cls, text: str) -> "ActivityStatus":
        return cls(text) if text in cls._value2member_map_ else cls.UNKNOWN

    @property
    def is_going(self) -> bool:
        return self in (ActivityStatus.PENDING, ActivityStatus.IN_PROGRESS)

    @property
    def is_done(self) -> bool:
        return self is ActivityStatus.SUCCESSFUL

    @property
    def word(self) -> str:
        """Its name in words."""
        return {"Successful": "done", "InProgress": "going on"}.get(self.value, self.value.lower())

    @property
    def tone(self) -> str:
        """What its colour means."""
        if self.is_going:
            return "running"
        if self in (ActivityStatus.FAILED, ActivityStatus.UNFULFILLED):
            return "failed"
        return "done" if self.is_done else "stopped"


@dataclass(frozen=True)
class Activity:
    """Something that auto scaling did, or did not do and why. `capacity`: what it asked for; None where it is not said.

    `not_scaled`: AWS's codes of why nothing was changed ("AlreadyAtMaxCapacity").
    """

    id: str
    status: ActivityStatus
    started: datetime
    ended: datetime | None
    description: str
    cause: str
    capacity: int | None = None
    message: str = ""
    not_scaled: tuple[str, ...] = ()

    @property
    def tone(self) -> str:
        """What its colour means. That nothing had to be done is no failure, although AWS calls it one."""
        return "stopped" if self.not_scaled else self.status.tone

    @property
    def word(self) -> str:
        return "nothing done" if self.not_scaled else self.status.word


@dataclass(frozen=True)
class Suspended:
    """Which scaling has been switched off by hand."""

    scale_in: bool = False
    scale_out: bool = False
    scheduled: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """What is switched off, in words; none while all is on."""
        named = {"scaling in": self.scale_in, "scaling out": self.scale_out, "scheduled actions": self.scheduled}
        return tuple(word for word, is_off in named.items() if is_off)


@dataclass(frozen=True)
class Scaling:
    """A variant with all that scales it. `settings`: None when it is not registered with Application Auto Scaling.

    `is_known`: whether that could be read at all; what could not is in `unread`. `alarms` and `activities` are the
    newest first.
    """

    variant: Variant
    settings: Settings | None
    alarms: tuple[Alarm, ...] = ()
    activities: tuple[Activity, ...] = ()
    suspended: Suspended = Suspended()
    unread: tuple[Unread, ...] = ()
    is_known: bool = True
    created: datetime | None = None
    siblings: tuple[str, ...] = ()  # all variants of the endpoint, itself among them

    @property
    def is_registered(self) -> bool:
        return self.settings is not None

    @property
    def policies(self) -> tuple[TargetTracking | StepPolicy, ...]:
        """Its policies; none when it is not registered."""
        return self.settings.policies if self.settings else ()
