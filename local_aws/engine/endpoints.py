"""Endpoints: for each variant the model's files and as many serving processes as it has instances."""

import hashlib
import logging
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from local_aws.engine import artifacts
from local_aws.engine.container import Access
from local_aws.engine.endpoint import Endpoint, ModelFiles, Status, Target, Variant, VariantView, View
from local_aws.engine.errors import ClientFaultError, EngineError, InternalFaultError
from local_aws.engine.objects import Objects, copy, fetch
from local_aws.engine.opt_ml import OptMl
from local_aws.engine.output import LogSink
from local_aws.engine.serving import SERVE_COMMAND, Instance, Serving
from local_aws.errors import ServiceError

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/Endpoints"


@dataclass(frozen=True)
class Host:
    """What the endpoints of this machine share.

    folder: for the models' files; starts: processes started at once; hidden: what they must not see (see OptMl);
    access: lets them work as their role.
    """

    folder: Path
    objects: Objects
    logs: LogSink
    private: bool
    command: Sequence[str] = SERVE_COMMAND
    startup: float = 60.0
    starts: int = 2
    hidden: Path | None = None
    access: Access | None = None


class _Running:
    """A running endpoint: its variants' instances. Guarded by the fleet's lock."""

    def __init__(self, endpoint: Endpoint, *, was_in_service: bool) -> None:
        self.endpoint = endpoint
        self.instances: dict[str, list[Instance]] = {variant.name: [] for variant in endpoint.variants}
        self.was_in_service = was_in_service
        self.failure = ""
        self.deleting = False
        self.updating = False
        self.turns = {variant.name: count() for variant in endpoint.variants}
        self.prepared: Future[None] | None = None

    @property
    def all_instances(self) -> list[Instance]:
        return [instance for instances in self.instances.values() for instance in instances]

    def view(self) -> View:
        variants = tuple(self._variant(variant) for variant in self.endpoint.variants)
        if self.deleting:
            status = Status.DELETING
        elif self.failure:
            status = Status.FAILED
        elif any(variant.running for variant in variants) if self.was_in_service else _complete(variants):
            status = Status.IN_SERVICE if not self.updating or _complete(variants) else Status.UPDATING
        else:
            status = Status.SYSTEM_UPDATING if self.was_in_service else Status.CREATING
        return View(status, self.was_in_service, self.failure, variants)

    def _variant(self, variant: Variant) -> VariantView:
        instances = self.instances[variant.name]
        running = sum(instance.port is not None for instance in instances)
        message = next((instance.message for instance in instances if instance.message), "")
        return VariantView(variant.name, variant.weight, running, variant.count, message)


def _complete(variants: Sequence[VariantView]) -> bool:
    return all(variant.running == variant.desired for variant in variants)


class Fleet:
    """All endpoints of this machine. changed(arn, view) is called whenever an endpoint's view is another."""

    def __init__(
        self, host: Host, changed: Callable[[str, View], None], choose: Callable[[], float] = random.random
    ) -> None:
        self._host = host
        self._changed = changed
        self._choose = choose
        self._endpoints: dict[str, _Running] = {}
        self._lock = threading.RLock()
        self._slots = threading.Semaphore(host.starts)
        self._work = ThreadPoolExecutor(max_workers=2, thread_name_prefix="endpoints")

    def create(self, endpoint: Endpoint, *, was_in_service: bool = False) -> None:
        """Begin to run an endpoint; returns at once. was_in_service: it is being restarted with the server."""
        with self._lock:
            running = _Running(endpoint, was_in_service=was_in_service)
            self._endpoints[endpoint.arn] = running
            running.prepared = self._work.submit(self._prepare, running)

    def delete(self, endpoint: Endpoint, done: Callable[[], object]) -> None:
        """Begin to end an endpoint, running or not; done() is called when nothing of it is left."""
        with self._lock:
            running = self._endpoints.get(endpoint.arn)
            if running:
                running.deleting = True
        self._work.submit(self._remove, endpoint, running, done)

    def update(self, endpoint: Endpoint) -> None:
        """Give an endpoint's variants other weights and numbers of instances; it serves meanwhile.

        endpoint: as it shall be, with the variants it has. Nothing is done for one that has not served yet, or does
        not any more.
        """
        with self._lock:
            running = self._endpoints.get(endpoint.arn)
            if running is None or running.deleting or running.failure or not running.was_in_service:
                return
            running.endpoint, running.updating = endpoint, True
            surplus: list[Instance] = []
            for variant in endpoint.variants:
                instances = running.instances[variant.name]
                if not instances:
                    continue  # it is just being restarted with the server, with as many as are wanted now
                surplus += instances[variant.count :]
                del instances[variant.count :]
                added = [self._instance(running, variant, number) for number in range(len(instances), variant.count)]
                instances += added
                for instance in added:
                    instance.start()
            for instance in surplus:
                instance.close()
        self._instance_changed(running)

    def view(self, arn: str) -> View | None:
        with self._lock:
            running = self._endpoints.get(arn)
            return running.view() if running else None

    @property
    def processes(self) -> int:
        """How many serving processes the endpoints have or will have."""
        with self._lock:
            alive = [one.endpoint for one in self._endpoints.values() if not one.failure]
            return sum(variant.count for endpoint in alive for variant in endpoint.variants)

    def target(self, arn: str, variant: str | None = None) -> Target | None:
        """The process for the next request: a variant by its weight (or the one named), its instances in turn.

        None when no process of the endpoint can take one now.
        """
        with self._lock:
            running = self._endpoints.get(arn)
            if running is None or not running.view().status.serves:
                return None
            ready: list[tuple[Variant, list[tuple[str, int]]]] = []
            for one in running.endpoint.variants:
                instances = running.instances[one.name]
                seats = [(instance.name, instance.port) for instance in instances if instance.port is not None]
                if seats and (variant == one.name or (variant is None and one.weight > 0)):
                    ready.append((one, seats))
            if not ready:
                return None
            chosen, seats = self._by_weight(ready)
            name, port = seats[next(running.turns[chosen.name]) % len(seats)]
            return Target(chosen.name, port, len(seats), name)

    def _by_weight(
        self, ready: Sequence[tuple[Variant, list[tuple[str, int]]]]
    ) -> tuple[Variant, list[tuple[str, int]]]:
        left = self._choose() * sum(variant.weight for variant, _ in ready)
        for variant, seats in ready:
            left -= variant.weight
            if left < 0:
                return variant, seats
        return ready[-1]

    def close(self) -> None:
        """End every process; the endpoints are in service again when the server is."""
        with self._lock:
            endpoints = list(self._endpoints.values())
            self._endpoints.clear()
            for running in endpoints:
                running.deleting = True
        self._work.shutdown(cancel_futures=True)
        instances = [instance for running in endpoints for instance in running.all_instances]
        for instance in instances:
            instance.close()
        for instance in instances:
            instance.join()

    def _place(self, endpoint: Endpoint, variant: Variant) -> OptMl:
        name = hashlib.sha256(f"{endpoint.arn}/{variant.name}".encode()).hexdigest()[:12]
        return OptMl(self._host.folder / name, self._host.private, self._host.hidden)

    def _prepare(self, running: _Running) -> None:
        """Fetch the models, then start the instances."""
        endpoint = running.endpoint
        try:
            for variant in endpoint.variants:
                place = self._place(endpoint, variant)
                if not running.was_in_service or not (place.folder / "model").is_dir():
                    self._fetch(variant, place)
            self._start(running)
        except EngineError as error:
            self._fail(running, error.reason)
        except Exception as error:  # a full disk, a broken database: whatever it is, it must not stay Creating
            log.exception("endpoint %s", endpoint.name)
            self._fail(running, InternalFaultError(f"this machine could not start the endpoint: {error}").reason)

    def _start(self, running: _Running) -> None:
        with self._lock:
            if running.deleting:
                return
            for variant in running.endpoint.variants:
                for number in range(variant.count):
                    running.instances[variant.name].append(self._instance(running, variant, number))
            for instance in running.all_instances:
                instance.start()

    def _instance(self, running: _Running, variant: Variant, number: int) -> Instance:
        endpoint = running.endpoint
        identity = hashlib.sha256(f"{endpoint.arn}/{variant.name}/{number}".encode()).hexdigest()[:17]
        region = endpoint.arn.split(":")[3]
        allowed = self._host.access(variant.role, region) if self._host.access else {}
        serving = Serving(
            self._place(endpoint, variant),
            {**allowed, **variant.environment},
            self._host.logs,
            f"{LOG_GROUP}/{endpoint.name}",
            self._host.command,
            variant.startup or self._host.startup,
        )
        return Instance(
            f"{variant.name}/i-{identity}",
            serving,
            lambda: self._instance_changed(running),
            self._slots,
            was_ready=running.was_in_service,
        )

    def _fetch(self, variant: Variant, place: OptMl) -> None:
        """Put the model's files into the place; they appear complete or not at all."""
        place.remove()
        coming = replace(place, folder=place.folder.with_suffix(".new"))
        coming.remove()
        incoming = coming.folder / "model"
        incoming.mkdir(parents=True)
        if variant.model:
            try:
                self._fill(variant.model, incoming)
            except BaseException as error:
                coming.remove()
                if not isinstance(error, ServiceError | EngineError):
                    raise
                why = error.message if isinstance(error, ServiceError) else str(error)
                raise ClientFaultError(f"the model data {variant.model.source.uri} cannot be used: {why}") from error
        coming.folder.rename(place.folder)

    def _fill(self, model: ModelFiles, folder: Path) -> None:
        if not model.packed:
            fetch(self._host.objects, model.source, folder)
            return
        archive = folder.with_suffix(".tar.gz")
        bucket, key = model.source.bucket, model.source.key
        copy(self._host.objects, bucket, self._host.objects.get(bucket, key), archive)
        artifacts.unpack(archive, folder)
        archive.unlink()

    def _fail(self, running: _Running, reason: str) -> None:
        with self._lock:
            running.failure = reason
            for instance in running.all_instances:
                instance.close()
        self._tell(running)

    def _instance_changed(self, running: _Running) -> None:
        with self._lock:
            failed = next((instance.failure for instance in running.all_instances if instance.failure), "")
            if failed and not running.failure:
                running.failure = (
                    "The primary container did not pass the ping health check. "
                    f"{failed} The whole log is in {LOG_GROUP}/{running.endpoint.name}."
                )[:1024]
                for instance in running.all_instances:
                    instance.close()
            if running.view().status is Status.IN_SERVICE:
                running.was_in_service = True
                running.updating = False
        self._tell(running)

    def _tell(self, running: _Running) -> None:
        with self._lock:
            if self._endpoints.get(running.endpoint.arn) is not running:
                return
            view = running.view()
        self._changed(running.endpoint.arn, view)

    def _remove(self, endpoint: Endpoint, running: _Running | None, done: Callable[[], object]) -> None:
        if running:
            if running.prepared:
                wait([running.prepared])  # it was submitted before this, so it runs or has ended
            for instance in running.all_instances:
                instance.close()
            for instance in running.all_instances:
                instance.join()
        for variant in endpoint.variants:
            self._place(endpoint, variant).remove()
        with self._lock:
            if self._endpoints.get(endpoint.arn) is running:
                self._endpoints.pop(endpoint.arn, None)
        done()
