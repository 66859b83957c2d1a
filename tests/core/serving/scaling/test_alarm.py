"""The two alarms of a target tracking policy, by the table in CloudWatch's guide."""

import pytest

from dashboard.core.serving.scaling.alarm import Alarm, Side, State, alarms
from dashboard.core.serving.scaling.policy import TargetTracking, Tracked

HIGH = Alarm(Side.HIGH, 10, 60, 3)
X, O = 20.0, 5.0  # noqa: E741 - as the guide writes its table
NO = None


@pytest.mark.parametrize(
    ("points", "state"),
    [
        ([O, NO, X, NO, X], State.OK),  # three real ones: the newest three decide
        ([O, NO, NO, NO, NO], State.OK),
        ([NO, NO, NO, NO, NO], State.INSUFFICIENT_DATA),
        ([O, X, X, NO, X], State.ALARM),
        ([NO, NO, X, NO, NO], State.ALARM),  # old enough, and nothing says otherwise
        ([NO, NO, NO, NO, X], State.OK),  # a single new one behind a gap
        ([X, X, O, X, X], State.OK),
        ([X, X, X], State.ALARM),
        ([X, X], State.OK),
        ([], State.INSUFFICIENT_DATA),
    ],
)
def test_missing_data_is_treated_as_cloudwatch_does(points: list[float | None], state: State) -> None:
    assert HIGH.state(points) is state


def test_the_target_itself_is_neither_too_much_nor_too_little() -> None:
    assert HIGH.state([10.0] * 5) is State.OK
    assert Alarm(Side.LOW, 9, 60, 3).state([9.0] * 5) is State.OK


def test_both_metrics_look_at_a_quarter_of_an_hour_before_they_scale_in() -> None:
    high, low = alarms(TargetTracking("p", Tracked.INVOCATIONS, 100))
    assert (high.threshold, high.period, high.periods) == (100, 60, 3)
    assert (low.threshold, low.period, low.periods) == (90, 60, 15)
    high, low = alarms(TargetTracking("p", Tracked.CONCURRENT, 5))
    assert (high.period, high.periods, low.period, low.periods) == (10, 3, 10, 90)
