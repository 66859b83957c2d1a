"""What a person asks for when they train."""

from dataclasses import dataclass
from decimal import Decimal

from dashboard.core.runs.status import Capacity, Platform
from dashboard.core.runs.tuning_spec import Range, RangeKind, Tuning
from training.settings import Settings

__all__ = ["Capacity", "Platform", "Range", "RangeKind", "TrainingSpec", "Tuning"]

WAIT_FOR_SPOT = 3600
"""What a spot job may wait in all for capacity, unless something else is asked for."""


@dataclass(frozen=True)
class TrainingSpec:
    """One training, or tuning job, to launch. `dataset_uri` has train/ valid/ test/ below it.

    `instance_type` is "ml.m5.large" on SageMaker and "m5.large" on EC2; `max_cost` is a cap in USD. `advanced` are more
    hyperparameters of training.settings. `max_wait_seconds` counts from the launch and holds for SageMaker's spot jobs;
    0 is the time limit and an hour. `resume_from` is the S3 folder with the checkpoints of an earlier run.
    `ssh_address` opens port 22 of an EC2 instance to this one address, for the key pair `key_name`.
    The two last ask the embedded AWS to take spot instances back: after these seconds of training, or so often.
    """

    dataset_uri: str
    platform: Platform = Platform.SAGEMAKER
    capacity: Capacity = Capacity.ON_DEMAND
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    learning_rate: float = Settings.learning_rate
    batch_size: int = Settings.batch_size
    epochs: int = Settings.epochs
    advanced: tuple[tuple[str, str], ...] = ()
    max_seconds: int = 3600
    max_wait_seconds: int = 0
    name: str = ""
    max_cost: Decimal | None = None
    tuning: Tuning | None = None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    kms_key: str = ""
    project: str = ""
    owner: str = ""
    key_name: str = ""
    ssh_address: str = ""
    volume_gb: int = 30
    resume_from: str = ""
    interrupt_after: str = ""
    interruptions_per_hour: float = 0.0

    @property
    def hyperparameters(self) -> dict[str, str]:
        """As SageMaker passes them: strings. Those that a tuning searches are not among them."""
        given = {
            "learning_rate": str(self.learning_rate),
            "batch_size": str(self.batch_size),
            "epochs": str(self.epochs),
            **dict(self.advanced),
        }
        searched = self.tuning.tuned if self.tuning else frozenset()
        return {name: value for name, value in given.items() if name not in searched}

    @property
    def is_spot(self) -> bool:
        return self.capacity is Capacity.SPOT

    @property
    def is_on_ec2(self) -> bool:
        return self.platform is Platform.EC2

    @property
    def jobs(self) -> int:
        """How many trainings it starts at most."""
        return self.tuning.jobs if self.tuning else 1

    @property
    def at_once(self) -> int:
        """How many instances it needs at the same time."""
        return self.instance_count * (min(self.tuning.parallel, self.jobs) if self.tuning else 1)

    @property
    def wait_seconds(self) -> int:
        """A spot job's limit from launch to end, waiting included."""
        return self.max_wait_seconds or self.max_seconds + WAIT_FOR_SPOT
