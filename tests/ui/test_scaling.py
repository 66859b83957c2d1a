"""What the Scaling page says and draws, from plain values."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from dashboard.core.serving.model import EndpointStatus
from dashboard.core.serving.scaling.history import History, Tracking
from dashboard.core.serving.scaling.policy import Scheduled, Settings, TargetTracking, Tracked, reference
from dashboard.core.serving.scaling.scaling import Activity, ActivityStatus, Alarm, AlarmState, Scaling, Suspended
from dashboard.core.serving.scaling.variant import Kind, Variant
from dashboard.ui import figures_scaling, scaling_draft, scaling_schedule, scaling_words

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)  # a Saturday
VARIANT = Variant("dogs", "AllTraffic", Kind.REAL_TIME, EndpointStatus.IN_SERVICE, "ml.m5.large", 2, 2)
SCALING = Scaling(VARIANT, reference(10))
[POLICY] = reference(10).tracking


def alarm(state, *, is_high):
    return Alarm("a", POLICY.name, state, is_high, "InvocationsPerInstance", "Sum", 10 if is_high else 9, 60, 3, 3)


def seen(*values, **more):
    points = tuple((NOW - timedelta(minutes=len(values) - place), value) for place, value in enumerate(values))
    return History(NOW - timedelta(hours=3), NOW, (Tracking(POLICY.tracked, POLICY.name, points, 60),), **more)


def drawn(history, scaling=SCALING):
    return figures_scaling.shown(scaling, history, figures_scaling.watched(scaling))


def local(moment):
    return moment.replace(tzinfo=None)


def test_the_sentence_names_instances_ends_and_what_is_kept():
    assert scaling_words.sentence(SCALING) == "2 instances of 1 to 3, keeps 10 requests per instance and minute"
    assert "no auto scaling is set" in scaling_words.sentence(replace(SCALING, settings=None))
    assert "could not be read" in scaling_words.sentence(replace(SCALING, settings=None, is_known=False))
    assert "switched off: scaling in" in scaling_words.sentence(replace(SCALING, suspended=Suspended(scale_in=True)))
    going = replace(SCALING, variant=replace(VARIANT, desired=3))
    assert scaling_words.sentence(going).startswith("2 instances, going to 3")


@pytest.mark.parametrize(
    ("states", "word"),
    [
        ((AlarmState.ALARM, AlarmState.OK), "scale out"),
        ((AlarmState.OK, AlarmState.ALARM), "scale in"),
        ((AlarmState.OK, AlarmState.OK), "steady"),
        ((AlarmState.NO_DATA, AlarmState.NO_DATA), "no data"),
    ],
)
def test_the_alarms_say_which_way_it_goes(states, word):
    high, low = states
    assert scaling_words.alarms([alarm(high, is_high=True), alarm(low, is_high=False)])[0] == word
    assert scaling_words.alarms([])[0] == "none"


def test_it_scales_in_only_when_all_policies_agree():
    both = [alarm(AlarmState.ALARM, is_high=False), alarm(AlarmState.OK, is_high=False)]
    assert scaling_words.alarms(both)[0] == "steady"


def test_an_alarm_says_what_it_is_here_where_waits_are_shorter():
    one = alarm(AlarmState.OK, is_high=True)
    assert scaling_words.alarm(one) == "above 10 for 3 of 3 periods of 60 s"
    assert scaling_words.alarm(one, 30) == "above 10 for 3 of 3 periods of 60 s (6 s here)"


def test_what_was_not_done_is_told_with_its_reason():
    one = Activity("a", ActivityStatus.FAILED, NOW, None, "Setting…", "alarm", 4, not_scaled=("AlreadyAtMaxCapacity",))
    assert scaling_words.activity(one) == "nothing changed: it is at its maximum"
    assert scaling_words.activity_rows([one], NOW)[0]["status"] == "nothing done"


@pytest.mark.parametrize(
    ("value", "begins"),
    [(14.0, "Above its target: 14"), (9.5, "Near its target: 9.5"), (3.0, "Well below its target: 3")],
)
def test_the_finding_holds_the_metric_against_its_target(value, begins):
    history = seen(value, requests=10.0)
    assert figures_scaling.finding(SCALING, history, drawn(history)).startswith(begins)


def test_without_requests_the_finding_says_that_there_is_nothing_to_scale_by():
    history = seen()
    assert figures_scaling.finding(SCALING, history, drawn(history)).startswith("No request in the last while")
    alone = replace(SCALING, settings=None)
    assert (
        figures_scaling.finding(alone, history, drawn(history, alone)) == "2 instances, and no policy that moves them"
    )
    history = seen(5.0, requests=5.0)
    assert "no policy that keeps it steady" in figures_scaling.finding(alone, history, drawn(history, alone))


def test_the_figure_has_the_metric_above_and_the_instances_below():
    history = seen(
        5.0, 14.0, requests=19.0, instances=((NOW - timedelta(minutes=2), 1.0),), desired=((NOW, 2),)
    )  # fmt: skip
    figure = figures_scaling.figure(SCALING, history, drawn(history), local)
    metric, answering, desired = figure.data
    assert list(metric.y) == [5.0, 14.0]
    assert (answering.yaxis, desired.yaxis) == ("y2", "y2")
    written = {annotation.text for annotation in figure.layout.annotations}
    assert {"target 10", "min 1", "max 3"} <= written
    assert figure.layout.yaxis.range[1] > 14


def test_no_line_leads_over_minutes_of_which_nothing_is_known():
    points = ((NOW - timedelta(minutes=9), 5.0), (NOW - timedelta(minutes=8), 6.0), (NOW - timedelta(minutes=2), 14.0))
    history = History(NOW - timedelta(hours=3), NOW, (Tracking(POLICY.tracked, POLICY.name, points, 60),), requests=25)
    metric = figures_scaling.figure(SCALING, history, drawn(history), local).data[0]
    assert list(metric.y) == [5.0, 6.0, None, 14.0]


def test_the_axis_begins_where_there_is_something_to_see_and_writes_dates_as_the_pages_do():
    axis = figures_scaling.figure(SCALING, seen(5.0, 6.0, requests=11), drawn(seen(5.0)), local).layout.xaxis
    assert axis.range == (local(NOW - timedelta(minutes=15)), local(NOW))
    assert all(one.value.endswith("%-d %b %Y") for one in axis.tickformatstops)
    old = seen(5.0, requests=5, desired=((NOW - timedelta(hours=3), 1), (NOW, 2)))
    assert figures_scaling.figure(SCALING, old, drawn(old), local).layout.xaxis.range[0] == local(old.begin)


def test_the_thresholds_are_those_of_its_alarms_where_there_are_any():
    history = seen(5.0, requests=5.0)
    found = drawn(history, replace(SCALING, alarms=(alarm(AlarmState.OK, is_high=False),)))
    assert (found.high, found.low) == (10, 9)
    stays = replace(SCALING, settings=replace(reference(10), tracking=(replace(POLICY, can_scale_in=False),)))
    assert drawn(history, stays).low is None


def test_the_rows_behind_the_figure_have_a_column_for_each_line():
    history = seen(5.0, 14.0, requests=19.0, desired=((NOW - timedelta(minutes=1), 3), (NOW, 3)))
    rows = figures_scaling.rows(history, drawn(history), local)
    assert rows[-2] == {
        "time": local(NOW - timedelta(minutes=1)),
        "requests per instance and minute": 14.0,
        "asked for": 3,
    }


def test_a_serverless_variant_without_a_policy_is_watched_by_its_utilisation():
    serverless = replace(SCALING, settings=None, variant=replace(VARIANT, kind=Kind.SERVERLESS, instance_type=""))
    [policy] = figures_scaling.watched(serverless)
    assert policy.tracked is Tracked.PROVISIONED


def test_a_time_on_some_days_is_a_cron_expression_and_the_next_one_is_told():
    assert scaling_schedule.expression("Every day", time(8, 5)) == "cron(5 8 * * ? *)"
    weekdays = scaling_schedule.expression("Monday to Friday", time(8, 0))
    assert weekdays == "cron(0 8 ? * MON-FRI *)"
    action = Scheduled("morning", weekdays, 2, 5, "Europe/Berlin")
    assert scaling_schedule.upcoming(action, NOW) == "next Mon 23 Nov 08:00"
    assert scaling_schedule.upcoming(replace(action, end=NOW), NOW) == "never within a year"
    assert "Europe/Berlin" in scaling_schedule.upcoming(replace(action, timezone="Mars/Olympus"), NOW)


def test_a_recommended_target_takes_the_place_of_what_was_kept_steady(monkeypatch):
    monkeypatch.setattr(scaling_draft.st, "session_state", {})
    scaling_draft.propose(Tracked.CONCURRENT, 3)
    assert scaling_draft.st.session_state == {}, "without a form there is nothing to fill in"
    math = TargetTracking("math", Tracked.CUSTOM, 1)
    settings = reference(10)
    scaling_draft.fill(replace(settings, tracking=(*settings.tracking, math)))
    scaling_draft.propose(Tracked.INVOCATIONS, 500)
    again, kept = scaling_draft.st.session_state[scaling_draft.DRAFT].tracking
    assert (again.name, again.target, again.scale_in_cooldown) == (POLICY.name, 500, 30), "its other fields stay"
    assert kept == math, "what Kennel cannot write is kept"
    scaling_draft.propose(Tracked.CONCURRENT, 3)
    new, _ = scaling_draft.st.session_state[scaling_draft.DRAFT].tracking
    assert (new.tracked, new.target) == (Tracked.CONCURRENT, 3)
    assert scaling_draft.st.session_state[scaling_draft.key("metrics")] == [Tracked.CONCURRENT]


def test_filling_the_form_makes_new_fields_so_that_what_a_browser_still_sends_of_the_old_ones_is_nothing(monkeypatch):
    monkeypatch.setattr(scaling_draft.st, "session_state", {})
    scaling_draft.fill(Settings(1, 1))
    old = scaling_draft.key("max")
    scaling_draft.take(reference(10))
    scaling_draft.st.session_state[old] = 1
    assert scaling_draft.st.session_state[scaling_draft.key("max")] == 3
    assert scaling_draft.st.session_state[scaling_draft.key("metrics")] == [Tracked.INVOCATIONS]


def test_a_target_that_could_not_move_anything_gets_room(monkeypatch):
    monkeypatch.setattr(scaling_draft.st, "session_state", {})
    scaling_draft.fill(Settings(1, 1))
    scaling_draft.propose(Tracked.INVOCATIONS, 500)
    assert scaling_draft.st.session_state[scaling_draft.DRAFT].maximum == 3
    scaling_draft.propose(Tracked.INVOCATIONS, 600)
    assert scaling_draft.st.session_state[scaling_draft.DRAFT].maximum == 3
