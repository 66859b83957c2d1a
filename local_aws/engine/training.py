"""One training job, really run: its data pulled, its command executed, its artifacts stored."""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from local_aws.engine import artifacts, container
from local_aws.engine.errors import AlgorithmFaultError, ClientFaultError, EngineError, InternalFaultError
from local_aws.engine.job import Job, Stage
from local_aws.engine.metrics import Metric, MetricReader
from local_aws.engine.namespace import CANNOT
from local_aws.engine.objects import Location, Objects, fetch
from local_aws.engine.opt_ml import OptMl
from local_aws.engine.output import LogPump, LogSink
from local_aws.engine.process import LeashedProcess
from local_aws.engine.warm_pool import WarmPool
from local_aws.errors import ServiceError

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
GRACE_SECONDS = 120.0  # between SIGTERM and SIGKILL, as SageMaker gives
INTERRUPTED = "InternalServerError: the embedded AWS stopped while this job was running. Launch the job again."
LONGEST_FAILURE = 8 * 1024  # bytes read of output/failure, of which about 1,000 characters are shown
_KILLED = 137
_LOOK_SECONDS = 0.1  # how often a running process is checked for a stop or its time limit


class Reports(Protocol):
    """Where a run says how it goes. Called from the run's threads."""

    def reached(self, job: Job, stage: Stage, message: str, *, failure: str = "", artifact: str = "") -> None:
        """The job entered a stage. failure: why it failed; artifact: the model's S3 address."""

    def measured(self, job: Job, metric: Metric) -> None:
        """The job printed a metric."""


@dataclass(frozen=True)
class Machine:
    """What every run on this machine shares.

    scratch: a folder for runs; grace in seconds; now: epoch seconds; hidden: what runs must not see (see OptMl);
    pool: the folder that they share from one to the next; access: lets them work as their role.
    """

    scratch: Path
    objects: Objects
    logs: LogSink
    private: bool
    grace: float = GRACE_SECONDS
    now: Callable[[], float] = time.time
    hidden: Path | None = None
    pool: WarmPool | None = None
    access: container.Access | None = None


class TrainingRun:
    """A job from Downloading to its end. `run()` blocks; `stop()` and `interrupt()` come from other threads."""

    def __init__(self, job: Job, machine: Machine, reports: Reports, folder: Path) -> None:
        self.job = job
        self._machine = machine
        self._reports = reports
        self._place = OptMl(folder, machine.private, machine.hidden, machine.pool.folder if machine.pool else None)
        self._stop_asked = threading.Event()
        self._interrupted = threading.Event()

    def stop(self) -> None:
        """Stop as StopTrainingJob does: SIGTERM, SIGKILL after the grace period, what is in model/ is kept."""
        self._stop_asked.set()

    def interrupt(self) -> None:
        """End at once and without artifacts: the server is going down."""
        self._interrupted.set()

    def _must_end(self) -> bool:
        return self._stop_asked.is_set() or self._interrupted.is_set()

    def run(self) -> None:
        """Run to the end. Reports exactly one final stage, whatever happens."""
        try:
            self._place.remove()
            final, message, artifact = self._all_stages()
            self._reports.reached(self.job, final, message, artifact=artifact)
        except EngineError as error:
            self._failed(error.reason)
        except OSError as error:
            self._failed(InternalFaultError(f"this machine could not run the job: {error}").reason)
        except Exception as error:  # whatever it is, the job must not stay InProgress for ever
            log.exception("training job %s", self.job.name)
            self._failed(InternalFaultError(f"the embedded AWS failed on this job: {error!r}").reason)
        finally:
            self._place.remove()

    def _failed(self, reason: str) -> None:
        if self._stop_asked.is_set():
            self._reports.reached(self.job, Stage.STOPPED, "Training job stopped")
            return
        if self._interrupted.is_set():
            reason = INTERRUPTED
        self._reports.reached(self.job, Stage.FAILED, reason, failure=reason)

    def _all_stages(self) -> tuple[Stage, str, str]:
        self._reports.reached(self.job, Stage.DOWNLOADING, "Downloading input data")
        self._download()
        late = False
        if not self._must_end():
            self._reports.reached(self.job, Stage.TRAINING, "Training is in progress")
            code, late, tail = self._execute()
            if not self._must_end() and not late and code != 0:
                self._upload("output/data", "output.tar.gz")
                raise self._failure(code, tail)
        if self._interrupted.is_set():
            raise InternalFaultError(INTERRUPTED)
        self._reports.reached(self.job, Stage.UPLOADING, "Uploading generated training model")
        artifact = self._upload("model", "model.tar.gz")
        self._upload("output/data", "output.tar.gz")
        if self._stop_asked.is_set():
            return Stage.STOPPED, "Training job stopped", artifact
        if late:
            message = f"Training job runtime exceeded MaxRuntimeInSeconds ({self.job.max_runtime} s)"
            return Stage.MAX_RUNTIME_EXCEEDED, message, artifact
        return Stage.COMPLETED, "Training job completed", artifact

    def _download(self) -> None:
        place, job = self._place, self.job
        if self._machine.pool:
            self._machine.pool.prepare()
        place.make()
        container.write_config(job, place)
        total = 0
        for channel in job.channels:
            folder = place.folder / "input/data" / channel.name
            folder.mkdir(exist_ok=True)
            try:
                total += fetch(self._machine.objects, channel.source, folder, self._must_end)
            except ServiceError as error:
                raise ClientFaultError(f"Data download failed: {channel.source.uri}: {error.message}") from error
            if job.volume_gb and total > job.volume_gb * 1024**3:
                raise ClientFaultError(
                    f"Data download failed: the input is larger than VolumeSizeInGB ({job.volume_gb} GB)"
                )
        place.rewrite_code(place.folder / "input/data" / channel.name for channel in job.channels if channel.is_code)

    def _execute(self) -> tuple[int, bool, list[str]]:
        """Exit code, whether it ran out of time, its last lines."""
        job, place, machine = self.job, self._place, self._machine
        allowed = machine.access(job.role, job.region) if machine.access else {}
        wanted = container.variables(job, gpus=container.count_gpus(), cpus=container.count_cpus())
        process = LeashedProcess(
            place.command(container.with_our_python(job.command)),
            environment=place.environment(container.clean_environment(place) | dict(allowed) | wanted),
            folder=place.folder / "code",
        )
        stream = f"{job.name}/algo-1-{int(machine.now())}"
        metrics = (
            MetricReader(job.metrics, lambda found: self._reports.measured(job, found), self._note(stream))
            if job.metrics
            else None
        )
        observe = metrics.observe if metrics else None
        pump = LogPump(process.output, machine.logs, LOG_GROUP, stream, observe=observe, now=machine.now)
        try:
            code, late = self._wait(process)
        finally:
            process.kill()
            process.wait()
            pump.finish()
            if metrics:
                metrics.finish()
        return code, late, list(pump.tail)

    def _note(self, stream: str) -> Callable[[str], None]:
        def write(sentence: str) -> None:
            self._machine.logs.append(LOG_GROUP, stream, [(int(self._machine.now() * 1000), f"[kennel] {sentence}")])

        return write

    def _wait(self, process: LeashedProcess) -> tuple[int, bool]:
        """Wait for the process, or end it when it must. (exit code, ran out of time)"""
        started = time.monotonic()
        told_at: float | None = None
        late = False
        while (code := process.wait(_LOOK_SECONDS)) is None:
            clock = time.monotonic()
            os.utime(self._place.folder)  # how long it ran is known even when the server is killed
            if self._interrupted.is_set():
                process.kill()
            elif told_at is not None:
                if clock - told_at > self._machine.grace:
                    process.kill()
            elif self._stop_asked.is_set() or clock - started > self.job.max_runtime:
                late = not self._stop_asked.is_set()
                told_at = clock
                process.terminate()
        return code, late

    def _failure(self, code: int, tail: list[str]) -> EngineError:
        if code == CANNOT and self._place.private and tail and tail[-1].startswith("no private /opt/ml"):
            return InternalFaultError(tail[-1])
        text = self._place.beginning("output/failure", LONGEST_FAILURE).strip()
        text = text or "\n".join(tail[-5:]) or "it printed nothing"
        if code == _KILLED:
            text = f"it was killed, most often for lack of memory; its last lines: {text}"
        return AlgorithmFaultError(f"{text[:950]}, exit code: {code}")

    def _upload(self, name: str, archive: str) -> str:
        """Store a folder's contents when there are any: as one archive, or file by file. Its S3 address, or ""."""
        folder = self._place.own(name)
        if folder is None:
            raise ClientFaultError(f"Artifact upload failed: /opt/ml/{name} is a link. Write into the folder itself")
        if not artifacts.has_files(folder):
            return ""
        try:
            if not self.job.compressed:
                target = self.job.output.below("model" if name == "model" else "data")
                for path in artifacts.files(folder):
                    self._store(path, target.below(str(path.relative_to(folder))))
                return target.uri + "/"
            target = self.job.output.below(archive)
            with TemporaryDirectory(dir=self._machine.scratch) as outgoing:  # where the job could put no link or pipe
                packed = Path(outgoing, archive)
                artifacts.pack(folder, packed)
                self._store(packed, target)
        except ServiceError as error:
            raise ClientFaultError(f"Artifact upload failed: {self.job.output.uri}: {error.message}") from error
        except OSError as error:
            raise ClientFaultError(f"Artifact upload failed: {error.strerror}") from error
        return target.uri

    def _store(self, path: Path, target: Location) -> None:
        self._machine.objects.add_file(target.bucket, target.key, path)
