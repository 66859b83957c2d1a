"""What is being done to a role in the background: it survives the page that began it, and can be looked at and stopped.

One at a time for each role, so that no proof looks at a role that a change is under way with.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from dashboard.core import noting
from dashboard.core.errors import KennelError, Refused
from dashboard.core.iam.replace.proof import Proof
from dashboard.core.iam.replace.step import State, Step

logger = logging.getLogger(__name__)
Tell = Callable[[Step], None]
Do = Callable[[Tell, threading.Event], Any]
"""Does it and tells each step as it begins and as it ends; returns what came of it. Ends soon once the event is set."""


class Deed(StrEnum):
    """What is done to a role."""

    PROOF = "proof"
    CHANGE = "change"
    UNDO = "undo"
    RETIREMENT = "retirement"

    @property
    def can_stop(self) -> bool:
        """Whether it may end half way. What changes a role ends whole, or takes itself back."""
        return self is Deed.PROOF


@dataclass(frozen=True)
class Progress:
    """How far it is. made: what came of it, None until then. problem: why it could not go on, None while it can."""

    role: str
    deed: Deed
    about: str
    begun: datetime
    steps: tuple[Step, ...] = ()
    is_over: bool = False
    is_stopping: bool = False
    problem: KennelError | None = None
    made: Any = None

    @property
    def share(self) -> float:
        """0..1: of the steps begun so far, how many have ended. It is 1 only at the end."""
        ended = sum(one.state.is_final for one in self.steps)
        return 1.0 if self.is_over else ended / (len(self.steps) + 1)

    @property
    def has_failed(self) -> bool:
        return self.problem is not None or any(one.state.is_failed for one in self.steps)

    @property
    def has_undone(self) -> bool:
        """Whether it took back what it had done."""
        return any(one.undoes and one.state is State.DONE for one in self.steps)


@dataclass
class _Task:
    progress: Progress
    stop: threading.Event = field(default_factory=threading.Event)


class Going:
    """The deeds of one account. Safe to share between threads."""

    def __init__(self) -> None:
        self._tasks: dict[str, _Task] = {}
        self._lock = threading.Lock()

    def start(self, role: str, deed: Deed, do: Do, at: datetime, about: str = "") -> None:
        """Begin; returns at once. about: which of several ("endpoint"). The same while it goes on is the same.

        Raises Refused while another of the role goes on.
        """
        with self._lock:
            other = self._tasks.get(role)
            if other is not None and not other.progress.is_over:
                if (other.progress.deed, other.progress.about) == (deed, about):
                    return
                raise Refused(
                    f"a {other.progress.deed} of {role} is under way already",
                    "two at once would look at a role that is not settled",
                    "wait until it has ended; its page shows how far it is",
                )
            task = _Task(Progress(role, deed, about, at))
            self._tasks[role] = task
        work = noting.going_on(self._run)
        threading.Thread(target=work, args=(task, do), name=f"{deed} of {role}", daemon=True).start()

    def look(self, role: str) -> Progress | None:
        """How far the last deed of a role is, or how it ended; None when there was none."""
        with self._lock:
            task = self._tasks.get(role)
            return replace(task.progress, is_stopping=task.stop.is_set()) if task else None

    def stop(self, role: str) -> None:
        """End a deed that can be ended; nothing when none goes on."""
        with self._lock:
            task = self._tasks.get(role)
            if task is not None and task.progress.deed.can_stop:
                task.stop.set()

    def put_away(self, role: str) -> None:
        """Forget how a deed ended; nothing while it goes on."""
        with self._lock:
            task = self._tasks.get(role)
            if task is not None and task.progress.is_over:
                del self._tasks[role]

    def _run(self, task: _Task, do: Do) -> None:
        problem: KennelError | None = None
        made = None
        try:
            made = do(lambda step: self._tell(task, step), task.stop)
        except KennelError as error:
            problem = error
        except Exception as error:
            logger.exception("%s of %s", task.progress.deed, task.progress.role)
            problem = Refused(
                f"the {task.progress.deed} of {task.progress.role} could not go on",
                f"{type(error).__name__}: {error}",
                "look at what its steps say was done; the dashboard's log has the rest",
            )
        if (why := problem or _failed(task.progress.steps)) is not None:
            noting.failed(why)
        elif isinstance(made, Proof):
            noting.came(made.sentence)  # its last step only clears away what it had made
        elif task.progress.steps:
            last = task.progress.steps[-1]
            noting.came(f"{last.title}: {last.detail}" if last.detail else last.title)
        with self._lock:
            task.progress = replace(task.progress, is_over=True, problem=problem, made=made)

    def _tell(self, task: _Task, step: Step) -> None:
        with self._lock:
            known = {one.number: one for one in task.progress.steps}
            known[step.number] = step
            steps = tuple(known[number] for number in sorted(known))
            task.progress = replace(task.progress, steps=steps)


def _failed(steps: Sequence[Step]) -> KennelError | None:
    """What the trail says of a deed whose steps tell that it failed; None where they do not."""
    failed = next((one for one in steps if one.state.is_failed), None)
    if failed is None:
        return None
    taken_back = any(one.undoes and one.state is State.DONE for one in steps)
    return Refused(f"{failed.title}: not done", failed.detail, "it was taken back" if taken_back else "")
