"""What a run prints while it works: lines that training.metrics reads back, and sentences for people.

Of several processes only the first one speaks.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from training import metrics
from training.distributed import ALONE, Group
from training.metrics import Stage
from training.terminal import write_line

_SECONDS_BETWEEN = 1.0
_HEAD_ONLY = {Stage.SCAN: 0.01, Stage.FEATURES: 0.85, Stage.HEAD: 0.95, Stage.TEST: 0.97, Stage.EXPORT: 1.0}
_WITH_BACKBONE = {
    Stage.SCAN: 0.01,
    Stage.FEATURES: 0.20,
    Stage.HEAD: 0.22,
    Stage.FINETUNE: 0.95,
    Stage.TEST: 0.97,
    Stage.EXPORT: 1.0,
}


@dataclass
class Reporter:
    """Prints for one process of `group`; silent unless that is the first."""

    group: Group = ALONE
    clock: Callable[[], float] = time.monotonic
    write: Callable[[str], None] = write_line
    ends: Mapping[Stage, float] = field(default_factory=lambda: _HEAD_ONLY)
    """How far the whole run is when each stage ends"""
    _began: float = 0.0
    _last: float = 0.0
    _restored: int = 0
    """What an earlier run had done of the stage: no measure of this run's speed"""

    @classmethod
    def of(cls, group: Group, is_frozen: bool) -> "Reporter":
        return cls(group, ends=_HEAD_ONLY if is_frozen else _WITH_BACKBONE)

    def say(self, line: str) -> None:
        if self.group.is_first:
            self.write(line)

    def begin(self, stage: Stage, total: int, unit: str, restored: int = 0) -> None:
        """A stage starts, with `restored` of it from an earlier run; what remains is estimated from now on."""
        self._restored = restored
        self._began = self._last = self.clock()
        self.say(metrics.progress_line(self._fraction(stage, 0.0), stage, 0, total, unit))

    def reached(self, stage: Stage, done: int, total: int, unit: str) -> None:
        """How far the stage is; said once a second at most, and at its end. `total` is 0 where nobody knows it."""
        now = self.clock()
        if (done < total or not total) and now - self._last < _SECONDS_BETWEEN:
            return
        self._last = now
        if not total:
            self.say(metrics.progress_line(self._fraction(stage, 0.0), stage, done, done, unit))
            return
        remaining = (now - self._began) / max(done - self._restored, 1) * (total - done)
        self.say(metrics.progress_line(self._fraction(stage, done / total), stage, done, total, unit, remaining))

    def _fraction(self, stage: Stage, share: float) -> float:
        stages = list(self.ends)
        before = stages.index(stage)
        start = self.ends[stages[before - 1]] if before else 0.0
        return start + (self.ends[stage] - start) * share
