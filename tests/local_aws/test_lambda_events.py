"""Asynchronous requests: tried again as AWS does, as long as they are young enough, and none is lost."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from local_aws.engine.lambda_request import Outcome
from local_aws.errors import ServiceError
from local_aws.pace import Pace
from local_aws.services.lambda_events import EventQueue, Patience
from local_aws.services.lambda_invoke import RESERVED, Answered, Invoker, Throttled
from local_aws.services.lambda_metrics import LambdaMetrics
from local_aws.services.lambda_names import Named
from local_aws.store import Store

WHICH = Named("us-east-1", "123456789012", "fn")
GOOD, BAD = Answered(Outcome(b"1", False, 0.1, b""), "1"), Answered(Outcome(b"{}", True, 0.1, b""), "1")
FULL = Throttled(RESERVED)
SCALE = 600  # a minute takes a tenth of a second


@dataclass
class World:
    """A queue whose function answers as it is told to: the last of `answers` for ever."""

    folder: Path
    answers: Sequence[Answered | Exception]
    patience: Patience = Patience()  # noqa: RUF009 (it is frozen)
    tried: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    async def invoke(self, which: Named, payload: bytes, request_id: str, context: Any) -> Answered:
        assert (which, payload, request_id) == (WHICH, b'{"a": 1}', "id")
        self.tried.append(time.monotonic())
        answer = self.answers[min(len(self.tried), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def add(self, region: str, function: str, resource: str, metric: str, value: float = 1.0) -> None:
        self.counts[metric] += 1

    def queue(self, store: Store) -> EventQueue:
        made = EventQueue(store, cast(Invoker, self), cast(LambdaMetrics, self), time.time, Pace(SCALE))
        made.start(lambda which: self.patience)
        return made

    def run(self, seconds: float = 10.0) -> list[float]:
        """One event until it is done; after how many of AWS's seconds each further try came."""

        async def work() -> None:
            store = Store(self.folder)
            queue = self.queue(store)
            await queue.add(WHICH, b'{"a": 1}', "id", None)
            async with asyncio.timeout(seconds):
                while queue._tasks:
                    await asyncio.sleep(0.005)
            assert queue._documents.all() == []
            store.close()

        asyncio.run(work())
        return [(later - before) * SCALE for before, later in zip(self.tried, self.tried[1:], strict=False)]


def test_a_failure_is_tried_again_after_a_minute_and_after_two_more(tmp_path: Path) -> None:
    world = World(tmp_path, [BAD])
    first, second = world.run()
    assert first >= 60
    assert second >= 120
    assert world.counts["AsyncEventsDropped"] == 1


def test_one_that_succeeds_in_the_end_is_not_dropped(tmp_path: Path) -> None:
    world = World(tmp_path, [BAD, GOOD])
    assert len(world.run()) == 1
    assert world.counts["AsyncEventsDropped"] == 0


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (1, 2)])
def test_it_is_tried_as_often_as_is_set(tmp_path: Path, retries: int, tries: int) -> None:
    world = World(tmp_path, [BAD], Patience(retries=retries))
    world.run()
    assert len(world.tried) == tries


@pytest.mark.parametrize("failure", [FULL, OSError("no memory for a process")])
def test_where_there_is_no_room_it_waits_longer_each_time(tmp_path: Path, failure: Exception) -> None:
    waits = World(tmp_path, [failure] * 6 + [GOOD]).run()
    assert len(waits) == 6
    assert all(wait >= at_least for wait, at_least in zip(waits, (1, 2, 4, 8, 16, 32), strict=True))


def test_one_that_is_too_old_is_dropped_and_its_age_goes_as_fast_as_waits_do(tmp_path: Path) -> None:
    world = World(tmp_path, [FULL], Patience(age=300))
    begun = time.monotonic()
    world.run()
    assert time.monotonic() - begun < 5  # 300 s are half a second here
    assert world.counts["AsyncEventsDropped"] == 1


def test_a_function_that_reserves_nothing_at_all_takes_no_event(tmp_path: Path) -> None:
    world = World(tmp_path, [GOOD], Patience(shut=True))
    world.run()
    assert (world.tried, world.counts["AsyncEventsDropped"]) == ([], 1)


def test_an_event_of_a_function_that_has_gone_is_dropped(tmp_path: Path) -> None:
    world = World(tmp_path, [ServiceError("ResourceNotFoundException", "Function not found", 404)])
    world.run()
    assert (len(world.tried), world.counts["AsyncEventsDropped"]) == (1, 1)


def test_what_was_accepted_is_run_after_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    world = World(tmp_path, [FULL, GOOD])

    async def stopped() -> None:
        queue = world.queue(store)
        await queue.add(WHICH, b'{"a": 1}', "id", None)
        await asyncio.sleep(0)
        await queue.stop()

    async def started() -> None:
        queue = world.queue(store)
        while queue._tasks:
            await asyncio.sleep(0.005)

    asyncio.run(stopped())
    world.tried.clear()
    asyncio.run(started())
    assert world.tried
    assert world.counts["AsyncEventsDropped"] == 0
    store.close()
