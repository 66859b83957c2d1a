"""Load tests that go on in the background: they survive the page that began them, and can be looked at and stopped."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from dashboard.core import noting
from dashboard.core.errors import KennelError, Refused
from dashboard.core.serving.measure import knee
from dashboard.core.serving.measure.load import Ask, Budget, hold
from dashboard.core.serving.measure.plan import Plan
from dashboard.core.serving.measure.result import Level, Measurement

logger = logging.getLogger(__name__)
STOPPED, USED_UP = "it was stopped", "all planned requests were sent"
Made = Callable[[Plan, tuple[Level, ...], str], Measurement]
"""Makes the result of a plan from its levels, and why it ended early; asks AWS how many instances there are now."""


@dataclass(frozen=True)
class Progress:
    """How far a load test is. problem: why it could not go on, None while it can."""

    plan: Plan
    level: int
    requests: int
    failed: int
    seconds: float
    levels: tuple[Level, ...] = ()
    is_over: bool = False
    is_stopping: bool = False
    problem: KennelError | None = None

    @property
    def share(self) -> float:
        """0..1 of its time."""
        return 1.0 if self.is_over else min(1.0, self.seconds / self.plan.seconds)


@dataclass
class _Test:
    plan: Plan
    budget: Budget
    begun: float
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Progress | None = None
    thread: threading.Thread | None = None


class Running:
    """The load tests of one account, one a variant at a time. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tests: dict[tuple[str, str], _Test] = {}
        self._lock = threading.Lock()

    def start(self, plan: Plan, ask: Ask, made: Made, keep: Callable[[Measurement], None]) -> None:
        """Begin; returns at once. What comes of it is given to `keep`. Raises Refused while one of the variant goes on.

        The same plan again while it goes on is the same test.
        """
        with self._lock:
            other = self._tests.get(plan.key)
            if other and not self._look(other).is_over:
                if other.plan == plan:
                    return
                raise Refused(
                    f"the endpoint {plan.endpoint} is being measured already",
                    "two tests at once would measure each other",
                    "wait until it is done, or stop it",
                )
            test = _Test(plan, Budget(plan.most_requests), self._clock())
            test.progress = Progress(plan, 0, 0, 0, 0.0)
            self._tests[plan.key] = test
        test.thread = threading.Thread(
            target=noting.going_on(self._run),
            args=(test, ask, made, keep),
            name=f"measure {plan.endpoint}",
            daemon=True,
        )
        test.thread.start()

    def look(self, endpoint: str, variant: str) -> Progress | None:
        """How far the test of a variant is, or how it ended; None when there was none."""
        with self._lock:
            test = self._tests.get((endpoint, variant))
            return self._look(test) if test else None

    def stop(self, endpoint: str, variant: str) -> None:
        """End a test after the requests that are under way; nothing when none goes on."""
        with self._lock:
            test = self._tests.get((endpoint, variant))
        if test:
            test.stop.set()

    def _look(self, test: _Test) -> Progress:
        told = test.progress or Progress(test.plan, 0, 0, 0, 0.0)
        if told.is_over:
            return told
        return replace(
            told,
            requests=test.budget.sent,
            failed=test.budget.failed,
            seconds=self._clock() - test.begun,
            is_stopping=test.stop.is_set(),
        )

    def _run(self, test: _Test, ask: Ask, made: Made, keep: Callable[[Measurement], None]) -> None:
        levels: tuple[Level, ...] = ()
        problem: KennelError | None = None
        ended = ""
        try:
            for place, clients in enumerate(test.plan.levels):
                self._tell(test, place, levels)
                levels += (hold(ask, clients, test.plan.hold, test.budget, test.stop),)
                ended = self._why_end(test, levels)
                if ended:
                    break
            keep(made(test.plan, levels, ended))
        except KennelError as error:
            problem = error
        except Exception as error:
            logger.exception("measuring %s", test.plan.endpoint)
            problem = Refused(
                f"the endpoint {test.plan.endpoint} could not be measured", f"{type(error).__name__}: {error}"
            )
        if problem is not None:
            noting.failed(problem)
        else:
            early = f" and ended early because {ended}" if ended else ""
            noting.came(f"{test.plan.endpoint} was measured with {test.budget.sent:,} photos{early}")
        with self._lock:
            test.progress = replace(self._look(test), levels=levels, is_over=True, problem=problem)

    def _tell(self, test: _Test, place: int, levels: tuple[Level, ...]) -> None:
        with self._lock:
            test.progress = Progress(test.plan, place, test.budget.sent, test.budget.failed, 0.0, levels)

    def _why_end(self, test: _Test, levels: tuple[Level, ...]) -> str:
        if test.stop.is_set():
            return STOPPED
        if test.budget.left <= 0:
            return USED_UP
        return knee.is_enough(levels) if len(levels) < len(test.plan.levels) else ""
