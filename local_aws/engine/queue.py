"""As many training jobs at once as this machine has room for; the others wait their turn, first come first served."""

import hashlib
import logging
import threading
from collections import deque
from pathlib import Path

from local_aws.engine.job import Job, Stage
from local_aws.engine.opt_ml import OptMl
from local_aws.engine.training import Machine, Reports, TrainingRun

log = logging.getLogger(__name__)


class TrainingQueue:
    """Runs jobs in `places` threads that live as long as it does."""

    def __init__(self, machine: Machine, reports: Reports, places: int) -> None:
        self._machine = machine
        self._reports = reports
        self._places = places
        self._waiting: deque[Job] = deque()
        self._running: dict[str, TrainingRun] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._threads: list[threading.Thread] = []

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
            OptMl(folder, self._machine.private).remove()

    def submit(self, job: Job) -> None:
        with self._changed:
            if len(self._waiting) + len(self._running) >= self._places:
                message = (
                    f"Waiting for capacity: this machine runs {self._places} training "
                    f"job{'s' if self._places > 1 else ''} at once, and {len(self._waiting)} "
                    f"{'is' if len(self._waiting) == 1 else 'are'} ahead in the queue"
                )
                self._reports.reached(job, Stage.STARTING, message)
            self._waiting.append(job)
            if len(self._threads) < self._places:
                thread = threading.Thread(target=self._work, name=f"training {len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()

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

    def close(self) -> None:
        """End every running job at once (it is reported as interrupted) and start no more."""
        with self._changed:
            self._closed = True
            for run in self._running.values():
                run.interrupt()
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
                run = TrainingRun(job, self._machine, self._reports, self.folder(job.arn))
                self._running[job.arn] = run
            try:
                run.run()
            except Exception:  # its end could not even be written down; the next jobs must still run
                log.exception("training job %s", job.name)
            finally:
                with self._changed:
                    del self._running[job.arn]
                    self._changed.notify_all()

    def _next(self) -> Job | None:
        """The first that waits; not one of a name whose run before it, deleted since, is still being cleaned up."""
        return next((job for job in self._waiting if job.arn not in self._running), None)
