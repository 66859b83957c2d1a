"""Micro-batches: nobody waits alone, everybody gets their own answer, and one bad job harms nobody else."""

import threading
import time
from collections.abc import Sequence

import pytest

from training.batching import Batcher


class Gate:
    """Work that stops at a gate, so that jobs pile up behind the first."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.batches: list[list[int]] = []

    def __call__(self, jobs: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(jobs))
        self.entered.release()
        assert self.open.wait(20)
        return [job * 10 for job in jobs]


def test_a_job_alone_is_worked_on_at_once() -> None:
    batcher: Batcher[int, int] = Batcher(lambda jobs: [job + 1 for job in jobs], workers=2, largest=8)
    started = time.monotonic()
    assert [batcher.submit(n).result(10) for n in range(200)] == list(range(1, 201))
    assert time.monotonic() - started < 2
    batcher.close()


def test_what_waits_together_is_worked_on_together_in_order() -> None:
    gate = Gate()
    batcher: Batcher[int, int] = Batcher(gate, workers=1, largest=8)
    first = batcher.submit(0)
    assert gate.entered.acquire(timeout=10)
    futures = [batcher.submit(n) for n in range(1, 21)]
    assert batcher.depth == 20
    gate.open.set()
    assert first.result(10) == 0
    assert [future.result(10) for future in futures] == [n * 10 for n in range(1, 21)]
    assert gate.batches == [[0], [*range(1, 9)], [*range(9, 17)], [17, 18, 19, 20]]
    batcher.close()


def test_workers_share_what_waits() -> None:
    gate = Gate()
    batcher: Batcher[int, int] = Batcher(gate, workers=2, largest=8)
    futures = [batcher.submit(0), batcher.submit(1)]
    assert gate.entered.acquire(timeout=10)
    assert gate.entered.acquire(timeout=10)
    futures += [batcher.submit(n) for n in range(2, 8)]
    gate.open.set()
    assert [future.result(10) for future in futures] == [n * 10 for n in range(8)]
    assert sorted(map(len, gate.batches[:3])) == [1, 1, 3], "the first that is free leaves half of it for the other"
    batcher.close()


def test_large_jobs_count_as_what_they_are_and_are_never_split() -> None:
    gate = Gate()
    sizes: list[int] = []
    batcher: Batcher[int, int] = Batcher(gate, workers=1, largest=8, size=lambda job: job, on_batch=sizes.append)
    futures = [batcher.submit(1)]
    assert gate.entered.acquire(timeout=10)
    futures += [batcher.submit(size) for size in (5, 4, 4, 16, 1)]
    gate.open.set()
    assert [future.result(10) for future in futures] == [10, 50, 40, 40, 160, 10]
    assert gate.batches == [[1], [5], [4, 4], [16], [1]]
    assert sizes == [1, 5, 8, 16, 1]
    batcher.close()


def test_a_refused_job_gets_its_own_error() -> None:
    def work(jobs: Sequence[int]) -> list[int | Exception]:
        return [ValueError("odd") if job % 2 else job for job in jobs]

    batcher: Batcher[int, int] = Batcher(work, workers=1, largest=8)
    futures = [batcher.submit(n) for n in range(10)]
    for n, future in enumerate(futures):
        if n % 2:
            with pytest.raises(ValueError, match="odd"):
                future.result(10)
        else:
            assert future.result(10) == n
    batcher.close()


def test_one_job_that_breaks_the_work_does_not_break_the_others() -> None:
    gate = threading.Event()

    def work(jobs: Sequence[int]) -> list[int | Exception]:
        assert gate.wait(10)
        if 3 in jobs:
            raise RuntimeError("three")
        return list(jobs)

    batcher: Batcher[int, int] = Batcher(work, workers=1, largest=8)
    futures = [batcher.submit(n) for n in range(8)]
    gate.set()
    assert [future.result(10) for n, future in enumerate(futures) if n != 3] == [0, 1, 2, 4, 5, 6, 7]
    with pytest.raises(RuntimeError, match="three"):
        futures[3].result(10)
    batcher.close()


def test_a_job_that_nobody_waits_for_any_more_is_not_done() -> None:
    gate = Gate()
    batcher: Batcher[int, int] = Batcher(gate, workers=1, largest=8)
    first = batcher.submit(0)
    assert gate.entered.acquire(timeout=10)
    given_up, kept = batcher.submit(1), batcher.submit(2)
    assert given_up.cancel()
    gate.open.set()
    assert (first.result(10), kept.result(10)) == (0, 20)
    assert gate.batches == [[0], [2]]
    batcher.close()


def test_closing_finishes_what_waits() -> None:
    gate = Gate()
    batcher: Batcher[int, int] = Batcher(gate, workers=2, largest=2)
    futures = [batcher.submit(n) for n in range(20)]
    closing = threading.Thread(target=batcher.close)
    closing.start()
    gate.open.set()
    closing.join(10)
    assert not closing.is_alive()
    assert [future.result(0) for future in futures] == [n * 10 for n in range(20)]
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(1)
