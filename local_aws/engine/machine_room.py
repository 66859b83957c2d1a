"""The EC2 instances that run on this machine: as many as it has room for, taken back when spot tags say so."""

import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from local_aws.engine.instance import Boot, End, InstanceProcess, Sandbox
from local_aws.engine.metadata import Facts, Metadata
from local_aws.engine.usage import Sampler
from local_aws.services.cloudwatch_store import Datum, MetricStore

log = logging.getLogger(__name__)

NOTICE_SECONDS = 10.0
"""Between the notice of a spot interruption and the end. AWS gives two minutes; here time runs twelve times as fast."""
NAMESPACE = "AWS/EC2"
_SAMPLE_SECONDS = 2.0  # AWS puts one value in five minutes, or a minute; a run here may be over before
_TICK_SECONDS = 0.2
_BOOT_SECONDS = 10.0  # that what runs in an instance waits for its start to be written down
SPARE = 128 * 1024**2  # bytes of disk that instances must leave to this machine


class Reports(Protocol):
    """Where the room says what becomes of an instance. Called from its threads, which hold no lock of the room."""

    def running(self, instance_id: str) -> None:
        """It has started."""

    def down(self, instance_id: str, end: End) -> None:
        """Its last process is gone."""

    def noticed(self, instance_id: str, at: float) -> None:
        """It is told that it will be taken back at that time (epoch seconds)."""

    def reclaim(self, instance_id: str) -> None:
        """The notice is over: it must be ended as taken back."""


@dataclass(frozen=True)
class Start:
    """One instance to start.

    boot: takes the metadata service's address and whether the user data runs; look: the facts of that service; vcpus:
    what 100 % of CPUUtilization is; volume_gb: the size of its disk, 0 for no limit; reclaims: seconds after this start
    at which its spot capacity is taken away.
    """

    id: str
    region: str
    boot: Callable[[str, bool], Boot]
    look: Callable[[], Facts]
    vcpus: int = 2
    volume_gb: int = 0
    reclaims: tuple[float, ...] = ()


@dataclass
class _Machine:
    start: Start
    began: float = 0.0  # epoch seconds, when it was running for the first time
    process: InstanceProcess | None = None
    metadata: Metadata | None = None
    sampler: Sampler | None = None
    sampled: float = 0.0
    disk: float = 0.0  # bytes, as last sampled
    reclaimed_at: float | None = None
    told: bool = False
    stopping: bool = False
    booted: threading.Event = field(default_factory=threading.Event)


def _pid_of(machine: _Machine) -> int:
    """The process above all others of an instance, once it has started; 0 when it is down."""
    machine.booted.wait(_BOOT_SECONDS)
    process = machine.process
    return process.pid if process else 0


class MachineRoom:
    """places: instances at once. now: epoch seconds; notice: seconds between a spot notice and the end."""

    def __init__(
        self,
        sandbox: Sandbox,
        reports: Reports,
        places: int,
        *,
        metrics: MetricStore | None = None,
        notice: float = NOTICE_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._sandbox = sandbox
        self._reports = reports
        self._places = places
        self._metrics = metrics
        self._notice = notice
        self._now = now
        self._machines: dict[str, _Machine] = {}
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._ticker: threading.Thread | None = None

    @property
    def places(self) -> int:
        return self._places

    @property
    def free(self) -> int:
        """How many more can be started now."""
        with self._lock:
            return max(0, self._places - len(self._machines))

    def start(self, start: Start, *, first: bool) -> bool:
        """Start an instance from a thread of its own. False, and nothing done, when this machine has no room.

        first: its user data runs.
        """
        with self._lock:
            if len(self._machines) >= self._places or self._closed.is_set():
                return False
            self._machines[start.id] = _Machine(start)
            if self._ticker is None:
                self._ticker = threading.Thread(target=self._tick, name="machine room", daemon=True)
                self._ticker.start()
        threading.Thread(target=self._boot, args=(start.id, first), name=f"boot {start.id}", daemon=True).start()
        return True

    def shut_down(self, instance_id: str) -> None:
        """As its power button does; `Reports.down` follows. One that is not here: nothing."""
        if process := self._ending(instance_id):
            process.shut_down()

    def kill(self, instance_id: str) -> None:
        """End it without waiting for what runs in it (StopInstances with Force)."""
        if process := self._ending(instance_id):
            process.kill()

    def _ending(self, instance_id: str) -> InstanceProcess | None:
        """Mark an instance as one that is being ended; its process, if it has one yet."""
        with self._lock:
            machine = self._machines.get(instance_id)
            if machine is None:
                return None
            machine.stopping = True
            return machine.process

    def reboot(self, instance_id: str) -> None:
        """End everything in it and start it again, without its user data."""
        with self._lock:
            machine = self._machines.get(instance_id)
            process = machine.process if machine and not machine.stopping else None
        if process:
            process.restart()

    def reclaim(self, instance_id: str) -> None:
        """Take a spot instance's capacity away: the notice is given now."""
        with self._lock:
            machine = self._machines.get(instance_id)
            if machine and machine.reclaimed_at is None:
                machine.reclaimed_at = self._now() + self._notice

    def reclaimed_at(self, instance_id: str) -> float | None:
        """When it will be taken back, once that has been reported."""
        with self._lock:
            machine = self._machines.get(instance_id)
            return machine.reclaimed_at if machine and machine.told else None

    def close(self) -> None:
        """End everything at once; nothing is reported."""
        self._closed.set()
        with self._lock:
            machines = list(self._machines.values())
        for machine in machines:
            if machine.process:
                machine.process.kill()
        for machine in machines:
            if machine.process:
                machine.process.join()
            if machine.metadata:
                machine.metadata.close()
        if self._ticker:
            self._ticker.join()

    def _boot(self, instance_id: str, first: bool) -> None:
        with self._lock:
            machine = self._machines[instance_id]
        try:
            metadata = machine.metadata or Metadata(machine.start.look, process=lambda: _pid_of(machine))
            boot = machine.start.boot(metadata.url, first)
            process = InstanceProcess(boot, self._sandbox, lambda end: self._ended(instance_id, end))
        except Exception:  # whatever it is, the instance must not stay pending for ever
            log.exception("instance %s could not be started", instance_id)
            machine.booted.set()
            self._ended(instance_id, End.LOST)
            return
        with self._lock:
            machine.metadata, machine.process = metadata, process
            machine.sampler = Sampler(process.pid, process.root, machine.start.volume_gb * 1024**3)
            machine.sampled = self._now()
            machine.began = machine.began or machine.sampled
            stopping = machine.stopping
        try:
            if self._closed.is_set():
                process.kill()
            else:
                self._reports.running(instance_id)
            if stopping:
                process.shut_down()
        finally:  # its end waits for this
            machine.booted.set()

    def _ended(self, instance_id: str, end: End) -> None:
        with self._lock:
            machine = self._machines[instance_id]
        machine.booted.wait()  # one that ends at once must not be told as running afterwards
        if self._closed.is_set():
            return
        with self._lock:
            again = end is End.REBOOT and not machine.stopping
            machine.process, machine.sampler = None, None
            if again:
                machine.booted = threading.Event()
            else:
                del self._machines[instance_id]
        if again:
            self._boot(instance_id, False)
            return
        if machine.metadata:
            machine.metadata.close()
        self._reports.down(instance_id, End.SHUT_DOWN if machine.stopping else end)

    def _tick(self) -> None:
        while not self._closed.wait(_TICK_SECONDS):
            now = self._now()
            with self._lock:
                machines = list(self._machines.values())
            for machine in machines:
                try:
                    self._look_after(machine, now)
                except Exception:  # one instance's trouble must not leave the others alone
                    log.exception("instance %s", machine.start.id)

    def _look_after(self, machine: _Machine, now: float) -> None:
        if not machine.booted.is_set():
            return
        if any(now - machine.began >= after for after in machine.start.reclaims):
            self.reclaim(machine.start.id)
        at = machine.reclaimed_at
        if at is not None and not machine.stopping:
            if not machine.told:
                self._reports.noticed(machine.start.id, at)
                machine.told = True
            elif now >= at:
                self._reports.reclaim(machine.start.id)
        if now - machine.sampled >= _SAMPLE_SECONDS:
            self._sample(machine, now)

    def _fullest(self) -> _Machine | None:
        """The instance that uses most of the disk: the others need not end for it."""
        with self._lock:
            return max(self._machines.values(), key=lambda one: one.disk, default=None)

    def _sample(self, machine: _Machine, now: float) -> None:
        with self._lock:
            sampler, machine.sampled = machine.sampler, now
            process = machine.process
        used = sampler.sample() if sampler else None
        if used is None or process is None:
            return
        machine.disk = used.disk / 100 * machine.start.volume_gb * 1024**3
        full = ""
        if used.disk > 100:
            full = f"The volume of {machine.start.volume_gb} GB is full"
        elif shutil.disk_usage(process.root).free < SPARE and machine is self._fullest():
            full = "The disk of this machine is full, though the instance's volume is not"
        if full:  # AWS would tell its programs "No space left on device"; here they would fill this machine
            process.give_up(f"{full}: the embedded AWS ends the instance.")
            return
        if self._metrics is None:
            return
        percent = min(100.0, used.cpu / machine.start.vcpus)
        datum = Datum("CPUUtilization", (("InstanceId", machine.start.id),), now, percent, "Percent")
        try:
            self._metrics.put(machine.start.region, NAMESPACE, [datum], resolution=1)
        except sqlite3.Error:  # a full disk costs figures, not the instance
            log.exception("metrics of %s", machine.start.id)
