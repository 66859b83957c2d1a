"""The environments of all functions: started when a request needs one, kept a while, and kept ready where provisioned.

AWS does not say how long an idle environment is kept; minutes, by all accounts. Here it is IDLE_SECONDS, or until
another function needs its place: this machine runs at most so many at once.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field

from local_aws.engine.lambda_environment import Environment
from local_aws.engine.lambda_log import Log
from local_aws.engine.lambda_request import Spec, Unusable
from local_aws.engine.opt_ml import OptMl
from local_aws.pace import AS_AWS, Pace

log = logging.getLogger(__name__)

MOST_ENVIRONMENTS = 16
IDLE_SECONDS = 600.0
LOOK_SECONDS = 0.5
AGAIN_SECONDS = 30.0
"""After which an environment that would not start, and is to be kept ready, is tried again."""
STARTS_AT_ONCE = 2


class NoPlace(Exception):  # noqa: N818 (it says what is so)
    """Every environment that this machine can run is busy."""


@dataclass(frozen=True)
class Ready:
    """What of a provisioned concurrency is there. failure: why the rest is not, "" while it is starting."""

    count: int = 0
    failure: str = ""


@dataclass(frozen=True)
class Wanted:
    """So many environments to be kept ready, for requests to one qualifier of a function."""

    function: str
    qualifier: str
    spec: Spec
    count: int


@dataclass(eq=False)  # one of the same Wanted is another
class _Kept:
    """Those of one Wanted, by whether they take a request now."""

    wanted: Wanted
    idle: list[Environment] = field(default_factory=list)
    busy: set[Environment] = field(default_factory=set)
    starting: int = 0
    failure: str = ""
    again: float = 0.0

    @property
    def there(self) -> int:
        return len(self.idle) + len(self.busy)


@dataclass(frozen=True)
class Taken:
    """An environment that a request has. cold: it was started for it; ready: it had been kept ready."""

    environment: Environment
    cold: bool = False
    ready: bool = False


class Pool:
    """Used from one event loop, but `ready` and `wake`. place(number): a folder for an environment."""

    def __init__(
        self,
        place: Callable[[int], OptMl],
        log_to: Log,
        *,
        pace: Pace = AS_AWS,
        most: int = MOST_ENVIRONMENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most = most
        self._place = place
        self._log = log_to
        self._idle_seconds = pace.seconds(IDLE_SECONDS)
        self._clock = clock
        self._idle: dict[str, list[Environment]] = {}
        self._busy: set[Environment] = set()
        self._starting = 0  # those for a request
        self._kept: dict[tuple[str, str, str], _Kept] = {}
        self._current: Collection[str] = frozenset()
        self._starts: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(STARTS_AT_ONCE)  # more at once would only make all of them slow
        self._number = 0
        self._closing = False

    # what others look at

    def ready(self, function: str, qualifier: str) -> Ready:
        """How many of a qualifier's environments take requests; any thread may ask."""
        found = self._of(function, qualifier)
        count = sum(min(one.there, one.wanted.count) for one in found)
        return Ready(count, next((one.failure for one in found if one.failure), ""))

    def in_use(self, function: str, qualifier: str) -> tuple[int, int]:
        """Of the environments kept ready for a qualifier, how many work at this moment, and how many there are."""
        found = self._of(function, qualifier)
        return sum(len(one.busy) for one in found), sum(one.there for one in found)

    def _of(self, function: str, qualifier: str) -> list[_Kept]:
        named = (function, qualifier)
        return [one for one in list(self._kept.values()) if (one.wanted.function, one.wanted.qualifier) == named]

    @property
    def count(self) -> int:
        """Environments that are there or being started."""
        idle = sum(len(some) for some in self._idle.values())
        kept = sum(one.there + one.starting for one in self._kept.values())
        return idle + len(self._busy) + self._starting + kept

    # requests

    def take_ready(self, spec: Spec, qualifier: str) -> Taken | None:
        """One that was kept ready for this qualifier and waits; None when there is none."""
        kept = self._kept.get((spec.function, qualifier, spec.key))
        while kept is not None and kept.idle:
            found = kept.idle.pop()
            if found.is_alive:
                kept.busy.add(found)
                return Taken(found, ready=True)
            self._end(found)
        return None

    async def take(self, spec: Spec) -> Taken:
        """One that waits, or a new one. Raises NoPlace; Unusable when the function does not start."""
        if self._closing:
            raise NoPlace
        waiting = self._idle.get(spec.key, [])
        while waiting:
            found = waiting.pop()
            if found.is_alive:
                self._busy.add(found)
                return Taken(found)
            self._end(found)
        self._make_place()
        self._starting += 1
        try:
            async with self._slots:
                made = await self._start(spec, kept_ready=False)
        finally:
            self._starting -= 1
        self._busy.add(made)
        return Taken(made, cold=True)

    def give_back(self, taken: Taken) -> None:
        """The request is answered: the environment waits for the next, unless it is of no use any more."""
        found = taken.environment
        self._busy.discard(found)
        found.idle_since = self._clock()
        for kept in self._kept.values():
            if found in kept.busy:
                kept.busy.discard(found)
                if found.is_alive and kept.there < kept.wanted.count:
                    kept.idle.append(found)
                    return
        if found.is_alive and not found.kept_ready and found.spec.key in self._current and not self._closing:
            self._idle.setdefault(found.spec.key, []).append(found)
            return
        self._end(found)

    # upkeep

    def reconcile(self, wanted: Collection[Wanted], current: Collection[str]) -> None:
        """Keep ready what is wanted now, and let go of what is not. current: keys of every spec there is."""
        self._current = current
        by_key = {(one.function, one.qualifier, one.spec.key): one for one in wanted}
        for place in [place for place in self._kept if place not in by_key]:
            gone = self._kept.pop(place)
            self._busy |= gone.busy  # until they have answered
            for idle in gone.idle:
                self._end(idle)
        for place, one in by_key.items():
            kept = self._kept.setdefault(place, _Kept(one))
            if kept.wanted.count != one.count:
                kept.failure = ""
            kept.wanted = one
            while kept.idle and kept.there > one.count:
                self._end(kept.idle.pop())
        for key in [key for key in self._idle if key not in current]:
            for idle in self._idle.pop(key):
                self._end(idle)
        self._fill()

    def look(self) -> None:
        """Let go of what has been idle for long or has died, and start what is missing of the provisioned."""
        now = self._clock()
        for key, waiting in list(self._idle.items()):
            staying = [one for one in waiting if one.is_alive and now - one.idle_since < self._idle_seconds]
            for one in waiting:
                if one not in staying:
                    self._end(one)
            self._idle[key] = staying
            if not staying:
                del self._idle[key]
        for kept in self._kept.values():
            for one in [one for one in kept.idle if not one.is_alive]:
                kept.idle.remove(one)
                self._end(one)
            if kept.failure and now >= kept.again:
                kept.failure = ""
        self._fill()

    async def close(self) -> None:
        """End everything."""
        self._closing = True
        starts = list(self._starts)
        for task in starts:
            task.cancel()
        await asyncio.gather(*starts, return_exceptions=True)
        kept = [one for some in self._kept.values() for one in (*some.idle, *some.busy)]
        idle = [one for some in self._idle.values() for one in some]
        self._kept.clear()
        self._idle.clear()
        await asyncio.gather(*(one.end() for one in (*kept, *idle, *self._busy)))
        await asyncio.gather(*self._ends)

    def _fill(self) -> None:
        for kept in self._kept.values():
            while not kept.failure and not self._closing and kept.there + kept.starting < kept.wanted.count:
                try:
                    self._make_place()
                except NoPlace:  # looked at again when something has ended
                    return
                kept.starting += 1
                self._later(self._start_kept(kept), self._starts)

    async def _start_kept(self, kept: _Kept) -> None:
        made = None
        try:
            async with self._slots:
                if self._is_wanted(kept):
                    made = await self._start(kept.wanted.spec, kept_ready=True)
        except Unusable as error:
            kept.failure, kept.again = f"FUNCTION_ERROR_INIT_FAILURE: {error}", self._clock() + AGAIN_SECONDS
        except Exception as error:
            if self._is_wanted(kept):  # else its package has gone with its function
                log.exception("an environment of %s", kept.wanted.spec.name)
            kept.failure, kept.again = f"this machine could not start it: {error}", self._clock() + AGAIN_SECONDS
        finally:
            kept.starting -= 1
        if made is None:
            return
        if self._is_wanted(kept):
            kept.idle.append(made)
        else:
            await made.end()

    def _is_wanted(self, kept: _Kept) -> bool:
        return not self._closing and kept in self._kept.values() and kept.there < kept.wanted.count

    async def _start(self, spec: Spec, *, kept_ready: bool) -> Environment:
        self._number += 1
        made = Environment(spec, self._place(self._number), self._log, kept_ready=kept_ready)
        await made.start()
        return made

    def _make_place(self) -> None:
        """Let the one go that has waited longest, when this machine is full. Raises NoPlace."""
        if self.count < self.most:
            return
        waiting = [one for some in self._idle.values() for one in some]
        if not waiting:
            raise NoPlace
        oldest = min(waiting, key=lambda one: one.idle_since)
        self._idle[oldest.spec.key].remove(oldest)
        self._end(oldest)

    def _end(self, environment: Environment) -> None:
        self._later(environment.end(), self._ends)

    def _later(self, work: Coroutine[object, object, None], tasks: set[asyncio.Task[None]]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
