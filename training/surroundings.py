"""What every step of a run needs besides its data."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from training.checkpoint import Checkpoints, State
from training.container import Paths
from training.distributed import Group
from training.reporting import Reporter
from training.settings import Settings
from training.stopping import Stop


@dataclass(frozen=True)
class Surroundings:
    """What a run was told, where it may write, and who else takes part."""

    chosen: Settings
    paths: Paths
    group: Group
    stop: Stop
    reporter: Reporter
    threads: int
    clock: Callable[[], float] = time.monotonic

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.group.is_first

    def should_stop(self) -> bool:
        """Whether this process was asked to stop; the steps agree on it with the others by themselves."""
        return self.stop.requested

    def agreed_to_stop(self) -> bool:
        """Whether any process was asked to stop. All of them have to ask, and all of them know it afterwards."""
        agreed = self.group.any(self.stop.requested)
        if agreed:
            self.stop.request()
        # Not what is known by now: a signal that came since is news to this process alone, until all ask again.
        return agreed


class Saver:
    """Saves the newest state of a step at intervals, at once when the run is to stop, and at the step's end."""

    def __init__(self, checkpoints: Checkpoints, name: str, here: Surroundings) -> None:
        self._checkpoints, self._name, self._here = checkpoints, name, here
        self._newest: Callable[[], State] | None = None
        self._saved = here.clock()

    def heard(self, state: Callable[[], State]) -> None:
        """There is something newer to save; `state` is called at once, at the next `save`, or never."""
        self._newest = state
        if self._here.should_stop() or self._here.clock() - self._saved >= self._here.chosen.checkpoint_seconds:
            self.save()

    def save(self) -> None:
        """Save what was not saved yet; of several processes the first one does."""
        if self._newest is not None and self._here.is_first:
            self._checkpoints.save(self._name, self._newest())
        self._newest = None
        self._saved = self._here.clock()
