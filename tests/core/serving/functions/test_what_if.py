"""What a month of invocations would be: against a simulation call by call, and against figures reckoned by hand."""

import heapq
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.costs.prices import PriceBook
from dashboard.core.serving.functions.concurrency import at_once, enough, kept_ready_cost, write_up
from dashboard.core.serving.functions.load import Load, Shape, busiest_at_once, fare, shaped
from dashboard.core.serving.functions.scaled import Scaling
from dashboard.core.serving.functions.what_if import (
    Machine,
    Setting,
    Way,
    break_even,
    break_even_share,
    costs,
    outcome,
    path,
)

BOOK = PriceBook.load()
MACHINE = Machine(256, False, "us-east-1")
FEW = st.floats(0.01, 2000)


def simulated(
    per_minute: float, seconds: float, ready: int, most: int, idle: float, calls: int = 25_000
) -> tuple[float, float, float]:
    """Call by call, written apart: shares that ran in a ready environment, started cold, and were refused."""
    draw = random.Random(7)
    now, in_ready, cold, refused = 0.0, 0, 0, 0
    free_since: list[float | None] = [0.0] * ready  # by environment, in the order in which they are tried; None: busy
    busy: list[tuple[float, int]] = []
    for _ in range(calls):
        now += draw.expovariate(per_minute / 60)
        while busy and busy[0][0] <= now:
            ended, place = heapq.heappop(busy)
            free_since[place] = ended
        place = next((i for i, since in enumerate(free_since) if since is not None), len(free_since))
        if place >= most:
            refused += 1
            continue
        since = free_since[place] if place < len(free_since) else None
        if place < ready:
            in_ready += 1
        elif since is None or now - since > idle:
            cold += 1
        if place == len(free_since):
            free_since.append(None)
        free_since[place] = None
        heapq.heappush(busy, (now + draw.expovariate(1 / seconds), place))
    return in_ready / calls, cold / calls, refused / calls


@pytest.mark.parametrize(
    ("per_minute", "seconds", "ready", "most"),
    [(0.05, 0.2, 0, 100), (30, 2.0, 0, 3), (300, 0.5, 2, 4), (60, 1.0, 1, 100), (600, 0.5, 0, 5)],
)
def test_a_minute_fares_as_a_simulation_of_each_call_does(
    per_minute: float, seconds: float, ready: int, most: int
) -> None:
    said = fare(per_minute, seconds, ready, most)
    in_ready, cold, refused = simulated(per_minute, seconds, ready, most, 600)
    assert said.ready / per_minute == pytest.approx(in_ready, abs=0.01)
    assert said.throttled / per_minute == pytest.approx(refused, abs=0.01)
    assert said.cold / per_minute == pytest.approx(cold, abs=0.01)


def test_rare_cold_starts_are_more_than_is_reckoned_by_as_much_as_is_said() -> None:
    """60 a minute of 0.2 s: some 1,600 of 2.6 million a month start cold."""
    said = fare(60, 0.2, 0, 1000).cold / 60
    _, cold, _ = simulated(60, 0.2, 0, 1000, 600, 300_000)
    assert said * 0.8 <= cold <= said * 1.7


@given(FEW, st.floats(0.01, 20), st.integers(0, 50), st.integers(0, 60))
def test_no_call_is_lost_or_made_up(per_minute: float, seconds: float, ready: int, most: int) -> None:
    one = fare(per_minute, seconds, min(ready, most), most)
    assert one.ready + one.warm + one.cold + one.throttled == pytest.approx(per_minute, rel=1e-6)
    assert min(one.ready, one.warm, one.cold, one.throttled) >= 0


@given(FEW, st.floats(0.01, 20), st.integers(1, 40))
def test_more_kept_ready_never_starts_more_cold_nor_refuses_more(per_minute: float, seconds: float, ready: int) -> None:
    fewer, more = fare(per_minute, seconds, ready - 1, 60), fare(per_minute, seconds, ready, 60)
    assert more.cold <= fewer.cold + 1e-9
    assert more.throttled == pytest.approx(fewer.throttled)


def test_the_write_ups_541_is_three_kept_ready_for_a_month_of_31_days_in_tokyo() -> None:
    tokyo = kept_ready_cost(BOOK, "ap-northeast-1", memory_mb=128, number=3, arm=False, hours=Decimal(744))
    assert tokyo is not None and round(tokyo, 2) == Decimal("5.41")
    machine = Machine(128, False, "ap-northeast-1", Decimal(744))
    month = outcome(Load((0.0,), 0.2, 1.0), Setting(Way.PROVISIONED, 1000, 3), machine, BOOK)
    assert month.cost == tokyo  # nobody asked: it costs all the same
    assert "cost $5.41 in ap-northeast-1" in write_up(BOOK) and "$4.19 in us-east-1" in write_up(BOOK)
    virginia = kept_ready_cost(BOOK, "us-east-1", memory_mb=128, number=3, arm=False, hours=Decimal(744))
    two = kept_ready_cost(BOOK, "us-east-1", memory_mb=128, number=2, arm=False, hours=Decimal(744))
    assert virginia is not None and round(virginia, 2) == Decimal("4.19")
    assert two is not None and round(two, 2) == Decimal("2.79")


def test_a_ceiling_costs_nothing_and_refuses_what_does_not_fit() -> None:
    load = Load(shaped(1500, Shape.STEADY), 0.4, 1.0)  # ten at once
    free = outcome(load, Setting(Way.NONE, 1000), MACHINE, BOOK)
    capped = outcome(load, Setting(Way.RESERVED, 5), MACHINE, BOOK)
    assert free.throttled == pytest.approx(0, abs=1)
    assert capped.throttled_share == pytest.approx(0.564, abs=0.001)  # Erlang's B(5, 10), from its tables
    assert capped.kept == 0
    assert capped.cost is not None and free.cost is not None and capped.cost < free.cost


def test_what_the_invocations_cost_is_reckoned_from_requests_and_seconds() -> None:
    """By hand: 100 a minute × 43,800 min × $0.20/M + the same × 0.2 s × 0.25 GB × $0.0000166667, warm throughout."""
    month = outcome(Load((100.0,), 0.2, 0.0), Setting(Way.NONE, 1000), MACHINE, BOOK)
    by_hand = Decimal("4380000") * (Decimal("0.0000002") + Decimal("0.2") * Decimal("0.25") * Decimal("0.0000166667"))
    assert month.cost is not None and abs(month.cost - by_hand) < Decimal("0.001")


def test_on_arm_what_is_kept_ready_is_of_unknown_cost_and_never_free() -> None:
    arm = Machine(256, True, "us-east-1")
    load = Load((10.0,), 0.2, 1.0)
    assert outcome(load, Setting(Way.PROVISIONED, 1000, 2), arm, BOOK).cost is None
    assert outcome(load, Setting(Way.NONE, 1000), arm, BOOK).cost is not None
    assert break_even(2, 0.2, arm, BOOK) is None


def test_keeping_pays_once_it_is_busy_three_fifths_of_the_time() -> None:
    share = break_even_share(MACHINE, BOOK)
    assert share == pytest.approx(4.1667 / (16.6667 - 9.7222), abs=1e-4)
    rate = break_even(2, 0.2, MACHINE, BOOK)
    assert rate is not None
    plain, ready = Setting(Way.NONE, 1000), Setting(Way.PROVISIONED, 1000, 2)
    for factor, is_cheaper in ((0.9, False), (1.1, True)):
        at = [rate * factor]
        without, kept = costs(at, plain, 0.2, 0.0, MACHINE, BOOK)[0], costs(at, ready, 0.2, 0.0, MACHINE, BOOK)[0]
        assert without is not None and kept is not None and (kept < without) is is_cheaper


def test_growing_traffic_starts_environments_cold_that_steady_traffic_keeps_warm() -> None:
    steady = outcome(Load(shaped(600, Shape.STEADY), 1.0, 1.0), Setting(Way.NONE, 1000), MACHINE, BOOK)
    bursts = outcome(Load(shaped(600, Shape.BURSTS), 1.0, 1.0), Setting(Way.NONE, 1000), MACHINE, BOOK)
    assert bursts.invocations == pytest.approx(steady.invocations)
    assert bursts.cold > 10 * steady.cold


def test_one_call_after_a_long_pause_starts_cold_each_time() -> None:
    """A single call each hour: 730 a month, each an hour after the one before, and an environment is kept 10 min."""
    hourly = tuple(1.0 if minute == 30 else 0.0 for minute in range(60)) * 24
    month = outcome(Load(hourly, 0.2, 1.0), Setting(Way.NONE, 1000), MACHINE, BOOK)
    assert month.invocations == pytest.approx(730)
    assert month.cold == pytest.approx(730, rel=0.05)
    assert outcome(Load(hourly, 0.2, 1.0), Setting(Way.PROVISIONED, 1000, 1), MACHINE, BOOK).cold < 8


def test_auto_scaling_follows_after_three_minutes_and_goes_down_after_fifteen() -> None:
    busy, calm = 6000.0, 30.0
    load = Load((calm,) * 5 + (busy,) * 10 + (calm,) * 20, 0.1, 1.0)
    numbers = path(load, Scaling(4, 30, 0.7))
    assert numbers[:9] == (4,) * 8 + (6,)  # three minutes above, then 4 / 0.7
    assert numbers[:15] == tuple(sorted(numbers[:15])) and numbers[14] > 15
    assert numbers[15:30] == (numbers[15],) * 15 and numbers[30] == 4


def test_a_minute_without_a_call_moves_nothing() -> None:
    quiet = path(Load((600.0,) * 10 + (0.0,) * 100, 0.5, 1.0), Scaling(1, 30, 0.7))
    assert quiet[-1] == quiet[10] > 1


def test_a_load_without_a_minute_is_none() -> None:
    with pytest.raises(ValueError, match="at least one minute"):
        outcome(Load((), 0.2, 1.0), Setting(Way.NONE, 1000), MACHINE, BOOK)


@pytest.mark.parametrize("shape", list(Shape))
def test_every_shape_has_the_mean_that_was_typed(shape: Shape) -> None:
    load = Load(shaped(12.0, shape), 0.2, 1.0)
    assert load.mean == pytest.approx(12.0)
    assert load.busiest >= load.mean - 1e-9 and min(load.per_minute) >= 0


def test_how_many_run_at_once() -> None:
    assert at_once(300, 0.2) == pytest.approx(1.0)
    assert enough(300, 0.2) == 5  # B(4, 1) = 1.5 %, B(5, 1) = 0.3 %
    assert enough(0, 0.2) == 1  # one for whoever comes first
    assert busiest_at_once(300, 0.2) == 4  # P(Poisson(1) ≤ 3) = 98.1 %, ≤ 4 = 99.6 %
    assert busiest_at_once(0, 0.2) == 0
    assert busiest_at_once(6_000_000, 0.01) == pytest.approx(1074, abs=3)  # 1,000 + 2.33 × √1,000
