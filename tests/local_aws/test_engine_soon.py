"""What comes often is written once in a while, all of it, whatever goes wrong."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from local_aws.engine.soon import Soon


class Pen:
    """Writes what waits, slowly, and fails as often as it is told to."""

    def __init__(self, *, fails: int = 0) -> None:
        self.waiting: list[int] = []
        self.written: list[list[int]] = []
        self.begun, self.may = threading.Event(), threading.Event()
        self.may.set()
        self._fails = fails

    def write(self) -> None:
        taken, self.waiting = self.waiting, []
        self.begun.set()
        self.may.wait(5)
        if self._fails:
            self._fails -= 1
            raise OSError("the disk is full")
        self.written.append(taken)


def run(pen: Pen, work: Callable[[Soon], Awaitable[None]], seconds: float = 0.01) -> None:
    async def whole() -> None:
        soon = Soon("what is tried", seconds, pen.write, lambda: bool(pen.waiting))
        await work(soon)
        await soon.close()

    asyncio.run(whole())


def test_what_comes_together_is_written_together_and_what_is_left_when_it_closes() -> None:
    pen = Pen()

    async def work(soon: Soon) -> None:
        for number in range(3):
            pen.waiting.append(number)
            soon.wake()

    run(pen, work, seconds=60)
    assert pen.written == [[0, 1, 2]]


def test_what_comes_while_it_writes_is_written_too_and_nothing_is_being_written_after_it_closed() -> None:
    pen = Pen()
    pen.may.clear()

    async def work(soon: Soon) -> None:
        pen.waiting.append(1)
        soon.wake()
        await asyncio.to_thread(pen.begun.wait, 5)
        pen.waiting.append(2)
        soon.wake()
        pen.may.set()

    run(pen, work)
    assert pen.written == [[1], [2]]


def test_a_disk_that_is_full_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    pen = Pen(fails=1)

    async def work(soon: Soon) -> None:
        pen.waiting.append(1)
        soon.wake()
        while not pen.begun.is_set():
            await asyncio.sleep(0.01)
        pen.waiting.append(2)
        soon.wake()

    run(pen, work)
    assert pen.written[0] == [2]
    assert "what is tried could not be written" in caplog.text
