"""An endpoint that runs: what serves, what shall replace that, and how it is seen from outside."""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future

from local_aws.engine.endpoint import Endpoint, Full, Pending, Phase, Status, Target, View
from local_aws.engine.endpoint_side import Side
from local_aws.engine.serverless import Starting
from local_aws.engine.serving import Instance


class Running:
    """Guarded by the fleet's lock. share: of the requests that goes to `green`, which shall replace `blue`.

    before: what `blue` was to run, while its weights and numbers are being changed.
    """

    def __init__(self, blue: Side, *, was_in_service: bool, attempt: int) -> None:
        self.blue = blue
        self.green: Side | None = None
        self.share = 0.0
        self.phase, self.since = Phase.CREATING, 0.0
        self.rolling_back = False
        self.attempt = max(attempt, blue.endpoint.generation)
        self.refused = ""
        self.was_in_service = was_in_service
        self.failure = ""
        self.deleting = False
        self.before: Endpoint | None = None
        self.prepared: Future[None] | None = None
        self.rollout: threading.Thread | None = None

    @property
    def endpoint(self) -> Endpoint:
        return self.blue.endpoint

    @property
    def sides(self) -> list[Side]:
        return [self.blue, self.green] if self.green else [self.blue]

    @property
    def all_instances(self) -> list[Instance]:
        return [instance for side in self.sides for instance in side.all_instances]

    @property
    def kept(self) -> int:
        """The processes that it has or will have, whether anybody asks or not."""
        return 0 if self.failure else sum(side.endpoint.kept for side in self.sides)

    @property
    def can_change(self) -> bool:
        """Whether it runs, or will, and nothing replaces it already."""
        return not (self.deleting or self.failure or self.green)

    def enter(self, phase: Phase, now: float) -> None:
        self.phase, self.since = phase, now

    def view(self) -> View:
        green = self.green
        pending = Pending(self.phase, self.since, self.share, green.views()) if green else None
        return View(
            self._status(),
            self.was_in_service,
            self.failure,
            self.blue.views(),
            self.endpoint.generation,
            self.attempt,
            pending,
            self.refused,
        )

    def _status(self) -> Status:
        if self.deleting:
            return Status.DELETING
        if self.failure:
            return Status.FAILED
        if self.green:
            return Status.ROLLING_BACK if self.rolling_back else Status.UPDATING
        complete = self.blue.is_complete
        if not (self.blue.is_alive if self.was_in_service else complete):
            return Status.SYSTEM_UPDATING if self.was_in_service else Status.CREATING
        return Status.UPDATING if self.before and not complete else Status.IN_SERVICE

    def lease(
        self, variant: str | None, avoid: Collection[str], choose: Callable[[], float]
    ) -> Target | Starting | None:
        """A process for one request; where the side that it falls to has none, one of the other. Raises as Side's."""
        if self.deleting or self.failure or not self.was_in_service:
            return None
        sides = [self.blue]
        if self.green and self.share > 0:
            sides = [self.green, self.blue] if choose() < self.share else [self.blue, self.green]
        full: Full | None = None
        for side in sides:
            try:
                found = side.lease(variant, avoid, choose)
            except Full as error:
                full = error
                continue
            if found:
                return found
        if full:
            raise full
        return None
