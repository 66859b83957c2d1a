"""SageMaker: its control plane in this store, its training jobs and endpoints as processes of this machine."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local_aws.engine.as_role import AsRole
from local_aws.engine.container import Access, count_cpus
from local_aws.engine.endpoint import View
from local_aws.engine.endpoints import Fleet, Host
from local_aws.engine.machine import GRACE_SECONDS, Machine, MetricSink
from local_aws.engine.objects import Objects
from local_aws.engine.opt_ml import holds_python, namespaces_allowed
from local_aws.engine.output import Event, LogSink
from local_aws.engine.queue import TrainingQueue
from local_aws.engine.warm_pool import WarmPool
from local_aws.pace import AS_AWS, Pace
from local_aws.services.sagemaker_endpoints import Endpoints
from local_aws.services.sagemaker_notebooks import Notebooks
from local_aws.services.sagemaker_search import Search
from local_aws.services.sagemaker_training import JobReports
from local_aws.services.sagemaker_training_checks import Surroundings
from local_aws.store import Store

log = logging.getLogger(__name__)

MOST_ENDPOINT_PROCESSES = 8


class SageMaker(Search, Endpoints, Notebooks):
    """The service. `fleet` is where sagemaker-runtime finds the processes of an endpoint.

    jobs_at_once: None for one a core. private: None to find out whether processes can have an /opt/ml of their own.
    grace: seconds between SIGTERM and SIGKILL of a training job. metrics: where jobs tell what they use of the machine.
    around: the rest of the account, that a job is checked against. pace: how fast endpoints wait. as_role: what is done
    as the roles of jobs and models, None: everything.
    """

    def __init__(
        self,
        store: Store,
        s3: Objects,
        logs: LogSink,
        *,
        jobs_at_once: int | None = None,
        most_endpoint_processes: int = MOST_ENDPOINT_PROCESSES,
        private: bool | None = None,
        grace: float = GRACE_SECONDS,
        now: Callable[[], float] = time.time,
        access: Access | None = None,
        metrics: MetricSink | None = None,
        around: Surroundings | None = None,
        pace: Pace = AS_AWS,
        as_role: AsRole | None = None,
    ) -> None:
        super().__init__(store)
        self.around = around or Surroundings()
        self._metrics = metrics
        self._pace = pace
        self.objects = s3
        self.now = lambda: round(
            now(), 3
        )  # as precise as a response tells it, so that filters by a told time are exact
        self.most_processes = most_endpoint_processes
        self._directory = store.directory
        self._logs = _OneWriter(logs)
        self._events = ThreadPoolExecutor(max_workers=1, thread_name_prefix="endpoint events")
        self._jobs_at_once = jobs_at_once or count_cpus()
        self._private = private
        self._grace = grace
        self._access = access
        self.as_role = as_role

    async def start(self) -> None:
        await asyncio.to_thread(self._start)

    async def stop(self) -> None:
        await asyncio.to_thread(self._stop)

    def _start(self) -> None:
        private = namespaces_allowed() if self._private is None else self._private
        hidden = None if holds_python(self._directory) else self._directory
        scratch, endpoints = self._directory / "jobs", self._directory / "endpoints"
        scratch.mkdir(exist_ok=True)
        endpoints.mkdir(exist_ok=True)
        pool = WarmPool(self._directory / "warm-pool")
        machine = Machine(
            scratch,
            self.objects,
            self._logs,
            private,
            self._grace,
            self.now,
            hidden,
            pool,
            self._access,
            self._metrics,
            as_role=self.as_role,
        )
        self.queue = TrainingQueue(machine, JobReports(self.training_jobs, self.now), self._jobs_at_once)
        host = Host(
            endpoints,
            self.objects,
            self._logs,
            private,
            starts=max(2, count_cpus()),
            hidden=hidden,
            access=self._access,
            pace=self._pace,
            metrics=self._metrics,
            serverless=2 * max(2, count_cpus()),
            as_role=self.as_role,
        )
        self.fleet = Fleet(host, self._endpoint_event)
        self.resume_training_jobs()
        self.start_tuning()
        self.start_notebooks()
        self.resume_endpoints()

    def _stop(self) -> None:
        self.stop_tuning()
        self.stop_notebooks()
        self.queue.close()
        self.fleet.close()
        self._events.shutdown()
        self._logs.close()

    def _endpoint_event(self, arn: str, view: View) -> None:
        # written by one thread, in order: the instances' own threads come and go, and each would open the database
        self._events.submit(self._note_endpoint, arn, view)

    def _note_endpoint(self, arn: str, view: View) -> None:
        try:
            self.endpoint_changed(arn, view)
        except sqlite3.Error:  # the next event, or the next start, says it again
            log.exception("endpoint %s", arn)


class _OneWriter:
    """Log lines of all processes, written by one thread: theirs come and go, and each would open the database."""

    def __init__(self, logs: LogSink) -> None:
        self._logs = logs
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log writer")

    def append(self, group: str, stream: str, events: Sequence[Event]) -> Any:
        """Returns when the lines are stored, so that a process cannot run ahead of its log without bound."""
        return self._thread.submit(self._logs.append, group, stream, events).result()

    def close(self) -> None:
        self._thread.shutdown()
