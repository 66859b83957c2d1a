"""Deeds in the background: told step by step, one a role, stopped only where half a deed does no harm."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.core import noting
from dashboard.core.errors import AccessDenied, KennelError, Refused
from dashboard.core.iam.replace.going import Deed, Going, Progress, Tell
from dashboard.core.iam.replace.proof import Nature, Proof
from dashboard.core.iam.replace.step import State, Step
from dashboard.core.iam.usage import Duty

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def ended(going: Going, role: str) -> Progress:
    deadline = time.monotonic() + 10
    while (seen := going.look(role)) is None or not seen.is_over:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return seen


def until(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_steps_are_seen_while_it_goes_on_and_once_each() -> None:
    going, may_end = Going(), threading.Event()

    def do(tell: Tell, stop: threading.Event) -> str:
        tell(Step(1, "Read", State.RUNNING))
        tell(Step(1, "Read", State.DONE, "read"))
        tell(Step(2, "Attach", State.RUNNING))
        assert may_end.wait(10)
        tell(Step(2, "Attach", State.DONE))
        return "made"

    going.start("Dog", Deed.CHANGE, do, NOW)
    until(lambda: len(getattr(going.look("Dog"), "steps", ())) == 2)
    seen = going.look("Dog")
    assert seen is not None and not seen.is_over and 0 < seen.share < 1
    assert [one.state for one in seen.steps] == [State.DONE, State.RUNNING]
    may_end.set()
    last = ended(going, "Dog")
    assert last.made == "made" and last.share == 1 and not last.has_failed
    assert [one.state for one in last.steps] == [State.DONE, State.DONE]


def test_the_same_twice_is_one_and_another_is_refused() -> None:
    going, may_end, times = Going(), threading.Event(), []

    def do(tell: Tell, stop: threading.Event) -> None:
        times.append(1)
        assert may_end.wait(10)

    going.start("Dog", Deed.CHANGE, do, NOW)
    going.start("Dog", Deed.CHANGE, do, NOW)
    with pytest.raises(Refused, match="a change of Dog is under way"):
        going.start("Dog", Deed.PROOF, do, NOW)
    going.start("Cat", Deed.PROOF, do, NOW)  # another role is another matter
    may_end.set()
    ended(going, "Dog")
    ended(going, "Cat")
    assert len(times) == 2


def test_a_proof_can_be_stopped_and_a_change_cannot() -> None:
    going = Going()

    def wait(tell: Tell, stop: threading.Event) -> bool:
        return stop.wait(10)

    going.start("Dog", Deed.PROOF, wait, NOW)
    going.stop("Dog")
    assert ended(going, "Dog").made is True
    may_end = threading.Event()

    def change(tell: Tell, stop: threading.Event) -> bool:
        assert may_end.wait(10)
        return stop.is_set()

    going.start("Dog", Deed.CHANGE, change, NOW)
    going.stop("Dog")
    may_end.set()
    assert ended(going, "Dog").made is False


@pytest.mark.parametrize(
    ("error", "said"),
    [(AccessDenied("not allowed to iam:CreateRole"), "not allowed"), (ValueError("no such thing"), "no such thing")],
)
def test_what_goes_wrong_is_told_and_the_steps_stay(error: Exception, said: str, caplog: Any) -> None:
    going = Going()

    def do(tell: Tell, stop: threading.Event) -> None:
        tell(Step(1, "Read", State.DONE))
        raise error

    going.start("Dog", Deed.UNDO, do, NOW)
    last = ended(going, "Dog")
    assert last.has_failed and said in str(last.problem) and len(last.steps) == 1


def test_what_ended_can_be_put_away_and_what_goes_on_cannot() -> None:
    going, may_end = Going(), threading.Event()
    going.start("Dog", Deed.PROOF, lambda tell, stop: may_end.wait(10), NOW)
    going.put_away("Dog")
    assert going.look("Dog") is not None
    may_end.set()
    ended(going, "Dog")
    going.put_away("Dog")
    assert going.look("Dog") is None


class Written:
    """What a deed's witness hears of it."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def hold(self) -> None:
        self.heard.append("goes on")

    def release(self, problem: KennelError | None = None) -> None:
        self.heard.append(f"over: {problem.what}" if problem else "over")

    def came(self, sentence: str) -> None:
        self.heard.append(sentence)


@pytest.mark.parametrize(
    ("step", "heard"),
    [
        (Step(1, "Look", State.DONE, "as it was"), ["goes on", "Look: as it was", "over"]),
        (Step(1, "Look", State.FAILED, "gone"), ["goes on", "goes on", "over: Look: not done", "over"]),
    ],
)
def test_whoever_writes_down_what_is_done_hears_how_it_ended(step: Step, heard: list[str]) -> None:
    written, deeds = Written(), Going()
    with noting.under(written):  # type: ignore[arg-type]
        deeds.start("R", Deed.CHANGE, lambda tell, _: tell(step), NOW)
    until(lambda: len(written.heard) >= len(heard))
    assert written.heard == heard


def test_of_a_proof_the_trail_says_what_it_proved_and_not_what_it_cleared_away() -> None:
    written, deeds = Written(), Going()
    steps = (Step(1, "Replay", State.DONE, "12 calls"), Step(2, "Delete what was made for it", State.DONE, "gone"))
    proof = Proof("R", Duty.TRAINING, Nature.RERUN, steps, NOW, NOW)

    def do(tell: Tell, stop: threading.Event) -> Proof:
        for step in steps:
            tell(step)
        return proof

    with noting.under(written):  # type: ignore[arg-type]
        deeds.start("R", Deed.PROOF, do, NOW)
    until(lambda: "over" in written.heard)
    assert written.heard == ["goes on", "Proven: it works as recorded, runs again, and what goes is denied", "over"]
