"""A load test: bounded, counted, stoppable, and there when somebody looks again."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dashboard.core.errors import NotFound, Refused, Throttled
from dashboard.core.serving.measure.load import Budget, hold
from dashboard.core.serving.measure.plan import Plan
from dashboard.core.serving.measure.result import Level, Measurement
from dashboard.core.serving.measure.running import STOPPED, USED_UP, Progress, Running

PLAN = Plan("dogs", "main", "ml.m5.large", 1, (1, 2), 0.15, 10_000, Decimal(0), "", "")


def answer(_: int) -> None:
    time.sleep(0.005)


def made(plan: Plan, levels: tuple[Level, ...], ended: str) -> Measurement:
    return Measurement("dogs", "main", datetime.now(UTC), "dogs-1", "ml.m5.large", 1, 1, levels, ended)


def over(running: Running) -> Progress:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        progress = running.look("dogs", "main")
        if progress and progress.is_over:
            return progress
        time.sleep(0.01)
    raise AssertionError("it did not end")


def run(plan: Plan = PLAN, ask: Callable[[int], None] = answer) -> tuple[Progress, list[Measurement]]:
    running, kept = Running(), list[Measurement]()
    running.start(plan, ask, made, kept.append)
    return over(running), kept


def test_each_level_is_held_and_the_result_is_kept() -> None:
    progress, kept = run()
    assert [level.clients for level in kept[0].levels] == [1, 2]
    assert all(level.requests > 5 and not level.failed for level in kept[0].levels)
    assert kept[0].requests == progress.requests
    assert (progress.problem, kept[0].ended) == (None, "")


def test_no_more_is_sent_than_was_planned() -> None:
    sent: list[int] = []
    _, kept = run(replace(PLAN, most_requests=20), sent.append)
    assert len(sent) == 20
    assert kept[0].ended == USED_UP


def test_refusals_are_counted_by_their_kind_and_end_the_ramp() -> None:
    def refuse(number: int) -> None:
        if number % 2:
            raise Throttled("slow down")

    _, kept = run(ask=refuse)
    assert [level.clients for level in kept[0].levels] == [1]
    assert set(kept[0].levels[0].errors) == {"throttled"}
    assert "5 %" in kept[0].ended


def test_it_is_stopped_after_what_is_under_way() -> None:
    running, kept = Running(), list[Measurement]()
    running.start(replace(PLAN, hold=60), answer, made, kept.append)
    going = running.look("dogs", "main")
    assert going is not None and not going.is_over
    running.stop("dogs", "main")
    assert over(running).requests == kept[0].requests
    assert kept[0].ended == STOPPED


def test_two_tests_of_one_variant_would_measure_each_other() -> None:
    running, kept = Running(), list[Measurement]()
    running.start(replace(PLAN, hold=60), answer, made, kept.append)
    running.start(replace(PLAN, hold=60), answer, made, kept.append)  # the same again: a second click
    with pytest.raises(Refused, match="measured already"):
        running.start(replace(PLAN, hold=30), answer, made, kept.append)
    running.stop("dogs", "main")
    over(running)
    assert len(kept) == 1


def test_what_cannot_be_finished_says_why() -> None:
    def gone(plan: Plan, levels: tuple[Level, ...], ended: str) -> Measurement:
        raise NotFound("the endpoint dogs is not there")

    running = Running()
    running.start(PLAN, answer, gone, lambda _: None)
    progress = over(running)
    assert isinstance(progress.problem, NotFound)
    assert [level.clients for level in progress.levels] == [1, 2]
    assert running.look("cats", "main") is None


def test_a_request_that_is_under_way_at_the_end_is_waited_for() -> None:
    def slow(_: int) -> None:
        time.sleep(0.8)  # longer than the load lasts

    found = hold(slow, 2, 0.5, Budget(100), threading.Event())
    assert (found.clients, found.requests) == (2, 2)
    assert found.seconds >= 0.8
