"""Where a run is, on what it runs and how it is paid: the words of all three kinds of run."""

from enum import StrEnum


class Platform(StrEnum):
    """What runs the training."""

    SAGEMAKER = "sagemaker"
    EC2 = "ec2"

    @property
    def word(self) -> str:
        """What a person reads."""
        return "EC2" if self is Platform.EC2 else "SageMaker"


class RunKind(StrEnum):
    """One training, or a tuning job that starts many."""

    TRAINING = "training"
    TUNING = "tuning"


class Capacity(StrEnum):
    """How its instances are paid: spot costs less and may be taken back at any time."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"


class RunStatus(StrEnum):
    """Where a run is. SageMaker's secondary statuses, with its start-up steps folded into Starting."""

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
    RECLAIMED = "Reclaimed"
    """EC2 took its spot instance back. Nothing starts it again by itself; its checkpoint stays."""
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

    @classmethod
    def of_tuning(cls, status: str) -> "RunStatus":
        """From HyperParameterTuningJobStatus; one that is being deleted is on its way out."""
        return {
            "InProgress": cls.TRAINING,
            "Completed": cls.COMPLETED,
            "Failed": cls.FAILED,
            "Stopped": cls.STOPPED,
            "Stopping": cls.STOPPING,
            "Deleting": cls.STOPPING,
            "DeleteFailed": cls.FAILED,
        }.get(status, cls.UNKNOWN)

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
        return self in (RunStatus.FAILED, RunStatus.OUT_OF_TIME, RunStatus.OUT_OF_WAIT, RunStatus.RECLAIMED)

    @property
    def tone(self) -> str:
        """What its colour means: "running", "waiting", "done", "failed" or "stopped"."""
        if self.is_good:
            return "done"
        if self is RunStatus.RECLAIMED:
            return "waiting"  # nothing is broken: it waits for somebody to resume it
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
        RunStatus.RECLAIMED,
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
    RunStatus.RECLAIMED: "taken back by EC2",
    RunStatus.UNKNOWN: "unknown state",
}
