"""One generation of an endpoint: the processes of all its variants, and which of them takes a request."""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from local_aws.engine.endpoint import Endpoint, Full, Routing, Target, Variant, VariantView
from local_aws.engine.endpoint_host import LOG_GROUP, Host
from local_aws.engine.serverless import KEPT_SECONDS, Pool, Room, Starting
from local_aws.engine.serving import Instance, Serving


class Side:
    """While an endpoint is being replaced it has two sides: what serves and what shall. Guarded by the fleet's lock.

    changed: called, in an instance's thread, whenever one of its processes is different; over: what becomes of
    processes that are needed no more; resumed: it served before the server was stopped.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        host: Host,
        slots: threading.Semaphore,
        room: Room,
        lock: threading.RLock,
        changed: Callable[[], None],
        over: Callable[[list[Instance]], object],
        *,
        resumed: bool,
    ) -> None:
        self.endpoint = endpoint
        self.resumed = self.in_service = resumed  # in service: its instances are started again however often they die
        self.instances: dict[str, list[Instance]] = {one.name: [] for one in endpoint.variants if not one.serverless}
        self.counts: dict[str, int] = {one.name: one.count for one in endpoint.variants}
        self._host, self._slots, self._room, self._lock = host, slots, room, lock
        self._changed, self._over = changed, over
        self._numbers: Counter[str] = Counter()
        self._turn = 0
        self.pools: dict[str, Pool] = {}

    @property
    def all_instances(self) -> list[Instance]:
        found = [instance for instances in self.instances.values() for instance in instances]
        return found + [instance for pool in self.pools.values() for instance in pool.instances]

    @property
    def failure(self) -> str:
        """Why one of its processes cannot start, "" while all of them may."""
        failed = (instance.failure for instances in self.instances.values() for instance in instances)
        return next(filter(None, (*failed, *(pool.failure for pool in self.pools.values()))), "")

    @property
    def is_complete(self) -> bool:
        """Whether every process that is wanted is ready."""
        started = len(self.pools) == len(self.endpoint.variants) - len(self.instances)
        ready = all(self.ready(name) == self.counts[name] for name in self.instances)
        return started and ready and all(pool.is_complete for pool in self.pools.values())

    @property
    def is_alive(self) -> bool:
        """Whether any of it can take a request."""
        return any(map(self.ready, self.instances)) or any(pool.proved for pool in self.pools.values())

    def ready(self, variant: str) -> int:
        return sum(instance.port is not None for instance in self.instances[variant])

    def views(self) -> tuple[VariantView, ...]:
        return tuple(map(self._view, self.endpoint.variants))

    def _view(self, variant: Variant) -> VariantView:
        pool = self.pools.get(variant.name)
        instances = self.instances.get(variant.name) or (pool.instances if pool else [])
        running = sum(instance.port is not None for instance in instances)
        message = next((instance.message for instance in instances if instance.message), "")
        wanted = self.counts[variant.name] if not variant.serverless else variant.serverless.provisioned
        return VariantView(variant.name, variant.weight, running, wanted, message)

    def fetch(self) -> None:
        """Bring the models' files, where they are not there from before. Raises ClientFaultError."""
        for variant in self.endpoint.variants:
            place = self._host.place(self.endpoint, variant)
            if not self.resumed or not (place.folder / "model").is_dir():
                self._host.fetch(variant, place, self.endpoint.arn.split(":")[3])

    def remove_files(self) -> None:
        for variant in self.endpoint.variants:
            self._host.place(self.endpoint, variant).remove()

    def start(self, counts: Mapping[str, int] | None = None) -> None:
        """Start the processes. counts: of each variant's instances, all of them when left away."""
        for variant in self.endpoint.variants:
            if variant.serverless and variant.name not in self.pools:
                pool = self.pools[variant.name] = Pool(
                    variant.name,
                    variant.serverless,
                    partial(self._made, variant),
                    self._room,
                    self._lock,
                    self._over,
                    kept=self._host.pace.seconds(KEPT_SECONDS),
                    proved=self.resumed,
                )
                pool.start()
        delay = 0.0 if self.resumed else self._host.pace.seconds(self._host.pace.instance_start)
        self.resize(counts or {name: self.counts[name] for name in self.instances}, delay)

    def resize(self, counts: Mapping[str, int], delay: float | None = None, *, tried: bool = True) -> list[Instance]:
        """Have so many instances of each variant; those that are too many, which take no request any more.

        delay: seconds that a new one's machine takes, as the host says when left away; tried: where the side is in
        service so many have been before, so that a new one is started again however often it dies.
        """
        wait = self._host.pace.seconds(self._host.pace.instance_start) if delay is None else delay
        surplus: list[Instance] = []
        for variant in self.endpoint.variants:
            if variant.name not in counts or variant.name not in self.instances:
                continue
            instances, wanted = self.instances[variant.name], counts[variant.name]
            self.counts[variant.name] = wanted
            surplus += instances[wanted:]
            del instances[wanted:]
            added = [self._made(variant, wait, tried=tried) for _ in range(wanted - len(instances))]
            instances += added
            for instance in added:
                instance.start()
        return surplus

    def change(self, endpoint: Endpoint) -> list[Instance]:
        """Other weights, numbers of instances and concurrency for the same variants; the instances too many."""
        self.endpoint = endpoint
        for variant in endpoint.variants:
            if variant.serverless and variant.name in self.pools:
                self.pools[variant.name].configure(variant.serverless)
        if not any(self.instances.values()):  # it is just being restarted with the server, with as many as are wanted
            self.counts.update({one.name: one.count for one in endpoint.variants})
            return []
        return self.resize({one.name: one.count for one in endpoint.variants}, tried=False)

    def close(self) -> list[Instance]:
        """Ask every process to end; which they are."""
        instances = self.all_instances
        for pool in self.pools.values():
            pool.close()
        for instance in instances:
            instance.close()
        return instances

    def noticed(self) -> None:
        for pool in self.pools.values():
            pool.noticed()

    def lease(
        self, variant: str | None, avoid: Collection[str], choose: Callable[[], float]
    ) -> Target | Starting | None:
        """A process for one request; None when none of that variant (of any, by weight) can take it now.

        avoid: names of instances that must not be it. Raises Throttled or Full.
        """
        able: list[tuple[Variant, list[Instance]]] = []
        for one in self.endpoint.variants:
            if variant == one.name or (variant is None and one.weight > 0):
                instances = self.instances.get(one.name, ())
                ready = [each for each in instances if each.port is not None and each.name not in avoid]
                if ready or one.name in self.pools:
                    able.append((one, ready))
        if not able:
            return None
        chosen, ready = _by_weight(able, choose)
        if chosen.name in self.pools:
            return self.pools[chosen.name].lease(avoid)
        if chosen.routing == Routing.RANDOM:
            instance = ready[min(int(choose() * len(ready)), len(ready) - 1)]
        else:
            self._turn += 1
            turn, number = self._turn, len(ready)  # of those with as few, the one whose turn it is
            place = min(range(number), key=lambda at: (ready[at].outstanding, (at - turn) % number))
            instance = ready[place]
        if instance.outstanding >= self._host.waiting or instance.port is None:
            raise Full(chosen.name, len(ready))
        instance.outstanding += 1
        return Target(chosen.name, instance.port, len(ready), instance.name, partial(self._done, instance))

    def _done(self, instance: Instance) -> None:
        with self._lock:
            instance.outstanding -= 1

    def _made(self, variant: Variant, delay: float = 0.0, *, tried: bool = True) -> Instance:
        endpoint, host = self.endpoint, self._host
        number = self._numbers[variant.name]
        self._numbers[variant.name] += 1
        of = f"{endpoint.arn}/{variant.name}/{number}" + (f"/{endpoint.generation}" if endpoint.generation else "")
        identity = hashlib.sha256(of.encode()).hexdigest()[:17]
        region = endpoint.arn.split(":")[3]
        allowed = host.access(variant.role, region) if host.access else {}
        serving = Serving(
            host.place(endpoint, variant),
            {**allowed, **variant.environment},
            host.working_as(variant.role, region).logs,
            f"{LOG_GROUP}/{endpoint.name}",
            host.command,
            variant.startup or host.startup,
        )
        return Instance(
            f"{variant.name}/i-{identity}",
            serving,
            self._changed,
            self._slots,
            was_ready=self.in_service and tried and not variant.serverless,
            delay=delay,
            restarts=not variant.serverless,
        )


def _by_weight(
    able: Sequence[tuple[Variant, list[Instance]]], choose: Callable[[], float]
) -> tuple[Variant, list[Instance]]:
    left = choose() * sum(variant.weight for variant, _ in able)
    for variant, ready in able:
        left -= variant.weight
        if left < 0:
            return variant, ready
    return able[-1]
