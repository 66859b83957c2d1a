"""Queueing arithmetic against known results and against a simulation of single requests."""

import heapq
from random import Random

import pytest

from dashboard.core.serving.scaling.waiting import SHORTER, Wait, erlang_c, most_at_once, quantile, stationary


def test_erlangs_formula_for_one_place_is_its_load() -> None:
    assert erlang_c(1, 0.3) == pytest.approx(0.3)


@pytest.mark.parametrize(("places", "load", "waits"), [(2, 1.0, 1 / 3), (3, 2.0, 4 / 9), (10, 8.0, 0.4092)])
def test_erlangs_formula_has_the_values_of_its_tables(places: int, load: float, waits: float) -> None:
    assert erlang_c(places, load) == pytest.approx(waits, rel=1e-3)


@pytest.mark.parametrize(("places", "share"), [(1, 0.5), (1, 0.8), (4, 0.7), (4, 0.9)])
def test_the_mean_wait_is_that_of_single_requests_with_a_constant_service(places: int, share: float) -> None:
    source, now, waited, count = Random(5), 0.0, 0.0, 60_000
    free = [0.0] * places
    for _ in range(count):
        now += source.expovariate(places * share)
        at = max(now, heapq.heappop(free))
        waited += at - now
        heapq.heappush(free, at + 1.0)
    assert stationary(places, share).expected == pytest.approx(waited / count, rel=0.15, abs=0.01)


def test_a_mixture_has_the_quantile_that_it_should() -> None:
    waits = [(Wait(0.0), 90.0), (Wait(2.0), 10.0)]
    assert quantile(waits, 0.5) == 0
    assert quantile(waits, 0.99) == pytest.approx(2.0, abs=1e-6)
    exponential = [(Wait(0.0, 1.0, 3.0), 7.0)]
    assert quantile(exponential, 0.5) == pytest.approx(3 * 0.6931, rel=1e-3)
    assert quantile([], 0.99) == 0


def test_a_wait_behind_a_backlog_is_at_least_that_long() -> None:
    wait = Wait(1.0, 0.5, 2.0)
    assert (wait.beyond(0.5), wait.beyond(1.0)) == (1.0, 0.5)
    assert wait.expected == 2.0
    assert stationary(1, 0.5).mean == SHORTER / 0.5


def test_the_most_at_once_is_more_than_the_mean_and_grows_with_the_looks() -> None:
    assert most_at_once(0, 10) == 0
    assert most_at_once(2.0, 1) == 2
    assert 2 < most_at_once(2.0, 10) < most_at_once(2.0, 1000)
    assert most_at_once(10_000, 100) == pytest.approx(10_000 + 233, abs=10)  # 2.33 standard deviations
