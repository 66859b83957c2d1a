"""As many training jobs at once as this machine has room for; the others wait their turn, first come first served.

Each host of a job takes a place. A job of more hosts than there are places takes them all.
"""

import hashlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from local_aws.engine.hosts import Numbers
from local_aws.engine.job import Job, Stage
from local_aws.engine.machine import Machine, Reports
from local_aws.engine.training import TrainingRun, end_of_wait, remove

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2  # how often waiting spot jobs are looked at


class TrainingQueue:
    """Runs jobs in up to `places` threads that live as long as it does."""

    def __init__(self, machine: Machine, reports: Reports, places: int) -> None:
        self._machine = machine
        self._reports = reports
        self._places = places
        self._waiting: deque[Job] = deque()
        self._running: dict[str, TrainingRun] = {}
        self._numbers = Numbers()
        self._changed = threading.Condition()
        self._closed = False
        self._threads: list[threading.Thread] = []
        self._workers = 0
        self._clock: threading.Thread | None = None

    def folder(self, arn: str) -> Path:
        """Where a job's files are while it runs. Short, since sockets in it may have 108 characters of path."""
        return self._machine.scratch / hashlib.sha256(arn.encode()).hexdigest()[:12]

    def last_seen(self, arn: str) -> float:
        """When a job that a killed server left behind was last running, in seconds since the epoch; else 0."""
        folder = self.folder(arn)
        return folder.stat().st_mtime if folder.is_dir() else 0.0

    def clean(self) -> None:
        """Remove what runs of a killed server left behind. Before anything is submitted."""
        for folder in self._machine.scratch.iterdir():
            remove(folder)

    def submit(self, job: Job) -> None:
        with self._changed:
            self._waiting.append(job)
            if sum(self._needed(one) for one in self._waiting) > self._free():
                self._reports.reached(job, Stage.STARTING, self._why_it_waits(job))
            if self._workers < self._places:
                self._workers += 1
                self._start_thread(f"training {self._workers}", self._work)
            if job.spot and self._clock is None:
                self._clock = self._start_thread("spot deadlines", self._end_those_that_waited_too_long)
            self._changed.notify_all()

    def _start_thread(self, name: str, target: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _why_it_waits(self, job: Job) -> str:
        ahead = len(self._waiting) - 1
        needs = self._needed(job)
        return (
            f"Waiting for capacity: this machine runs {self._places} training instance"
            f"{'s' if self._places > 1 else ''} at once, this job needs {needs}, {self._free()} "
            f"{'is' if self._free() == 1 else 'are'} free, and {ahead} job{' is' if ahead == 1 else 's are'} "
            "ahead in the queue"
        )

    def _needed(self, job: Job) -> int:
        return min(job.instance_count, self._places)

    def _free(self) -> int:
        return self._places - sum(self._needed(run.job) for run in self._running.values())

    def stop(self, arn: str) -> None:
        """Stop a running job as StopTrainingJob does; a waiting one ends here and now, without having cost anything."""
        with self._changed:
            running = self._running.get(arn)
            if running:
                running.stop()
                return
            for job in self._waiting:
                if job.arn == arn:
                    self._waiting.remove(job)
                    self._reports.reached(job, Stage.STOPPED, "Training job stopped before it started")
                    return

    def interrupt(self, arn: str) -> bool:
        """Take a running spot job's capacity away; whether it had any."""
        with self._changed:
            running = self._running.get(arn)
            if running is None or running.job.spot is None:
                return False
            running.interrupt()
            return True

    def close(self) -> None:
        """End every running job at once (it is reported as interrupted) and start no more."""
        with self._changed:
            self._closed = True
            for run in self._running.values():
                run.close()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._next())
                job = self._next()
                if self._closed or job is None:
                    return
                self._waiting.remove(job)
                number = self._numbers.take()
                run = TrainingRun(job, self._machine, self._reports, self.folder(job.arn), number)
                self._running[job.arn] = run
                self._changed.notify_all()  # another may fit beside it
            try:
                run.run()
            except Exception:  # its end could not even be written down; the next jobs must still run
                log.exception("training job %s", job.name)
            finally:
                with self._changed:
                    del self._running[job.arn]
                    self._numbers.give_back(number)
                    self._changed.notify_all()

    def _next(self) -> Job | None:
        """The first that waits, once its places are free: nobody overtakes it.

        One of a name whose run before it, deleted since, is still being cleaned up does not hold the others.
        """
        first = next((job for job in self._waiting if job.arn not in self._running), None)
        return first if first and self._needed(first) <= self._free() else None

    def _end_those_that_waited_too_long(self) -> None:
        """Spot jobs that wait here past MaxWaitTimeInSeconds; those that run look after it themselves."""
        with self._changed:
            while not self._closed:
                now = self._machine.now()
                for job in [job for job in self._waiting if job.spot and job.spot.deadline < now]:
                    self._waiting.remove(job)
                    end_of_wait(job, self._reports)
                self._changed.wait(_LOOK_SECONDS if any(job.spot for job in self._waiting) else None)
