"""Endpoints: for each variant the model's files and as many serving processes as it has instances."""

import logging
import random
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from time import monotonic

from local_aws.engine.deployment import Deployment
from local_aws.engine.endpoint import Endpoint, Status, Target, View
from local_aws.engine.endpoint_host import LOG_GROUP, Host
from local_aws.engine.endpoint_meter import EndpointMeter, Metered
from local_aws.engine.endpoint_running import Running
from local_aws.engine.endpoint_side import Side
from local_aws.engine.errors import EngineError, InternalFaultError
from local_aws.engine.opt_ml import OptMl
from local_aws.engine.rollout import Rollout
from local_aws.engine.serverless import KEPT_SECONDS, Room, Starting
from local_aws.engine.serving import Instance

__all__ = ["LOG_GROUP", "Fleet", "Host"]

log = logging.getLogger(__name__)

_DRAIN_POLL = 0.03


class Fleet:
    """All endpoints of this machine. changed(arn, view) is called whenever an endpoint's view is another."""

    def __init__(
        self, host: Host, changed: Callable[[str, View], None], choose: Callable[[], float] = random.random
    ) -> None:
        self._host = host
        self._changed = changed
        self._choose = choose
        self._endpoints: dict[str, Running] = {}
        self._lock = threading.RLock()
        self._slots = threading.Semaphore(host.starts)
        self._room = Room(host.serverless)
        self._work = ThreadPoolExecutor(max_workers=2, thread_name_prefix="endpoints")
        self._retiring: dict[threading.Thread, str] = {}  # whose processes end: the endpoint's ARN
        self._closing = threading.Event()
        self._keeper: threading.Thread | None = None
        self._meter = (
            EndpointMeter(host.metrics, self.metered, host.pace, may_tell=host.may_tell) if host.metrics else None
        )

    def create(self, endpoint: Endpoint, *, was_in_service: bool = False, attempt: int = 0) -> None:
        """Begin to run an endpoint; returns at once.

        was_in_service: it is being restarted with the server; attempt: the last change that it was told of (see View).
        """
        with self._lock:
            side = self._side(endpoint, resumed=was_in_service)
            running = Running(side, was_in_service=was_in_service, attempt=attempt)
            self._endpoints[endpoint.arn] = running
            running.prepared = self._work.submit(self._prepare, running)
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="endpoint keeper", daemon=True)
                self._keeper.start()
        if self._meter:
            self._meter.start()

    def delete(self, endpoint: Endpoint, done: Callable[[], object]) -> None:
        """Begin to end an endpoint, running or not; done() is called when nothing of it is left."""
        with self._lock:
            running = self._endpoints.get(endpoint.arn)
            if running:
                running.deleting = True
        self._work.submit(self._remove, endpoint, running, done)

    def update(self, endpoint: Endpoint, attempt: int = 0) -> None:
        """Give an endpoint's variants other weights and numbers of instances; it serves meanwhile.

        endpoint: as it shall be, with the variants it has. Nothing is done for one that has not served yet, or does
        not any more. An instance that is taken away answers first what it was asked. Where one that is added cannot
        run, everything is as it was before, and the view says why in `refused`.
        """
        surplus: list[Instance] = []
        with self._lock:
            running = self._endpoints.get(endpoint.arn)
            if running is None:
                return
            running.attempt = max(attempt, running.attempt)
            if running.can_change and running.was_in_service:
                running.before, running.refused = running.blue.endpoint, ""
                surplus = running.blue.change(endpoint)
        self._retire(endpoint.arn, surplus)
        self._side_changed(running)

    def deploy(self, endpoint: Endpoint, deployment: Deployment, tripped: Callable[[], str]) -> None:
        """Begin to replace what an endpoint runs; returns at once. It serves meanwhile, and afterwards in any case.

        endpoint: as it shall be, of another generation; tripped: why alarms stop it, "" while none does. The view
        says how it goes: `pending` while it does, then either the generation is the new one or `refused` says why not.
        """
        with self._lock:
            running = self._endpoints.get(endpoint.arn)
            if running is None:
                return
            running.attempt = endpoint.generation
            if not running.can_change:
                self._tell(running)
                return
            running.before, running.refused = None, ""
            running.green = self._side(endpoint, resumed=False)
            rollout = Rollout(
                running,
                deployment,
                self._host,
                self._lock,
                tripped,
                lambda: self._tell(running),
                partial(self._retire, endpoint.arn),
            )
            running.rollout = threading.Thread(target=rollout.run, name=f"update of {endpoint.name}", daemon=True)
            running.rollout.start()

    def sweep(self, known: Collection[Endpoint]) -> None:
        """Remove the files of models that none of these runs: an update that was cut off by a kill leaves some."""
        places = {self._host.place(one, variant).folder.name for one in known for variant in one.variants}
        for folder in self._host.folder.iterdir():
            if folder.name not in places:
                OptMl(folder, private=False).remove()

    def view(self, arn: str) -> View | None:
        with self._lock:
            running = self._endpoints.get(arn)
            return running.view() if running else None

    @property
    def processes(self) -> int:
        """How many serving processes the endpoints have or will have, those that come and go with requests left out."""
        with self._lock:
            return sum(one.kept for one in self._endpoints.values())

    def target(self, arn: str, variant: str | None = None, avoid: Collection[str] = ()) -> Target | Starting | None:
        """The process for the next request: a variant by its weight (or the one named), of its instances the one with
        the fewest requests. `Target.done` must be called when the request has ended.

        None when no process of the endpoint can take one now; Starting when one is being started for it. avoid: names
        of instances that must not be it. Raises Throttled or Full.
        """
        with self._lock:
            running = self._endpoints.get(arn)
            return running.lease(variant, avoid, self._choose) if running else None

    def metered(self) -> list[Metered]:
        """Every process that runs now, for who looks at what it uses."""
        with self._lock:
            return [
                Metered(side.endpoint, variant, instance)
                for running in self._endpoints.values()
                for side in running.sides
                for variant in side.endpoint.variants
                for instance in (
                    side.pools[variant.name].instances
                    if variant.name in side.pools
                    else side.instances.get(variant.name, ())
                )
            ]

    def close(self) -> None:
        """End every process; the endpoints are in service again when the server is."""
        self._closing.set()
        if self._meter:
            self._meter.close()
        with self._lock:
            endpoints = list(self._endpoints.values())
            self._endpoints.clear()
            for running in endpoints:
                running.deleting = True
        self._work.shutdown(cancel_futures=True)
        instances = self._closed(endpoints)
        for instance in instances:
            instance.join()
        for thread in (*list(self._retiring), *((self._keeper,) if self._keeper else ())):
            thread.join()

    def _closed(self, endpoints: Collection[Running]) -> list[Instance]:
        """All their instances, asked to end, when nothing more is being started."""
        for running in endpoints:
            if running.rollout and running.rollout is not threading.current_thread():
                running.rollout.join()
        with self._lock:
            return [instance for running in endpoints for side in running.sides for instance in side.close()]

    def _side(self, endpoint: Endpoint, *, resumed: bool) -> Side:
        side: Side

        def changed() -> None:
            running = self._endpoints.get(endpoint.arn)
            if running and side in running.sides:
                self._side_changed(running)
            else:
                with self._lock:
                    side.noticed()

        over = partial(self._retire, endpoint.arn)
        side = Side(endpoint, self._host, self._slots, self._room, self._lock, changed, over, resumed=resumed)
        return side

    def _prepare(self, running: Running) -> None:
        """Fetch the models, then start the instances."""
        endpoint = running.endpoint
        try:
            running.blue.fetch()
            with self._lock:
                if not running.deleting:
                    running.blue.start()
        except EngineError as error:
            self._fail(running, error.reason)
        except Exception as error:  # a full disk, a broken database: whatever it is, it must not stay Creating
            log.exception("endpoint %s", endpoint.name)
            self._fail(running, InternalFaultError(f"this machine could not start the endpoint: {error}").reason)
        else:
            self._side_changed(running)  # one that needs no process is in service already

    def _fail(self, running: Running, reason: str) -> None:
        with self._lock:
            running.failure = reason
            for side in running.sides:
                side.close()
        self._tell(running)

    def _side_changed(self, running: Running) -> None:
        surplus: list[Instance] = []
        with self._lock:
            for side in running.sides:
                side.noticed()
            failed = running.blue.failure
            if failed and running.before:
                running.refused = (
                    f"The capacity is as it was before, because an instance could not be added. {failed} "
                    f"The whole log is in {LOG_GROUP}/{running.endpoint.name}."
                )[:1024]
                surplus = running.blue.change(running.before)
                running.before = None
            if failed and not running.failure and not running.was_in_service:
                running.failure = (
                    "The primary container did not pass the ping health check. "
                    f"{failed} The whole log is in {LOG_GROUP}/{running.endpoint.name}."
                )[:1024]
                running.blue.close()
            if running.view().status is Status.IN_SERVICE:
                running.was_in_service = running.blue.in_service = True
                running.before = None
        self._retire(running.endpoint.arn, surplus)
        self._tell(running)

    def _tell(self, running: Running) -> None:
        with self._lock:  # also around the call: what is told last must be what was so last
            if self._endpoints.get(running.endpoint.arn) is running:
                self._changed(running.endpoint.arn, running.view())

    def _retire(self, arn: str, instances: list[Instance], after: Callable[[], None] | None = None) -> None:
        """End processes that take no request any more, once those they have are answered; returns at once.

        When their endpoint is deleted they end at once: one of its name may be made right after that.
        """
        if not instances and after is None:
            return

        def run() -> None:
            end = monotonic() + self._host.drain
            while any(one.outstanding for one in instances) and monotonic() < end:
                if self._closing.wait(_DRAIN_POLL) or self._is_deleted(arn):
                    break
            for one in instances:
                one.close()
            for one in instances:
                one.join()
            if after:
                after()
            with self._lock:
                del self._retiring[threading.current_thread()]

        thread = threading.Thread(target=run, name="endpoint drain", daemon=True)
        with self._lock:
            thread.start()
            self._retiring[thread] = arn

    def _is_deleted(self, arn: str) -> bool:
        running = self._endpoints.get(arn)
        return running is None or running.deleting

    def _keep(self) -> None:
        """End serverless processes that nobody has asked for long, and have the provisioned ones there."""
        every = min(1.0, self._host.pace.seconds(KEPT_SECONDS) / 4)
        while not self._closing.wait(every):
            with self._lock:
                for running in self._endpoints.values():
                    for side in running.sides if not running.deleting else ():
                        for pool in side.pools.values():
                            pool.top_up()

    def _remove(self, endpoint: Endpoint, running: Running | None, done: Callable[[], object]) -> None:
        if running:
            if running.prepared:
                wait([running.prepared])  # it was submitted before this, so it runs or has ended
            for instance in self._closed([running]):
                instance.join()
            with self._lock:
                retiring = [thread for thread, of in self._retiring.items() if of == endpoint.arn]
            for thread in retiring:
                thread.join()
            for side in running.sides:
                side.remove_files()
        for variant in endpoint.variants:
            self._host.place(endpoint, variant).remove()
        with self._lock:
            if self._endpoints.get(endpoint.arn) is running:
                self._endpoints.pop(endpoint.arn, None)
        done()
