"""One run, as a person thinks of it: a SageMaker training, a SageMaker tuning job or an EC2 training."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from dashboard.core import tags as tag
from dashboard.core.runs.status import Capacity, Platform, RunKind, RunStatus
from dashboard.core.runs.tuning_spec import Tuning
from training.metrics import FROM_CACHE

__all__ = ["Capacity", "Platform", "Run", "RunKey", "RunKind", "RunStatus", "Stage", "TuningFacts"]

TUNING_KEY, EC2_KEY = "tuning:", "ec2:"
LEAST_CACHED = 0.05
"""Where fewer of the photos' features came from a cache, computing them took the time of a run that computed all."""


@dataclass(frozen=True, slots=True)
class RunKey:
    """What names a run among all kinds, as in the page's address: "dogs-1", "tuning:dogs-2", "ec2:dogs-3"."""

    name: str
    platform: Platform = Platform.SAGEMAKER
    kind: RunKind = RunKind.TRAINING

    @classmethod
    def parse(cls, text: str) -> "RunKey":
        """Of any text: one without a known beginning is the name of a SageMaker training."""
        if text.startswith(TUNING_KEY):
            return cls(text.removeprefix(TUNING_KEY), kind=RunKind.TUNING)
        if text.startswith(EC2_KEY):
            return cls(text.removeprefix(EC2_KEY), Platform.EC2)
        return cls(text)

    def __str__(self) -> str:
        if self.kind is RunKind.TUNING:
            return TUNING_KEY + self.name
        return (EC2_KEY if self.platform is Platform.EC2 else "") + self.name


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a run: `ended` is None while it lasts, `seconds` counts to `ended` only."""

    name: str
    started: datetime
    ended: datetime | None
    message: str = ""

    @property
    def seconds(self) -> float | None:
        return (self.ended - self.started).total_seconds() if self.ended else None


@dataclass(frozen=True, slots=True)
class TuningFacts:
    """What a tuning job searches, how far it is, and its best so far.

    `counts` are SageMaker's own counters: Completed, InProgress, RetryableError, NonRetryableError, Stopped.
    `ranges` are (hyperparameter, "0.001 to 0.1, logarithmic") for a person; `children` are keys of training runs,
    in the order in which they were started, known once one tuning job is looked at by itself.
    """

    strategy: str
    objective: str
    goal: str  # "Minimize" or "Maximize"
    max_jobs: int
    parallel: int
    counts: Mapping[str, int] = field(default_factory=dict)
    best_key: str = ""
    best_value: float | None = None
    best_hyperparameters: Mapping[str, str] = field(default_factory=dict)
    ranges: tuple[tuple[str, str], ...] = ()
    early_stopping: bool = False
    children: tuple[str, ...] = ()
    search: Tuning | None = None  # what was asked for, to ask for it again

    @property
    def ended(self) -> int:
        """Trials that have ended, however they did."""
        return sum(value for name, value in self.counts.items() if name != "InProgress")

    @property
    def fraction(self) -> float:
        """Ended trials of those that it may start, 0..1."""
        return min(1.0, self.ended / self.max_jobs) if self.max_jobs else 0.0

    def is_better(self, value: float, than: float | None) -> bool:
        """Whether an objective's value beats another."""
        return than is None or (value < than if self.goal == "Minimize" else value > than)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of any kind. Times carry a zone; seconds are of the job, not summed over instances.

    For a tuning job seconds and cost are those of its children, which are runs of their own with `parent` set.
    """

    name: str
    status: RunStatus
    instance_type: str  # "ml.m5.large"; on EC2 "m5.large"
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
    platform: Platform = Platform.SAGEMAKER
    kind: RunKind = RunKind.TRAINING
    capacity: Capacity = Capacity.ON_DEMAND
    parent: str = ""  # the name of the tuning job that started it
    tuning: TuningFacts | None = None
    max_wait_seconds: int | None = None
    checkpoint_uri: str = ""
    code_uri: str = ""
    volume_gb: int | None = None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    kms_key: str = ""
    instance_id: str = ""  # EC2 only
    spot_price: Decimal | None = None  # EC2 only: USD per hour when it was launched
    has_checkpoint: bool | None = None  # whether one lies at its checkpoint_uri; None while nobody has looked

    @property
    def key(self) -> str:
        """Its name among all kinds of run; what ?run= carries."""
        return str(RunKey(self.name, self.platform, self.kind))

    @property
    def stage(self) -> Stage | None:
        """The stage it is in, or ended in."""
        return self.stages[-1] if self.stages else None

    @property
    def is_spot(self) -> bool:
        return self.capacity is Capacity.SPOT

    @property
    def is_tuning(self) -> bool:
        return self.kind is RunKind.TUNING

    @property
    def is_on_ec2(self) -> bool:
        return self.platform is Platform.EC2

    @property
    def is_sample(self) -> bool:
        return tag.is_sample(self.tags)

    @property
    def is_replayed(self) -> bool:
        """Recorded in the sample account from what others tell of it: nothing ran, and there is no model or log."""
        return self.is_sample and bool(self.tags.get(tag.REPLAY))

    @property
    def is_proof(self) -> bool:
        """It proved a role's proposed policy: no work on a model, so that nothing is judged or expected by it."""
        return bool(self.tags.get(tag.PROOF))

    @property
    def is_kennels(self) -> bool:
        """Made by Kennel, so that Kennel may offer to clean it up."""
        return tag.is_kennels(self.tags)

    @property
    def project(self) -> str:
        return self.tags.get("project", "")

    @property
    def owner(self) -> str:
        return self.tags.get("owner", "")

    @property
    def dataset(self) -> str:
        """The dataset's name: the last part of its address."""
        return self.dataset_uri.rstrip("/").rsplit("/", 1)[-1]

    @property
    def interruptions(self) -> int:
        """How often its spot instances were taken back."""
        return sum(stage.name == RunStatus.INTERRUPTED for stage in self.stages)

    @property
    def is_cached(self) -> bool:
        """Its features came from an earlier run's cache, by its own words: it did less work than its settings say.

        One that was interrupted finds what it had computed itself, and an old one does not say: neither is `is_cached`.
        """
        return not self.interruptions and self.metrics.get(FROM_CACHE, 0.0) >= LEAST_CACHED

    @property
    def is_silent_on_cache(self) -> bool:
        """Whether nobody can know that: it ran, with code older than the figure or with somebody else's."""
        return not self.is_replayed and FROM_CACHE not in self.metrics

    @property
    def saving(self) -> float | None:
        """What managed spot saved, 0..1: 1 − BillableTimeInSeconds / TrainingTimeInSeconds, AWS's own formula.

        None for a run on demand, on EC2, or without both figures.
        """
        if not self.is_spot or self.is_on_ec2 or not self.training_seconds or self.billable_seconds is None:
            return None
        return 1 - self.billable_seconds / self.training_seconds

    @property
    def spot_wait_seconds(self) -> int | None:
        """How long it may wait for spot capacity on top of its time limit: MaxWaitTimeInSeconds is the sum of both."""
        if not self.max_wait_seconds or self.max_seconds is None:
            return None
        return self.max_wait_seconds - self.max_seconds

    @property
    def can_resume(self) -> bool:
        """Ended before its model was there, with checkpoints that a new run can go on from."""
        return self.may_resume and self.has_checkpoint is not False

    @property
    def may_resume(self) -> bool:
        """The same, whether or not a checkpoint was written: worth a look at where they would be."""
        return self.status.is_final and not self.status.is_good and bool(self.checkpoint_uri) and not self.is_tuning

    @property
    def is_interruption_asked_for(self) -> bool:
        """Launched with the wish to be taken back, as only the embedded AWS grants: a simulation, not a failure."""
        return any(self.tags.get(name) for name in (tag.INTERRUPT_AFTER, tag.INTERRUPTIONS_PER_HOUR, tag.INTERRUPT))

    @property
    def can_interrupt(self) -> bool:
        """On spot instances that are working right now: an interruption can be asked for on the embedded AWS."""
        return self.is_spot and self.status in (RunStatus.TRAINING, RunStatus.DOWNLOADING) and not self.is_tuning

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
