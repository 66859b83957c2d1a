"""One training run, as a person thinks of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dashboard.core import tags as tag


class RunStatus(StrEnum):
    """Where a run is. SageMaker's secondary statuses, with its two start-up steps folded into Starting."""

    STARTING = "Starting"
    PENDING = "Pending"
    DOWNLOADING = "Downloading"
    TRAINING = "Training"
    UPLOADING = "Uploading"
    INTERRUPTED = "Interrupted"
    RESTARTING = "Restarting"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    OUT_OF_TIME = "MaxRuntimeExceeded"
    OUT_OF_WAIT = "MaxWaitTimeExceeded"
    UNKNOWN = "Unknown"

    @classmethod
    def of(cls, primary: str, secondary: str = "") -> "RunStatus":
        """From TrainingJobStatus and SecondaryStatus; a word that SageMaker adds later becomes UNKNOWN."""
        if primary in ("Completed", "Failed", "Stopping"):
            return cls(primary)
        if primary == "Stopped":
            return cls(secondary) if secondary in (cls.OUT_OF_TIME, cls.OUT_OF_WAIT) else cls.STOPPED
        return cls.of_secondary(secondary)

    @classmethod
    def of_secondary(cls, secondary: str) -> "RunStatus":
        folded = _FOLDED.get(secondary, secondary)
        return cls(folded) if folded in cls._value2member_map_ else cls.UNKNOWN

    @property
    def is_active(self) -> bool:
        """Still working, or about to: worth looking at again."""
        return not self.is_final

    @property
    def is_final(self) -> bool:
        """Will never change again."""
        return self in _FINAL

    @property
    def is_billed(self) -> bool:
        """Whether its instances cost money right now."""
        return self in (RunStatus.DOWNLOADING, RunStatus.TRAINING, RunStatus.UPLOADING, RunStatus.STOPPING)

    @property
    def can_stop(self) -> bool:
        return self.is_active and self is not RunStatus.STOPPING

    @property
    def is_good(self) -> bool:
        """Ended with a model."""
        return self is RunStatus.COMPLETED

    @property
    def is_bad(self) -> bool:
        """Ended without what was wanted, and somebody should look."""
        return self in (RunStatus.FAILED, RunStatus.OUT_OF_TIME, RunStatus.OUT_OF_WAIT)

    @property
    def tone(self) -> str:
        """What its colour means: "running", "waiting", "done", "failed" or "stopped"."""
        if self.is_good:
            return "done"
        if self.is_bad:
            return "failed"
        if self in (RunStatus.STOPPED, RunStatus.UNKNOWN):
            return "stopped"
        return "waiting" if self in _WAITING else "running"

    @property
    def word(self) -> str:
        """What a person reads: "training", "stopped at its time limit"."""
        return _WORDS.get(self, str(self).lower())


_FOLDED = {
    "LaunchingMLInstances": "Starting",
    "PreparingTrainingStack": "Starting",
    "DownloadingTrainingImage": "Starting",
    "Updating": "Training",
}
_FINAL = frozenset(
    {
        RunStatus.COMPLETED,
        RunStatus.FAILED,
        RunStatus.STOPPED,
        RunStatus.OUT_OF_TIME,
        RunStatus.OUT_OF_WAIT,
    }
)
_WAITING = frozenset({RunStatus.PENDING, RunStatus.INTERRUPTED, RunStatus.RESTARTING, RunStatus.STOPPING})
_WORDS = {
    RunStatus.PENDING: "waiting for capacity",
    RunStatus.DOWNLOADING: "fetching data",
    RunStatus.UPLOADING: "saving the model",
    RunStatus.INTERRUPTED: "interrupted",
    RunStatus.OUT_OF_TIME: "stopped at its time limit",
    RunStatus.OUT_OF_WAIT: "gave up waiting for spot capacity",
    RunStatus.UNKNOWN: "unknown state",
}


@dataclass(frozen=True)
class Stage:
    """One stage of a run: `ended` is None while it lasts, `seconds` counts to `ended` only."""

    name: str
    started: datetime
    ended: datetime | None
    message: str = ""

    @property
    def seconds(self) -> float | None:
        return (self.ended - self.started).total_seconds() if self.ended else None


@dataclass(frozen=True)
class Run:
    """One training run. Times carry a zone; seconds are of the job, not summed over instances."""

    name: str
    status: RunStatus
    instance_type: str
    instance_count: int
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    modified: datetime | None = None
    training_seconds: float | None = None
    billable_seconds: float | None = None
    max_seconds: int | None = None
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    dataset_uri: str = ""
    output_uri: str = ""
    artifact_uri: str = ""  # s3://…/model.tar.gz, "" until the run has completed
    failure: str = ""
    stages: tuple[Stage, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    role: str = ""
    image: str = ""
    arn: str = ""

    @property
    def stage(self) -> Stage | None:
        """The stage it is in, or ended in."""
        return self.stages[-1] if self.stages else None

    @property
    def is_sample(self) -> bool:
        return self.tags.get(tag.SAMPLE) == "true"

    @property
    def is_kennels(self) -> bool:
        """Made by Kennel, so that Kennel may offer to clean it up."""
        return self.tags.get(tag.MADE_BY) == tag.KENNEL

    @property
    def dataset(self) -> str:
        """The dataset's name: the last part of its address."""
        return self.dataset_uri.rstrip("/").rsplit("/", 1)[-1]

    def elapsed(self, now: datetime) -> float:
        """Seconds from creation to the end, or to `now` while active."""
        return max(0.0, ((self.ended or now) - self.created).total_seconds())

    def billed_so_far(self, now: datetime) -> float | None:
        """Seconds billed for each instance up to `now`; None when that is not known."""
        if self.billable_seconds is not None:
            return self.billable_seconds
        if self.started is None:
            return 0.0 if self.status.is_active else None
        if self.ended is None and self.status.is_final:
            return None
        return max(0.0, ((self.ended or now) - self.started).total_seconds())
