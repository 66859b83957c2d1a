"""Traffic for a replay: made up in four shapes, the same for the same seed."""

from datetime import UTC, datetime
from random import Random
from statistics import fmean, pvariance

import pytest

from dashboard.core.errors import InvalidInput
from dashboard.core.serving.scaling.traffic import Shape, even, poisson, synthetic

BEGIN = datetime(2026, 11, 21, tzinfo=UTC)


def test_the_same_seed_is_the_same_traffic() -> None:
    assert synthetic(Shape.DAILY, 300, BEGIN) == synthetic(Shape.DAILY, 300, BEGIN)
    assert synthetic(Shape.DAILY, 300, BEGIN, seed=2) != synthetic(Shape.DAILY, 300, BEGIN)


def test_a_day_is_busiest_in_the_afternoon_and_quiet_at_night() -> None:
    day = synthetic(Shape.DAILY, 6000, BEGIN).requests
    assert len(day) == 1440
    assert fmean(day[14 * 60 - 30 : 14 * 60 + 30]) == pytest.approx(6000, rel=0.02)
    assert fmean(day[90:150]) == pytest.approx(1000, rel=0.02)


def test_a_spike_and_a_tripling_begin_after_half_an_hour() -> None:
    spike = synthetic(Shape.SPIKE, 600, BEGIN).requests
    assert fmean(spike[30:40]) == pytest.approx(6000, rel=0.05)
    assert fmean(spike[40:]) == pytest.approx(600, rel=0.05)
    tripling = synthetic(Shape.TRIPLING, 600, BEGIN).requests
    assert fmean(tripling[:30]) == pytest.approx(600, rel=0.05)
    assert fmean(tripling[30:]) == pytest.approx(1800, rel=0.05)


@pytest.mark.parametrize("mean", [0.2, 4.0, 49.0, 80.0, 5000.0])
def test_minutes_vary_as_independent_visitors_do(mean: float) -> None:
    source = Random(3)
    drawn = [poisson(mean, source) for _ in range(4000)]
    assert fmean(drawn) == pytest.approx(mean, rel=0.06)
    assert pvariance(drawn) == pytest.approx(mean, rel=0.12)
    assert min(drawn) >= 0


@pytest.mark.parametrize("rate", [0, -1, 10**9, float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InvalidInput) as refused:
        synthetic(Shape.STEADY, rate, BEGIN)
    assert refused.value.field == "rate"


def test_traffic_tells_its_rate_at_any_moment() -> None:
    traffic = even(120, 10, BEGIN)
    assert (traffic.seconds, traffic.total, traffic.peak) == (600, 1200, 120)
    assert (traffic.per_second(0), traffic.per_second(599.9), traffic.per_second(600)) == (2, 2, 0)
