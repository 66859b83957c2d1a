"""The spans that pages look back over, and their points."""

from datetime import UTC, datetime, timedelta

from dashboard.core.serving.span import begin, filled, period

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)


def test_an_account_that_waits_less_is_looked_at_more_closely():
    assert period(timedelta(minutes=15)) == 60
    assert period(timedelta(minutes=15), 30.0) == 5
    assert period(timedelta(days=1), 30.0) == 480
    assert period(timedelta(days=7)) == 3360


def test_a_minute_in_which_nobody_asked_is_a_zero_and_not_a_gap():
    first = begin(timedelta(minutes=3), NOW)
    points = ((first + timedelta(minutes=1), 4.0),)
    assert [value for _, value in filled(points, first, NOW, 60)] == [0.0, 4.0, 0.0]
    assert filled((), first, NOW, 60) == ()
