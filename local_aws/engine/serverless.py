"""The processes of a serverless variant: started when a request needs one, kept for some minutes, then ended.

A process takes one request at a time, as SageMaker's does, so a request that finds all of them busy starts another one
and waits for it: that wait is the cold start. This machine holds only so many at once; beyond that, requests share the
ones there are, which takes longer, and nothing else is different. SageMaker does not say how long it keeps a process
that nobody asks; here it is KEPT_SECONDS, divided by the pace.
"""

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from local_aws.engine.endpoint import Full, Serverless, Target, Throttled, Use
from local_aws.engine.serving import Instance

KEPT_SECONDS = 300.0


class NotStartedError(Exception):
    """A process that a request was to go to did not start; says why."""


@dataclass
class _Process:
    instance: Instance
    provisioned: bool
    idle_since: float

    @property
    def is_idle(self) -> bool:
        return self.instance.port is not None and not self.instance.outstanding


class Room:
    """How many processes all serverless variants together may have beside the provisioned ones."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.pools: list[Pool] = []

    def make(self) -> bool:
        """Whether there is room for one more; where there is none, the process that was idle longest makes it."""
        if sum(pool.on_demand for pool in self.pools) < self._most:
            return True
        idle = [(one.idle_since, number, one) for number, pool in enumerate(self.pools) for one in pool.idle()]
        if not idle:
            return False
        _, number, longest = min(idle, key=lambda found: found[0])
        self.pools[number].end(longest)
        return True


class Pool:
    """The processes of one variant. All of it happens under `lock`, the fleet's.

    make: a new instance, not started; over: what becomes of one that is needed no more; kept: seconds.
    proved: whether one of its processes has ever been ready, without which the endpoint does not get into service;
    failure: why none, or not so many as are provisioned, could be started.
    """

    def __init__(
        self,
        variant: str,
        config: Serverless,
        make: Callable[[], Instance],
        room: Room,
        lock: threading.RLock,
        over: Callable[[list[Instance]], object],
        *,
        kept: float = KEPT_SECONDS,
        proved: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.variant = variant
        self.config = config
        self.proved = proved
        self.failure = ""
        self._make, self._room, self._lock, self._over = make, room, lock, over
        self._kept, self._clock = kept, clock
        self._processes: list[_Process] = []
        self._closed = False
        room.pools.append(self)

    @property
    def instances(self) -> list[Instance]:
        return [one.instance for one in self._processes]

    @property
    def on_demand(self) -> int:
        return sum(not one.provisioned for one in self._processes)

    @property
    def is_complete(self) -> bool:
        """Whether it has proved itself, and what is provisioned is there."""
        ready = sum(one.provisioned and one.instance.port is not None for one in self._processes)
        return self.proved and ready >= self.config.provisioned

    def idle(self) -> list[_Process]:
        return [one for one in self._processes if one.is_idle and not one.provisioned]

    def start(self) -> None:
        """Start what is provisioned; without that one process, where none has shown yet that the model can run."""
        self.top_up()
        if not self.proved and not self._processes:
            self._start(provisioned=False)

    def configure(self, config: Serverless) -> None:
        self.config, self.failure = config, ""
        self.top_up()

    def top_up(self) -> None:
        """Have as many provisioned processes as are wanted, and none that was idle for long beside them."""
        if self._closed:
            return
        now = self._clock()
        provisioned = [one for one in self._processes if one.provisioned]
        for one in provisioned[self.config.provisioned :]:
            one.provisioned = False
        for _ in range(self.config.provisioned - len(provisioned)):
            self._start(provisioned=True)
        for one in self.idle():
            if now - one.idle_since >= self._kept:
                self.end(one)

    def noticed(self) -> None:
        """One of its processes has changed."""
        for one in list(self._processes):
            if one.instance.port is not None:
                self.proved = True
            elif one.instance.failure:
                self._processes.remove(one)
                if not self.proved or (one.provisioned and not one.instance.was_ready):
                    self.failure = one.instance.failure
                self._over([one.instance])

    def end(self, one: _Process) -> None:
        self._processes.remove(one)
        self._over([one.instance])

    def close(self) -> None:
        """No more processes, and nobody waits for one any more."""
        self._closed = True
        self.leave()

    def leave(self) -> None:
        """No new requests will come: those that have or wait for a process are served yet."""
        if self in self._room.pools:
            self._room.pools.remove(self)

    def lease(self, avoid: Collection[str] = ()) -> "Target | Starting":
        """A process for one request, or one that starts for it. avoid: names of those that must not be it.

        Raises Throttled or Full.
        """
        able = [one for one in self._processes if one.instance.name not in avoid]
        if sum(one.instance.outstanding for one in able) >= self.config.most:
            raise Throttled(self.variant, self.config.most)
        idle = [one for one in able if one.is_idle]
        if idle:
            # the one used last, so that the others have their end; a provisioned one costs nothing more
            return self._taken(max(idle, key=lambda one: (one.provisioned, one.idle_since)))
        if self._room.make():
            fresh = self._start(provisioned=False)
            fresh.instance.outstanding += 1
            return Starting(self, fresh, self._clock())
        if not able:
            raise Full(self.variant)
        least = min(able, key=lambda one: (one.instance.port is None, one.instance.outstanding))
        if least.instance.port is None:
            least.instance.outstanding += 1
            return Starting(self, least, self._clock())
        return self._taken(least)

    def _start(self, *, provisioned: bool) -> _Process:
        one = _Process(self._make(), provisioned, self._clock())
        self._processes.append(one)
        one.instance.start()
        return one

    def _taken(self, one: _Process) -> Target:
        one.instance.outstanding += 1
        return self._target(one, None)

    def _target(self, one: _Process, setup: float | None) -> Target:
        port = one.instance.port
        if port is None:
            raise NotStartedError("it ended before it could take the request")
        busy = sum(each.instance.outstanding for each in self._processes)
        provisioned = sum(each.provisioned and each.instance.outstanding > 0 for each in self._processes)
        use = Use(replace(self.config), busy, one.provisioned, provisioned)
        return Target(self.variant, port, 0, one.instance.name, lambda: self._done(one), setup, use)

    def _done(self, one: _Process) -> None:
        with self._lock:
            one.instance.outstanding -= 1
            one.idle_since = self._clock()

    def look(self, one: _Process, begun: float) -> Target | None:
        """The process that was started at `begun`, None while it starts. Raises NotStartedError when it never will."""
        with self._lock:
            if one.instance.port is not None:
                return self._target(one, self._clock() - begun)
            if one.instance.failure:
                raise NotStartedError(one.instance.failure)
            if self._closed or one not in self._processes:
                raise NotStartedError("the endpoint is being changed or deleted")
            return None

    def give_up(self, one: _Process) -> None:
        """The request that waited for a process does not any more."""
        self._done(one)


@dataclass(frozen=True)
class Starting:
    """A process that starts for a request. Who waits looks again and again: a thread for each would be too many."""

    pool: Pool
    process: _Process
    begun: float

    def look(self) -> Target | None:
        """The process once it is ready, None while it starts. Raises NotStartedError when it never will be."""
        return self.pool.look(self.process, self.begun)

    def give_up(self) -> None:
        """Must be called by who got no Target from it."""
        self.pool.give_up(self.process)
