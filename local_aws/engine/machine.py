"""What every run on this machine shares, and where a run says how it goes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from local_aws.engine.as_role import AsRole
from local_aws.engine.checkpoints import SYNC_SECONDS
from local_aws.engine.container import Access
from local_aws.engine.job import Job, Stage
from local_aws.engine.metrics import Metric
from local_aws.engine.objects import Objects
from local_aws.engine.output import LogSink
from local_aws.engine.spot import wait_for_capacity
from local_aws.engine.warm_pool import WarmPool
from local_aws.services.cloudwatch_store import Datum

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
METRICS = "/aws/sagemaker/TrainingJobs"
"""The namespace, in CloudWatch, of what a job uses of its instances and of the metrics that it prints."""
GRACE_SECONDS = 120.0  # between SIGTERM and SIGKILL, as SageMaker gives
GIGABYTE = 1024**3


class Reports(Protocol):
    """Where a run says how it goes. Called from the run's threads."""

    def reached(self, job: Job, stage: Stage, message: str, *, failure: str = "", artifact: str = "") -> None:
        """The job entered a stage. failure: why it failed; artifact: the model's S3 address."""

    def measured(self, job: Job, metric: Metric) -> None:
        """The job printed a metric."""


class MetricSink(Protocol):
    """The part of the embedded CloudWatch that the engine calls."""

    def put(self, region: str, namespace: str, data: Sequence[Datum], *, resolution: int = 60) -> None: ...


@dataclass(frozen=True)
class Machine:
    """What every run on this machine shares.

    scratch: a folder for runs; grace in seconds; now: epoch seconds; hidden: what runs must not see (see OptMl);
    pool: the folder that they share from one to the next; access: lets them work as their role; metrics: where what
    they use is told; capacity: seconds until a job, by its ARN, has capacity again after its n-th interruption;
    sync: seconds between two looks at its checkpoints; gigabyte: the bytes of one of VolumeSizeInGB; as_role: what the
    engine does as a job's role, None: everything.
    """

    scratch: Path
    objects: Objects
    logs: LogSink
    private: bool
    grace: float = GRACE_SECONDS
    now: Callable[[], float] = time.time
    hidden: Path | None = None
    pool: WarmPool | None = None
    access: Access | None = None
    metrics: MetricSink | None = None
    capacity: Callable[[str, int], float] = wait_for_capacity
    sync: float = SYNC_SECONDS
    gigabyte: int = GIGABYTE
    as_role: AsRole | None = None

    def working_as(self, role: str, region: str) -> "Machine":
        """The same for a run that works as a role: it reads, writes and tells what that role may."""
        if self.as_role is None:
            return self
        metrics = self.metrics and _RoleMetrics(self.metrics, self.as_role, role)
        return replace(
            self,
            objects=self.as_role.storage(role, region, self.objects),
            logs=self.as_role.logs(role, region, self.logs),
            metrics=metrics,
        )


@dataclass(frozen=True)
class _RoleMetrics:
    """Figures that a role may not tell are told to nobody."""

    metrics: MetricSink
    as_role: AsRole
    role: str

    def put(self, region: str, namespace: str, data: Sequence[Datum], *, resolution: int = 60) -> None:
        if self.as_role.may_tell(self.role, region, namespace):
            self.metrics.put(region, namespace, data, resolution=resolution)
