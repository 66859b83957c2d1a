from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.metrics import Statistic
from dashboard.core.serving.scaling import history
from dashboard.core.serving.scaling.explain import at_once, meaning, per_minute, shorter
from dashboard.core.serving.scaling.policy import CustomMetric, TargetTracking, Tracked, reference
from dashboard.core.serving.scaling.read import read
from tests.core.serving.scaling.scaling_aws import NOW, ScalingAws

POLICIES = reference(10).tracking


def minute(age, value):
    return NOW - timedelta(minutes=age), value


@pytest.fixture
def aws():
    return ScalingAws(count=2)


def test_the_metric_is_told_in_the_periods_of_its_alarm(aws):
    aws.series = {"InvocationsPerInstance": [minute(2, 12.0), minute(3, 9.5)]}
    seen = history.read(aws, read(aws, "dogs"), POLICIES, NOW)
    [tracking] = seen.tracking
    assert tracking.points == (minute(3, 9.5), minute(2, 12.0)), "in order, whatever CloudWatch's"
    assert (tracking.period, seen.newest(tracking)) == (60, 12.0)


def test_a_period_that_goes_on_is_left_out(aws):
    now = NOW + timedelta(seconds=30)
    aws.series = {"InvocationsPerInstance": [(NOW, 3.0), minute(1, 12.0)]}
    seen = history.read(aws, read(aws, "dogs"), POLICIES, now)
    assert seen.newest(seen.tracking[0]) == 12.0


def test_a_point_of_a_while_ago_says_nothing_of_now(aws):
    aws.series = {"InvocationsPerInstance": [minute(6, 12.0)], "Invocations": [minute(6, 12.0)]}
    seen = history.read(aws, read(aws, "dogs"), POLICIES, NOW)
    assert not seen.is_quiet
    assert seen.newest(seen.tracking[0]) is None


def test_instances_that_answered_are_requests_over_the_requests_of_each(aws):
    aws.series = {
        "Invocations": [minute(2, 30.0), minute(1, 0.0)],
        "InvocationsPerInstance": [minute(2, 15.0)],
        "ModelLatency": [minute(2, 30 * 120_000.0)],
    }
    seen = history.read(aws, read(aws, "dogs"), POLICIES, NOW)
    assert seen.instances == (minute(2, 2.0),)
    assert seen.latency == pytest.approx(0.12)
    assert not seen.is_quiet


def test_without_requests_nothing_is_told_of_them(aws):
    seen = history.read(aws, read(aws, "dogs"), POLICIES, NOW)
    assert seen.is_quiet
    assert (seen.instances, seen.latency, seen.newest(seen.tracking[0])) == ((), None, None)


def test_where_waits_are_shorter_seconds_are_put_together_to_the_alarms_bins(aws):
    aws.series = {"InvocationsPerInstance": [(NOW - timedelta(seconds=n), 1.0) for n in range(1, 9)]}
    [tracking] = history.read(aws, read(aws, "dogs"), POLICIES, NOW, scale=30).tracking
    assert [value for _, value in tracking.points] == [2.0, 2.0, 2.0, 2.0]
    assert tracking.period == 2


@pytest.mark.parametrize(("statistic", "value"), [("Sum", 6.0), ("Maximum", 3.0), ("Minimum", 1.0), ("Average", 2.0)])
def test_points_are_put_together_as_their_statistic_says(statistic, value):
    points = [(NOW + timedelta(seconds=n), float(n + 1)) for n in range(3)]
    assert history.binned(points, 60, statistic) == ((NOW, value),)


def test_no_bin_is_shorter_than_a_second():
    assert [history.width_of(period, scale) for period, scale in ((60, 1), (60, 30), (10, 30))] == [60, 2, 1]


def test_what_was_asked_for_begins_with_the_last_activity_before_the_window_and_ends_with_now(aws):
    aws.did(1, age=40_000)
    aws.did(3, age=600)
    aws.did(9, "Failed", age=300)
    begin, end = NOW - timedelta(hours=3), NOW
    found = history.desired(read(aws, "dogs").activities, begin, end, 3)
    assert found == ((begin, 1), (NOW - timedelta(seconds=600), 3), (end, 3))
    assert history.desired((), begin, end, 2) == ((end, 2),), "before the first activity it is not known"


def test_a_metric_of_ones_own_is_asked_with_its_own_dimensions_and_unit():
    metric = CustomMetric("Own", "Queue", "Maximum", (("a", "b"),), "Count")
    assert history.metric_of(TargetTracking("own", Tracked.CUSTOM, 5, custom=metric), "dogs", "v") == metric
    assert history.metric_of(TargetTracking("math", Tracked.CUSTOM, 5), "dogs", "v") is None
    assert history.statistic(metric, 60) == Statistic("Own", "Queue", (("a", "b"),), "Maximum", 60, "Count")


def test_moments_are_told_in_utc(aws):
    aws.series = {"InvocationsPerInstance": [minute(5, 1.0)]}
    [tracking] = history.read(aws, read(aws, "dogs"), POLICIES, NOW).tracking
    assert all(isinstance(at, datetime) and at.tzinfo is UTC for at, _ in tracking.points)


def test_requests_a_minute_and_requests_at_once_are_one_another_by_littles_law():
    assert at_once(600, 0.2) == pytest.approx(2)
    assert per_minute(10, 0.12) == pytest.approx(5000)
    assert per_minute(at_once(77, 0.3), 0.3) == pytest.approx(77)


def test_the_reference_target_is_told_as_what_it_is():
    [policy] = reference(10).tracking
    assert meaning(policy, None) == "10 requests a minute on each instance: one every 6 s."
    assert "10 at the same time would be 5,000 a minute" in meaning(policy, 0.12)
    [at_the_same_time] = reference(10, Tracked.CONCURRENT).tracking
    assert "5,000 a minute" in meaning(at_the_same_time, 0.12)


def test_where_waits_are_shorter_a_minute_of_the_metric_is_too_and_that_is_said():
    [policy] = reference(10).tracking
    assert shorter(policy, 1) == ""
    assert "requests of 2 s, and 10 in that time are 300 in a real minute" in shorter(policy, 30)
    assert shorter(reference(10, Tracked.CONCURRENT).tracking[0], 30) == ""


def test_a_metric_that_cannot_be_read_is_said_to_be_kept():
    assert "kept as it is" in meaning(TargetTracking("math", Tracked.CUSTOM, 5), None)
