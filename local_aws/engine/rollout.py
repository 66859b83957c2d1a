"""An endpoint's variants replaced while it serves: the new ones are started, take over step by step, or are taken back.

A thread for each. Requests lose nothing: a process takes none any more before it is ended, and ends when those that it
has are answered.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from local_aws.engine.deployment import Deployment, moved
from local_aws.engine.endpoint import Phase
from local_aws.engine.endpoint_host import LOG_GROUP, Host
from local_aws.engine.endpoint_running import Running
from local_aws.engine.endpoint_side import Side
from local_aws.engine.errors import EngineError, InternalFaultError
from local_aws.engine.serving import Instance

log = logging.getLogger(__name__)

_POLL = 0.03
ALARMS_EVERY = 0.2
"""Seconds between two looks at the alarms."""


class _Refused(Exception):  # noqa: N818 (it says what is so)
    """What was to replace the old variants must not; says why."""


class _Ended(Exception):  # noqa: N818
    """The endpoint is being deleted, or the server stops."""


@dataclass
class Rollout:
    """tripped: why the alarms stop it, "" while none does. tell: says that the endpoint's view is another.

    retire: ends processes when their requests are answered, then calls what it was given.
    """

    running: Running
    deployment: Deployment
    host: Host
    lock: threading.RLock
    tripped: Callable[[], str]
    tell: Callable[[], None]
    retire: Callable[[list[Instance], Callable[[], None]], None]
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time

    def run(self) -> None:
        begun = self.clock()
        pace, longest = self.host.pace, self.deployment.longest
        self._end = begun + pace.seconds(longest) if longest is not None else math.inf
        self._looked = -math.inf
        green = self.running.green
        if green is None:
            return
        try:
            self._go(green)
            self._forward(green)
        except _Ended:
            return
        except _Refused as refused:
            self._take_back(green, str(refused))
        except EngineError as error:
            self._take_back(green, error.reason)
        except Exception as error:  # whatever it is, the endpoint must not stay Updating
            log.exception("endpoint %s", self.running.endpoint.name)
            reason = InternalFaultError(f"this machine could not replace the endpoint's variants: {error}").reason
            self._take_back(green, reason)

    def _go(self, green: Side) -> None:
        """Everything up to the moment when the old variants are needed no more. Raises _Refused or _Ended."""
        rolling = self.deployment.rolling
        self._enter(Phase.CREATING)
        green.fetch()
        if not rolling:
            with self.lock:
                self._check_ended()
                green.start()
            self._until_complete(green)
        before = {name: len(instances) for name, instances in self.running.blue.instances.items()}
        for step in self.deployment.steps:
            if rolling:
                self._enter(Phase.CREATING)
                self._grow(green, step.share)
                self._until_complete(green)
            self._enter(Phase.ACTIVATING, step.share)
            if rolling:
                left = {name: count - moved(step.share, count) for name, count in before.items()}
                with self.lock:
                    surplus = self.running.blue.resize(left)
                self.retire(surplus, _nothing)
            self._enter(Phase.BAKING)
            self._bake(step.wait)

    def _grow(self, side: Side, share: float) -> None:
        counts = {one.name: moved(share, one.count) for one in side.endpoint.variants if not one.serverless}
        with self.lock:
            self._check_ended()
            side.start(counts)

    def _forward(self, green: Side) -> None:
        with self.lock:
            self._check_ended()
            old, self.running.blue, self.running.green = self.running.blue, green, None
            green.in_service = True
            self.running.share = 0.0
            instances = _left(old)
        self.tell()
        self.retire(instances, old.remove_files)

    def _take_back(self, green: Side, why: str) -> None:
        running = self.running
        with self.lock:
            if self._is_over():
                return
            running.rolling_back, running.refused = True, why[:1024]
            running.enter(Phase.DELETING, self.now())
            if not self.deployment.rolling:
                running.share = 0.0
        self.tell()
        if self.deployment.rolling:
            try:
                self._bring_back(green)
            except _Ended:
                return
        with self.lock:
            if self._is_over():
                return
            running.green, running.rolling_back, running.share = None, False, 0.0
            instances = _left(green)
        self.tell()
        self.retire(instances, green.remove_files)

    def _bring_back(self, green: Side) -> None:
        """The old instances as many as they were, batch by batch, while the new ones still serve. Raises _Ended."""
        blue = self.running.blue
        wanted = {one.name: one.count for one in blue.endpoint.variants if not one.serverless}
        patience = self.clock() + self.host.pace.seconds(self.host.pace.instance_start) + self.host.startup * 2
        share = 0.0
        while share < 1:
            share = min(1.0, share + self.deployment.back)
            with self.lock:
                self._check_ended()
                counts = {name: max(len(blue.instances[name]), moved(share, number)) for name, number in wanted.items()}
                blue.resize(counts)
            while not blue.is_complete and self.clock() < patience:  # they were ready before: they are not given up
                self._pause()
            self._by_capacity(green)

    def _by_capacity(self, green: Side) -> None:
        with self.lock:
            new, old = (sum(map(side.ready, side.instances)) for side in (green, self.running.blue))
            self.running.share = new / (new + old) if new + old else 0.0

    def _until_complete(self, side: Side) -> None:
        while True:
            self._check()
            with self.lock:
                if side.failure:
                    raise _Refused(
                        "The primary container of the new fleet did not pass the ping health check. "
                        f"{side.failure} The whole log is in {LOG_GROUP}/{side.endpoint.name}."
                    )
                if side.is_complete:
                    return
            self._pause()

    def _bake(self, seconds: float) -> None:
        end = self.clock() + self.host.pace.seconds(seconds)
        self._looked = -math.inf  # at least one look at what the new fleet has done
        self._check()
        while self.clock() < end:
            self._pause()
            self._check()

    def _check(self) -> None:
        """Raises _Ended, or _Refused for an alarm or when it takes too long."""
        self._check_ended()
        if self.clock() > self._end:
            raise _Refused(
                f"The deployment took longer than its MaximumExecutionTimeoutInSeconds ({self.deployment.longest:g} s)."
            )
        if self.clock() - self._looked >= ALARMS_EVERY:
            self._looked = self.clock()
            if why := self.tripped():
                raise _Refused(why)

    def _is_over(self) -> bool:
        return self.running.deleting or bool(self.running.failure)

    def _check_ended(self) -> None:
        if self._is_over():
            raise _Ended

    def _pause(self) -> None:
        self._check_ended()
        time.sleep(_POLL)

    def _enter(self, phase: Phase, share: float | None = None) -> None:
        with self.lock:
            self._check_ended()
            self.running.enter(phase, self.now())
            if share is not None:
                self.running.share = share
        self.tell()


def _left(side: Side) -> list[Instance]:
    """The instances of a side that takes no request any more."""
    for pool in side.pools.values():
        pool.leave()
    return side.all_instances


def _nothing() -> None:
    """Other instances still need the files."""
