"""What auto scaling would have done: checked by hand against the documented rules."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.serving.scaling.policy import (
    CustomMetric,
    Scheduled,
    Settings,
    StepPolicy,
    TargetTracking,
    Tracked,
    reference,
)
from dashboard.core.serving.scaling.replay import Delays, Replay, capacities, simulate, steady, step_of
from dashboard.core.serving.scaling.serving import Service
from dashboard.core.serving.scaling.traffic import MINUTE, Shape, Traffic, even, synthetic

BEGIN = datetime(2026, 11, 21, tzinfo=UTC)
SERVICE = Service(latency=0.1, places=2, queue=20, late_after=1.0, hourly=Decimal("0.23"))  # 20 a second
SOON = Delays(publication=0, start=120, stop=30)


def trace(*minutes: float) -> Traffic:
    return Traffic(MINUTE, minutes, BEGIN, "written down", is_even=True)


def tracking(target: float, **other: object) -> Settings:
    policy = TargetTracking("p", Tracked.INVOCATIONS, target, 300, 300)
    return Settings(1, 10, (replace(policy, **other),))  # type: ignore[arg-type]


def changes(replay: Replay) -> list[tuple[float, int, int]]:
    return [(one.at, one.before, one.after) for one in replay.activities]


def test_three_minutes_over_the_target_scale_out_to_what_the_metric_asks_for() -> None:
    replay = simulate(tracking(100), trace(*[50] * 5, *[350] * 10), SERVICE, SOON)
    # minutes 5, 6 and 7 are over it, and are all there at 480 s: ceil(1 × 350 / 100) = 4
    assert changes(replay)[0] == (480.0, 1, 4)
    assert replay.activities[0].done == 600.0


def test_two_minutes_over_the_target_do_nothing() -> None:
    replay = simulate(tracking(100), trace(*[50] * 5, 350, 350, *[50] * 5), SERVICE, SOON)
    assert changes(replay) == []


def test_a_data_point_that_is_published_later_is_acted_on_later() -> None:
    at_once, later = (
        simulate(tracking(100), trace(*[350] * 10), SERVICE, replace(SOON, publication=one)) for one in (0, 45)
    )
    assert later.activities[0].at - at_once.activities[0].at == 45
    assert simulate(tracking(100), trace(*[350] * 10), SERVICE, Delays()).activities[0].at == 240


def test_new_instances_serve_once_they_have_started_and_cost_from_then_on() -> None:
    replay = simulate(tracking(100), trace(*[350] * 10), SERVICE, SOON)
    serving = {moment.at: moment.serving for moment in replay.moments}
    assert (serving[299.0], serving[300.0]) == (1, 4)  # over it at 180 s, and 120 s to start
    assert replay.instance_seconds == 300 * 1 + 300 * 4
    assert replay.cost == Decimal("0.23") * 1500 / 3600
    assert replay.month(Decimal(744)) == replay.cost * 744 * 6


def test_within_the_cooldown_what_was_added_counts_for_the_next_scale_out() -> None:
    # 350 a minute on one instance asks for 4. Right after they serve, the newest minute is still one of one instance:
    # of 4 instances it would ask for 14, of the one before them for 4 again.
    late = replace(SOON, start=115)
    replay = simulate(tracking(100), trace(*[350] * 12), SERVICE, late)
    assert changes(replay) == [(180.0, 1, 4)]
    hasty = simulate(tracking(100, scale_out_cooldown=0), trace(*[350] * 12), SERVICE, late)
    assert changes(hasty)[1][1:] == (4, 10)


def test_fifteen_minutes_under_ninety_percent_scale_in_by_what_is_not_needed() -> None:
    replay = simulate(tracking(100), trace(*[150] * 30), SERVICE, SOON, instances=4)
    # 37.5 for each of four: at 900 s, ceil(4 × 37.5 / 100) = 2; then 75 for each of two is under 90, and needs two
    assert changes(replay) == [(900.0, 4, 2)]


def test_a_policy_that_may_not_scale_in_does_not() -> None:
    assert changes(simulate(tracking(100, can_scale_in=False), trace(*[10] * 40), SERVICE, SOON, instances=4)) == []


def test_scaling_in_waits_for_its_cooldown() -> None:
    load = trace(*[250] * 20, *[50] * 40)
    quick, slow = (
        simulate(tracking(100, scale_in_cooldown=seconds), load, SERVICE, SOON, instances=4) for seconds in (30, 1500)
    )
    assert [change[1:] for change in changes(quick)] == [(4, 3), (3, 1)]
    assert changes(slow)[1][0] - changes(quick)[1][0] > 600


def test_an_endpoint_that_nobody_asks_is_not_scaled_in() -> None:
    replay = simulate(tracking(100), trace(*[0] * 60), SERVICE, SOON, instances=4)
    assert changes(replay) == []
    assert {moment.serving for moment in replay.moments} == {4}


def test_the_two_metrics_see_the_same_traffic_in_their_own_units_and_periods() -> None:
    # 1200 a minute are 20 a second, which at 0.1 s are 2 at once
    concurrent = Settings(1, 10, (TargetTracking("c", Tracked.CONCURRENT, 1),))
    replay = simulate(concurrent, even(1200, 20, BEGIN), Service(0.1, places=8), SOON)
    assert changes(replay)[0] == (30.0, 1, 2)  # three periods of ten seconds


def test_of_several_policies_the_largest_wins_and_all_must_agree_to_scale_in() -> None:
    both = Settings(
        1,
        10,
        (TargetTracking("low", Tracked.INVOCATIONS, 100), TargetTracking("high", Tracked.INVOCATIONS, 50)),
    )
    out = simulate(both, trace(*[350] * 6), SERVICE, SOON)
    assert (changes(out)[0], out.activities[0].policy) == ((180.0, 1, 7), "high")
    kept = simulate(both, trace(*[180] * 30), SERVICE, SOON, instances=4)
    assert changes(kept) == []  # 45 for each are under 90 % of 100, and not of 50


def test_scheduled_actions_move_the_ends_and_with_them_the_instances() -> None:
    night = Settings(
        1,
        4,
        scheduled=(
            Scheduled("up", "at(2026-11-21T00:10:00)", 3, None),
            Scheduled("down", "at(2026-11-21T00:20:00)", 1, 2),
        ),
    )
    assert changes(simulate(night, trace(*[10] * 30), SERVICE, SOON)) == [(600.0, 1, 3), (1200.0, 3, 2)]


def test_what_nobody_can_simulate_is_said() -> None:
    odd = Settings(
        1,
        3,
        (TargetTracking("mine", Tracked.CUSTOM, 5, custom=CustomMetric("N", "M", "Sum")),),
        (StepPolicy("steps", "ChangeInCapacity", 60, ()),),
    )
    replay = simulate(odd, trace(*[9000] * 10), SERVICE, SOON)
    assert changes(replay) == []
    assert [line.split()[0] for line in replay.left_out] == ["mine", "steps"]


def test_more_than_an_instance_can_do_waits_then_fails() -> None:
    # 20 a second can be served, 30 come: the queue of 20 is full after two seconds, then a third of them is refused
    replay = simulate(steady(1), trace(*[1800] * 5), SERVICE, SOON)
    assert replay.failed == pytest.approx(1500 * 2 - 20, abs=11)
    assert replay.wait_p50 == pytest.approx(1.0)  # 20 in the queue before it, 20 a second
    assert replay.late_share > 0.6
    assert replay.requests == 9000


def test_a_request_that_would_wait_longer_than_a_minute_fails() -> None:
    endless = replace(SERVICE, queue=100_000)
    replay = simulate(steady(1), trace(*[1800] * 60), endless, SOON)
    assert replay.wait_p99 <= 60
    assert replay.failed > 0


def test_random_traffic_waits_a_little_even_where_there_is_room() -> None:
    busy = simulate(steady(1), replace(trace(*[960] * 10), is_even=False), SERVICE, SOON)
    even_one = simulate(steady(1), trace(*[960] * 10), SERVICE, SOON)
    assert 0 < busy.wait_p99 < 1
    assert even_one.wait_p99 == 0


def test_the_reference_settings_on_a_tripling_are_far_too_eager() -> None:
    """A target of 10 a minute is one request in six seconds: any real traffic takes all three instances."""
    replay = simulate(reference(10), synthetic(Shape.TRIPLING, 120, BEGIN), SERVICE)
    assert capacities(replay) == ((0.0, 1), (240.0, 3))
    assert replay.most == 3


def test_a_day_is_summed_to_a_month() -> None:
    replay = simulate(steady(2), synthetic(Shape.DAILY, 100, BEGIN), SERVICE)
    assert replay.instance_hours == 48
    assert replay.month(Decimal(744)) == Decimal("0.23") * 2 * 744
    assert len(replay.moments) <= 721


def test_a_price_that_is_unknown_makes_an_unknown_cost() -> None:
    replay = simulate(steady(2), trace(*[10] * 10), replace(SERVICE, hourly=None))
    assert replay.cost is None and replay.month() is None


def test_a_week_is_simulated_in_longer_steps_and_comes_to_the_same() -> None:
    days = [300.0] * 600 + [1000.0] * 240 + [300.0] * 600
    two, three = (simulate(tracking(400), trace(*(days * count)), SERVICE, SOON) for count in (2, 3))
    assert (step_of(tracking(400), two.traffic.seconds), step_of(tracking(400), three.traffic.seconds)) == (10, 60)
    assert [one.after for one in two.activities] == [3, 1, 3, 1]
    assert [one.after for one in three.activities] == [3, 1, 3, 1, 3, 1]
    assert three.instance_hours / 3 == pytest.approx(two.instance_hours / 2, rel=0.01)
    concurrent = Settings(1, 3, (TargetTracking("c", Tracked.CONCURRENT, 2),))
    assert step_of(concurrent, 7 * 86_400) == 10


@settings(max_examples=25, deadline=None)
@given(
    minutes=st.lists(st.integers(0, 4000), min_size=1, max_size=40),
    target=st.integers(1, 2000),
    concurrent=st.booleans(),
    maximum=st.integers(1, 6),
)
def test_whatever_comes_every_request_is_counted_and_capacity_keeps_its_ends(
    minutes: list[int], target: int, concurrent: bool, maximum: int
) -> None:
    tracked = Tracked.CONCURRENT if concurrent else Tracked.INVOCATIONS
    made = Settings(1, maximum, (TargetTracking("p", tracked, target, 30, 30),))
    load = Traffic(MINUTE, tuple(map(float, minutes)), BEGIN, "any")
    replay = simulate(made, load, SERVICE, SOON)
    assert replay.requests == pytest.approx(load.total)
    assert 0 <= replay.failed <= replay.requests + 1e-6 and 0 <= replay.late <= replay.requests + 1e-6
    assert all(1 <= count <= maximum for _, count in capacities(replay))
    assert all(one.at < two.at and one.done <= two.at for one, two in pairwise(replay.activities))
    assert simulate(made, load, SERVICE, SOON) == replay
