import threading

import pytest

from dashboard.core.parallel import gather


def test_results_come_in_the_order_of_the_items():
    assert gather(lambda n: n * n, range(50)) == [n * n for n in range(50)]


def test_nothing_and_one_are_fine():
    assert gather(str, []) == []
    assert gather(str, [7]) == ["7"]


def test_calls_do_run_at_the_same_time():
    together = threading.Barrier(8, timeout=10)
    assert gather(lambda _: together.wait() >= 0, range(8), workers=8) == [True] * 8


def test_no_more_than_the_bound_run_at_once():
    lock, now, most = threading.Lock(), 0, 0
    gate = threading.Event()

    def work(number):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == 3:
                gate.set()
        gate.wait(5)
        with lock:
            now -= 1

    gather(work, range(12), workers=3)
    assert most == 3


def test_the_first_error_is_raised_and_the_rest_is_not_started():
    started = []

    def work(number):
        started.append(number)
        if number == 0:
            raise LookupError("first")
        threading.Event().wait(0.01)

    with pytest.raises(LookupError, match="first"):
        gather(work, range(1000), workers=2)
    assert len(started) < 1000
