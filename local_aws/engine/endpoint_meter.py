"""What the processes of endpoints use of this machine, told to CloudWatch as SageMaker tells it of its instances.

Namespace /aws/sagemaker/Endpoints, by EndpointName and VariantName, one point for each instance: CPUUtilization (100 %
is one core, so up to 100 × cores) and MemoryUtilization (of what the instance type has; of its MemorySizeInMB for a
serverless variant, whose processes end when they take more). SageMaker has no CPUUtilization of serverless variants.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local_aws.engine.endpoint import Endpoint, Variant
from local_aws.engine.endpoint_host import LOG_GROUP
from local_aws.engine.machine import MetricSink
from local_aws.engine.serving import Instance
from local_aws.engine.usage import Sampler
from local_aws.pace import Pace
from local_aws.services.cloudwatch_store import Datum
from local_aws.services.ec2_types import memory_of

log = logging.getLogger(__name__)

NAMESPACE = LOG_GROUP
MINUTE = 60.0
MOST_SECONDS, LEAST_SECONDS = 5.0, 1.0
"""Between two looks: SageMaker's are a minute apart, but a person watches here; each costs a walk through /proc."""
MIB = 1024**2


@dataclass(frozen=True)
class Metered:
    """A process of an endpoint's variant."""

    endpoint: Endpoint
    variant: Variant
    instance: Instance


class EndpointMeter:
    """A thread that looks at every process of every endpoint. running: which those are.

    may_tell: whether a role, in a region, may put figures into a namespace; those that it may not are told to nobody.
    """

    def __init__(
        self,
        metrics: MetricSink,
        running: Callable[[], Sequence[Metered]],
        pace: Pace,
        *,
        now: Callable[[], float] = time.time,
        may_tell: Callable[[str, str, str], bool] = lambda role, region, namespace: True,
    ) -> None:
        self._metrics = metrics
        self._may_tell = may_tell
        self._running = running
        self._seconds = min(MOST_SECONDS, max(LEAST_SECONDS, pace.seconds(MINUTE) / 2))
        self._resolution = 60 if pace.scale == 1 else 1
        self._now = now
        self._samplers: dict[int, Sampler] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; once is enough."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="endpoint metering", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                self.look()
            except (OSError, sqlite3.Error):  # a full disk: the next look tries again
                log.exception("what endpoints use could not be told")

    def look(self) -> None:
        """Sample every process and tell it. The first look at a process only begins to count."""
        alive: dict[int, Sampler] = {}
        told: dict[tuple[str, str], list[Datum]] = {}
        for one in self._running():
            pid = one.instance.pid
            if pid is None:
                continue
            sampler = self._samplers.get(pid)
            if sampler is None:
                alive[pid] = Sampler(pid, one.instance.place.folder, memory=_memory(one.variant))
                continue
            alive[pid] = sampler
            usage = sampler.sample()
            if usage is None:
                continue
            at = self._now()
            dimensions = (("EndpointName", one.endpoint.name), ("VariantName", one.variant.name))
            data = told.setdefault((one.variant.role, one.endpoint.arn.split(":")[3]), [])
            data.append(Datum("MemoryUtilization", dimensions, at, usage.memory, "Percent"))
            if one.variant.serverless is None:
                data.append(Datum("CPUUtilization", dimensions, at, usage.cpu, "Percent"))
            elif usage.memory >= 100:
                memory = one.variant.serverless.memory
                one.instance.kill(f"The process took more than its {memory} MiB of memory and was ended.")
        self._samplers = alive
        for (role, region), data in told.items():
            if self._may_tell(role, region, NAMESPACE):
                self._metrics.put(region, NAMESPACE, data, resolution=self._resolution)


def _memory(variant: Variant) -> int | None:
    """The bytes that are 100 %."""
    return variant.serverless.memory * MIB if variant.serverless else memory_of(variant.instance_type)
