"""The arithmetic of scaling: what a metric, a step and a cooldown make of a capacity."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from local_aws.engine.scaler import Cooldown, Steps, outward, percentage, tracked


@pytest.mark.parametrize(
    ("capacity", "metric", "target", "expected"),
    [
        (1, 35, 10, 4),
        (3, 10, 10, 3),
        (3, 10.01, 10, 4),
        (2, 85, 100, 2),  # removing one would go above the target
        (2, 50, 100, 1),
        (3, 9.999999999999998, 10, 3),  # thirty shares of a third
        (5, 0, 10, 0),
    ],
)
def test_a_capacity_follows_its_metric(capacity: int, metric: float, target: float, expected: int) -> None:
    assert tracked(capacity, metric, target) == expected


@given(some.integers(1, 1000), some.floats(0.01, 1e6), some.floats(0.01, 1e6))
def test_what_is_wanted_is_enough_and_not_more(capacity: int, metric: float, target: float) -> None:
    wanted = tracked(capacity, metric, target)
    load = capacity * metric
    assert wanted * target >= load * (1 - 1e-6) - 1e-5 * target
    assert (wanted - 1) * target < load * (1 + 1e-6) + 1e-5 * target


@pytest.mark.parametrize(
    ("capacity", "percent", "expected"), [(4, 25, 1), (10, 15, 1), (10, 29, 2), (10, 5, 1), (10, -5, -1), (10, -29, -2)]
)
def test_percentages_are_whole_units_toward_nothing_and_at_least_one(
    capacity: int, percent: int, expected: int
) -> None:
    assert percentage(capacity, percent) == expected


def test_a_step_is_chosen_by_the_distance_from_the_threshold() -> None:
    steps = Steps("ChangeInCapacity", ((0, 10, 1), (10, None, 3), (None, -20, -2), (-20, 0, -1)))
    found = {metric: steps.desired(5, metric, 50) for metric in (50, 59.9, 60, 200, 49, 31, 30, 0)}
    assert found == {50: 6, 59.9: 6, 60: 8, 200: 8, 49: 4, 31: 4, 30: 3, 0: 3}
    assert Steps("ChangeInCapacity", ((0, None, 1),)).desired(5, 49, 50) is None


def test_other_kinds_of_steps() -> None:
    assert Steps("ExactCapacity", ((0, None, 7),)).desired(2, 1, 0) == 7
    assert Steps("PercentChangeInCapacity", ((0, None, 25),), least=2).desired(4, 1, 0) == 6
    assert Steps("ChangeInCapacity", ((0, None, -9),)).desired(4, 1, 0) == 0
    assert Steps("ChangeInCapacity", (), aggregation="Maximum").aggregate([1, 5, 3]) == 5
    assert Steps("ChangeInCapacity", ()).aggregate([1, 5, 3]) == 3


def test_within_the_cooldown_what_was_added_counts_as_wanted() -> None:
    last = Cooldown(before=4, ended=100.0, seconds=30.0)
    steps = Steps("ChangeInCapacity", ((0, None, 3),))
    # AWS's example: 2 were added to 4; the alarm calls for 3 while the cooldown lasts, and only one more comes
    assert steps.desired(outward(6, last, 110.0), 1, 0) == 7
    assert steps.desired(outward(6, last, 131.0), 1, 0) == 9
    assert outward(6, Cooldown(4, None, 30.0), 1e9) == 4, "a cooldown begins when the activity has ended"
    assert outward(6, None, 0.0) == 6
