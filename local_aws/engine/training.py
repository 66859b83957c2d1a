"""One training job, really run: its data pulled, its command executed on every host, its artifacts stored."""

import logging
import os
import threading
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from local_aws.engine.cluster import Cluster, Host
from local_aws.engine.errors import ClientFaultError, EngineError, InternalFaultError
from local_aws.engine.job import Job, Spot, Stage
from local_aws.engine.machine import Machine, Reports
from local_aws.engine.opt_ml import OptMl
from local_aws.engine.results import store_model, store_output

log = logging.getLogger(__name__)

INTERRUPTED = "InternalServerError: the embedded AWS stopped while this job was running. Launch the job again."
SPOT_INTERRUPTED = "The spot capacity was taken away (simulated). Waiting for capacity to go on"
SERVER_STOPPED = "The embedded AWS stopped while this spot job was running; it goes on from its last checkpoint"
NO_VPC = "This machine has no VPC: the job's network is this machine's own"
_LOOK_SECONDS = 0.1  # how often running processes are checked for a stop or their limits
_LOST_HOST_SECONDS = 5.0  # how long the other hosts have once one has failed


class _Ending(StrEnum):
    """Why an attempt must end before its processes have ended by themselves."""

    CLOSED = "the server goes down"
    STOPPED = "StopTrainingJob"
    INTERRUPTED = "the spot capacity was taken away"
    WAITED = "MaxWaitTimeInSeconds"
    LATE = "MaxRuntimeInSeconds"
    FULL = "its disk is full"


class TrainingRun:
    """A job from Downloading to its end, over all interruptions of its spot capacity.

    `run()` blocks; `stop()`, `interrupt()` and `close()` come from other threads. number: see Cluster.
    """

    def __init__(self, job: Job, machine: Machine, reports: Reports, folder: Path, number: int) -> None:
        self.job = job
        self._machine = machine.working_as(job.role, job.region)
        self._reports = reports
        self._folder = folder
        self._number = number
        self._stop_asked = threading.Event()
        self._closing = threading.Event()
        self._taken_away = threading.Event()
        self._trained = job.spot.trained if job.spot else 0.0  # seconds in earlier attempts
        self._planned = [at for at in job.spot.interruptions if at > self._trained] if job.spot else []
        self._interruptions = 0

    def stop(self) -> None:
        """Stop as StopTrainingJob does: SIGTERM, SIGKILL after the grace period, what is in model/ is kept."""
        self._stop_asked.set()

    def interrupt(self) -> None:
        """Take a spot job's capacity away: SIGTERM, SIGKILL after the grace period, then it starts again."""
        if self.job.spot:
            self._taken_away.set()

    def close(self) -> None:
        """End at once and without artifacts: the server is going down."""
        self._closing.set()

    def run(self) -> None:
        """Run to the end. Reports exactly one final stage, whatever happens.

        Except for a spot job whose server goes down: that one is Interrupted, and goes on with the next server.
        """
        job = self.job
        try:
            while not self._attempt():
                if not self._wait_for_capacity():
                    return
                self._reports.reached(job, Stage.STARTING, "Starting the training job again after an interruption")
        except EngineError as error:
            self._failed(error.reason)
        except OSError as error:
            self._failed(InternalFaultError(f"this machine could not run the job: {error}").reason)
        except Exception as error:  # whatever it is, the job must not stay InProgress for ever
            log.exception("training job %s", job.name)
            self._failed(InternalFaultError(f"the embedded AWS failed on this job: {error!r}").reason)
        finally:
            remove(self._folder)

    def _failed(self, reason: str) -> None:
        if self._stop_asked.is_set():
            self._reports.reached(self.job, Stage.STOPPED, "Training job stopped")
        elif self._closing.is_set() and self.job.spot:
            self._reports.reached(self.job, Stage.INTERRUPTED, SERVER_STOPPED)
        else:
            reason = INTERRUPTED if self._closing.is_set() else reason
            self._reports.reached(self.job, Stage.FAILED, reason, failure=reason)

    def _attempt(self) -> bool:
        """Run until the job ends, which is reported, or its capacity is taken away: then False. Raises EngineError."""
        remove(self._folder)
        cluster = Cluster(self.job, self._machine, self._reports, self._folder, self._number)
        self._reports.reached(self.job, Stage.DOWNLOADING, "Downloading input data")
        cluster.prepare(lambda: self._must_end(0.0, "") is not None)
        ending = self._must_end(0.0, "")
        if ending is None:
            vpc = f". {NO_VPC}" if self.job.vpc else ""
            self._reports.reached(self.job, Stage.TRAINING, f"Training is in progress{vpc}")
            ending = self._train(cluster)
        if ending is _Ending.INTERRUPTED:
            self._interruptions += 1
            self._planned = [at for at in self._planned if at > self._trained]
            self._taken_away.clear()
            self._reports.reached(self.job, Stage.INTERRUPTED, SPOT_INTERRUPTED)
            remove(self._folder)
            return False
        self._end(cluster, ending)
        return True

    def _train(self, cluster: Cluster) -> _Ending | None:
        """Let all hosts run to their end; why that came early. Raises EngineError for a host that failed."""
        started = time.monotonic()
        try:
            cluster.start()
            ending, lost = self._watch(cluster, started)
        finally:
            cluster.close()
            self._trained += time.monotonic() - started
        if lost:
            store_output(self.job, self._machine, _places(cluster))
            raise lost.failure()
        if ending is _Ending.FULL:
            raise ClientFaultError(cluster.over_full)
        return ending

    def _watch(self, cluster: Cluster, started: float) -> tuple[_Ending | None, Host | None]:
        """Wait for all hosts, or end them when they must: why they had to, or which of them failed first."""
        ending: _Ending | None = None
        lost: Host | None = None
        kill_at = float("inf")
        while cluster.is_running:
            cluster.wait(_LOOK_SECONDS)
            os.utime(self._folder)  # how long it ran is known even when the server is killed
            clock = time.monotonic()
            if ending is None and lost is None:
                lost = cluster.failed
                ending = self._must_end(clock - started, cluster.over_full) if lost is None else None
                if ending is _Ending.WAITED:
                    self._reports.reached(self.job, Stage.STOPPING, _waited_too_long(self.job))
                if lost or ending:
                    patience = min(_LOST_HOST_SECONDS, self._machine.grace) if lost else self._machine.grace
                    kill_at = clock + patience
                    cluster.terminate()  # whose exit codes say no more than that
            if clock >= kill_at or self._closing.is_set() or cluster.over_full:
                cluster.kill()
        if self._closing.is_set() and cluster.failed:
            return _Ending.CLOSED, None
        return ending, lost or (cluster.failed if ending is None else None)

    def _must_end(self, trained_now: float, over_full: str) -> _Ending | None:
        trained = self._trained + trained_now
        if self._closing.is_set():
            return _Ending.CLOSED
        if self._stop_asked.is_set():
            return _Ending.STOPPED
        if over_full:
            return _Ending.FULL
        if trained > self.job.max_runtime:
            return _Ending.LATE
        if self._is_past(self.job.spot):
            return _Ending.WAITED
        if self._taken_away.is_set() or (self._planned and trained >= self._planned[0]):
            return _Ending.INTERRUPTED
        return None

    def _is_past(self, spot: Spot | None) -> bool:
        return spot is not None and self._machine.now() > spot.deadline

    def _end(self, cluster: Cluster, ending: _Ending | None) -> None:
        """Store what the job made and report its end. Raises EngineError."""
        job = self.job
        if ending is _Ending.CLOSED:
            raise InternalFaultError(INTERRUPTED)
        self._reports.reached(job, Stage.UPLOADING, "Uploading generated training model")
        artifact = store_model(job, self._machine, _places(cluster))
        store_output(job, self._machine, _places(cluster))
        if self._stop_asked.is_set():
            self._reports.reached(job, Stage.STOPPED, "Training job stopped", artifact=artifact)
        elif ending is _Ending.LATE:
            message = f"Training job runtime exceeded MaxRuntimeInSeconds ({job.max_runtime} s)"
            self._reports.reached(job, Stage.MAX_RUNTIME_EXCEEDED, message, artifact=artifact)
        elif ending is _Ending.WAITED:
            self._reports.reached(job, Stage.MAX_WAIT_TIME_EXCEEDED, _waited_too_long(job), artifact=artifact)
        else:
            self._reports.reached(job, Stage.COMPLETED, "Training job completed", artifact=artifact)

    def _wait_for_capacity(self) -> bool:
        """Until there is spot capacity again; False when the job ended meanwhile, or its server goes down."""
        back = time.monotonic() + self._machine.capacity(self.job.arn, self._interruptions)
        while not self._closing.wait(_LOOK_SECONDS):
            if self._stop_asked.is_set():
                self._reports.reached(self.job, Stage.STOPPED, "Training job stopped")
                return False
            if self._is_past(self.job.spot):
                end_of_wait(self.job, self._reports)
                return False
            if time.monotonic() >= back:
                self._taken_away.clear()  # what was asked for while it was away has happened
                return True
        return False


def end_of_wait(job: Job, reports: Reports) -> None:
    """Report that MaxWaitTimeInSeconds ended a job that does not run: Stopping, then the end, as SageMaker does."""
    for stage in (Stage.STOPPING, Stage.MAX_WAIT_TIME_EXCEEDED):
        reports.reached(job, stage, _waited_too_long(job))


def _waited_too_long(job: Job) -> str:
    seconds = job.spot.max_wait if job.spot else 0
    return f"The training job did not complete within MaxWaitTimeInSeconds ({seconds} s)"


def remove(folder: Path) -> None:
    """Delete all that runs of a job left behind, whatever permissions they gave to what they made."""
    OptMl(folder, private=False).remove()


def _places(cluster: Cluster) -> Sequence[OptMl]:
    return [host.place for host in cluster.hosts]
