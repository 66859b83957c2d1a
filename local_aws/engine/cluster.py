"""The hosts of one attempt at a job: their folders filled, their processes run, what they leave behind."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from local_aws.engine import container
from local_aws.engine.checkpoints import CheckpointFolders
from local_aws.engine.errors import AlgorithmFaultError, ClientFaultError, EngineError, InternalFaultError
from local_aws.engine.hosts import DRIVERS, Seat, hosts_file, meet_here, seats
from local_aws.engine.job import Job
from local_aws.engine.machine import LOG_GROUP, Machine, Reports
from local_aws.engine.metering import Meter
from local_aws.engine.metrics import Metric, MetricReader
from local_aws.engine.namespace import CANNOT
from local_aws.engine.objects import fetch
from local_aws.engine.opt_ml import OptMl
from local_aws.engine.output import Event, LogPump
from local_aws.engine.process import LeashedProcess
from local_aws.errors import ServiceError

LONGEST_FAILURE = 8 * 1024  # bytes read of output/failure, of which about 1,000 characters are shown
_KILLED = 137


class Host:
    """One host: its place in the job, its /opt/ml and, once it runs, its process and log."""

    def __init__(self, seat: Seat, place: OptMl) -> None:
        self.seat = seat
        self.place = place
        self.stream = ""
        self.process: LeashedProcess | None = None
        self._pump: LogPump | None = None

    def start(self, job: Job, machine: Machine, observe: Callable[[Sequence[Event]], None] | None) -> None:
        allowed = machine.access(job.role, job.region) if machine.access else {}
        wanted = container.variables(job, self.seat, gpus=container.count_gpus(), cpus=container.count_cpus())
        self.stream = f"{job.name}/{self.seat.label}-{int(machine.now())}"
        self.process = LeashedProcess(
            self.place.command(container.with_our_python(job.command)),
            environment=self.place.environment(container.clean_environment(self.place) | dict(allowed) | wanted),
            folder=self.place.folder / "code",
        )
        self._pump = LogPump(
            self.process.output, machine.logs, LOG_GROUP, self.stream, observe=observe, now=machine.now
        )

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self.process.code if self.process else None

    def close(self) -> None:
        """End the process, if it still runs, and carry the rest of its output over."""
        if self.process:
            self.process.kill()
            self.process.wait()
        if self._pump:
            self._pump.finish()

    def failure(self) -> EngineError:
        """Why it failed: what it wrote into output/failure, else its last lines."""
        tail = list(self._pump.tail) if self._pump else []
        if self.code == CANNOT and self.place.private and tail and tail[-1].startswith("no private /opt/ml"):
            return InternalFaultError(tail[-1])
        text = self.place.beginning("output/failure", LONGEST_FAILURE).strip()
        text = text or "\n".join(tail[-5:]) or "it printed nothing"
        if self.code == _KILLED:
            text = f"it was killed, most often for lack of memory; its last lines: {text}"
        who = f"{self.seat.label}: " if len(self.seat.names) > 1 else ""
        return AlgorithmFaultError(f"{who}{text[:940]}, exit code: {self.code}")


class Cluster:
    """All hosts of one attempt. Each has its own folder below `folder`.

    number: the job's own among those that run at once, for its addresses.
    """

    def __init__(self, job: Job, machine: Machine, reports: Reports, folder: Path, number: int) -> None:
        self._job = job
        self._machine = machine
        self._reports = reports
        self._number = number
        self._folder = folder
        self._hosts_file = folder / "hosts"
        pool = machine.pool.folder if machine.pool else None
        self.hosts = [
            Host(seat, OptMl(folder / seat.label, machine.private, machine.hidden, pool, self._hosts_file))
            for seat in seats(job.instance_count, number, named=machine.private)
        ]
        self._checkpoints = (
            CheckpointFolders(
                job.checkpoint,
                [host.place for host in self.hosts],
                machine.objects,
                machine.scratch,
                self._note,
                seconds=machine.sync,
            )
            if job.checkpoint
            else None
        )
        self._metrics: MetricReader | None = None
        self._observing = threading.Lock()
        self._meter: Meter | None = None

    def prepare(self, stopped: Callable[[], bool]) -> None:
        """Make every host's folder and bring its data. Stops early when `stopped()`. Raises ClientFaultError."""
        machine, job = self._machine, self._job
        refused = machine.as_role.start_refusal(job.role, job.region, job.image, job.arn) if machine.as_role else ""
        if refused:
            raise ClientFaultError(refused)
        if machine.pool:
            machine.pool.prepare()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._hosts_file.write_text(hosts_file(len(self.hosts), self._number), encoding="utf-8")
        more = (self._job.checkpoint.folder,) if self._job.checkpoint else ()
        for host in self.hosts:
            host.place.make(*more)
            container.write_config(self._job, host.seat, host.place)
            self._download(host, stopped)
        if self._checkpoints:
            self._checkpoints.download(stopped)

    def _download(self, host: Host, stopped: Callable[[], bool]) -> None:
        job, place = self._job, host.place
        room = job.volume_gb * self._machine.gigabyte
        total = 0
        for channel in job.channels:
            folder = place.folder / "input/data" / channel.name
            folder.mkdir(exist_ok=True)
            share = (host.seat.index, len(self.hosts)) if channel.is_sharded else (0, 1)
            try:
                total += fetch(self._machine.objects, channel.source, folder, stopped, share=share)
            except ServiceError as error:
                raise ClientFaultError(f"Data download failed: {channel.source.uri}: {error.message}") from error
            if room and total > room:
                raise ClientFaultError(
                    f"Data download failed: the input data is larger than the volume of {job.volume_gb} GB "
                    "(ResourceConfig's VolumeSizeInGB)"
                )
            if channel.name == DRIVERS:
                meet_here(folder, host.seat)
        place.rewrite_code(place.folder / "input/data" / channel.name for channel in job.channels if channel.is_code)

    def start(self) -> None:
        """Start every host's process, and what looks after them."""
        job, machine = self._job, self._machine
        self._meter = Meter(job, machine)
        if job.metrics:
            self._metrics = MetricReader(job.metrics, self._measured, self._note)
        for host in self.hosts:
            host.start(job, machine, self._observe if self._metrics else None)
        if self._checkpoints:
            self._checkpoints.start()
        self._meter.start(
            [(host.seat.label, host.process.pid, host.place.folder) for host in self.hosts if host.process]
        )

    def _observe(self, events: Sequence[Event]) -> None:
        assert self._metrics is not None  # noqa: S101 (given to the hosts only when it is there)
        with self._observing:  # each host's lines come from a thread of its own
            self._metrics.observe(events)

    def _measured(self, metric: Metric) -> None:
        self._reports.measured(self._job, metric)
        if self._meter:
            self._meter.measured(metric)

    def _note(self, sentence: str) -> None:
        stream = self.hosts[0].stream or f"{self._job.name}/algo-1-{int(self._machine.now())}"
        self._machine.logs.append(LOG_GROUP, stream, [(int(self._machine.now() * 1000), f"[kennel] {sentence}")])

    @property
    def is_running(self) -> bool:
        return any(host.code is None for host in self.hosts)

    @property
    def failed(self) -> Host | None:
        """A host whose process ended with an exit code other than 0."""
        return next((host for host in self.hosts if host.code), None)

    @property
    def over_full(self) -> str:
        """Why the job must end for the disk's sake, as a sentence; "" as long as it need not."""
        return self._meter.over_full if self._meter else ""

    def wait(self, seconds: float) -> None:
        """Until a process ends, at most that long."""
        for host in self.hosts:
            if host.process and host.code is None:
                host.process.wait(seconds)
                return

    def terminate(self) -> None:
        for host in self.hosts:
            if host.process and host.code is None:
                host.process.terminate()

    def kill(self) -> None:
        for host in self.hosts:
            if host.process:
                host.process.kill()

    def close(self) -> None:
        """End what still runs; store the last checkpoints, lines and figures."""
        self.kill()
        for host in self.hosts:
            host.close()
        if self._checkpoints:
            self._checkpoints.finish()
        if self._metrics:
            self._metrics.finish()
        if self._meter:
            self._meter.finish()
