"""What a job uses of its hosts, and the metrics that it prints, brought to CloudWatch while it runs."""

import logging
import shutil
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from local_aws.engine.gpus import Gpu, gpus
from local_aws.engine.job import Job
from local_aws.engine.machine import METRICS, Machine
from local_aws.engine.metrics import Metric
from local_aws.engine.usage import Sampler, Usage
from local_aws.services.cloudwatch_store import Datum
from local_aws.services.ec2_types import memory_of

log = logging.getLogger(__name__)

SECONDS = 2.0  # between two samples; SageMaker's are a minute apart, and a job here may be over before
_FIRST = 0.5  # seconds to the first sample, so that a short job has one too
SPARE = 128 * 1024**2  # bytes of disk that a job must leave to this machine


class Meter:
    """A thread that samples every host of a job. `over_full` says why the job must end for the disk's sake.

    Memory is told as a share of what the instance type has, so that it says what AWS's figure would; of this
    machine's where the type is not known.
    """

    def __init__(self, job: Job, machine: Machine, seconds: float = SECONDS) -> None:
        self._job = job
        self._machine = machine
        self._seconds = seconds
        self._hosts: list[tuple[str, Sampler]] = []
        self._printed: list[Datum] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.over_full = ""

    def start(self, hosts: Sequence[tuple[str, int, Path]]) -> None:
        """hosts: the name of each, its root process and its folder."""
        room = self._job.volume_gb * self._machine.gigabyte
        memory = memory_of(self._job.instance_type)
        self._hosts = [(label, Sampler(pid, folder, room, memory=memory)) for label, pid, folder in hosts]
        self._thread = threading.Thread(target=self._run, name="metering", daemon=True)
        self._thread.start()

    def measured(self, metric: Metric) -> None:
        """The job printed a metric; it is told with the next sample."""
        datum = Datum(metric.name, (("TrainingJobName", self._job.name),), metric.at, metric.value)
        with self._lock:
            self._printed.append(datum)

    def finish(self) -> None:
        """Tell what is left to tell."""
        self._ended.set()
        if self._thread:
            self._thread.join()
        self._tell([])

    def _run(self) -> None:
        wait = min(_FIRST, self._seconds)
        while not self._ended.wait(wait):
            wait = self._seconds
            at = self._machine.now()
            found = [(label, used) for label, sampler in self._hosts if (used := sampler.sample())]
            self._look_at_disk()
            cards = gpus()
            self._tell([datum for label, used in found for datum in self._data(label, used, cards, at)])

    def _look_at_disk(self) -> None:
        full = next((label for label, sampler in self._hosts if sampler.disk() > 100), None)
        if full:
            who = f" of {full}" if len(self._hosts) > 1 else ""
            self.over_full = (
                f"The volume{who} is full: the job's files take more than the {self._job.volume_gb} GB of "
                "ResourceConfig's VolumeSizeInGB. Ask for a larger volume, or write less"
            )
        elif shutil.disk_usage(self._machine.scratch).free < SPARE:
            self.over_full = (
                "The disk of this machine is full, though the job's volume is not. Free some space and launch it again"
            )

    def _data(self, label: str, used: Usage, cards: Sequence[Gpu], at: float) -> list[Datum]:
        figures = {"CPUUtilization": used.cpu, "MemoryUtilization": used.memory, "DiskUtilization": used.disk}
        if cards:
            figures["GPUUtilization"] = sum(card.busy for card in cards)
            figures["GPUMemoryUtilization"] = sum(card.memory for card in cards) / len(cards)
        host = (("Host", f"{self._job.name}/{label}"),)
        return [Datum(name, host, at, value, "Percent") for name, value in figures.items()]

    def _tell(self, data: list[Datum]) -> None:
        with self._lock:
            data, self._printed = data + self._printed, []
        if not data or not self._machine.metrics:
            return
        try:
            self._machine.metrics.put(self._job.region, METRICS, data, resolution=1)
        except sqlite3.Error:  # a full disk costs figures, not the job
            log.exception("metrics of training job %s", self._job.name)
